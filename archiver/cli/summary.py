"""The summary of a run as text: changes by account, then one line of counts."""

import re
from collections.abc import Iterator, Sequence

from archiver.archive.changes import Change
from archiver.archive.runs import Counts
from archiver.cli.failures import layout
from archiver.cli.text import Coloured, cut, safe, table, wrap
from archiver.errors import ArchiverError
from archiver.human import counted, size_text
from archiver.report import AccountReport, RunReport

_MAX_PER_KIND = 3
_MAX_FAILURES = 10
_MAX_NAMES = 3
_QUIET = frozenset({"done", "fresh", "away"})
"""Outcomes that are not listed: that an account is away is reported once."""
_CLOCK = re.compile(r"T\d\d:\d\d:\d\d\.\d{3}Z")
_WORDS = {
    "seen": "new", "edited": "edited", "visibility_changed": "visibility", "missing": "missing",
    "removed": "removed", "restored": "restored", "omitted": "omitted",
    "media_restored": "available again",
    "gone": "file gone",
}  # fmt: skip
_WITH_REASON = frozenset({"omitted", "removed", "gone", "visibility_changed"})
_COLOURS = {
    "new": "green", "edited": "yellow", "visibility": "yellow", "missing": "yellow",
    "removed": "red", "restored": "green",
    "omitted": "yellow", "available again": "green", "file gone": "red",
    "partial": "yellow", "interrupted": "yellow", "failed": "red", "gone": "red", "refused": "red",
}  # fmt: skip


def run_summary(report: RunReport) -> str:
    """The whole summary; its last line has the counts."""
    parts = [
        _accounts(report), *_changes(report), *_failures(report), *_remarks(report), *_room(report),
    ]  # fmt: skip
    if report.dry_run:
        parts.append("A dry run: nothing was written, no media was fetched.")
    if report.out_of_time:
        parts.append("The time was over: the next run fetches the files that wait.")
    if report.interrupted:
        parts.append("Interrupted: the next run resumes here.")
    parts.append(count_line(report))
    return "\n\n".join(part for part in parts if part)


def trouble_summary(report: RunReport) -> str:
    """Only the problems, and the counts."""
    parts = [*_failures(report), *_remarks(report), *_room(report), count_line(report)]
    return "\n\n".join(parts)


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
        line += f"; {counted(report.waiting, 'file')} waiting"
    return line


def has_trouble(report: RunReport) -> bool:
    """Whether there are failures or notes, for example about the clock."""
    return bool(report.exit_code or report.counts.failed or report.notes)


def _coloured(word: str) -> Coloured | str:
    return Coloured(word, _COLOURS[word]) if word in _COLOURS else word


def _accounts(report: RunReport) -> str:
    """A row for each account with news, and one line for the others."""
    shown = [account for account in report.accounts if _has_news(account)]
    quiet = [report.label_of(each) for each in report.accounts if not _has_news(each)]
    nothing_new = wrap(f"Nothing new: {_names(quiet, report)}.", rest="    ") if quiet else ""
    rows = []
    for account in shown:
        counts = account.counts
        failed = Coloured(f"{counts.failed:,}", "red") if counts.failed else ""
        numbers = (
            f"{number:,}" if number else ""
            for number in (
                counts.new, counts.edited, counts.removed, counts.stored, counts.omitted,
            )
        )  # fmt: skip
        rows.append((report.label_of(account), account.platform, *numbers, failed, _state(account)))
    if not rows:
        return nothing_new
    head = ["ACCOUNT", "PLATFORM", "NEW", "EDITED", "REMOVED", "MEDIA", "OMITTED", "FAILED", ""]
    text = table(rows, head, right=range(2, 8), spare=[1])
    return f"{text}\n{nothing_new}".rstrip()


def _names(names: Sequence[str], report: RunReport) -> str:
    """The accounts that a line is about, in short; `names` are in the order of the report."""
    if len(names) == len(report.accounts) > 1:
        return "both accounts" if len(names) == 2 else f"all {len(names)} accounts"
    more = len(names) - _MAX_NAMES
    if more > 1:
        return f"{', '.join(map(safe, names[:_MAX_NAMES]))} and {more} more accounts"
    return ", ".join(map(safe, names))


def _has_news(account: AccountReport) -> bool:
    counts = account.counts
    return counts != Counts(got=counts.got) or account.outcome not in _QUIET


def _state(account: AccountReport) -> str:
    return "" if account.outcome == "done" else _coloured(account.outcome)


