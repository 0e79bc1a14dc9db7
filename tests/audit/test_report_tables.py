"""The tables of a report say the same on paper and on a screen."""

import sqlite3

from archiver.archive.actions import record_settings
from archiver.audit.audit_report import AuditPeriod, audit_report
from archiver.audit.report_tables import report_tables


def test_every_table_has_as_many_cells_as_heads_and_says_it_where_it_is_empty(
    audited: sqlite3.Connection,
) -> None:
    for table in report_tables(audit_report(audited, AuditPeriod())):
        assert {len(row) for row in table.rows} <= {len(table.head)}, table.title
        assert table.rows or table.empty.endswith(".")
        assert set(table.right) | set(table.whole) <= set(range(len(table.head)))


def test_they_are_read_from_coverage_to_versions(audited: sqlite3.Connection) -> None:
    tables = {each.title: each for each in report_tables(audit_report(audited, AuditPeriod()))}
    assert tables["Gaps"].rows == (
        ("acme", "ayrshare", "posts", "2026-03-01 09:00", "2026-03-15 09:00",
         "the source gives no more than 100 posts"),
    )  # fmt: skip
    assert tables["Changes of the configuration"].rows == (
        ("2026-03-02 21:00", "clerk", "media.videos", "best", "none"),
    )
    assert ("Its signatures", "not signed") in tables["Ledger"].rows
    assert "python" in {row[1] for row in tables["Versions"].rows}


def test_what_is_left_out_on_purpose_is_said(audited: sqlite3.Connection) -> None:
    def left_out() -> tuple[tuple[str, ...], ...]:
        tables = report_tables(audit_report(audited, AuditPeriod()))
        return next(each.rows for each in tables if each.title == "Left out on purpose")

    assert left_out() == ()
    settings = {"archive.leave_out": ["numbers", "people"], "media.leave_out": ["video"]}
    record_settings(audited, settings, "2026-03-30T00:00:00.000Z")
    assert [row[1] for row in left_out()] == [
        "[archive] leave_out, numbers", "[archive] leave_out, people", "[media] leave_out",
    ]  # fmt: skip
    assert left_out()[2][0] == "Files of the kind video"
