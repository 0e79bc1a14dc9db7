"""`archiver verify`: check all files and rows against their hashes."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.places import archive_folder
from archiver.cli.progress import progress_bar
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.tenants import (
    ArchivePlace,
    TenantChoice,
    archive_place,
    refuse_folder_of_tenant,
    refuse_part_of_tenant,
    tenant_options,
)
from archiver.cli.text import safe, wrap
from archiver.cli.values import Minutes
from archiver.cli.verify_findings import findings_as_json, hint_for, print_findings
from archiver.errors import ArchiverError, DamageFound, StorageError, UsageError
from archiver.human import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archiver.config import Config
    from archiver.evidence.files import Scope
    from archiver.evidence.findings import Finding, Verified
    from archiver.evidence.known_heads import KnownHead
    from archiver.evidence.repair import Repaired

_FROM_ANOTHER_MACHINE = (
    "Run this with --repair on a machine that has this version in its folder: then it is put back "
    "whole. An earlier version may be intact too"
)
_SLICE = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})", re.ASCII)


def _write_program(ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    """Write the program that checks an archive alone, and end. Raises UsageError."""
    if path is None or ctx.resilient_parsing:
        return
    from inspect import getsource

    from archiver.evidence import standalone

    try:
        path.write_text(getsource(standalone), "utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written", why=error.strerror) from error
    shell = ctx.ensure_object(Shell)
    shell.say(f"Run it with: python {path} ARCHIVE. What it checks is in its first lines.")
    ctx.exit()


@subcommand(
    "verify",
    short_help="Check all files and rows against their hashes.",
    example="archiver verify\narchiver verify --minutes 30\narchiver verify --slice 3/30\n"
    "archiver verify --repair && archiver backup\narchiver verify --repair --from /mnt/copy\n"
    "archiver verify /mnt/copy\narchiver verify --write-program check.py\n"
    "archiver verify --checkpoint kept.txt\narchiver verify --accept-restore\n"
    "archiver verify --tenant acme --repair\n"
    "archiver verify --post at://did:plc:example/app.bsky.feed.post/3kexample",
)
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option(
    "--repair", is_flag=True, help="Repair what can be repaired; queue lost files to be fetched."
)
@click.option(
    "--from", "copy", metavar="DIR", type=click.Path(path_type=Path),
    help="With --repair: restore files and rows from the copy in DIR.",
)  # fmt: skip
@click.option(
    "--slice", "slice_", metavar="K/N", help="Only the K-th of N parts of rows and files."
)
@click.option(
    "--minutes", type=Minutes(), metavar="M",
    help="Read files for M minutes only; the next verify resumes there.",
)  # fmt: skip
@click.option(
    "--checkpoint", "kept", metavar="FILE", multiple=True, type=click.Path(path_type=Path),
    help="Check a checkpoint too that was kept elsewhere. May be given several times.",
)  # fmt: skip
@click.option(
    "--accept-restore", is_flag=True,
    help="An older copy was put back: put on record what was lost by that.",
)  # fmt: skip
@click.option("--post", metavar="ID", help="One post, by id or address: who signed its versions.")
@click.option(
    "--write-program", metavar="FILE", type=click.Path(path_type=Path), is_eager=True,
    expose_value=False, callback=_write_program,
    help="Write a program that checks an archive without archiver, and do nothing else.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@tenant_options
@pass_shell
def command(
    shell: Shell, directory: Path | None, repair: bool, copy: Path | None, slice_: str | None,
    minutes: float | None, kept: tuple[Path, ...], accept_restore: bool, post: str | None,
    as_json: bool, chosen_tenant: TenantChoice,
) -> int | None:  # fmt: skip
    """Read every file and every row back: hashes, references, the database's own check.

    Reads the archive of the config, or the one in DIRECTORY, such as a copy. Needs no key. It
    writes when it was done, and when each file was verified, and nothing else.

    --slice and --minutes spread the work over many nights. A slice reads its part of the rows and
    files; what can only be checked as a whole, such as the search index, is checked in one of all
    slices. So N slices together find what a verify of everything does, and one says nothing of the
    others. --minutes limits the files; without --slice, all rows are read.

    The ledger is compared with the checkpoints in it, with those that were signed last by this
    config, with those of checkpoint_copies, and with those of --checkpoint. Where an older copy was
    put back after a disaster, they show that: --accept-restore puts on record what was lost, and
    the entries that were lost are no finding any more. Time stamps are checked against the roots of
    timestamp_roots.

    Where a source signs what it gives (Bluesky), every version of every post is checked against the
    signatures that were kept with it. --post shows for one post who signed it, and when.

    --write-program writes one file of Python that needs nothing but Python: give it, with a copy of
    the archive, to whoever does not trust this program.

    With --repair, a damaged file is moved to the folder quarantine and the next backup fetches it
    again. With --from, damaged and missing files and rows are restored from a copy made by archiver
    copy, wherever the checksums of the archive prove them right.

    With --tenant, the version of its database in the store is read back too, and media where it
    lies. No worker gets the tenant meanwhile.
    """
    if copy is not None and not repair:
        raise UsageError("--from is for repairs only", hint="Add --repair")
    refuse_folder_of_tenant(chosen_tenant, directory, "DIRECTORY")
    if accept_restore and directory is not None:
        raise UsageError("--accept-restore is for the archive of the config")
    if accept_restore and slice_ is not None:
        raise UsageError("--accept-restore is for a verify of everything", hint="Omit --slice")
    asked = _Asked(
        _scope(slice_, minutes), kept, accept_restore, repair,
        archive_folder(copy) if copy else None, as_json,
    )  # fmt: skip
    if directory is not None:
        folder = archive_folder(directory)
        refuse_part_of_tenant(folder, "archiver verify")
        if post is not None:
            return _print_proofs(shell, folder, post, as_json=as_json)
        return _tell(shell, folder, None, asked, *_verify(shell, folder, None, asked))
    with archive_place(shell, chosen_tenant, "archiver verify", brought=False) as place:
        if post is not None:
            place.bring_here()
            return _print_proofs(shell, place.config.archive.directory, post, as_json=as_json)
        return _verify_place(shell, place, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to verify, and what to do then."""

    scope: "Scope"
    kept: tuple[Path, ...]
    accept_restore: bool
    repair: bool
    copy: Path | None
    as_json: bool