def _changes(report: RunReport) -> Iterator[str]:
    """A few lines of each kind; of an account's first run only how many there are."""
    rows: list[tuple[str, str, str]] = []
    left_out = 0
    for what, word in _WORDS.items():
        counts = [count for count in report.change_counts if count.what == what]
        first = {count.account for count in counts if count.is_first_run}
        later = sum(count.total for count in counts if not count.is_first_run)
        # one that is left out would take a line too
        shown = later if later == _MAX_PER_KIND + 1 else _MAX_PER_KIND
        changes = [c for c in report.changes if c.what == what and c.account not in first]
        rows += [(_coloured(word), c.account, _post_title(c)) for c in changes[:shown]]
        rows += [
            (_coloured(word), count.account, _count_text(what, count.total, count.reason))
            for count in counts
            if count.is_first_run
        ]
        if later > shown:
            left_out += later - shown
            rows.append((_coloured(word), "", f"… and {later - shown:,} more"))
    if rows:
        where = "\nAll of them: archiver browse, under Runs." if left_out else ""
        yield table(rows) + where


def _count_text(what: str, count: int, reason: str | None) -> str:
    noun = "file" if what in {"omitted", "gone", "media_restored"} else "post"
    return counted(count, noun) + (f" ({reason})" if reason else "")


def _post_title(change: Change) -> str:
    """The beginning of a post's text, and the reason where the kind of change needs one."""
    reason = change.reason if change.what in _WITH_REASON else None
    text = safe(change.text).strip()
    quoted = f"“{cut(text, 24 if reason else 44)}”" if text else f"post {change.post_id}"
    # the day is enough here; the time is in the archive
    return f"{quoted} ({safe(_CLOCK.sub('', reason))})" if reason else quoted


def _failures(report: RunReport) -> Iterator[str]:
    if not report.file_failures:
        return
    rows = [
        (f"{failure.count:,}", failure.account, _coloured(failure.state), failure.reason)
        for failure in report.file_failures[:_MAX_FAILURES]
    ]
    head = ["FILES", "ACCOUNT", "STATE", "WHY"]
    text = "Files not downloaded (failed ones are retried):\n"
    others = sum(failure.count for failure in report.file_failures[_MAX_FAILURES:])
    more = f"\n… and {counted(others, 'more file')}: archiver status" if others else ""
    yield text + table(rows, head, right=[0]) + more


def _remarks(report: RunReport) -> Iterator[str]:
    """Errors, then warnings and notes; one that several accounts share is printed once."""
    errors: dict[tuple[str | None, ...], list[AccountReport]] = {}
    texts: dict[str, list[str]] = {}
    for account in report.accounts:
        if account.error is not None:
            errors.setdefault(_parts(account.error), []).append(account)
        notes = account.notes if account.outcome != "fresh" else []
        for text in (*account.warnings, *notes):
            texts.setdefault(text, []).append(report.label_of(account))
    for accounts in errors.values():
        about = _names([report.label_of(each) for each in accounts], report)
        yield layout(_shared_error(accounts), about)
    lines = [wrap(safe(note), rest="    ") for note in report.notes]
    lines += [
        wrap(f"{_names(names, report)}: {safe(text)}", rest="    ") for text, names in texts.items()
    ]
    if fresh := [report.label_of(each) for each in report.accounts if each.outcome == "fresh"]:
        skipped = "Skipped, because nothing new is expected yet (--now asks anyway)"
        lines.append(wrap(f"{skipped}: {_names(fresh, report)}", rest="    "))
    if lines:
        yield "\n".join(lines)


def _room(report: RunReport) -> Iterator[str]:
    if report.out_of_room:
        yield wrap(
            "The disk has no more room for files but the reserve, so the rest of them waits. All "
            "posts were saved. Free some space, or lower [archive] reserve: the next run goes on.",
            rest="    ",
        )  # fmt: skip


def _parts(error: ArchiverError) -> tuple[str | None, ...]:
    """The parts by which two errors count as the same: all but `why`."""
    return error.code, error.what, error.kept, error.hint


def _shared_error(accounts: Sequence[AccountReport]) -> ArchiverError:
    """The error that these accounts share; of several reasons, only the first is shown."""
    errors = [account.error for account in accounts if account.error is not None]
    first = errors[0]
    why = first.why
    if len({error.why for error in errors}) > 1:
        why = f"For {accounts[0].name}: {why}"
    return ArchiverError(first.what, why=why, kept=first.kept, hint=first.hint)
