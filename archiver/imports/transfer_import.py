"""Importing what `archiver export` wrote: the posts that are not here yet, with their files.

Some posts are added in one transaction, once their files are durable in the store: an import that
is killed is resumed by doing it again.
"""

import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from archiver.archive import packages, queue
from archiver.archive.packages import PackagePart
from archiver.archive.row_objects import mappings
from archiver.archive.transactions import transaction
from archiver.archive.transfer import (
    TransferredAccount,
    TransferredPost,
    account_here,
    add_account,
    add_pictures,
    add_posts,
    known_among,
)
from archiver.archive.transfer_fill import fill_known_posts, lacking_files
from archiver.errors import MediaError, PackageError
from archiver.imports.files import copy_into
from archiver.imports.import_record import ImportRecord
from archiver.imports.opening import names_of
from archiver.imports.package import OpenPackage
from archiver.imports.report import ImportProgress, PackageReport
from archiver.imports.transfer import OpenTransfer
from archiver.imports.transfer_reduction import TransferReduction
from archiver.media.download import Download, finish_download
from archiver.media.store import MediaStore, stored_path
from archiver.media.temp_file import TempFile
from archiver.models import time_text

_BATCH = 200  # posts in one transaction
_MOST_FAILURES = 20  # that are named in a report
_Copied = tuple[str, Download | MediaError]


@dataclass(frozen=True, slots=True)
class CheckedTransfer:
    """A transfer that was read once, its numbers of posts by account, and its hashed parts."""

    transfer: OpenTransfer
    numbers: Mapping[int, int]
    parts: Sequence[PackagePart]


def import_transfer(
    record: ImportRecord, checked: CheckedTransfer, reduction: TransferReduction
) -> None:
    """Import what archiver exported, account by account, until somebody interrupts it."""
    transfer = checked.transfer
    configured = {each.name: each.platform for each in record.config.accounts}
    for account in transfer.content.accounts():
        now = record.now()
        with transaction(record.connection):
            account_id, name = claim_transferred(record.connection, account, configured)
            report = PackageReport(
                [part.name for part in checked.parts], str(account.row["platform"]),
                transfer.content.title, "archiver", min(transfer.package.modified_at or now, now),
                [part.sha256 for part in checked.parts], account=name,
            )  # fmt: skip
            record.begin_package(report, checked.parts, account_id)
        record.progress.begin(f"Importing {name}", checked.numbers.get(account.id, 0), "posts")
        store = None if record.options.dry_run else record.store
        with ThreadPoolExecutor(os.cpu_count() or 1) as executor, record.reported(report):
            TransferImport(
                record.connection, transfer, account, account_id, record.run_id, report.row_id,
                store, record.store.tmp, executor, record.clock.now, record.progress, report,
                reduction,
            ).import_posts()  # fmt: skip
        record.end_package(report, account_id)
        if report.interrupted:
            return


