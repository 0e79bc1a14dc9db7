"""Reading and writing the rows of `coverage`."""

import sqlite3
from typing import cast

from archiver.archive.coverage import CoverageRange, Decision
from archiver.archive.row_objects import mappings
from archiver.archive.rows import delete, insert, update_row
from archiver.archive.transactions import transaction
from archiver.reasons import Reason


def coverage_ranges(
    connection: sqlite3.Connection, account_id: int, source: str, stream: str = "posts"
) -> list[CoverageRange]:
    """The ranges of an account that are known through a source, newest first."""
    cursor = connection.execute(
        "SELECT * FROM coverage WHERE account_id = ? AND source = ? AND stream = ? "
        "ORDER BY newest DESC",
        (account_id, source, stream),
    )
    return [_range_of(row) for row in mappings(cursor)]


def save_decision(
    connection: sqlite3.Connection, account_id: int, source: str, decision: Decision, run_id: int
) -> None:
    """Write the decision of a scan about its range, in one transaction."""
    if decision.range_ is None:
        return
    with transaction(connection):
        for row_id in decision.merged_ids:
            delete(connection, "coverage", "id = ?", (row_id,))
        save_range(connection, account_id, source, "posts", decision.range_, run_id)


def save_range(
    connection: sqlite3.Connection, account_id: int, source: str, stream: str,
    range_: CoverageRange, run_id: int,
) -> None:  # fmt: skip
    """Write a range: a new row, or its own."""
    values = {
        "newest": range_.newest,
        "oldest": range_.oldest,
        "reached_start": range_.reached_start,
        "next": range_.next,
        "reason_code": range_.reason.code if range_.reason else None,
        "reason": range_.reason.text if range_.reason else None,
        "run_id": run_id,
    }
    if range_.id:
        update_row(connection, "coverage", range_.id, **values)
    else:
        range_.id = insert(
            connection, "coverage", account_id=account_id, source=source, stream=stream, **values
        )


def _range_of(row: dict[str, object]) -> CoverageRange:
    """The object of a row."""
    return CoverageRange(
        newest=cast("str | None", row["newest"]),
        oldest=cast("str | None", row["oldest"]),
        reached_start=bool(row["reached_start"]),
        next=cast("str | None", row["next"]),
        reason=Reason(str(row["reason_code"]), str(row["reason"])) if row["reason_code"] else None,
        id=cast("int", row["id"]),
    )
