"""A report says what the archive has, of a period and of chosen accounts."""

import sqlite3

import pytest

from archiver.audit.audit_report import AuditPeriod, audit_report
from archiver.environment import environment
from archiver.errors import UsageError


def test_coverage_has_its_gaps_and_why(audited: sqlite3.Connection) -> None:
    acme, other = audit_report(audited, AuditPeriod()).accounts
    assert (acme.name, acme.posts, acme.reviewed, acme.events["edited"]) == ("acme", 2, 1, 1)
    assert [(each.oldest or "")[:10] for each in acme.ranges] == ["2026-02-01", "2026-03-15"]
    assert {type(each.reached_start) for each in acme.ranges} == {bool}
    (gap,) = acme.gaps
    assert ((gap.since or "")[:10], (gap.until or "")[:10]) == ("2026-03-01", "2026-03-15")
    assert gap.reason == "the source gives no more than 100 posts"
    assert (other.posts, other.ranges, other.gaps) == (0, [], [])


def test_runs_say_who_made_them_and_failures_why(audited: sqlite3.Connection) -> None:
    report = audit_report(audited, AuditPeriod())
    assert [run.outcome for run in report.runs] == ["interrupted", "interrupted", "failed"]
    assert report.runs[-1].actor == "nightly@records"
    assert all(isinstance(run.asked, dict) for run in report.runs)
    assert report.environments[report.runs[-1].environment_id or 0] == environment()
    (failure,) = report.failures
    assert (failure.error_code, failure.message) == ("down", "The source answered with status 503")
    (asked,) = report.accounts[0].asked
    assert (asked.runs, asked.failed_runs, asked.got) == (1, 1, 7)


def test_what_people_did_is_listed_and_of_settings_what_changed(
    audited: sqlite3.Connection,
) -> None:
    report = audit_report(audited, AuditPeriod())
    assert [(each.actor, each.note) for each in report.reviews] == [("legal", "<Approved>")]
    assert [each.details["manifest_sha256"] for each in report.exports] == ["ab12"]
    (change,) = report.setting_changes
    assert (change.name, change.before, change.since) == ("media.videos", "best", "none")
    assert report.settings == {"media.videos": "none"}


def test_files_and_ledger_have_their_state(audited: sqlite3.Connection) -> None:
    report = audit_report(audited, AuditPeriod())
    assert [(each.what, each.outcome, each.damaged) for each in report.care] == [
        ("verify", "damaged", 2)
    ]
    assert [(each.state, each.count) for each in report.accounts[0].absent] == [("pending", 2)]
    ledger = report.ledger
    assert ledger.entries == ledger.size
    assert (ledger.checkpoints, ledger.signatures) == (1, 0)
    assert ledger.root is not None
    # runs of a past date are begun in the tests, but the entries have the time of today
    assert ledger.clock_gone_back == 0


def test_a_period_has_the_posts_and_the_runs_of_its_time(audited: sqlite3.Connection) -> None:
    report = audit_report(audited, AuditPeriod("2026-03-03", "2026-03-15"))
    assert report.period == "from 2026-03-03 and before 2026-03-15"
    assert report.accounts[0].posts == 0
    assert [run.id for run in report.runs] == [3]
    assert [gap.source for gap in report.accounts[0].gaps] == ["ayrshare"]
    assert report.setting_changes == []
    after = audit_report(audited, AuditPeriod("2026-03-16"))
    assert (after.accounts[0].posts, after.accounts[0].gaps) == (1, [])


def test_only_chosen_accounts_are_reported_and_must_be_there(audited: sqlite3.Connection) -> None:
    report = audit_report(audited, AuditPeriod(accounts=("other",)))
    assert [account.name for account in report.accounts] == ["other"]
    assert (report.failures, report.reviews) == ([], [])
    with pytest.raises(UsageError, match="no account nobody"):
        audit_report(audited, AuditPeriod(accounts=("nobody",)))
