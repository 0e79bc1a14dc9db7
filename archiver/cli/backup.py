"""`archiver backup`: back up new posts and media."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from archiver.cli.care import care_exit_code, care_json, care_summary, take_care
from archiver.cli.deliveries import give_checkpoint_away
from archiver.cli.shell import Shell, disable_core_dumps, pass_shell, subcommand
from archiver.cli.text import safe, styled
from archiver.cli.values import Date, Minutes, WholeNumber
from archiver.errors import ArchiveLocked, ArchiverError, ConfigError, UsageError
from archiver.garbage import modules_loaded
from archiver.human import counted

if TYPE_CHECKING:
    from pathlib import Path

    from archiver.backup.options import BackupOptions
    from archiver.report import Progress, RunReport
    from archiver.unattended.care import CareResult


_GOOD_CODES = frozenset({0, 3})
_WAITING_CODES = frozenset({4, 130})
"""A source that is down, and a run that was stopped: if no good run follows, no ping comes."""


class NoteCollector:
    """A Progress that prints notes, and scans when verbose."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def scanning(self, account: str, page: int, posts: int) -> None:
        """Print the progress of a scan, when verbose."""
        if self._shell.verbose:
            self._shell.say(f"{safe(account)}: page {page}, {counted(posts, 'post')} so far")

    def scanned(self, account: str, posts: int) -> None:
        """Print the result of a scan, when verbose."""
        if self._shell.verbose:
            self._shell.say(f"{safe(account)}: {counted(posts, 'post')}")

    def files(self, waiting: int, done: int, *, is_all: bool) -> None:
        """Print nothing."""

    def received(self, count: int) -> None:
        """Print nothing."""

    def note(self, text: str) -> None:
        """Print the note."""
        self._shell.say(text)


