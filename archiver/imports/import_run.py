"""One import, from opening its files to its report: `archiver import`."""

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archiver.archive import packages, runs
from archiver.archive.database import (
    storage_errors,
    transaction,
)
from archiver.archive.dry_run import writer_or_dry_run
from archiver.archive.facts import DATABASE
from archiver.archive.packages import EXPORT, PackagePart
from archiver.archive.runs import Counts
from archiver.archive.same_files import merge_same_files
from archiver.backup.routes import route_of
from archiver.backup.wanted_files import choose_by
from archiver.clock import Clock
from archiver.config import Config
from archiver.errors import ArchiverError, PackageError, StorageError, UsageError
from archiver.evidence.signing import seal
from archiver.hookspecs import ExportReader
from archiver.imports.accounts import account_of_package
from archiver.imports.film_import import TITLE, FilmImport
from archiver.imports.linked_files import LinkFetcher
from archiver.imports.package_import import PackageImport, exported_posts
from archiver.imports.parts import DownloadedPart, open_part, parts_in
from archiver.imports.recognition import RecognizedPackage, recognize_all
from archiver.imports.report import MOST_PATHS, ImportProgress, ImportReport, PackageReport
from archiver.imports.single_films import (
    AssignedFilm,
    FilmAssignment,
    SingleFilm,
    assign_films,
    films_in,
    split_films,
)
from archiver.imports.transfer import OpenTransfer, open_transfers
from archiver.imports.transfer_import import TransferImport, check_transfer, claim_transferred
from archiver.media.folder_store import FolderStore
from archiver.minimisation import Minimiser
from archiver.models import timestamp

_Checked = tuple[OpenTransfer, Mapping[int, int], Sequence[PackagePart]]
"""A transfer that was read once, how many posts it has by account, and the hashes of its parts."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What was asked: the files, `--account`, `--dry-run`, `--private`."""

    files: tuple[Path, ...]
    account: str | None = None
    dry_run: bool = False
    private: bool = False


def run_import(
    config: Config, readers: Sequence[ExportReader], ranks: Mapping[str, str],
    options: ImportOptions, *, clock: Clock, progress: ImportProgress, version: str,
) -> ImportReport:  # fmt: skip
    """Import official exports, and single films.

    All packages are recognised, and read once from beginning to end, before anything is written: of
    a package that cannot be read nothing is imported. `ranks` are those of the sources. Raises
    PackageError, UsageError, StorageError.
    """
    directory = config.archive.directory
    scratch = directory if directory.is_dir() else None
    with ExitStack() as stack:
        transfers, parts = open_transfers(
            _open_parts(options.files, scratch, stack), scratch, stack
        )
        films, parts = split_films(parts)
        if films and not (parts or transfers) and not (directory / DATABASE).exists():
            why = "there is no archive yet, and so no post"
            raise FilmAssignment(refused=[(film.name, why) for film in films]).refusal()
        found = recognize_all(parts, readers) if parts else []
        if options.account is not None and transfers:
            raise UsageError(
                "--account is for official exports, and what archiver exported names its accounts",
                hint="Leave --account out",
            )
        if options.account is not None and len({each.reader.name for each in found}) > 1:
            raise UsageError(
                "--account names one account, and the files are exports of several platforms",
                hint="Import the exports of each account by a command of its own",
            )
        totals = [_check(each, progress, private=options.private) for each in found]
        numbers = [check_transfer(each, progress) for each in transfers]
        hashes = [_hash_parts(each.package.parts, progress) for each in found]
        hashed = [_hash_parts(each.package.parts, progress) for each in transfers]
        connection, folder = stack.enter_context(
            writer_or_dry_run(directory, dry_run=options.dry_run, notify=progress.note)
        )
        stack.enter_context(storage_errors(directory))
        run = ImportRun(config, ranks, options, clock, progress, connection, folder)
        to_transfer = list(zip(transfers, numbers, hashed, strict=True))
        return run.import_all(found, totals, hashes, version, films, to_transfer)


def _open_parts(
    files: Sequence[Path], scratch: Path | None, stack: ExitStack
) -> list[DownloadedPart]:
    """The parts of all files and folders; they are closed with the stack. Raises PackageError."""
    films = [films_in(path) for path in files]
    paths: list[Path] = []
    for path, inside in zip(files, films, strict=True):
        if all(films):
            paths += inside
        else:  # a folder of films may be a part of a package
            paths += (parts_in(path) if path.is_dir() else []) or [path]
    parts = []
    for path in dict.fromkeys(paths):
        part = open_part(path, scratch)
        stack.callback(part.close)
        parts.append(part)
    return parts


