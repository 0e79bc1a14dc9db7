"""Importing a package as a whole: read to its end first, then put on record, then imported."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from archiver.archive import runs
from archiver.archive.packages import PackagePart
from archiver.archive.same_files import merge_same_files
from archiver.archive.transactions import transaction
from archiver.backup.routes import route_of
from archiver.backup.wanted_files import choose_by
from archiver.errors import PackageError
from archiver.imports.accounts import account_of_package
from archiver.imports.import_record import ImportRecord
from archiver.imports.linked_files import LinkFetcher
from archiver.imports.opening import names_of
from archiver.imports.package_import import PackageImport, exported_posts
from archiver.imports.recognition import RecognizedPackage
from archiver.imports.report import ImportProgress, PackageReport
from archiver.minimisation import Minimiser
from archiver.models import Account, Identity


@dataclass(frozen=True, slots=True)
class CheckedPackage:
    """A package that was read once to its end, the number of its posts, and its hashed parts."""

    found: RecognizedPackage
    total: int
    parts: Sequence[PackagePart]


def count_posts(found: RecognizedPackage, progress: ImportProgress, *, private: bool) -> int:
    """Read a package to its end without saving anything; the number of its posts.

    `private` says whether what was never published counts. Raises PackageError for one that cannot
    be read, and for one without posts.
    """
    names = names_of(found.package.parts)
    progress.begin(f"Checking {names}", 0, "posts")
    total = left_out = 0
    for item in exported_posts(found):
        is_left_out = item.is_private and not private
        total, left_out = total + (not is_left_out), left_out + is_left_out
    if not total and left_out:
        raise PackageError(
            f"{names} has nothing but what was never published",
            why=f"It is {found.reader.title}, with {left_out:,} private items and no post",
            kept="Nothing was imported",
            hint="Add --private to import them: they are never put into a published copy",
            code="private_only",
        )
    if not total:
        raise PackageError(
            f"{names} has no post",
            why=f"It looks like {found.reader.title} ({found.recognition.layout}), but nothing in "
            "it is a post that this version can read",
            kept="Nothing was imported",
            hint="Ask for the export again, of the whole time and with posts chosen. If there are "
            "posts in it, its layout is new: report the names of its files",
            code="no_posts",
        )
    return total


@dataclass(frozen=True, slots=True)
class WholePackages:
    """Imports packages into their accounts; `ranks` are those of the sources."""

    record: ImportRecord
    ranks: Mapping[str, str]

    def account_of(self, package: CheckedPackage) -> tuple[Account, Identity | None]:
        """The account of a package. Raises UsageError, and PackageError for another person's."""
        found, record = package.found, self.record
        return account_of_package(
            record.connection, record.config, found.reader.name, found.recognition.identity,
            record.options.account,
        )  # fmt: skip

    def import_package(self, package: CheckedPackage) -> None:
        """Import one. Raises StorageError."""
        record, found = self.record, package.found
        account, identity = self.account_of(package)  # an earlier package may have made it
        report = _report_of(package, account.name, record.now())
        with transaction(record.connection):
            account_id = runs.claim_account(
                record.connection, account, identity, record.now(), ranks=self.ranks
            )
            record.begin_package(report, package.parts, account_id)
        record.progress.begin(f"Importing {account.name}", package.total, "posts")
        is_dry, store = record.options.dry_run, record.store
        with ThreadPoolExecutor(os.cpu_count() or 1) as executor, record.reported(report):
            PackageImport(
                record.connection, found, account, account_id, record.run_id, report.row_id,
                report.exported_at, self.ranks, choose_by(record.config.media),
                None if is_dry else store, store.tmp, executor, record.clock.now, record.progress,
                report, None if is_dry else self._links(),
                private=record.options.private,
                minimiser=Minimiser.of(record.config.archive.leave_out),
            ).import_posts()  # fmt: skip
            merge_same_files(record.connection, [account_id])
        record.end_package(report, account_id)

    def _links(self) -> LinkFetcher:
        record = self.record
        return LinkFetcher(
            record.config, route_of(record.config.network), record.store.tmp, record.clock,
            on_bytes=lambda size: record.progress.copied(0, size),
        )  # fmt: skip


def _report_of(package: CheckedPackage, account: str, now: str) -> PackageReport:
    found, recognition = package.found, package.found.recognition
    return PackageReport(
        names=[part.name for part in package.parts], platform=found.reader.name,
        title=found.reader.title, layout=recognition.layout,
        exported_at=min(found.exported_at or now, now),
        hashes=[part.sha256 for part in package.parts], account=account,
        missing=recognition.missing, not_read=recognition.not_read,
    )  # fmt: skip
