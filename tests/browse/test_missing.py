"""Missing files: each once, in order, by state, account and reason, and from indexes alone."""

import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import httpx
import pytest

from archiver.browse import missing
from archiver.browse.archives import Archive, all_archives
from archiver.browse.published import publish
from archiver.browse.server import make_datasette
from support.browsing import browsing

pytestmark = pytest.mark.slow

PATH = "/archive/-/missing"


@pytest.fixture(scope="module")
def pages(harsh: Path) -> Iterator[httpx.Client]:
    """A client of the harsh archive's pages."""
    with browsing(harsh) as found:
        yield found


@pytest.fixture(scope="module")
def connection(harsh: Path) -> Iterator[sqlite3.Connection]:
    """The harsh archive's rows."""
    with closing(sqlite3.connect(f"{harsh.as_uri()}?mode=ro", uri=True)) as found:
        found.row_factory = sqlite3.Row
        yield found


def listed(pages: httpx.Client, query: str) -> list[int]:
    """The ids of all files of a list, by following its pages."""
    found: list[int] = []
    address: str | None = f"{PATH}?{query}"
    while address:
        text = pages.get(address).text
        found += [int(one) for one in re.findall(r'<li id="file-([0-9]+)">', text)]
        onward = re.search(r'class="onward" rel="next" href="([^"]+)"', text)
        address = unescape(onward[1]) if onward else None
    return found


def expected(connection: sqlite3.Connection, condition: str) -> list[int]:
    rows = connection.execute(
        f"""SELECT renditions.id FROM renditions JOIN accounts ON accounts.id = account_id
             WHERE {condition} ORDER BY published_at DESC, renditions.id"""
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("state=omitted", "state = 'omitted'"),
        ("state=gone", "state = 'gone'"),
        ("state=not_offered", "state = 'not_offered'"),
        ("state=failed", "state = 'failed'"),
        ("state=failed&account=my-twitter", "state = 'failed' AND name = 'my-twitter'"),
        ("state=gone&account=my-twitter", "state = 'gone' AND name = 'my-twitter'"),
        ("state=gone&reason=not_found", "state = 'gone' AND reason_code = 'not_found'"),
        (
            "state=gone&reason=gone&account=my-instagram",
            "state = 'gone' AND reason_code = 'gone' AND name = 'my-instagram'",
        ),
        ("state=not_offered&account=my-tiktok", "state = 'not_offered' AND name = 'my-tiktok'"),
        ("state=gone&account=nobody", "0"),
    ],
)
def test_every_file_comes_once_and_the_newest_first(
    pages: httpx.Client, connection: sqlite3.Connection, query: str, condition: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(missing, "_ROWS", 7)
    assert listed(pages, query) == expected(connection, condition)


def test_files_of_posts_without_a_time_come_last(
    harsh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing, "_ROWS", 3)
    database = tmp_path / "archive.db"
    shutil.copyfile(harsh, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE renditions SET published_at = NULL WHERE id % 3 = 0")
        wanted = expected(connection, "state = 'gone' AND name = 'my-instagram'")
    with browsing(database) as pages:
        assert listed(pages, "state=gone&account=my-instagram") == wanted


def test_the_heading_and_the_choices_say_how_many(
    pages: httpx.Client, connection: sqlite3.Connection
) -> None:
    text = pages.get(f"{PATH}?state=gone").text
    gone = expected(connection, "state = 'gone'")
    assert f"<title>Missing: {len(gone)} files gone</title>" in text
    names = connection.execute(
        "SELECT name FROM renditions JOIN accounts ON accounts.id = account_id WHERE state = 'gone'"
    )
    for name, count in Counter(row[0] for row in names).items():
        assert re.search(
            rf'account={name}&amp;?[^"]*"?>{name} <span class="number">{count}<|'
            rf'account={name}">{name} <span class="number">{count}<',
            text,
        ), name


def test_a_file_leads_to_its_post_and_to_the_original(pages: httpx.Client) -> None:
    text = pages.get(f"{PATH}?state=gone&account=my-instagram").text
    assert re.search(r'href="/archive/-/post/[0-9]+">The post<', text)
    assert re.search(r'href="https://www.instagram.com/[^"]+"[^>]*>Open the original on', text)


def test_an_alarm_names_its_file_and_leads_to_it(
    pages: httpx.Client, connection: sqlite3.Connection
) -> None:
    (failed,) = expected(connection, "state = 'failed'")
    text = pages.get("/archive/-/home").text
    (address,) = re.findall(
        r'href="/archive/-/(missing[^"]+)">my-twitter: 1 file \(image, post of', text
    )
    assert address.endswith(f"#file-{failed}")
    target = pages.get(f"/archive/-/{unescape(address)}").text
    assert f'<li id="file-{failed}">' in target


def test_a_page_may_begin_with_a_file_far_down(
    pages: httpx.Client, connection: sqlite3.Connection
) -> None:
    gone = expected(connection, "state = 'gone'")
    text = pages.get(f"{PATH}?state=gone&file={gone[9]}").text
    assert re.findall(r'<li id="file-([0-9]+)">', text)[0] == str(gone[9])


@pytest.mark.parametrize("query", ["state=x", "account=%00", "reason=x", "file=x", "file=9999999"])
def test_parameters_of_others_do_no_harm(pages: httpx.Client, query: str) -> None:
    assert pages.get(f"{PATH}?{query}").status_code == 200


def test_a_published_copy_has_the_same_page(harsh: Path, tmp_path: Path) -> None:
    publish(harsh, tmp_path / "public", with_removed=True)
    with (
        browsing(tmp_path / "public" / "archive.db") as pages,
        closing(sqlite3.connect(tmp_path / "public" / "archive.db")) as connection,
    ):
        rows = connection.execute(
            """SELECT renditions.id FROM renditions
                 JOIN attachments ON attachments.id = attachment_id
                 JOIN posts ON posts.id = post_id JOIN accounts ON accounts.id = posts.account_id
                WHERE state = 'gone' AND name = 'my-instagram'
                ORDER BY published_at DESC, renditions.id"""
        ).fetchall()
        found = listed(pages, "state=gone&account=my-instagram")
    assert found == [row[0] for row in rows]
    assert found


@pytest.fixture(scope="module")
def archive(harsh: Path) -> Archive:
    """The harsh archive, as its pages know it."""
    (found,) = all_archives(make_datasette(harsh))
    return found


@pytest.mark.parametrize(
    "args",
    [
        {"state": "omitted"},
        {"state": "gone", "account": "my-twitter"},
        {"state": "gone", "reason": "not_found", "before": "2025-01-01T00:00:00.000Z~1"},
        {"state": "pending", "account": "my-twitter"},
        {"state": "failed"},
    ],
)
def test_no_page_reads_all_renditions(
    connection: sqlite3.Connection, archive: Archive, args: dict[str, str]
) -> None:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    groups = missing.count_missing(connection, archive)
    names = {row[0]: row[1] for row in connection.execute("SELECT id, name FROM accounts")}
    missing.missing_page(connection, archive, groups, names, args)
    connection.set_trace_callback(None)
    for statement in statements:
        for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            assert not re.match(r"SCAN renditions(?! USING)", row[3]), row[3]
            if "count(*) FROM renditions" in statement:
                assert "TEMP B-TREE" not in row[3], statement
