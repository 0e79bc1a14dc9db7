"""What a run did, for people: what changed, account by account, then one line of counts."""

import re
from collections.abc import Iterator

from archiver.archive.changes import Change
from archiver.archive.runs import Counts
from archiver.cli.text import cut, safe, screen_width, table, wrap
from archiver.human import size_text
from archiver.report import AccountReport, RunReport

_MOST_CHANGES = 20
_CLOCK = re.compile(r"T\d\d:\d\d:\d\d\.\d{3}Z")
_WORDS = {
    "seen": "new", "edited": "edited", "missing": "missing", "removed": "removed",
    "restored": "restored", "omitted": "omitted", "media_restored": "available again",
    "gone": "file gone",
}  # fmt: skip


def run_summary(report: RunReport) -> str:
    """The whole summary; its last line counts."""
    parts = [_accounts(report), *_changes(report), *_failures(report), *_remarks(report)]
    if report.dry_run:
        parts.append("A dry run: nothing was written, no media was fetched.")
    parts.append(count_line(report))
    return "\n\n".join(part for part in parts if part)


def count_line(report: RunReport) -> str:
    """The last line of a run."""
    counts = report.counts
    line = (
        f"{counts.new:,} new, {counts.edited:,} edited, {counts.removed:,} removed; "
        f"media {counts.stored:,} new"
        + (f" ({size_text(report.received)})" if report.received else "")
        + f", {counts.omitted:,} omitted, {counts.failed:,} failed"
    )
    if report.waiting:
        line += f"; {report.waiting:,} files waiting"
    return line


def is_quiet(report: RunReport) -> bool:
    """Whether nothing is new, and nothing went wrong."""
    counts = report.counts
    moved = Counts(got=counts.got)
    return report.exit_code == 0 and counts == moved and not (report.changes or report.notes)


def _accounts(report: RunReport) -> str:
    """A row for each account with news, and one line for the others."""
    shown = [account for account in report.accounts if _has_news(account)]
    quiet = len(report.accounts) - len(shown)
    rows = []
    for account in shown:
        counts = account.counts
        rows.append(
            (
                account.name, account.platform, counts.new or "", counts.edited or "",
                counts.removed or "", counts.stored or "", counts.omitted or "",
                counts.failed or "", _state(account),
            )
        )  # fmt: skip
    if not rows:
        return f"Nothing new on {_accounts_text(quiet)}."
    head = ["ACCOUNT", "PLATFORM", "NEW", "EDITED", "REMOVED", "MEDIA", "OMITTED", "FAILED", ""]
    text = table(rows, head, right=range(2, 8))
    return text + (f"\nNothing new on {_accounts_text(quiet)}." if quiet else "")


def _accounts_text(count: int) -> str:
    return f"{count} account" if count == 1 else f"{count} accounts"


def _has_news(account: AccountReport) -> bool:
    counts = account.counts
    return counts != Counts(got=counts.got) or account.outcome not in {"done", "fresh"}


def _state(account: AccountReport) -> str:
    return "" if account.outcome == "done" else account.outcome


def _changes(report: RunReport) -> Iterator[str]:
    if not report.changes:
        return
    rows = [
        (_WORDS[change.what], change.account, _title(change))
        for change in report.changes[:_MOST_CHANGES]
    ]
    more = len(report.changes) - _MOST_CHANGES
    text = table(rows)
    yield text + (f"\n… and {more} more: see the table events" if more > 0 else "")


def _title(change: Change) -> str:
    """The beginning of the post, and the reason where it says more than the word before it."""
    reason = change.reason if change.what in {"omitted", "removed", "gone"} else None
    text = safe(change.text).strip()
    quoted = f"“{cut(text, 24 if reason else 44)}”" if text else f"post {change.post_id}"
    # the day is enough here; the time is in the archive
    return f"{quoted} ({safe(_CLOCK.sub('', reason))})" if reason else quoted


def _failures(report: RunReport) -> Iterator[str]:
    if not report.file_failures:
        return
    rows = [
        (failure.count, failure.account, failure.state, failure.reason)
        for failure in report.file_failures[:_MOST_CHANGES]
    ]
    head = ["FILES", "ACCOUNT", "STATE", "WHY"]
    text = "Files not downloaded (failed ones are retried):\n"
    yield text + table(rows, head, right=[0])


def _remarks(report: RunReport) -> Iterator[str]:
    lines = [wrap(safe(note), rest="    ") for note in report.notes]
    for account in report.accounts:
        if account.error is not None:
            lines.append(_remark(account, str(account.error)))
        lines += [_remark(account, warning) for warning in account.warnings]
        if account.outcome != "fresh":
            lines += [_remark(account, note) for note in account.notes]
    fresh = [account.name for account in report.accounts if account.outcome == "fresh"]
    if fresh:
        names = ", ".join(fresh)
        lines.append(
            wrap(f"Skipped, because nothing new is expected yet (--now asks anyway): {names}")
        )
    if lines:
        yield "\n".join(lines)


def _remark(account: AccountReport, text: str) -> str:
    return wrap(safe(text), first=f"{safe(account.name)}: ", rest="    ", width=screen_width())
