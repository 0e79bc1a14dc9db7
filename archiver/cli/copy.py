"""`archiver copy`: a second copy of the archive, whole and read back, while backups go on."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.progress import progress_bar
from archiver.cli.shell import Shell, pass_shell, program, subcommand
from archiver.cli.text import safe, wrap
from archiver.cli.verify import unreadable
from archiver.cli.verify_findings import listed
from archiver.errors import DamageFound, StorageError
from archiver.human import counted, size_text

if TYPE_CHECKING:
    from archiver.evidence.renewal import Copied

_MAX_FINDINGS = 50


@subcommand(
    "copy",
    short_help="Make or update a second copy of the archive.",
    example="archiver copy /mnt/usb/archive\narchiver verify /mnt/usb/archive",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--older", is_flag=True, help="Update the copy even if it is newer than the archive.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, directory: Path, older: bool, as_json: bool) -> int | None:
    """Bring DIRECTORY up to date as a copy of the archive, also while a backup runs.

    Copies the database as it is at one moment, and the files that the copy lacks; all of it is read
    back before the new copy replaces the old one. DIRECTORY is an archive like
    any other: look at it with archiver verify DIRECTORY, or point [archive] directory to it.

    A copy that is newer than the archive is not changed: the archive was then restored from an
    older state, or has lost its archive.db-wal. With --older the copy is updated all the same.
    """
    from archiver.evidence.copy import copy_archive

    settings = shell.config().archive
    source = settings.directory
    with progress_bar(shell, "copying") as (on_total, on_file):
        copied = copy_archive(source, directory, older=older, on_total=on_total, on_file=on_file)
    _log(source, directory, copied, settings.actor)
    if as_json:
        shell.json(asdict(copied))
        if copied.damage:
            return DamageFound.exit_code
        return StorageError.exit_code if copied.unreadable else None
    _print(shell, directory, copied)
    if copied.damage:
        raise DamageFound(
            f"{counted(len(copied.damage), 'integrity error')} in {source}",
            kept=f"What is intact was copied to {directory}" if copied.done else
            f"The copy in {directory} is as it was before",
            hint="Run archiver verify --repair, then archiver copy again",
        )  # fmt: skip
    if copied.unreadable:
        raise unreadable(copied.unreadable, source)
    return None


def _log(source: Path, directory: Path, copied: "Copied", actor: str | None) -> None:
    """Log a copy in the archive that was copied, unless that is damaged: it is not written to."""
    from archiver.models import current_time
    from archiver.unattended.care_log import CareEntry, CareOutcome, log_care

    if not copied.done:
        return
    outcome: CareOutcome = (
        "damaged" if copied.damage else "partial" if copied.unreadable else "done"
    )
    finished_at = current_time()
    log_care(
        source,
        CareEntry(
            "copy", finished_at, outcome, copied.files, copied.size, len(copied.damage),
            str(directory.absolute()),
        ),
        actor,
    )  # fmt: skip


def _print(shell: Shell, directory: Path, copied: "Copied") -> None:
    if copied.damage:
        shell.report(listed(copied.damage, _MAX_FINDINGS), is_wrong=True)
    if not copied.done:
        return
    shell.report(
        wrap(
            f"{counted(copied.files, 'file')} ({size_text(copied.size)}) copied to "
            f"{safe(directory)}, {copied.unchanged:,} unchanged; "
            f"database of {counted(copied.rows, 'row')} copied and read back."
        )
    )
    if not copied.unchanged:  # the first time
        quoted = shlex.quote(str(directory))
        shell.say(
            "\nNext:\n"
            f"  {program()} verify {quoted}\n"
            "      reads the copy back, whenever you like; no config is needed\n"
            f"  {shell.command_line(f'copy {quoted}')}\n"
            "      brings it up to date: run it after each backup, in the same nightly job"
        )
