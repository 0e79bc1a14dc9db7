"""`archiver status`: what is in the archive, what is missing, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.deliveries import ledger_json, ledger_lines, ledger_standing
from archiver.cli.due import counts_of_due, due_json, due_lines
from archiver.cli.logins import known_logins, logins_table, token_expiries
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import Coloured, safe, table, wrap
from archiver.errors import ArchiverError, UsageError
from archiver.human import ago, counted, size_text

if TYPE_CHECKING:
    from archiver.archive.holds import Hold
    from archiver.archive.readers import AccountStatus, ArchiveStatus, OmittedFile
    from archiver.config import Config
    from archiver.retention.erasure import Erasure
    from archiver.unattended.care_log import CareEntry
    from archiver.unattended.health import ArchiveHealth, Concern

_COLOURS = {
    "pending": "yellow", "failed": "yellow", "refused": "red", "gone": "red", "omitted": "cyan",
    "not_offered": "cyan",
}  # fmt: skip
"""The states of files that are missing, in the order in which they are listed."""


_BAD_CARE = frozenset({"damaged", "failed"})

_GOOD = frozenset({"done", "fresh"})


@subcommand(
    "status",
    short_help="Show what is in the archive, and what is missing.",
    example="archiver status\narchiver status --omitted\narchiver status --json\n"
    "archiver status --check",
)
@click.option("--omitted", "with_omitted", is_flag=True, help="List the posts with omitted files.")
@click.option(
    "--check", is_flag=True,
    help="One line for monitoring. The exit code: 0 well, 1 warning, 2 critical, 3 unknown.",
)  # fmt: skip
@click.option("--prometheus", is_flag=True, help="Print metrics in Prometheus's text format.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(
    shell: Shell, with_omitted: bool, check: bool, prometheus: bool, as_json: bool
) -> int | None:
    """Show per account what is in the archive, how far back, what is missing and why.

    Reads only; works while a backup runs, and needs no key. With -v it also names known bugs of the
    installed SQLite.

    --check is for monitoring systems. It looks at how old the last good run of each account is,
    what failed, which tokens expire, what the last verify and copy found, and which posts have been
    due by a retention rule for more than 35 days.
    """
    from archiver.archive.database import reader, sqlite_warning
    from archiver.archive.holds import lasting_holds
    from archiver.archive.readers import archive_status, omitted_media
    from archiver.retention.erasure import erasures
    from archiver.unattended.care_log import newest_care

    if check + prometheus + as_json + with_omitted > 1:
        raise UsageError("--check, --prometheus, --json and --omitted are for one at a time")
    if check or prometheus:
        return _monitor(shell, as_metrics=prometheus)
    config = shell.config()
    directory = config.archive.directory
    now = datetime.now(UTC)
    logins = known_logins(config, now, shell.warn)
    notices = _resolver_notices(shell, config, now)
    with reader(directory) as connection:
        status = archive_status(connection)
        care = newest_care(connection)
        held = [(hold, hold.posts.in_words(connection)) for hold in lasting_holds(connection)]
        unfinished = [e for e in erasures(connection) if e.state in {"planned", "running"}]
        omitted = omitted_media(connection) if with_omitted else []
        due = counts_of_due(connection, config.retention, now)
        ledger = ledger_standing(connection, config)
    if as_json:
        listed = {"omitted": [asdict(file) for file in omitted]} if with_omitted else {}
        said: dict[str, Any] = {
            "logins": [asdict(login) for login in logins], "sqlite": sqlite_warning(),
            "resolvers": [{"account": name, "notice": text} for name, text in notices],
        }  # fmt: skip
        said["care"] = [asdict(entry) for entry in care]
        said["holds"] = [asdict(hold) for hold, _ in held]
        said["ledger"] = ledger_json(ledger)
        said["retention"] = due_json(due)
        said["erasures"] = [{"id": each.id, "state": each.state} for each in unfinished]
        shell.json({"directory": str(directory), **asdict(status), **said, **listed})
        return None
    parts = [_head(status, str(directory), now), _accounts(status, now)]
    parts += filter(
        None,
        (
            _sources(status, now),
            _missing_files(status),
            _gaps(status),
            _omitted(omitted),
            logins_table(logins),
            _holds(held),
            due_lines(shell, due),
            _erasures(shell, unfinished),
            _care(care, now),
            ledger_lines(ledger, now),
            _videos_behind_pages(notices),
        ),
    )
    shell.out("\n\n".join(parts))
    if not with_omitted and _has_omitted(status):
        shell.say(f"\nThe posts with omitted files: {shell.command_line('status --omitted')}")
    if shell.verbose and (warning := sqlite_warning()):
        shell.warn(warning)
    return None


def _resolver_notices(shell: Shell, config: "Config", now: datetime) -> "Sequence[tuple[str, str]]":
    """What keeps videos behind pages from being fetched; asked only where a setting wants them."""
    if not config.media.resolve and not any(entry.own for entry in config.accounts):
        return ()
    from archiver.backup.resolver_notices import resolver_notices

    return resolver_notices(config, shell.plugins().resolvers, now)


def _videos_behind_pages(notices: "Sequence[tuple[str, str]]") -> str:
    if not notices:
        return ""
    lines = (wrap(safe(text), first=f"{safe(name)}: ", rest="    ") for name, text in notices)
    return "Videos behind their pages:\n" + "\n".join(lines)


def _monitor(shell: Shell, *, as_metrics: bool) -> int | None:
    """Print the health of the archive for a monitoring system.

    With metrics, failures have the usual exit codes; a check that fails is an unknown state.
    """
    from archiver.unattended.health import Severity
    from archiver.unattended.monitoring import check_line, prometheus_text, worst

    now = datetime.now(UTC)
    try:
        health, concerns = _health(shell, now)
    except ArchiverError as error:
        if as_metrics:
            raise
        shell.out(safe(f"ARCHIVER {Severity.UNKNOWN.name}: {error}".replace("|", "/")))
        return int(Severity.UNKNOWN)
    if as_metrics:
        shell.out(prometheus_text(health, concerns))
        return None
    shell.out(safe(check_line(health, concerns, now)))
    return int(worst(concerns))


def _health(shell: Shell, now: datetime) -> "tuple[ArchiveHealth, list[Concern]]":
    from shutil import disk_usage

    from archiver.archive.database import reader
    from archiver.backup.room import Room
    from archiver.unattended.forecast import forecast_concerns, growth
    from archiver.unattended.health import concerns_of, read_health, room_concerns
    from archiver.unattended.overdue import overdue_concerns

    config = shell.config()
    directory = config.archive.directory
    with reader(directory) as connection:
        health = read_health(connection, [entry.name for entry in config.accounts])
        found = growth(connection, now)
        overdue = list(overdue_concerns(connection, config.retention, now))
    tokens = token_expiries(config, now, shell.warn)
    concerns = concerns_of(health, tokens, now, config.health.late_after)
    room = room_concerns(disk_usage(directory).free, config.health.min_free)
    left = Room(directory, config.archive.reserve).left()
    concerns += [*room, *forecast_concerns(found, left), *overdue]
    return health, sorted(concerns, key=lambda concern: -concern.severity)


def _head(status: "ArchiveStatus", directory: str, now: datetime) -> str:
    posts = sum(account.posts for account in status.accounts)
    last = (
        f"last run {ago(status.last_run, now)} ({status.last_outcome})"
        if status.last_run
        else "no run yet"
    )
    return wrap(
        f"{safe(directory)}: {counted(posts, 'post')}, {counted(status.files, 'file')}, "
        f"{size_text(status.size)}; {last}"
    )


def _accounts(status: "ArchiveStatus", now: datetime) -> str:
    if not status.accounts:
        return "No account has been backed up yet."
    rows = [
        (
            account.name, f"{account.posts:,}", account.edits or "", account.removed or "",
            f"{account.files:,}", _complete_since(account),
            ago(account.last_good_run, now, advise=False),
            _outcome(account),
        )
        for account in status.accounts
    ]  # fmt: skip
    head = ["ACCOUNT", "POSTS", "EDITS", "REMOVED", "FILES", "COMPLETE SINCE", "LAST GOOD RUN", ""]
    return table(rows, head, right=range(1, 5), spare=[2, 3, 4])


def _outcome(account: "AccountStatus") -> str:
    """The outcome of an account's last run, unless it was done."""
    outcome = account.last_outcome
    return "" if outcome is None or outcome in _GOOD else _coloured(outcome)


