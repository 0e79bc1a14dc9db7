"""The sums of files per account, held to a count of all of them whatever happens to the files."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.archive import queue, runs
from archiver.archive.database import DATABASE, transaction, writer
from archiver.archive.losses import mark_lost, mark_recovered
from archiver.archive.parse_context import ParseContext
from archiver.archive.posts import PostWriter
from archiver.archive.rows import update
from archiver.archive.storage_totals import (
    ALL_COUNTS,
    ARCHIVE_TOTAL,
    rebuild_totals,
    storage_totals,
)
from archiver.evidence.database import check_database
from archiver.evidence.findings import Verified
from archiver.models import Account, Attachment, Identity, Post, Record, Rendition

NOW = "2026-01-01T00:00:00.000Z"
AT = datetime(2026, 1, 1, tzinfo=UTC)
FILES = {f"{number:064x}": 10**number for number in range(1, 5)}
"""The files that there are in this world, and their sizes: each adds a digit of its own."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An archive of two accounts, each with two posts of two files that wait."""
    with writer(tmp_path) as connection:
        run_id = runs.begin_run(connection, NOW, "test", {})
        for name in ("acme", "other"):
            account = Account(name, "instagram", "ayrshare", None)
            account_id = runs.claim_account(connection, account, Identity("instagram", name), NOW)
            posts = [post(f"{name} {number}") for number in range(2)]
            reading = ParseContext(
                "ayrshare",
                1,
                lambda _: posts[0][1],  # noqa: B023 — never called
                lambda _: [("pending", None)],
            )
            with transaction(connection):
                PostWriter(connection, account_id, "instagram", run_id, reading, NOW).save(posts)
        yield connection


def post(name: str) -> tuple[Record, Post]:
    attachments = tuple(
        Attachment(
            "image", platform_id=str(number),
            renditions=(Rendition("original", f"https://cdn.example/{name}/{number}"),),
        )
        for number in range(2)
    )  # fmt: skip
    return Record("{}", {}), Post(platform_id=name, content={"post": name}, attachments=attachments)


def store(connection: sqlite3.Connection, *files: tuple[int, str]) -> None:
    """Note that the files of these renditions are here."""
    waiting = {
        queued.rendition_id: queued for queued in queue.due_files(connection, [1, 2], NOW, limit=99)
    }
    outcomes = [
        queue.Stored(
            waiting[number], name, f"media/{name[:2]}/{name}.jpg", FILES[name], "image/jpeg",
            1, 1, None,
        )
        for number, name in files
        if number in waiting
    ]  # fmt: skip
    queue.save(connection, outcomes, 1, AT)


def counted(connection: sqlite3.Connection) -> dict[int, tuple[int, int]]:
    """What `storage_totals` should say."""
    rows = {row[0]: (row[1], row[2]) for row in connection.execute(ALL_COUNTS)}
    return {account: row for account, row in rows.items() if row[0] or account == ARCHIVE_TOTAL}


def test_an_empty_archive_holds_nothing(connection: sqlite3.Connection) -> None:
    assert storage_totals(connection) == {ARCHIVE_TOTAL: (0, 0)}


def test_a_file_counts_once_for_each_account_and_once_for_the_archive(
    connection: sqlite3.Connection,
) -> None:
    one, two = list(FILES)[:2]
    store(connection, (1, one), (2, one), (5, one), (6, two))
    assert storage_totals(connection) == {ARCHIVE_TOTAL: (2, 110), 1: (1, 10), 2: (2, 110)}


def test_what_is_lost_does_not_count_until_it_is_recovered(connection: sqlite3.Connection) -> None:
    one, two = list(FILES)[:2]
    store(connection, (1, one), (5, one), (6, two))
    with transaction(connection):
        mark_lost(connection, one, NOW)
    assert storage_totals(connection) == {ARCHIVE_TOTAL: (1, 100), 2: (1, 100)}
    with transaction(connection):
        mark_recovered(connection, one, None, NOW)
    assert storage_totals(connection) == {ARCHIVE_TOTAL: (2, 110), 1: (1, 10), 2: (2, 110)}


def test_other_bytes_in_the_place_of_lost_ones_count_instead(
    connection: sqlite3.Connection,
) -> None:
    one, two = list(FILES)[:2]
    store(connection, (1, one))
    with transaction(connection):
        mark_lost(connection, one, NOW)
    store(connection, (1, two))
    assert storage_totals(connection) == {ARCHIVE_TOTAL: (1, 100), 1: (1, 100)}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("lose"), st.sampled_from(sorted(FILES))),
        st.tuples(st.just("heal"), st.sampled_from(sorted(FILES))),
        st.tuples(
            st.just("store"),
            st.lists(
                st.tuples(st.integers(1, 8), st.sampled_from(sorted(FILES))), min_size=1,
                max_size=4, unique_by=lambda pair: pair[0],
            ),
        ),
    ),
    max_size=12,
)  # fmt: skip


@given(steps=steps)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_happens_they_are_what_a_count_of_all_files_says(
    connection: sqlite3.Connection, steps: list[tuple[str, str | list[tuple[int, str]]]]
) -> None:
    connection.execute("BEGIN")
    try:
        for what, about in steps:
            if isinstance(about, list):
                store(connection, *about)
            elif connection.execute("SELECT 1 FROM media WHERE sha256 = ?", (about,)).fetchone():
                (mark_lost if what == "lose" else lambda c, f, at: mark_recovered(c, f, None, at))(
                    connection, about, NOW
                )
            assert storage_totals(connection) == counted(connection)
        assert not rebuild_totals(connection)
    finally:
        connection.rollback()


def test_wrong_sums_are_found_and_recounted(connection: sqlite3.Connection, tmp_path: Path) -> None:
    store(connection, (1, next(iter(FILES))))
    update(connection, "storage_totals", "account_id = 1", (), files=7)
    result = Verified()
    check_database(connection, tmp_path / DATABASE, lambda: writer(tmp_path), result)
    assert "storage_totals 1: does not match the number or size of the files" in map(
        "{0.subject}: {0.detail}".format, result.findings
    )
    assert rebuild_totals(connection)
    assert storage_totals(connection) == {ARCHIVE_TOTAL: (1, 10), 1: (1, 10)}
    assert not rebuild_totals(connection)
    tally = "SELECT rows FROM table_checksums WHERE name = 'storage_totals'"
    assert connection.execute(tally).fetchone() == (2,)
