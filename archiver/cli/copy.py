"""`archiver copy`: a second copy of the archive, whole and read back, while backups go on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import table
from archiver.cli.verify import unreadable
from archiver.errors import DamageFound, StorageError

if TYPE_CHECKING:
    from archiver.evidence.copy import Copied

_MOST_FINDINGS = 50


@subcommand(
    "copy",
    short_help="Make or renew a second copy of the archive.",
    example="archiver copy /mnt/usb/archive\narchiver verify /mnt/usb/archive",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--older", is_flag=True, help="Renew the copy though it is newer than the archive.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, directory: Path, older: bool, as_json: bool) -> int | None:
    """Bring DIRECTORY up to date as a copy of the archive, also while a backup runs.

    Copies the database as it stands at one moment, and the files that the copy has not; all of it
    is read back before the new copy takes the place of the old one. DIRECTORY is an archive like
    any other: look at it with archiver verify DIRECTORY, or point [archive] directory to it.

    A copy that is newer than the archive is left as it is: the archive is then an older state that
    was put back, or has lost its archive.db-wal. --older renews the copy all the same.
    """
    from archiver.evidence.copy import copy_archive

    source = shell.config().archive.directory
    with _progress(shell) as (on_total, on_file):
        copied = copy_archive(source, directory, older=older, on_total=on_total, on_file=on_file)
    if as_json:
        shell.json(asdict(copied))
        if copied.damage:
            return DamageFound.exit_code
        return StorageError.exit_code if copied.unreadable else None
    _print(shell, directory, copied)
    if copied.damage:
        raise DamageFound(
            f"{len(copied.damage):,} integrity errors in {source}",
            kept=f"What is intact was copied to {directory}" if copied.done else
            f"The copy in {directory} is as it was before",
            hint="Run archiver verify --repair, then archiver copy again",
        )  # fmt: skip
    if copied.unreadable:
        raise unreadable(copied.unreadable, source)
    return None


def _print(shell: Shell, directory: Path, copied: "Copied") -> None:
    from archiver.cli.progress import size_text

    if copied.damage:
        rows = [(f.what, f.subject, f.detail) for f in copied.damage[:_MOST_FINDINGS]]
        shell.report(table(rows, ["DAMAGE", "WHERE", "WHAT"]))
    if copied.done and not (shell.quiet and not copied.files):
        shell.report(
            f"{copied.files:,} files ({size_text(copied.size)}) copied to {directory}, "
            f"{copied.there:,} were there; database of {copied.rows:,} rows copied and read back."
        )


@contextmanager
def _progress(shell: Shell) -> Iterator[tuple[Any, Any]]:
    if not shell.progress:
        yield int, int
        return
    with click.progressbar(length=1, label="copying", file=sys.stderr) as bar:

        def on_total(size: int) -> None:
            bar.length = max(1, size)

        yield on_total, bar.update
