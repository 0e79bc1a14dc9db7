"""Importing one package into its account, some posts in one transaction, with their files.

A file is durable in the store before its row says that it is stored, and both before the next posts
are read: an import that is killed is resumed by doing it again.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from archiver.archive import packages, queue, runs
from archiver.archive.packages import EXPORT
from archiver.archive.parse_context import ParseContext
from archiver.archive.posts import PostWriter
from archiver.archive.transactions import transaction
from archiver.backup.media_fetcher import reason_of
from archiver.backup.validation import validate_post
from archiver.canonical import media_key
from archiver.errors import MediaError, MediaExpired, PackageError, RecordError
from archiver.imports.files import copy_file
from archiver.imports.linked_files import LinkFetcher
from archiver.imports.package import OpenPackage
from archiver.imports.recognition import RecognizedPackage
from archiver.imports.report import ImportProgress, PackageReport
from archiver.media.download import Download
from archiver.media.selection import expected_kind
from archiver.media.store import MediaStore, stored_path
from archiver.minimisation import Minimiser
from archiver.models import (
    Account,
    Attachment,
    ExportedPost,
    Post,
    Record,
    Rendition,
    Version,
    timestamp,
)
from archiver.plugin_calls import cause_of, plugin_errors
from archiver.reasons import REASON_CODES, Choice, Reason

BATCH = 500
"""Posts in one transaction."""

_MOST_FAILURES = 20  # that are named in a report
_NOT_IN_PACKAGE = Reason("not_in_package", "The export names this file and does not have it")
_LINK_EXPIRED = Reason("expired", "The link in the export had expired: an export is needed again")
_Choose = Callable[[Attachment], Sequence[Choice]]


@dataclass(slots=True)
class _Batch:
    """Some posts of a package with their records, and the earlier versions of some of them."""

    entries: list[tuple[Record, Post]] = field(default_factory=list)
    versions: list[tuple[Post, list[tuple[Version, Post]]]] = field(default_factory=list)
    unreadable: list[tuple[Record, str]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The ids of its posts."""
        return [post.platform_id for _, post in self.entries]

    def files(self) -> dict[tuple[str, str], Rendition]:
        """The files that its posts name, by the id of their post and their media key."""
        return {
            (post.platform_id, media_key(rendition)): rendition
            for _, post in self.entries
            for attachment in post.attachments
            for rendition in attachment.renditions
            if rendition.member or rendition.url
        }