def _sources(status: "ArchiveStatus", now: datetime) -> str:
    """The last run through each source of those accounts that have several."""
    rows = [
        (
            account.name, last.source, ago(last.at, now, advise=False), _coloured(last.outcome),
            "" if last.outcome in _GOOD else last.message or "",
        )
        for account in status.accounts if len(account.sources) > 1
        for last in account.sources
    ]  # fmt: skip
    head = ["ACCOUNT", "SOURCE", "LAST RUN", "OUTCOME", "WHY"]
    return "Accounts with several sources:\n" + table(rows, head) if rows else ""


def _coloured(outcome: str) -> str:
    if outcome in _GOOD:
        return outcome
    return Coloured(outcome, "red" if outcome == "failed" else "yellow")


def _complete_since(account: "AccountStatus") -> str:
    if account.reached_start:
        return "the first post"
    return (account.covered_since or "")[:10] or "nothing yet"


def _missing_files(status: "ArchiveStatus") -> str:
    """The missing files by account, state and reason; those that can still be fetched first."""
    counts: dict[tuple[str, str, str], int] = {}
    tries: dict[tuple[str, str, str], str] = {}
    for account in status.accounts:
        for missing in account.missing:
            key = (missing.state, account.name, missing.reason or "")
            counts[key] = counts.get(key, 0) + missing.count
            tries[key] = min(filter(None, (tries.get(key), missing.next_try_at)), default="")
    rows = [
        (
            name, f"{counts[key]:,}", Coloured(state.replace("_", " "), _COLOURS[state]),
            "" if reason == state else reason, tries[key][:16].replace("T", " "),
        )
        for key in sorted(counts, key=lambda key: (list(_COLOURS).index(key[0]), key[1:]))
        for state, name, reason in [key]
    ]  # fmt: skip
    if not rows:
        return ""
    head = ["ACCOUNT", "FILES", "STATE", "WHY", "NEXT TRY"]
    return "Files that are not in the archive:\n" + table(rows, head, right=[1], spare=[4])