def _check(found: RecognizedPackage, progress: ImportProgress, *, private: bool) -> int:
    """Read a package to its end without saving anything; the number of its posts.

    `private` says whether what was never published counts. Raises PackageError for one that cannot
    be read, and for one without posts.
    """
    progress.begin(f"Checking {_names(found)}", 0, "posts")
    total = left_out = 0
    for item in exported_posts(found):
        is_left_out = item.is_private and not private
        total, left_out = total + (not is_left_out), left_out + is_left_out
    if not total and left_out:
        raise PackageError(
            f"{_names(found)} has nothing but what was never published",
            why=f"It is {found.reader.title}, with {left_out:,} private items and no post",
            kept="Nothing was imported",
            hint="Add --private to import them: they are never put into a published copy",
            code="private_only",
        )
    if not total:
        raise PackageError(
            f"{_names(found)} has no post",
            why=f"It looks like {found.reader.title} ({found.recognition.layout}), but nothing in "
            "it is a post that this version can read",
            kept="Nothing was imported",
            hint="Ask for the export again, of the whole time and with posts chosen. If there are "
            "posts in it, its layout is new: report the names of its files",
            code="no_posts",
        )
    return total


def _hash_parts(parts: Sequence[DownloadedPart], progress: ImportProgress) -> list[PackagePart]:
    hashed = []
    for part in parts:
        progress.begin(f"Hashing {part.path.name}", part.size, "bytes")
        hashed.append(PackagePart(part.path.name, part.size, part.sha256(progress.advance)))
    return hashed


def _names(found: RecognizedPackage) -> str:
    return ", ".join(part.path.name for part in found.package.parts)