@dataclass(slots=True)
class PackageImport:
    """The import of one package.

    `choose` says which files of an attachment to fetch that are not in the package. `store` is None
    in a dry run, which copies files to `tmp` only to hash them; it has no `links` either, by which
    files are fetched. `private` says whether what was never published is imported too.
    """

    connection: sqlite3.Connection
    found: RecognizedPackage
    account: Account
    account_id: int
    run_id: int
    package_id: int
    as_of: str
    ranks: Mapping[str, str]
    choose: _Choose
    store: MediaStore | None
    tmp: Any
    executor: Executor
    now: Callable[[], datetime]
    progress: ImportProgress
    report: PackageReport
    links: LinkFetcher | None = None
    private: bool = False
    minimiser: Minimiser = field(default_factory=Minimiser)

    @property
    def _package(self) -> OpenPackage:
        return self.found.package

    def import_posts(self) -> None:
        """Import all posts. Raises PackageError, StorageError."""
        posts = (item for item in exported_posts(self.found) if self._is_wanted(item))
        while items := list(islice(posts, BATCH)):
            batch = self._read(items)
            with transaction(self.connection):
                self._save(batch)
            self._fetch_links(batch)
            self.report.counts.records += len(items)
            self.progress.advance(len(items))

    def _is_wanted(self, item: ExportedPost) -> bool:
        is_left_out = item.is_private and not self.private
        self.report.counts.private_left_out += is_left_out
        return not is_left_out

    def _read(self, items: Sequence[ExportedPost]) -> _Batch:
        batch = _Batch()
        for item in items:
            try:
                post = self.read(item.record.data)
                earlier = [(version, self.read(version.record.data)) for version in item.earlier]
            except RecordError as error:
                batch.unreadable.append((item.record, str(error)))
                continue
            batch.entries.append((item.record, post))
            if earlier:
                batch.versions.append((post, earlier))
            self.report.add_unmapped(post.unmapped)
        return batch

    def read(self, data: Any) -> Post:
        """The post of a record. Raises RecordError."""
        if not isinstance(data, dict):
            raise RecordError("The record is not a JSON object")
        with plugin_errors(self._parse_error):
            post = self.found.reader.read(data, self.account)
        return self.minimiser.reduce_post(validate_post(post))

    def _parse_error(self, error: BaseException) -> RecordError:
        name = self.found.reader.name
        return RecordError(f"The reader of {name} exports failed: {type(error).__name__}")

    def _save(self, batch: _Batch) -> None:
        now = timestamp(self.now()) or ""
        counts = self.report.counts
        writer = PostWriter(
            self.connection, self.account_id, self.account.platform, self.run_id, self._context(),
            now,
        )  # fmt: skip
        for post, versions in batch.versions:
            writer.add_versions(post, versions)
        saved = writer.save(batch.entries)
        counts.new += saved.new
        counts.edited += saved.edited
        counts.matched_by_id += saved.matched_by_id
        counts.matched_by_rule += saved.matched_by_rule
        counts.known += (
            len(set(batch.ids))
            - saved.new
            - saved.matched_by_id
            - saved.matched_by_rule
            - saved.erased
        )
        for record, reason in batch.unreadable:
            runs.quarantine(self.connection, self.run_id, self.account_id, record, reason)
        counts.quarantined += len(batch.unreadable)
        packages.note_posts(self.connection, self.account_id, self.package_id, batch.ids)
        self._store_files(batch)

    def _context(self) -> ParseContext:
        reader = self.found.reader
        return ParseContext(
            EXPORT, reader.content_version, self.read, self._choices,
            reader=f"export {reader.content_version}".encode(), ranks=self.ranks, as_of=self.as_of,
            record_text=lambda record: self.minimiser.record_text(record, self.read),
        )  # fmt: skip

    def _choices(self, attachment: Attachment) -> list[Choice]:
        """The first state of each file: those of the package are kept, unless they are left out."""
        choices = list(self.choose(attachment))
        for index, rendition in enumerate(attachment.renditions):
            _, reason = choices[index]
            if rendition.member and (reason is None or reason.code != "setting_leave_out"):
                is_there = rendition.member in self._package
                choices[index] = ("pending", None) if is_there else ("failed", _NOT_IN_PACKAGE)
        return choices

    def _store_files(self, batch: _Batch) -> None:
        """Copy the files of a batch that are not stored yet; in its transaction."""
        waiting = []
        for queued, offered in self._files_to_store(batch):
            if offered.member in self._package:
                waiting.append((queued, offered))
            elif offered.member:
                self.report.counts.files_missing += 1
                self._note_failure(offered.member, _NOT_IN_PACKAGE.text)
        self._keep(list(self.executor.map(self._copy, waiting)))

    def _fetch_links(self, batch: _Batch) -> None:
        """Fetch the files of a batch that the export only links to; not in a dry run."""
        fetcher = self.links
        if fetcher is None:
            return
        links = [
            (queued, offered.url)
            for queued, offered in self._files_to_store(batch)
            if offered.url and not fetcher.is_known_to_have_expired(queued, offered.url)
        ]
        if not links:
            return
        results = fetcher.fetch(links)
        for queued, result in results:
            if isinstance(result, MediaError):
                self._note_failure(queued.record_id, str(result.why or result))
            else:
                self.progress.copied(1, 0)
        with transaction(self.connection):
            self._keep(results)

    def _files_to_store(self, batch: _Batch) -> list[tuple[queue.QueuedFile, Rendition]]:
        files = batch.files()
        if not files:
            return []
        return [
            (queued, offered)
            for queued in packages.files_to_store(self.connection, self.account_id, batch.ids)
            if (offered := files.get((queued.record_id, queued.media_key))) is not None
        ]

    def _keep(self, results: Sequence[tuple[queue.QueuedFile, Download | MediaError]]) -> None:
        """Store files, and save which could be had."""
        if not results:
            return
        downloads = {
            download.sha256: download for _, download in results if isinstance(download, Download)
        }
        held = packages.held_hashes(self.connection, downloads)
        try:
            recovered = set(self.store.put(list(downloads.values()))) if self.store else set()
        finally:
            for _, download in results:  # the same bytes may have been copied twice
                if isinstance(download, Download):
                    download.discard()
        outcomes = [self._outcome(queued, result, recovered) for queued, result in results]
        queue.save(self.connection, outcomes, self.run_id, self.now())
        self._count(results, held)

    def _copy(
        self, waiting: tuple[queue.QueuedFile, Rendition]
    ) -> tuple[queue.QueuedFile, Download | MediaError]:
        queued, offered = waiting
        size = 0

        def on_bytes(count: int) -> None:
            nonlocal size
            size += count

        try:
            download = copy_file(
                self._package,
                offered.member,
                self.tmp,
                on_bytes,
                expects=expected_kind(
                    queued.kind, queued.role, offered.member, queued.content_type
                ),
                content_type=queued.content_type,
                duration_ms=offered.duration_ms,
            )
        except MediaError as error:
            self._note_failure(offered.member, str(error.why or error))
            return queued, error
        self.progress.copied(1, size)
        return queued, download

    def _outcome(
        self, queued: queue.QueuedFile, result: Download | MediaError, recovered: set[str]
    ) -> queue.Stored | queue.NotStored:
        if isinstance(result, MediaExpired):
            return queue.NotStored(queued, "gone", _LINK_EXPIRED)
        if isinstance(result, MediaError) and queued.url and self.links is not None:
            return queue.NotStored(queued, *reason_of(result, self.links.config.media.max_size))
        if isinstance(result, MediaError):
            code = result.code if result.code in REASON_CODES else "wrong_kind"
            state: Literal["failed", "refused"]
            state = "failed" if code == "not_in_package" else "refused"
            return queue.NotStored(queued, state, Reason(code, str(result.why or result)))
        return queue.Stored(
            queued, result.sha256, stored_path(result.sha256, result.extension), result.size,
            result.content_type, result.width, result.height, result.duration_ms,
            recovered=result.sha256 in recovered,
        )  # fmt: skip

    def _count(
        self, results: Sequence[tuple[queue.QueuedFile, Download | MediaError]], held: set[str]
    ) -> None:
        counts, seen = self.report.counts, set(held)
        for _, result in results:
            if isinstance(result, MediaError):
                counts.files_failed += 1
            elif result.sha256 in seen:
                counts.files_held += 1
            else:
                seen.add(result.sha256)
                counts.files_new += 1
                counts.bytes += result.size

    def _note_failure(self, member: str, why: str) -> None:
        if len(self.report.failures) < _MOST_FAILURES:
            self.report.failures.append(f"{member}: {why}")


def exported_posts(found: RecognizedPackage) -> Iterator[ExportedPost]:
    """The posts of a package. Raises PackageError, also where the reader fails."""

    def failed(error: BaseException) -> PackageError:
        return PackageError(
            f"The reader of {found.reader.name} exports failed", why=cause_of(error),
            kept="Nothing was imported", hint="Report this to whoever makes the plugin",
            code="plugin",
        )  # fmt: skip

    with plugin_errors(failed):
        items = iter(found.reader.records(found.package, found.recognition))
    while True:
        with plugin_errors(failed):
            item = next(items, None)
        if item is None:
            return
        if not isinstance(item, ExportedPost):
            raise failed(TypeError(f"records() returned {type(item).__name__}"))
        yield item