def _verify_place(shell: Shell, place: ArchivePlace, asked: _Asked) -> int | None:
    """Verify the archive of the config, or a tenant's, which is put back then.

    Of a tenant, the version in the store is read first: it may be too damaged to be brought here.
    """
    from archiver.evidence.findings import Verified
    from archiver.evidence.repair import Repaired

    directory = place.config.archive.directory
    damaged = place.check_version(asked.scope.slice)
    try:
        place.bring_here()
    except StorageError:
        if not damaged:
            raise
        found = Verified(is_slice=not asked.scope.slice.is_whole, findings=damaged)
        return _tell(shell, directory, place, asked, found, Repaired(), _FROM_ANOTHER_MACHINE)
    result, repaired = _verify(shell, directory, place, asked, damaged)
    if result.may_be_written or repaired:
        is_repaired = bool(damaged) and asked.repair and result.database_is_intact
        place.put_back(whole=is_repaired)
        repaired.versions = int(is_repaired)
    return _tell(shell, directory, place, asked, result, repaired)


def _verify(
    shell: Shell, directory: Path, place: ArchivePlace | None, asked: _Asked,
    damaged: "Sequence[Finding]" = (),
) -> "tuple[Verified, Repaired]":  # fmt: skip
    """Verify an archive, one of a config or another, and repair it if that is asked for.

    `damaged` is what was found before.
    """
    from archiver.evidence.findings import Finding, Verified
    from archiver.evidence.proofs import provers_among
    from archiver.evidence.repair import Repaired, repair
    from archiver.evidence.verify import verify
    from archiver.models import current_time

    now = current_time()
    config = place.config if place else None
    store = place.store if place else None
    try:
        known, notes = _known_heads(shell, directory, asked.kept, config)
        with progress_bar(shell, "reading") as (on_total, on_file):
            result = verify(
                directory, asked.scope, now, store=store,
                provers=provers_among(shell.plugins().platforms), known=known, on_total=on_total,
                on_file=on_file,
            )  # fmt: skip
    except DamageFound as error:  # there is no database to read from any more
        if asked.as_json:
            result = Verified(findings=[*damaged, Finding("database", "archive.db", str(error))])
            shell.json(findings_as_json(result, Repaired()))
        raise
    result.findings += [*notes, *damaged]
    if asked.accept_restore and config:
        _accept_restore(shell, config, known, result, now)
    if config:
        _log(directory, result, config.archive.actor)
    done = repair(directory, result, now, asked.copy, store) if asked.repair else Repaired()
    return result, done


def _tell(
    shell: Shell, directory: Path, place: ArchivePlace | None, asked: _Asked, result: "Verified",
    repaired: "Repaired", hint: str = "",
) -> int | None:  # fmt: skip
    """Print what was found; returns the exit code. Raises DamageFound, StorageError."""
    if asked.as_json:
        shell.json(findings_as_json(result, repaired))
        if result.damage:
            return DamageFound.exit_code
        return StorageError.exit_code if result.unreadable else None
    print_findings(shell, result, repaired)
    if result.damage:
        raise DamageFound(
            f"{counted(len(result.damage), 'integrity error')} in {directory}",
            kept="Nothing was deleted",
            hint=hint or hint_for(
                result, repaired, asked=asked.repair, copy=asked.copy,
                arguments=place.arguments if place else "",
            ),
        )  # fmt: skip
    if result.unreadable:
        raise unreadable(result.unreadable, directory)
    return None


