"""The page of a report needs nothing else, and texts in it stay texts."""

import re
import sqlite3

from archiver.audit.audit_report import AuditPeriod, audit_report
from archiver.audit.report_page import report_page

AT = "2026-03-05T09:00:00.000Z"


def page_of(connection: sqlite3.Connection) -> str:
    report = audit_report(connection, AuditPeriod())
    return report_page(report, "<archive>", AT, "clerk", "archiver 1")


def test_it_refers_to_nothing_and_runs_nothing(audited: sqlite3.Connection) -> None:
    page = page_of(audited)
    assert re.findall(r"<script|<link|<img|url\(|@import|src=|href=| on\w+=", page) == []
    assert "default-src 'none'" in page
    assert "<Approved>" not in page
    assert "&lt;Approved&gt;" in page
    assert "<archive>" not in page


def test_it_draws_what_is_covered_and_each_gap(audited: sqlite3.Connection) -> None:
    page = page_of(audited)
    spans = re.findall(r'<span class="(covered|gap)" style="left:([\d.]+)%;width:([\d.]+)%">', page)
    places = [(kind, round(float(left)), round(float(width))) for kind, left, width in spans]
    assert places == [("covered", 0, 60), ("covered", 89, 11), ("gap", 60, 30)]
    assert '<td class="damaged" dir="auto">damaged</td>' in page
    assert "2026-03-05 09:00 UTC by clerk" in page
    assert "Nothing is covered yet." in page, "of the other account"
