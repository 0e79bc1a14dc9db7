"""Importing single films into their posts, those of one account at once."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archiver.archive.film_posts import ImportedFilm, has_file, save_film
from archiver.archive.transactions import transaction
from archiver.errors import MediaError
from archiver.imports.files import copy_file
from archiver.imports.import_record import ImportRecord
from archiver.imports.opening import hash_parts
from archiver.imports.package import OpenPackage
from archiver.imports.report import ImportProgress, PackageReport
from archiver.imports.single_films import AssignedFilm, SingleFilm, assign_films
from archiver.media.download import Download
from archiver.media.store import MediaStore, stored_path

TITLE = "single videos"
"""What they are called in reports."""


def import_films(record: ImportRecord, films: Sequence[SingleFilm]) -> None:
    """Import single films, those of each account as one package; the others are reported."""
    assignment = assign_films(record.connection, films, record.options.account)
    by_account: dict[int, list[AssignedFilm]] = defaultdict(list)
    for each in assignment.assigned:
        by_account[each.post.account_id].append(each)
    for account_id, some in by_account.items():
        report = _begin(record, account_id, some)
        store = None if record.options.dry_run else record.store
        with record.reported(report):
            FilmImport(
                record.connection, record.run_id, store, record.store.tmp, record.clock.now,
                record.progress, report,
            ).import_films(some)  # fmt: skip
        record.end_package(report, account_id)
        if report.interrupted:
            return
    if assignment.refused:
        names = [name for name, _ in assignment.refused]
        refused = PackageReport(names, "", TITLE, "", "", error=assignment.refusal())
        record.report.packages.append(refused)


def _begin(record: ImportRecord, account_id: int, films: Sequence[AssignedFilm]) -> PackageReport:
    """The report of the films of one account, whose rows begin with it."""
    now, post = record.now(), films[0].post
    own = [each.film.part for each in films]
    parts = hash_parts(own, record.progress)
    made = max((part.modified_at for part in own if part.modified_at), default=now)
    report = PackageReport(
        names=[part.name for part in parts], platform=post.platform, title=TITLE, layout=TITLE,
        exported_at=min(made, now), hashes=[part.sha256 for part in parts], account=post.account,
    )  # fmt: skip
    with transaction(record.connection):
        record.begin_package(report, parts, account_id)
    record.progress.begin(f"Importing {post.account}", len(films), "posts")
    return report


@dataclass(frozen=True, slots=True)
class FilmImport:
    """The import of the films of one account; `store` is None in a dry run."""

    connection: sqlite3.Connection
    run_id: int
    store: MediaStore | None
    tmp: Path
    now: Callable[[], datetime]
    progress: ImportProgress
    report: PackageReport

    def import_films(self, films: Sequence[AssignedFilm]) -> None:
        """Import them, one after the other: each is durable before its row. Raises StorageError."""
        for each in films:
            self._import(each)
            self.progress.advance(1)

    def _import(self, each: AssignedFilm) -> None:
        counts = self.report.counts
        counts.records += 1
        counts.matched_by_id += each.by_id
        counts.matched_by_rule += not each.by_id
        try:
            download = self._copy(each)
        except MediaError as error:
            counts.files_failed += 1
            self.report.failures.append(f"{each.film.name}: {error.why or error}")
            return
        try:
            if has_file(self.connection, each.post.attachment_id, download.sha256):
                counts.files_held += 1
                return
            is_new = self._is_new(download.sha256)
            if self.store is not None:
                self.store.put([download])
        finally:
            download.discard()
        with transaction(self.connection):
            save_film(self.connection, _imported(each, download), self.run_id, self.now())
        counts.files_new += is_new
        counts.files_held += not is_new
        counts.bytes += download.size if is_new else 0

    def _copy(self, each: AssignedFilm) -> Download:
        part = each.film.part
        (member,) = part.files
        return copy_file(
            OpenPackage([part]), member, self.tmp,
            lambda size: self.progress.copied(0, size), expects="video",
        )  # fmt: skip

    def _is_new(self, sha256: str) -> bool:
        query = "SELECT 1 FROM media WHERE sha256 = ? AND lost_at IS NULL"
        return self.connection.execute(query, (sha256,)).fetchone() is None


def _imported(each: AssignedFilm, download: Download) -> ImportedFilm:
    return ImportedFilm(
        each.post, each.film.name, each.by_id, download.sha256,
        stored_path(download.sha256, download.extension), download.size, download.content_type,
        download.width, download.height, download.duration_ms,
    )  # fmt: skip