def _known_heads(
    shell: Shell, directory: Path, kept: tuple[Path, ...], own: "Config | None"
) -> "tuple[list[KnownHead], list[Finding]]":
    """The checkpoints that are known beside the archive, and what of them cannot be read.

    `own` is the config of the archive, if it was found by that.
    Raises UsageError for a file of `kept` that has no checkpoint of this archive.
    """
    from sqlite3 import DatabaseError

    from archiver.archive.checkpoints import origin
    from archiver.evidence.elsewhere import known_elsewhere
    from archiver.evidence.known_heads import known_head
    from archiver.evidence.stamped import check_time_stamps
    from archiver.evidence.verify import open_archive

    with open_archive(directory) as connection:
        try:
            log = origin(connection)
            if own is not None:
                found, notes = known_elsewhere(connection, own)
            else:
                found, notes = [], check_time_stamps(connection, _config(shell), is_own=False)
        except DatabaseError:  # verify itself will say so
            return [], []
    for path in kept:
        try:
            note = path.read_text("utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be read", why=error.strerror or "") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is no checkpoint", why="It is no text") from error
        try:
            found.append(known_head(str(path), note, log))
        except ValueError as error:
            raise UsageError(f"{path} is no checkpoint of this archive", why=str(error)) from error
    return found, notes


def _config(shell: Shell) -> "Config | None":
    """The config, if there is one: another archive may be verified without."""
    try:
        return shell.config()
    except ArchiverError:
        return None


def _accept_restore(
    shell: Shell, config: "Config", known: "list[KnownHead]", result: "Verified", now: str
) -> None:
    """Put on record what was lost, where nothing else is wrong with the ledger.

    Raises DamageFound where something is, UsageError where nothing was lost.
    """
    from archiver.archive.database import writer
    from archiver.evidence.restored import PUT_BACK, accept_restore

    if others := [finding for finding in result.damage if finding.what not in PUT_BACK]:
        raise DamageFound(
            f"The archive has {counted(len(others), 'other integrity error')}",
            kept="Nothing was put on record",
            hint="Run archiver verify, which lists them, and archiver verify --repair",
        )
    with writer(config.archive.directory, create=False) as connection:
        lost = accept_restore(connection, known, now, config.archive.actor)
    result.findings = [finding for finding in result.findings if finding.what not in PUT_BACK]
    shell.say(f"On record: entries {lost.first:,} to {lost.last:,} of the ledger were lost.")


def _log(directory: Path, result: "Verified", actor: str | None) -> None:
    """Log a verify of the archive of the config, unless its database may not be written to."""
    from archiver.models import current_time
    from archiver.unattended.care_log import CareEntry, CareOutcome, log_care

    if not result.may_be_written:
        return
    partly: CareOutcome = "partial" if result.is_partial else "done"
    outcome: CareOutcome = "damaged" if result.damage else partly
    finished_at = current_time()
    damaged = len(result.damage)
    entry = CareEntry("verify", finished_at, outcome, result.files, result.size, damaged)
    log_care(directory, entry, actor)


def _print_proofs(shell: Shell, directory: Path, post: str, *, as_json: bool) -> int | None:
    """Print who signed each version of a post. Raises UsageError where none is signed."""
    from archiver.evidence.proofs import proofs, provers_among
    from archiver.evidence.verify import open_archive

    with open_archive(directory) as connection:
        found = list(proofs(connection, provers_among(shell.plugins().platforms), post))
    if not found:
        raise UsageError(
            f"There is no signed post {post} in {directory}",
            why="Only what was read from a source that signs it (Bluesky) is signed",
            hint="Name the post by its id or its address, as archiver browse shows them",
        )
    broken = [version for version in found if not version.proof.holds]
    if as_json:
        shell.json({"versions": [asdict(version) for version in found]})
        return DamageFound.exit_code if broken else None
    for version in found:
        words = "proved" if version.proof.holds else "NOT VALID"
        line = f"Version {version.number}: {words}: {safe(version.proof.statement)}."
        shell.report(wrap(line), is_wrong=not version.proof.holds)
    if broken:
        raise DamageFound(
            f"{len(broken):,} of {counted(len(found), 'version')} of {post} "
            f"{'has' if len(broken) == 1 else 'have'} no valid signature"
        )
    return None


def unreadable(findings: "list[Finding]", directory: Path) -> StorageError:
    """The error for files of an archive that could not be read, and may be intact."""
    first = findings[0]
    return StorageError(
        f"{counted(len(findings), 'file')} in {directory} could not be read",
        why=f"{first.subject} {first.detail}",
        kept="Nothing was changed, and nothing is known to be damaged",
        hint="Let this user read them (chown -R, chmod -R u+rwX), and run the command again",
        code="unreadable",
    )


def _scope(slice_: str | None, minutes: float | None) -> "Scope":
    from archiver.evidence.files import Scope

    seconds = None if minutes is None else minutes * 60
    if slice_ is None:
        return Scope(seconds=seconds)
    match = _SLICE.fullmatch(slice_)
    if match is None or int(match[1]) > int(match[2]):
        raise UsageError(
            f"--slice {slice_} is no part of a whole", hint="Write 3/30 for the third of thirty"
        )
    return Scope(int(match[1]), int(match[2]), seconds)
