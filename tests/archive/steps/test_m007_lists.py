"""Lists by kind, and an account's missing files by reason, are read from an index, in order."""

import sqlite3

import pytest

from archiver.archive.schema import model


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (
            "SELECT id FROM posts WHERE account_id = 1 AND kind = 'reel' ORDER BY created_at DESC",
            "posts_account_kind",
        ),
        (
            "SELECT account_id, kind, substr(created_at, 1, 7), count(*) FROM posts "
            "GROUP BY account_id, kind",
            "COVERING INDEX posts_account_kind",
        ),
        (
            "SELECT id FROM renditions WHERE account_id = 1 AND state = 'omitted' "
            "AND state IN ('omitted', 'not_offered', 'gone', 'refused') "
            "AND reason_code = 'copyright' ORDER BY published_at DESC, id",
            "COVERING INDEX renditions_absent_account",
        ),
    ],
)
def test_lists_are_read_from_their_index_in_order(sql: str, index: str) -> None:
    connection: sqlite3.Connection = model()
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert index in plan[0]
    assert not any("TEMP B-TREE" in step for step in plan)
