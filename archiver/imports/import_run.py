"""One import, from opening its files to its report: `archiver import`."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from archiver.archive.database import storage_errors
from archiver.archive.dry_run import writer_or_dry_run
from archiver.archive.facts import DATABASE
from archiver.clock import Clock
from archiver.config import Config
from archiver.errors import UsageError
from archiver.hookspecs import ExportReader, Platform
from archiver.imports.film_import import import_films
from archiver.imports.import_record import ImportOptions, ImportRecord
from archiver.imports.opening import hash_parts, open_parts
from archiver.imports.recognition import RecognizedPackage, recognize_all
from archiver.imports.report import ImportProgress, ImportReport
from archiver.imports.single_films import FilmAssignment, SingleFilm, assign_films, split_films
from archiver.imports.transfer import OpenTransfer, open_transfers
from archiver.imports.transfer_import import CheckedTransfer, count_transferred, import_transfer
from archiver.imports.transfer_reduction import TransferReduction
from archiver.imports.whole_packages import CheckedPackage, WholePackages, count_posts
from archiver.media.folder_store import FolderStore


def run_import(
    config: Config, readers: Sequence[ExportReader], ranks: Mapping[str, str],
    options: ImportOptions, *, clock: Clock, progress: ImportProgress, version: str,
    platforms: Sequence[Platform] = (),
) -> ImportReport:  # fmt: skip
    """Import official exports, what `archiver export` wrote, and single films.

    All packages are recognised, and read once from beginning to end, before anything is written: of
    a package that cannot be read nothing is imported. `ranks` are those of the sources. Raises
    PackageError, UsageError, StorageError.
    """
    directory = config.archive.directory
    scratch = directory if directory.is_dir() else None
    with ExitStack() as stack:
        transfers, parts = open_transfers(open_parts(options.files, scratch, stack), scratch, stack)
        films, parts = split_films(parts)
        if films and not (parts or transfers) and not (directory / DATABASE).exists():
            why = "there is no archive yet, and so no post"
            raise FilmAssignment(refused=[(film.name, why) for film in films]).refusal()
        found = recognize_all(parts, readers) if parts else []
        if options.account is not None:
            _refuse_many_accounts(found, transfers)
        totals = [count_posts(each, progress, private=options.private) for each in found]
        numbers = [count_transferred(each, progress) for each in transfers]
        wanted = _Wanted(
            [CheckedPackage(each, total, hash_parts(each.package.parts, progress))
             for each, total in zip(found, totals, strict=True)],
            [CheckedTransfer(each, number, hash_parts(each.package.parts, progress))
             for each, number in zip(transfers, numbers, strict=True)],
            films,
            TransferReduction.of(config, readers, platforms),
        )  # fmt: skip
        connection, folder = stack.enter_context(
            writer_or_dry_run(directory, dry_run=options.dry_run, notify=progress.note)
        )
        stack.enter_context(storage_errors(directory))
        record = ImportRecord(config, options, clock, progress, connection, FolderStore(folder))
        return _import_all(record, WholePackages(record, ranks), wanted, version)


def _refuse_many_accounts(
    found: Sequence[RecognizedPackage], transfers: Sequence[OpenTransfer]
) -> None:
    """Refuse `--account` where it cannot name the account of everything. Raises UsageError."""
    if transfers:
        raise UsageError(
            "--account is for official exports, and what archiver exported names its accounts",
            hint="Leave --account out",
        )
    if len({each.reader.name for each in found}) > 1:
        raise UsageError(
            "--account names one account, and the files are exports of several platforms",
            hint="Import the exports of each account by a command of its own",
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be imported, of each kind."""

    packages: Sequence[CheckedPackage]
    transfers: Sequence[CheckedTransfer]
    films: Sequence[SingleFilm]
    reduction: TransferReduction


def _import_all(
    record: ImportRecord, packages: WholePackages, wanted: _Wanted, version: str
) -> ImportReport:
    """Import packages, one after the other, then what archiver exported, and then films.

    Raises PackageError where there is nothing but films, and none of them has a post.
    """
    if not wanted.packages and not wanted.transfers:
        assignment = assign_films(record.connection, wanted.films, record.options.account)
        if not assignment.assigned:
            raise assignment.refusal()
    for each in wanted.packages:  # what another person's is, is refused before the first is written
        packages.account_of(each)
    record.begin(version)
    error: BaseException | None = None
    try:
        _import_each(record, packages, wanted)
    except BaseException as caught:
        error = caught
        raise
    finally:
        record.end(error)
    return record.report


def _import_each(record: ImportRecord, packages: WholePackages, wanted: _Wanted) -> None:
    """Import what is wanted, until somebody interrupts it."""
    for package in wanted.packages:
        packages.import_package(package)
        if record.is_interrupted:
            return
    for transfer in wanted.transfers:
        import_transfer(record, transfer, wanted.reduction)
        if record.is_interrupted:
            return
    import_films(record, wanted.films)
