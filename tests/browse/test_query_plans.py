"""No page reads a table that grows from end to end: the plans of all statements that it runs."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from archiver.browse import archives, metadata
from support.browsing import browsing

GROWING = (
    "posts", "post_sources", "post_aliases", "relations", "revisions", "attachments", "media",
    "renditions", "events", "metrics", "responses", "ledger", "ledger_rows",
)  # fmt: skip
SCAN = re.compile(rf"SCAN ({'|'.join(GROWING)})( USING .*)?")

HERE = "/archive/-"
PAGES = (
    f"{HERE}/home", f"{HERE}/timeline", f"{HERE}/timeline?before=2025-06-01~1",
    f"{HERE}/timeline?account=my-threads", f"{HERE}/timeline?account=my-threads&removed=1",
    f"{HERE}/timeline?account=my-threads&kind=post", f"{HERE}/timeline?platform=threads",
    f"{HERE}/timeline?kind=reel", f"{HERE}/timeline?order=oldest", f"{HERE}/timeline?at=2025-03",
    f"{HERE}/timeline?since=2025-03-10&until=2025-06-20", f"{HERE}/timeline?since=2025-03",
    f"{HERE}/timeline?media=1", f"{HERE}/timeline?edited=1", f"{HERE}/timeline?removed=1",
    f"{HERE}/timeline?omitted=1&since=2025-03-10", f"{HERE}/timeline?q=kiln",
    f"{HERE}/timeline?q=kiln+glaze", f"{HERE}/timeline?order=likes",
    f"{HERE}/timeline?order=likes&account=my-threads", f"{HERE}/gallery",
    f"{HERE}/gallery?edited=1", f"{HERE}/gallery?order=likes", f"{HERE}/gallery/1",
    f"{HERE}/post/1", f"{HERE}/post/1/evidence", f"{HERE}/thread/1", f"{HERE}/numbers",
    f"{HERE}/missing", f"{HERE}/missing?state=gone&account=my-threads", f"{HERE}/on-this-day",
    f"{HERE}/on-this-day?day=03-14", f"{HERE}/runs",
    f"{HERE}/print?account=my-threads&since=2025-03&until=2025-03",
    "/archive", "/archive/posts", "/archive/posts?account_id=3", "/archive/posts/1",
    "/archive/renditions", "/archive/media", "/archive/timeline", "/archive/missing_media",
)  # fmt: skip


@pytest.fixture(scope="module")
def statements() -> list[str]:
    """What the pages have run, with its values."""
    return []


@pytest.fixture(scope="module")
def pages(harsh: Path, statements: list[str]) -> Iterator[httpx.Client]:
    """A client of the pages, whose larger tables count as large."""
    with pytest.MonkeyPatch.context() as patch:
        harden = metadata.harden

        def traced(connection: sqlite3.Connection) -> None:
            harden(connection)
            connection.set_trace_callback(statements.append)

        patch.setattr(metadata, "harden", traced)
        patch.setattr(archives, "MANY_ROWS", 100)
        with browsing(harsh) as client:
            yield client


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_no_growing_table_from_end_to_end(
    pages: httpx.Client, harsh: Path, statements: list[str], path: str
) -> None:
    pages.get(path)  # which counts what is counted once
    statements.clear()
    assert pages.get(path).status_code == 200
    with closing(sqlite3.connect(f"{harsh.as_uri()}?mode=ro", uri=True)) as connection:
        found = [(step, one) for one in statements for step in scans(connection, one)]
    assert not found


def scans(connection: sqlite3.Connection, statement: str) -> list[str]:
    """The steps that read a whole table; one that needs no sorting may end at its limit."""
    if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
        return []
    ends = "LIMIT" in statement.upper()
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    is_sorted = "USE TEMP B-TREE FOR ORDER BY" in plan
    whole = [(step, one[2]) for step in plan if (one := SCAN.fullmatch(step))]
    return [step for step, index in whole if not (ends and (index or not is_sorted))]
