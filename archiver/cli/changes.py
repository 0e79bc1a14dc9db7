"""`archiver changes`: what happened to posts since a date."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import Coloured, table, wrap
from archiver.cli.values import Date
from archiver.errors import UsageError
from archiver.human import counted

if TYPE_CHECKING:
    from archiver.archive.changes import DatedChange

_COLOURS = {
    "edited": "yellow", "missing": "yellow", "removed": "red", "omitted": "yellow", "gone": "red",
    "lost": "red", "restored": "green", "media_restored": "green", "recovered": "green",
}  # fmt: skip


@subcommand(
    "changes",
    short_help="List what was edited, removed or omitted.",
    example="archiver changes --since 2026-11-01\n"
    "archiver changes --since 2026 my-instagram --json",
)
@click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)
@click.option(
    "--since", type=Date(), metavar="DATE", required=True,
    help="From when on: 2026, 2026-03, 2026-03-17 or a time, in UTC.",
)  # fmt: skip
@click.option("--new", "with_new", is_flag=True, help="List new posts too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(
    shell: Shell, accounts: tuple[str, ...], since: datetime, with_new: bool, as_json: bool
) -> None:
    """List what happened to posts since a date, oldest first.

    That is: edits, removals and restorations, files that a platform withholds or gives again, files
    that are gone, lost or recovered, and posts that were matched across sources. archiver history
    shows one post in full. Reads only, and needs no key.
    """
    from archiver.archive.changes import changes_since
    from archiver.archive.database import reader
    from archiver.models import timestamp

    directory = shell.config().archive.directory
    start = timestamp(since) or ""
    with reader(directory) as connection:
        known = {name for (name,) in connection.execute("SELECT name FROM accounts")}
        if missing := [name for name in accounts if name not in known]:
            raise UsageError(
                f"The archive has no account {missing[0]}",
                hint=f"It has: {', '.join(sorted(known)) or 'none yet'}",
            )
        found = list(changes_since(connection, start, accounts, with_new=with_new))
    if as_json:
        shell.json({"since": start, "changes": [change._asdict() for change in found]})
        return
    if found:
        shell.out(_table(found))
    shell.report(wrap(_count_line(found, start)))


def _table(found: "Sequence[DatedChange]") -> str:
    rows = [
        (
            change.at[:16].replace("T", " "), _coloured(change.what), change.account,
            str(change.post_id), change.reason or "", change.text,
        )
        for change in found
    ]  # fmt: skip
    head = ["AT", "WHAT", "ACCOUNT", "POST", "WHY", "TEXT"]
    return table(rows, head, right=(3,), spare=(4,), whole=(0, 3))


def _coloured(what: str) -> str:
    words = what.replace("_", " ")
    return Coloured(words, _COLOURS[what]) if what in _COLOURS else words


def _count_line(found: "Sequence[DatedChange]", since: str) -> str:
    """The last line: how many of each kind."""
    counts = Counter(change.what.replace("_", " ") for change in found)
    kinds = ", ".join(f"{count:,} {what}" for what, count in counts.most_common())
    of_kinds = f": {kinds}" if kinds else ""
    return f"{counted(len(found), 'change')} since {since[:10]}{of_kinds}"
