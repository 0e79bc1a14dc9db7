"""`archiver status`: what the archive holds, what is missing, and why."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import safe, table, wrap
from archiver.human import ago, size_text

if TYPE_CHECKING:
    from archiver.archive.readers import AccountStatus, ArchiveStatus


@subcommand(
    "status",
    short_help="Show what the archive holds, and what is missing.",
    example="archiver status\narchiver status --json",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, as_json: bool) -> None:
    """Show per account what the archive holds, how far back, what is missing and why.

    Reads only; works while a backup runs, and needs no key.
    """
    from archiver.archive.database import reader, sqlite_warning
    from archiver.archive.readers import archive_status, omitted_media

    directory = shell.config().archive.directory
    with reader(directory) as connection:
        status = archive_status(connection)
        omitted = omitted_media(connection)
    if as_json:
        shell.json({"directory": str(directory), **asdict(status), "sqlite": sqlite_warning()})
        return
    now = datetime.now(UTC)
    parts = [_head(status, str(directory), now), _accounts(status, now)]
    parts += filter(None, (_absent(status), _gaps(status), _omitted(omitted)))
    shell.out("\n\n".join(parts))
    if warning := sqlite_warning():
        shell.say(wrap(warning, "Note: ", " " * 6))


def _head(status: "ArchiveStatus", directory: str, now: datetime) -> str:
    posts = sum(account.posts for account in status.accounts)
    last = (
        f"last run {ago(status.last_run, now)} ({status.last_outcome})"
        if status.last_run
        else "no run yet"
    )
    return wrap(
        f"{safe(directory)}: {posts:,} posts, {status.files:,} files, "
        f"{size_text(status.size)}; {last}"
    )


def _accounts(status: "ArchiveStatus", now: datetime) -> str:
    rows = [
        (
            account.name, f"{account.posts:,}", account.edits or "", account.removed or "",
            f"{account.files:,}", _reach(account), ago(account.last_good_run, now, advise=False),
            "" if account.last_outcome in {"done", "fresh"} else account.last_outcome or "",
        )
        for account in status.accounts
    ]  # fmt: skip
    head = ["ACCOUNT", "POSTS", "EDITS", "REMOVED", "FILES", "COMPLETE SINCE", "LAST GOOD RUN", ""]
    return table(rows, head, right=range(1, 5))


def _reach(account: "AccountStatus") -> str:
    if account.reached_start:
        return "the first post"
    return (account.covered_since or "")[:10] or "nothing yet"


def _absent(status: "ArchiveStatus") -> str:
    rows = [
        (account.name, missing.count, missing.role, missing.state, missing.reason or "",
         (missing.next_try_at or "")[:16].replace("T", " "))
        for account in status.accounts
        for missing in account.missing
    ]  # fmt: skip
    if not rows:
        return ""
    return "Files that are not in the archive:\n" + table(
        rows, ["ACCOUNT", "FILES", "ROLE", "STATE", "WHY", "NEXT TRY"], right=[1]
    )


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
        yield f"{account.quarantined} records could not be parsed; see the table quarantine"
    if account.unmapped:
        yield f"records have unmapped fields: {safe(', '.join(account.unmapped))}"


def _omitted(rows: list[tuple[str, str, str, str]]) -> str:
    if not rows:
        return ""
    cells = [(account, at[:10], reason, url) for account, at, url, reason in rows]
    return "Omitted by the platform:\n" + table(cells, ["ACCOUNT", "DAY", "WHY", "POST"])
