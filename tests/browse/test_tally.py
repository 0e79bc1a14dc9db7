"""Kept counts follow the archive."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.browse.tally import Tally

GROUPS = (
    "SELECT account_id, kind, substr(coalesce(created_at, ''), 1, 7), count(*) FROM posts "
    "WHERE {} GROUP BY 1, 2, 3"
)


@pytest.fixture
def connection(demo: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the demo's archive that may be written to."""
    shutil.copyfile(demo, tmp_path / "archive.db")
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as found:
        yield found


def counted(connection: sqlite3.Connection, condition: str = "1") -> Counter[tuple[int, str, str]]:
    rows = connection.execute(GROUPS.format(condition))
    return Counter({(row[0], row[1], row[2]): row[3] for row in rows})


def publish(connection: sqlite3.Connection, count: int) -> None:
    """More posts, as copies of the first one."""
    columns = [row[1] for row in connection.execute("PRAGMA table_info(posts)")]
    kept = ", ".join(name for name in columns if name not in {"id", "platform_id"})
    for number in range(count):
        connection.execute(
            f"INSERT INTO posts (platform_id, {kept}) SELECT ?, {kept} FROM posts WHERE id = 1",
            (f"copy {number} of {connection.total_changes}",),
        )


def test_posts_are_counted_by_account_kind_and_month(connection: sqlite3.Connection) -> None:
    tally = Tally()
    assert tally.posts(connection) == counted(connection)
    publish(connection, 3)
    assert tally.posts(connection) == counted(connection)


@pytest.mark.parametrize("flag", ["edited", "removed"])
def test_posts_with_a_flag_are_counted_from_the_index_of_that_flag(
    connection: sqlite3.Connection, flag: str
) -> None:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    Tally().flagged(connection, flag)
    connection.set_trace_callback(None)
    (counting,) = [statement for statement in statements if "GROUP BY" in statement]
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {counting}")]
    assert plan[0] == f"SCAN posts USING INDEX posts_{flag}"


def test_only_new_posts_are_read_again(connection: sqlite3.Connection) -> None:
    tally = Tally()
    tally.posts(connection)
    publish(connection, 1)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    tally.posts(connection)
    connection.set_trace_callback(None)
    (counting,) = [statement for statement in statements if "GROUP BY" in statement]
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {counting}")]
    assert "SEARCH posts USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan


def test_the_first_count_reads_an_index_alone(connection: sqlite3.Connection) -> None:
    statement = GROUPS.format("1")
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert plan[0] == "SCAN posts USING COVERING INDEX posts_account_kind"


def test_an_archive_that_was_replaced_is_counted_again(connection: sqlite3.Connection) -> None:
    tally = Tally()
    tally.posts(connection)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM posts WHERE id > 5")
    assert tally.posts(connection) == counted(connection)


@pytest.mark.parametrize(
    ("flag", "condition"),
    [
        ("edited", "edited_at IS NOT NULL"),
        ("removed", "removed_at IS NOT NULL"),
        ("omitted", "id IN (SELECT post_id FROM attachments WHERE omitted)"),
    ],
)
def test_flags_are_counted(connection: sqlite3.Connection, flag: str, condition: str) -> None:
    found = Tally().flagged(connection, flag)
    assert found
    assert found == counted(connection, condition)


def test_what_did_not_change_is_not_counted_again(connection: sqlite3.Connection) -> None:
    tally, asked = Tally(), []

    def count() -> int:
        asked.append(1)
        return len(asked)

    assert [tally.kept(connection, "x", count) for _ in range(3)] == [1, 1, 1]


def test_what_changed_is_counted_again_once_its_time_has_come(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("archiver.browse.tally.time.monotonic", lambda: now[0])
    tally = Tally()

    def count() -> int:
        now[0] += 1.0  # it takes a second
        return int(connection.execute("SELECT count(*) FROM posts").fetchone()[0])

    before = tally.kept(connection, "x", count)
    publish(connection, 2)
    now[0] += 10
    assert tally.kept(connection, "x", count) == before
    now[0] += 15
    assert tally.kept(connection, "x", count) == before + 2