@dataclass(slots=True)
class ImportRun:
    """One import and what it works with."""

    config: Config
    ranks: Mapping[str, str]
    options: ImportOptions
    clock: Clock
    progress: ImportProgress
    connection: sqlite3.Connection
    directory: Path
    _of_account: dict[str, list[PackageReport]] = field(default_factory=dict)

    def import_all(
        self, found: Sequence[RecognizedPackage], totals: Sequence[int],
        hashes: Sequence[Sequence[PackagePart]], version: str, films: Sequence[SingleFilm] = (),
        transfers: Sequence[_Checked] = (),
    ) -> ImportReport:  # fmt: skip
        """Import packages, one after the other, then what archiver exported, and then films.

        See `run_import`. Raises PackageError where there is nothing but films, and none of them has
        a post.
        """
        if not found and not transfers:
            self._refuse_without_posts(films)
        report = ImportReport(self._now(), dry_run=self.options.dry_run)
        asked = {
            "import": [path.name for path in self.options.files],
            "account": self.options.account, "dry_run": self.options.dry_run,
            "private": self.options.private,
        }  # fmt: skip
        accounts = [
            account_of_package(
                self.connection,
                self.config,
                each.reader.name,
                each.recognition.identity,
                self.options.account,
            )
            for each in found
        ]  # all of them before the first is written: what another person's is, is refused
        run_id = runs.begin_run(
            self.connection, report.started_at, version, asked, self.config.archive.actor
        )
        store = FolderStore(self.directory)
        store.prepare()
        error: BaseException | None = None
        try:
            for each, total, parts, (account, _) in zip(
                found, totals, hashes, accounts, strict=True
            ):
                package = _report_of(each, parts, account.name)
                report.packages.append(package)
                self._import_package(run_id, each, total, parts, package, store)
                if package.interrupted:
                    return report
            for transfer, numbers, parts in transfers:
                for reported in self._import_transfer(run_id, transfer, numbers, parts, store):
                    report.packages.append(reported)
                    if reported.interrupted:
                        return report
            self._import_films(run_id, films, report, store)
        except BaseException as caught:
            error = caught
            raise
        finally:
            self._end(run_id, report, error)
        return report

    def _refuse_without_posts(self, films: Sequence[SingleFilm]) -> None:
        assignment = assign_films(self.connection, films, self.options.account)
        if not assignment.assigned:
            raise assignment.refusal()

    def _import_films(
        self, run_id: int, films: Sequence[SingleFilm], report: ImportReport, store: FolderStore
    ) -> None:
        """Import single films, those of each account as one package; the others are reported."""
        assignment = assign_films(self.connection, films, self.options.account)
        by_account: dict[int, list[AssignedFilm]] = defaultdict(list)
        for each in assignment.assigned:
            by_account[each.post.account_id].append(each)
        for account_id, some in by_account.items():
            package = self._begin_films(run_id, account_id, some)
            report.packages.append(package)
            work = FilmImport(
                self.connection, run_id, None if self.options.dry_run else store, store.tmp,
                self.clock.now, self.progress, package,
            )  # fmt: skip
            try:
                work.import_films(some)
            except KeyboardInterrupt:
                package.interrupted = True
            self._end_package(run_id, account_id, package.row_id, package)
            if package.interrupted:
                return
        if assignment.refused:
            names = [name for name, _ in assignment.refused]
            refused = PackageReport(names, "", TITLE, "", "", error=assignment.refusal())
            report.packages.append(refused)

    def _begin_films(
        self, run_id: int, account_id: int, films: Sequence[AssignedFilm]
    ) -> PackageReport:
        """The report of the films of one account, whose rows begin with it."""
        now, post = self._now(), films[0].post
        own = [each.film.part for each in films]
        parts = _hash_parts(own, self.progress)
        made = max((part.modified_at for part in own if part.modified_at), default=now)
        report = PackageReport(
            names=[part.name for part in parts], platform=post.platform, title=TITLE,
            layout=TITLE, exported_at=min(made, now), hashes=[part.sha256 for part in parts],
            account=post.account,
        )  # fmt: skip
        report.imported_before = packages.imported_before(self.connection, report.hashes)
        with transaction(self.connection):
            if post.account not in self._of_account:
                runs.begin_account(self.connection, run_id, post.account, EXPORT, now)
            self._of_account.setdefault(post.account, []).append(report)
            report.row_id = packages.begin_package(
                self.connection, parts, run_id=run_id, account_id=account_id,
                platform=post.platform, layout=TITLE, exported_at=report.exported_at,
                imported_at=now,
            )  # fmt: skip
        self.progress.begin(f"Importing {post.account}", len(films), "posts")
        return report

    def _import_package(
        self, run_id: int, found: RecognizedPackage, total: int, parts: Sequence[PackagePart],
        report: PackageReport, store: FolderStore,
    ) -> None:  # fmt: skip
        # looked up again: an earlier package of the same account may have made it
        account, identity = account_of_package(
            self.connection,
            self.config,
            found.reader.name,
            found.recognition.identity,
            self.options.account,
        )
        name, now = account.name, self._now()
        as_of = min(found.exported_at or now, now)
        report.account, report.exported_at = name, as_of
        report.imported_before = packages.imported_before(
            self.connection, [part.sha256 for part in parts]
        )
        with transaction(self.connection):
            if name not in self._of_account:
                runs.begin_account(self.connection, run_id, name, EXPORT, now)
            self._of_account.setdefault(name, []).append(report)
            account_id = runs.claim_account(
                self.connection, account, identity, now, ranks=self.ranks
            )
            package_id = packages.begin_package(
                self.connection, parts, run_id=run_id, account_id=account_id,
                platform=account.platform, layout=found.recognition.layout, exported_at=as_of,
                imported_at=now,
            )  # fmt: skip
        self.progress.begin(f"Importing {name}", total, "posts")
        with ThreadPoolExecutor(os.cpu_count() or 1) as executor:
            work = PackageImport(
                self.connection, found, account, account_id, run_id, package_id, as_of, self.ranks,
                choose_by(self.config.media),
                None if self.options.dry_run else store, store.tmp, executor, self.clock.now,
                self.progress, report, None if self.options.dry_run else self._links(store),
                private=self.options.private,
                minimiser=Minimiser.of(self.config.archive.leave_out),
            )  # fmt: skip
            with self._reported(report):
                work.import_posts()
                merge_same_files(self.connection, [account_id])
        self._end_package(run_id, account_id, package_id, report)

    def _import_transfer(
        self, run_id: int, transfer: OpenTransfer, numbers: Mapping[int, int],
        parts: Sequence[PackagePart], store: FolderStore,
    ) -> Iterator[PackageReport]:  # fmt: skip
        """Import what archiver exported, account by account; a report for each."""
        configured = {each.name: each.platform for each in self.config.accounts}
        for account in transfer.content.accounts():
            now, platform = self._now(), str(account.row["platform"])
            exported_at = min(transfer.package.modified_at or now, now)
            with transaction(self.connection):
                account_id, name = claim_transferred(self.connection, account, configured)
                report = PackageReport(
                    [part.name for part in parts], platform, transfer.content.title, "archiver",
                    exported_at, [part.sha256 for part in parts], account=name,
                )  # fmt: skip
                if name not in self._of_account:
                    runs.begin_account(self.connection, run_id, name, EXPORT, now)
                self._of_account.setdefault(name, []).append(report)
                package_id = packages.begin_package(
                    self.connection, parts, run_id=run_id, account_id=account_id,
                    platform=platform, layout="archiver", exported_at=exported_at, imported_at=now,
                )  # fmt: skip
            self.progress.begin(f"Importing {name}", numbers.get(account.id, 0), "posts")
            with ThreadPoolExecutor(os.cpu_count() or 1) as executor, self._reported(report):
                TransferImport(
                    self.connection, transfer, account, account_id, run_id, package_id,
                    None if self.options.dry_run else store, store.tmp, executor, self.clock.now,
                    self.progress, report,
                ).import_posts()  # fmt: skip
            self._end_package(run_id, account_id, package_id, report)
            yield report

    @contextmanager
    def _reported(self, report: PackageReport) -> Iterator[None]:
        """Errors of the block that end a package, and not the run, as its result."""
        try:
            yield
        except KeyboardInterrupt:
            report.interrupted = True
        except StorageError:
            raise
        except ArchiverError as error:
            report.error = error

    def _end_package(
        self, run_id: int, account_id: int, package_id: int, report: PackageReport
    ) -> None:
        with transaction(self.connection):
            packages.end_package(
                self.connection, package_id, report.outcome, report.counts.as_json()
            )
            self._end_account(run_id, account_id, report)

    def _links(self, store: FolderStore) -> LinkFetcher:
        return LinkFetcher(
            self.config, route_of(self.config.network), store.tmp, self.clock,
            on_bytes=lambda size: self.progress.copied(0, size),
        )  # fmt: skip

    def _end_account(self, run_id: int, account_id: int, report: PackageReport) -> None:
        """Save the result of an account in the run: of all its packages so far."""
        reports = self._of_account[report.account]
        error = next((each.error for each in reports if each.error is not None), None)
        values = {
            "account_id": account_id, "finished_at": self._now(),
            "outcome": ImportReport("", packages=reports).outcome,
            "error_code": error.code if error else None, "message": str(error) if error else None,
            "unmapped": sum(each.counts.unmapped for each in reports),
            "unmapped_paths": _paths_json(reports), **_run_counts(reports).columns(),
        }  # fmt: skip
        runs.end_account(self.connection, run_id, report.account, EXPORT, values)

    def _end(self, run_id: int, report: ImportReport, error: BaseException | None) -> None:
        report.finished_at = self._now()
        try:
            runs.end_run(
                self.connection, run_id, report.finished_at,
                outcome="failed" if error else report.outcome,
                exit_code=getattr(error, "exit_code", 1) if error else report.exit_code,
                received=sum(each.counts.bytes for each in report.packages),
                accounts={
                    (name, EXPORT): _run_counts(each) for name, each in self._of_account.items()
                },
            )  # fmt: skip
            if not self.options.dry_run:
                sealed = seal(self.connection, self.config, report.finished_at, run_id)
                if sealed.problem is not None:
                    self.progress.note(sealed.problem)
        except sqlite3.Error:
            if error is None:  # an import that fails raises its own error
                raise

    def _now(self) -> str:
        return timestamp(self.clock.now()) or ""


def _report_of(
    found: RecognizedPackage, parts: Sequence[PackagePart], account: str
) -> PackageReport:
    recognition = found.recognition
    return PackageReport(
        names=[part.name for part in parts], platform=found.reader.name, title=found.reader.title,
        layout=recognition.layout, exported_at=found.exported_at or "",
        hashes=[part.sha256 for part in parts], account=account,
        missing=recognition.missing, not_read=recognition.not_read,
    )  # fmt: skip


def _run_counts(reports: Sequence[PackageReport]) -> Counts:
    counts = [each.counts for each in reports]
    return Counts(
        got=sum(each.records for each in counts),
        new=sum(each.new for each in counts),
        edited=sum(each.edited for each in counts),
        stored=sum(each.files_new for each in counts),
        failed=sum(each.files_missing + each.files_failed for each in counts),
    )


def _paths_json(reports: Sequence[PackageReport]) -> str | None:
    paths = sorted({path for each in reports for path in each.unmapped_paths})
    return json.dumps(paths[:MOST_PATHS]) if paths else None
