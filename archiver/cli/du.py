"""`archiver du`: how much space the archive takes, and how long the disk will last."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import table, wrap
from archiver.human import size_text

if TYPE_CHECKING:
    from archiver.archive.disk_usage import DiskUsage


@subcommand(
    "du",
    short_help="Show how much space the archive takes.",
    example="archiver du\narchiver du --json",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, as_json: bool) -> None:
    """Show how much space files take by account, by year of their posts, and by kind.

    A file that several accounts share counts for each of them, and once in the total. Last it says
    how long the disk will last, by what the runs of the last weeks have fetched.
    """
    from archiver.archive.database import reader
    from archiver.archive.disk_usage import disk_usage_of
    from archiver.backup.room import Room
    from archiver.unattended.forecast import forecast_text, growth, weeks_left

    archive = shell.config().archive
    with reader(archive.directory) as connection:
        usage = disk_usage_of(connection, archive.directory)
        found = growth(connection, datetime.now(UTC))
    room = Room(archive.directory, archive.reserve).left()
    if as_json:
        shell.json(
            {
                **asdict(usage), "room": room,
                "growth": None if found is None else {
                    **asdict(found), "weeks_left": weeks_left(room, found.usual),
                },
            }
        )  # fmt: skip
        return
    shell.out("\n\n".join(filter(None, _tables(usage))))
    shell.out(
        "\n"
        + wrap(
            f"Room for {size_text(max(0, room))} of files, besides the reserve. "
            f"{forecast_text(found, room)}"
        )
    )


def _tables(usage: "DiskUsage") -> Iterable[str]:
    from archiver.archive.disk_usage import summed

    for title, key in (("ACCOUNT", "account"), ("YEAR", "year"), ("KIND", "kind")):
        sums = summed(usage.parts, lambda part, key=key: getattr(part, key))  # type: ignore[misc]  # of each turn
        rows = [(name or "unknown", f"{files:,}", size_text(size))
                for name, (files, size) in sums.items()]  # fmt: skip
        yield table(rows, [title, "FILES", "SIZE"], right=[1, 2]) if rows else ""
    rows = [("all files, each once", f"{usage.files:,}", size_text(usage.size)),
            ("database", "", size_text(usage.database))]  # fmt: skip
    if usage.earlier:
        rows.append(("database before upgrades", "", size_text(usage.earlier)))
    yield table(rows, ["TOTAL", "FILES", "SIZE"], right=[1, 2])