def _gaps(status: "ArchiveStatus") -> str:
    lines = [
        wrap(line, first=f"{safe(account.name)}: ", rest="    ")
        for account in status.accounts
        for line in _gap_lines(account)
    ]
    return "Gaps:\n" + "\n".join(lines) if lines else ""


def _gap_lines(account: "AccountStatus") -> Iterator[str]:
    for gap in account.gaps:
        since = f"between {gap.since[:16]} and" if gap.since else "before"
        why = f": {safe(gap.reason)}" if gap.reason else ""
        yield f"{gap.stream} {since} {(gap.until or '?')[:16]}{why}".replace("T", " ")
    if account.quarantined:
        records = counted(account.quarantined, "record")
        yield f"{records} could not be parsed; see the table quarantine"
    if account.unmapped:
        yield f"records have unmapped fields: {safe(', '.join(account.unmapped))}"


def _care(entries: "Sequence[CareEntry]", now: datetime) -> str:
    rows = [
        (
            entry.what, ago(entry.finished_at, now, advise=False),
            Coloured(entry.outcome, "red") if entry.outcome in _BAD_CARE else entry.outcome,
            f"{entry.files:,}",
            entry.target or entry.error_code or "",
        )
        for entry in entries
    ]  # fmt: skip
    head = ["CARE", "LAST", "OUTCOME", "FILES", ""]
    return table(rows, head, right=[3], whole=[4]) if rows else ""


def _holds(held: "Sequence[tuple[Hold, str]]") -> str:
    rows = [(hold.matter, posts, hold.placed_at[:10], hold.reason) for hold, posts in held]
    return "Legal holds:\n" + table(rows, ["MATTER", "POSTS", "SINCE", "WHY"]) if rows else ""


def _erasures(shell: Shell, unfinished: "Sequence[Erasure]") -> str:
    """What is planned, and what was interrupted, with the command that carries it out."""
    rows = [
        (
            str(each.id), "interrupted" if each.state == "running" else each.state,
            f"{each.count:,}", shell.command_line(f"erase --confirm {each.id}"),
        )
        for each in unfinished
    ]  # fmt: skip
    head = ["ERASURE", "STATE", "POSTS", "CARRIED OUT BY"]
    return "Erasures:\n" + table(rows, head, right=[2], whole=[3]) if rows else ""


def _has_omitted(status: "ArchiveStatus") -> bool:
    return any(
        missing.state == "omitted" for account in status.accounts for missing in account.missing
    )


def _omitted(files: "Sequence[OmittedFile]") -> str:
    if not files:
        return ""
    cells = [(file.account, file.created_at[:10], file.reason, file.url) for file in files]
    head = ["ACCOUNT", "DAY", "WHY", "POST"]
    return "Omitted by the platform:\n" + table(cells, head, whole=[1, 3])
