"""Importing single films into their posts, those of one account at once."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archiver.archive.film_posts import ImportedFilm, has_file, save_film
from archiver.archive.transactions import transaction
from archiver.errors import MediaError
from archiver.imports.files import copy_file
from archiver.imports.package import OpenPackage
from archiver.imports.report import ImportProgress, PackageReport
from archiver.imports.single_films import AssignedFilm
from archiver.media.download import Download
from archiver.media.store import MediaStore, stored_path

TITLE = "single videos"
"""What they are called in reports."""


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