@subcommand(
    "backup",
    short_help="Back up all new posts and media.",
    example="archiver backup\narchiver backup acme-instagram --full\narchiver backup -q --json\n"
    "archiver backup -q --due --minutes 50",
)
@click.argument("names", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--full", is_flag=True, help="Scan all posts, not only the newest.")
@click.option(
    "--now", is_flag=True, help="Scan even where nothing new is expected; retry failed files now."
)
@click.option(
    "--since",
    type=Date(),
    metavar="DATE",
    help="Scan no further back than this day (UTC).",
)
@click.option("--limit", type=WholeNumber(min=1), metavar="N", help="The newest N posts only.")
@click.option("--no-media", is_flag=True, help="Fetch no media files; a later run fetches them.")
@click.option(
    "--due", is_flag=True,
    help="Only what is due by the clock of each account; ends at once where nothing is.",
)  # fmt: skip
@click.option(
    "--minutes", type=Minutes(), metavar="M",
    help="Scan all accounts first; begin no file after M minutes. The next run goes on.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Report what would be saved, and save nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(
    shell: Shell, names: tuple[str, ...], full: bool, now: bool, since: datetime | None,
    limit: int | None, no_media: bool, due: bool, minutes: float | None, dry_run: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Back up all accounts of the config, or those that are named.

    Run it as often as you like: only what is new is fetched, and a later run retries what failed.
    Stop it at any time; the next run resumes.

    With --due, a scheduler may run it as often as it likes, best every hour: new posts are looked
    for once a day, stories every 8 hours, and full scans are spread over the week, each account on
    a day of its own; [archive] has the intervals. While another run is going on, it ends at once.
    """
    from archiver.backup.options import BackupOptions
    from archiver.models import timestamp

    if due and (full or now or since or limit):
        raise UsageError("--due says itself how far to scan: leave out --full, --now and the like")
    disable_core_dumps()
    if not dry_run:
        _require_config(shell)
    asked = BackupOptions(
        names=names, full=full, now=now, since=timestamp(since) if since else None, limit=limit,
        media=not no_media, dry_run=dry_run, due=due, minutes=minutes,
    )  # fmt: skip
    wanted = _only_due(shell, asked) if due else asked
    if isinstance(wanted, str):
        care = [] if names or dry_run else _watched_care(shell)
        return _print_nothing(shell, wanted, care, as_json=as_json)
    try:
        with _progress(shell) as progress:
            if dry_run:
                report, care = _run(shell, wanted, progress), []
            else:
                report, care = _watched_run(shell, wanted, progress, with_care=not names)
    except ArchiveLocked as error:
        if not due:
            raise
        return _print_nothing(shell, error.what, [], as_json=as_json)
    code = care_exit_code(care, report.exit_code)
    if as_json:
        shell.json(report.as_json() | {"exit_code": code, "care": care_json(care)})
    else:
        _print(shell, report, care)
    return code


def _require_config(shell: Shell) -> None:
    """Read the config. Raises ConfigError, after somebody was told who wants to know of that."""
    from archiver.cli.notices import keep_contact, tell_of_broken_config

    try:
        config = shell.config()
    except ConfigError as error:
        tell_of_broken_config(shell, error)
        raise
    keep_contact(shell, config)


def _only_due(shell: Shell, asked: "BackupOptions") -> "BackupOptions | str":
    """The options of a run of what is due now; a sentence where nothing is.

    Where that cannot be known, all is due: the run says what is wrong.
    """
    from archiver.archive.database import reader
    from archiver.backup.due import due_work, scheduled_accounts
    from archiver.backup.room import Room

    config, plugins = shell.config(), shell.plugins()
    try:
        config.check(plugins)  # what is wrong should not wait until something is due
        with reader(config.archive.directory) as connection:
            accounts = scheduled_accounts(config, plugins, asked.names, connection)
    except ArchiverError:
        return asked
    has_room = not Room(config.archive.directory, config.archive.reserve).is_short
    work = due_work(
        accounts, config.archive, datetime.now(UTC), files=asked.media and has_room
    )  # fmt: skip
    if work:
        return replace(asked, names=(*work.scan, *work.files_only), files_only=work.files_only)
    if work.next_at is None:
        return "Nothing is due"
    return f"Nothing is due before {work.next_at:%Y-%m-%d %H:%M} UTC ({work.next_name})"


def _print_nothing(shell: Shell, why: str, care: "Sequence[CareResult]", *, as_json: bool) -> int:
    """Print that there was nothing to run, and what care was taken; returns the exit code."""
    code = care_exit_code(care)
    if as_json:
        shell.json(
            {"outcome": "nothing_due", "exit_code": code, "why": why, "care": care_json(care)}
        )
        return code
    shell.report(safe(why))
    if care:
        shell.report(care_summary(care), is_wrong=code != 0)
    return code


def _watched_care(shell: Shell) -> "list[CareResult]":
    """Look after the archive without a backup, and tell what is wrong."""
    from archiver.cli.notices import notify, ping

    config = shell.config()
    if care := take_care(shell, config):
        if care_exit_code(care) not in _GOOD_CODES:
            ping(shell, config, "fail")
        notify(shell, config, care=care)
    return care


def _watched_run(
    shell: Shell, asked: "BackupOptions", progress: "Progress", *, with_care: bool
) -> "tuple[RunReport, list[CareResult]]":
    """Run, with a ping before and after, and tell those who want to know what is wrong.

    Then look after the archive, unless the run was stopped, or the clock is wrong.
    """
    from archiver.cli.notices import notify, ping

    config = shell.config()
    ping(shell, config, "start")
    try:
        report = _run(shell, asked, progress)
    except ArchiveLocked:  # the run that holds it pings
        if not asked.due:
            ping(shell, config, "fail")
        raise
    except ArchiverError as error:
        ping(shell, config, "fail")
        notify(shell, config, error)
        raise
    except Exception:
        ping(shell, config, "fail")
        raise
    may_go_on = with_care and not (report.interrupted or report.clock_is_wrong)
    give_checkpoint_away(shell, config, with_stamps=not report.interrupted)
    care = take_care(shell, config) if may_go_on else []
    code = care_exit_code(care, report.exit_code)
    if code in _GOOD_CODES:
        ping(shell, config, "success")
    elif code not in _WAITING_CODES:
        ping(shell, config, "fail")
    notify(shell, config, clock_is_wrong=report.clock_is_wrong, care=care)
    return report, care


def _run(shell: Shell, asked: "BackupOptions", progress: "Progress") -> "RunReport":
    with modules_loaded():
        import anyio

        from archiver.archive.database import sqlite_warning
        from archiver.backup.mounts import remember_disk, require_disk
        from archiver.backup.run import run_backup
        from archiver.cli.plugin_output import redirect_plugin_output
        from archiver.clock import SystemClock
        from archiver.version import version

        config, plugins = shell.config(), shell.plugins()
    if shell.verbose and (warning := sqlite_warning()):
        shell.warn(warning)
    with redirect_plugin_output():
        config.check(plugins)
        require_disk(config.archive.directory)
        _warn_of_disk(shell, config.archive.directory)
        try:
            return anyio.run(
                lambda: run_backup(
                    config, plugins, asked, clock=SystemClock(), progress=progress,
                    version=version(),
                )
            )  # fmt: skip
        finally:  # a run that failed may have begun the archive
            remember_disk(config.archive.directory)


def _warn_of_disk(shell: Shell, directory: "Path") -> None:
    from archiver.disks import risky_file_system

    if not shell.quiet and (kind := risky_file_system(directory)):
        shell.warn(
            f"The archive is on a disk of kind {kind}, which does not lock and keep files as a "
            "local one does. Run archiver from one machine only, and keep a copy on a local disk"
        )


def _progress(shell: Shell) -> "AbstractContextManager[Progress]":
    if not shell.progress:
        return nullcontext(NoteCollector(shell))
    from archiver.cli.progress import ProgressLine

    return ProgressLine(shell.say)


def _print(shell: Shell, report: "RunReport", care: "Sequence[CareResult]") -> None:
    """Print what came of the run and of the care after it; last the line of counts."""
    from archiver.cli.summary import has_trouble, run_summary, trouble_summary

    if care:
        shell.report(f"{care_summary(care)}\n", is_wrong=care_exit_code(care) != 0)
    if not shell.quiet:
        shell.report(run_summary(report))
        _print_next_steps(shell, report)
    elif has_trouble(report):
        shell.report(trouble_summary(report), is_wrong=True)


def _print_next_steps(shell: Shell, report: "RunReport") -> None:
    """Print, after the first backup, how to browse it and how to schedule the next ones."""
    from archiver.cli.next_steps import AFTER_BACKUP, print_steps

    if not report.is_first or not report.counts.new or report.dry_run:
        return
    shell.report(styled("\nLook at it", bold=True))
    print_steps(shell, AFTER_BACKUP)
    shell.report(styled("\nHave it run by itself", bold=True))
    print_steps(shell, [("schedule install", "in the system's own scheduler: docs/scheduling.md")])