@dataclass(slots=True)
class TransferImport:
    """The import of one account of a transfer. `store` is None in a dry run."""

    connection: sqlite3.Connection
    transfer: OpenTransfer
    account: TransferredAccount
    account_id: int
    run_id: int
    package_id: int
    store: MediaStore | None
    tmp: Path
    executor: Executor
    now: Callable[[], datetime]
    progress: ImportProgress
    report: PackageReport
    reduction: TransferReduction

    def import_posts(self) -> None:
        """Import all posts of the account, and its pictures. Raises PackageError, StorageError."""
        self._import_pictures()
        added: set[str] = set()
        posts_there = self.transfer.content.posts()
        own = (self.reduction.reduced(each) for each in posts_there
               if each.account == self.account.id)  # fmt: skip
        while posts := list(islice(own, _BATCH)):
            known = known_among(self.connection, self.account_id, posts, added)
            fresh = [post for post in posts if post.platform_id not in known]
            here = [(own_id, post) for post in posts
                    if (own_id := known.get(post.platform_id)) is not None]  # fmt: skip
            lacking = [
                each
                for own_id, post in here
                for each in lacking_files(self.connection, self.account_id, own_id, post)
            ]
            wanted = {sha256 for _, sha256 in lacking}
            named = {sha256: name for _, post in here for sha256, name in post.files.items()
                     if sha256 in wanted}  # fmt: skip
            for post in fresh:
                named |= post.files
            media = self._store_files(named)
            with transaction(self.connection):
                add_posts(
                    self.connection, self.account_id, self.run_id, self.package_id, fresh, media
                )
                self._fill(here, lacking, media)
            added |= {post.platform_id for post in fresh}
            counts = self.report.counts
            counts.records += len(posts)
            counts.new += len(fresh)
            counts.known += len(posts) - len(fresh)
            self.progress.advance(len(posts))

    def _import_pictures(self) -> None:
        """Avatars and banners, with their files."""
        media = self._store_files(dict(self.account.files))
        with transaction(self.connection):
            add_pictures(self.connection, self.account_id, self.account, media)

    def _fill(
        self, here: Sequence[tuple[str, TransferredPost]],
        lacking: Sequence[tuple[queue.QueuedFile, str]], media: Sequence[Mapping[str, Any]],
    ) -> None:  # fmt: skip
        """Give posts that are here the numbers, ids, earlier contents and files that they lack."""
        fill_known_posts(self.connection, self.account_id, self.run_id, here)
        fresh = {row["sha256"]: row for row in media}
        for sha256 in {sha256 for _, sha256 in lacking} - fresh.keys():
            query = "SELECT * FROM media WHERE sha256 = ? AND lost_at IS NULL"
            for row in mappings(self.connection.execute(query, (sha256,))):
                fresh[sha256] = row
        names = ("path", "size", "content_type", "width", "height", "duration_ms")
        outcomes = [
            queue.Stored(queued, sha256, *(fresh[sha256][name] for name in names))
            for queued, sha256 in lacking if sha256 in fresh
        ]  # fmt: skip
        queue.save(self.connection, outcomes, self.run_id, self.now())

    def _store_files(self, named: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Copy files that are not here yet into the store, by their hashes; the rows of these."""
        counts = self.report.counts
        held = packages.held_hashes(self.connection, named)
        counts.files_held += len(held)
        missing = sorted(name for sha, name in named.items() if sha not in held and
                         name not in self.transfer.package)  # fmt: skip
        counts.files_missing += len(missing)
        for name in missing:
            self._note_failure(name, "The export names this file and does not have it")
        wanted = [(sha256, name) for sha256, name in sorted(named.items())
                  if sha256 not in held and name in self.transfer.package]  # fmt: skip
        copied = [each for _, each in self._copies(wanted) if isinstance(each, Download)]
        try:
            if self.store is not None:
                self.store.put(copied)
        finally:
            for each in copied:
                each.discard()
        counts.files_new += len(copied)
        counts.bytes += sum(each.size for each in copied)
        return [self._media_row(each) for each in copied]

    def _copies(self, wanted: Sequence[tuple[str, str]]) -> Iterator[_Copied]:
        for name, result in self.executor.map(self._copy, wanted):
            if isinstance(result, MediaError):
                self.report.counts.files_failed += 1
                self._note_failure(name, str(result.why or result))
            yield name, result

    def _copy(self, wanted: tuple[str, str]) -> _Copied:
        """A file in `tmp`, if its bytes have its hash."""
        sha256, name = wanted
        try:
            download = copy_named(self.transfer.package, name, self.tmp)
        except MediaError as error:
            return name, error
        self.progress.copied(1, download.size)
        if download.sha256 != sha256:
            download.discard()
            return name, MediaError(f"{name} is damaged", why="Its bytes have another hash",
                                    code="other_bytes")  # fmt: skip
        return name, download

    def _media_row(self, file: Download) -> Mapping[str, Any]:
        return {
            "sha256": file.sha256, "path": stored_path(file.sha256, file.extension),
            "size": file.size, "content_type": file.content_type, "width": file.width,
            "height": file.height, "duration_ms": file.duration_ms,
            "stored_at": time_text(self.now()),
        }  # fmt: skip

    def _note_failure(self, name: str, why: str) -> None:
        if len(self.report.failures) < _MOST_FAILURES:
            self.report.failures.append(f"{name}: {why}")


def copy_named(package: OpenPackage, name: str, tmp: Path) -> Download:
    """A copy of a file of a package in `tmp`. Raises MediaError, StorageError."""
    with TempFile(tmp) as part:
        copy_into(part, package, name)
        return finish_download(part, None, {}, proven=True)


def count_transferred(transfer: OpenTransfer, progress: ImportProgress) -> dict[int, int]:
    """Read a transfer to its end without saving anything; the number of posts by account.

    Raises PackageError for one that cannot be read, and for one without posts.
    """
    names = names_of(transfer.package.parts)
    progress.begin(f"Checking {names}", 0, "posts")
    found: dict[int, int] = defaultdict(int)
    for post in transfer.content.posts():
        found[post.account] += 1
    if not found:
        raise PackageError(
            f"{names} has no post", why=f"It is {transfer.content.title}, and empty",
            kept="Nothing was imported", hint="Export posts that the archive has",
            code="no_posts",
        )  # fmt: skip
    return found


def claim_transferred(
    connection: sqlite3.Connection, account: TransferredAccount, configured: Mapping[str, str]
) -> tuple[int, str]:
    """The id and label of an account here; it is added if it is not here. In a transaction.

    `configured` are the platforms of the labels in the config: one of another platform is taken.
    """
    account_id = account_here(connection, account)
    if account_id is None:
        platform = account.row["platform"]
        taken: Collection[str] = {row[0] for row in connection.execute("SELECT name FROM accounts")}
        taken = {*taken, *(name for name, other in configured.items() if other != platform)}
        account_id = add_account(connection, account, taken)
    query = "SELECT name FROM accounts WHERE id = ?"
    (name,) = connection.execute(query, (account_id,)).fetchone()
    return account_id, str(name)
