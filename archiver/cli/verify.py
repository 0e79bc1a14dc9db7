"""`archiver verify`: read everything back and compare it."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import safe, table
from archiver.errors import ArchiveLocked, DamageFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from archiver.verify import Verified

_MOST_FINDINGS = 50


@subcommand(
    "verify",
    short_help="Read everything back and compare it.",
    example="archiver verify\narchiver verify --repair && archiver backup",
)
@click.option("--repair", is_flag=True, help="Queue lost and damaged files to be fetched again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, repair: bool, as_json: bool) -> int | None:
    """Read every file and every row back: hashes, references, the database's own check.

    Needs no key and changes nothing but the note of when a file was read. With --repair, a damaged
    file is moved to the folder quarantine, and the next backup fetches it again.
    """
    from archiver.archive.database import reader
    from archiver.verify import verify

    directory = shell.config().archive.directory
    with reader(directory) as connection, _progress(shell, connection) as on_file:
        result = verify(connection, directory, on_file=on_file)
    queued = _write_back(directory, result, repair=repair)
    if as_json:
        shell.json(_as_json(result, queued))
        return DamageFound.exit_code if result.damage else None
    _print(shell, result, queued)
    if result.damage:
        raise DamageFound(
            f"{len(result.damage)} of {result.files + result.rows} things read are not as stored",
            kept="Nothing was deleted",
            hint="Run archiver backup: it fetches the queued files again" if queued else
            "Run archiver verify --repair to fetch files again; restore rows from a backup",
        )  # fmt: skip
    return None


def _write_back(directory: Path, result: "Verified", *, repair: bool) -> int:
    """Note what was read; queue what is lost. Reading alone must never need the lock."""
    from archiver.archive.database import writer
    from archiver.models import timestamp
    from archiver.verify import note_verified
    from archiver.verify import repair as queue_again

    now = timestamp(datetime.now(UTC)) or ""
    try:
        with writer(directory, create=False) as connection:
            note_verified(connection, result, now)
            return queue_again(connection, directory, result, now) if repair else 0
    except ArchiveLocked:
        if repair:
            raise
    except StorageError:
        if repair or not result.damage:
            raise
    return 0


@contextmanager
def _progress(shell: Shell, connection: Any) -> "Iterator[Callable[[int], object]]":
    total = connection.execute("SELECT coalesce(sum(size), 0) FROM media").fetchone()[0]
    if not (shell.progress and total):
        yield int
        return
    screen = click.get_text_stream("stderr")
    bar: Any = click.progressbar(length=total, label="reading", file=screen)
    with bar:
        yield bar.update


def _print(shell: Shell, result: "Verified", queued: int) -> None:
    from archiver.cli.progress import size_text

    leftovers = [finding for finding in result.findings if not finding.is_damage]
    if result.damage:
        rows = [(f.what, f.subject, f.detail) for f in result.damage[:_MOST_FINDINGS]]
        shell.out(table(rows, ["DAMAGE", "WHERE", "WHAT"]))
        if len(result.damage) > _MOST_FINDINGS:
            shell.out(f"… and {len(result.damage) - _MOST_FINDINGS} more: see --json")
    for finding in leftovers[:_MOST_FINDINGS] if shell.verbose else ():
        shell.out(f"leftover: {safe(finding.subject)} ({finding.detail})")
    if queued:
        shell.out(f"{queued} files are queued to be fetched again.")
    verdict = f"{len(result.damage)} damaged" if result.damage else "all sound"
    extra = f", {len(leftovers)} leftover files that nothing refers to" if leftovers else ""
    shell.out(
        f"{result.files:,} files ({size_text(result.size)}) and {result.rows:,} rows read: "
        f"{verdict}{extra}"
    )


def _as_json(result: "Verified", queued: int) -> dict[str, Any]:
    return {
        "files": result.files,
        "bytes": result.size,
        "rows": result.rows,
        "queued": queued,
        "damage": [asdict(finding) for finding in result.damage],
        "leftovers": [asdict(f) for f in result.findings if not f.is_damage],
    }
