"""Posts with their media as one ZIP, written as a stream: nothing of it is held but its index.

In it is one folder with

    posts.csv, posts.json      the posts
    media/                     the file of each attachment, named by day, account, post and number
    README.txt                 what was chosen and when, counts, and what could not be included
    manifest-sha256.txt        the SHA-256 of each of these files, for `sha256sum -c`

The hash of a media file in the manifest is the one it was stored under, so a file that was damaged
since fails the check.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import RawIOBase
from tempfile import SpooledTemporaryFile
from typing import Any

from archiver.export.csv_table import csv_table
from archiver.export.heading import ExportHeading
from archiver.export.json_document import json_document
from archiver.export.package_files import LOST, files_of, open_saved
from archiver.export.readme import readme
from archiver.export.snapshot import Snapshot
from archiver.human import parse_time
from archiver.media.store import MediaStore
from archiver.saved_posts import SavedFile

MANIFEST = "manifest-sha256.txt"
_PIECE = 1 << 18  # bytes read and written together
_HELD = 1 << 20  # bytes of the manifest kept in memory
_OLDEST = 1980  # the first year that a ZIP can name


_CONTENTS = (
    "posts.csv      a row for each post, for spreadsheets. A text that begins like a formula,",
    "               or with an apostrophe, has an apostrophe before it",
    "posts.json     everything the archive has of these posts, with the records of the source",
    "media/         the file of each attachment; where it is not there, a still of it",
    f"{MANIFEST}  the SHA-256 of each file; check them with",
    f"               sha256sum -c {MANIFEST}",
)


def zip_package(
    snapshot: Snapshot, store: MediaStore, heading: ExportHeading, folder: str
) -> Iterator[bytes]:
    """The ZIP, in pieces; `folder` is the name of the folder in it."""
    outlet = _Outlet()
    with _Lines() as manifest, _Lines() as problems:
        with zipfile.ZipFile(outlet, "w", allowZip64=True) as package:
            writing = _Writing(package, outlet, folder, manifest, heading.made_at)
            yield from writing.text("posts.csv", csv_table(snapshot))
            yield from writing.text("posts.json", json_document(snapshot, heading))
            yield from _media(snapshot, store, writing, problems)
            counts = writing.counts
            text = readme(
                heading, _CONTENTS, problems.pieces(), posts=counts.posts, files=counts.files,
                size=counts.size, not_included=counts.not_included,
            )  # fmt: skip
            yield from writing.text("README.txt", text)
            yield from writing.text(MANIFEST, manifest.pieces())
        yield outlet.taken()


@dataclass
class _Counts:
    posts: int = 0
    files: int = 0
    size: int = 0
    not_included: int = 0


@dataclass
class _Writing:
    """A ZIP that is being written, and the manifest of what is in it."""

    package: zipfile.ZipFile
    outlet: "_Outlet"
    folder: str
    manifest: "_Lines"
    made_at: str
    counts: _Counts = field(default_factory=_Counts)

    def text(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Write a file of ours, compressed."""
        digest = hashlib.sha256()
        entry = self._entry(name, self.made_at, zipfile.ZIP_DEFLATED)
        with self.package.open(entry, "w", force_zip64=True) as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
                yield self.outlet.taken()
        yield self.outlet.taken()
        if name != MANIFEST:
            self.manifest.add(f"{digest.hexdigest()}  {name}")

    def media(
        self, name: str, moment: str | None, file: SavedFile, stream: RawIOBase
    ) -> Iterator[bytes]:
        """Write a media file as it is: pictures and videos are compressed already."""
        entry = self._entry(name, moment, zipfile.ZIP_STORED)
        is_large = (file.size or 0) > zipfile.ZIP64_LIMIT
        with self.package.open(entry, "w", force_zip64=is_large) as target:
            while piece := stream.read(_PIECE):
                target.write(piece)
                self.counts.size += len(piece)
                yield self.outlet.taken()
        yield self.outlet.taken()
        self.counts.files += 1
        self.manifest.add(f"{file.sha256}  {name}")

    def _entry(self, name: str, moment: str | None, compression: int) -> zipfile.ZipInfo:
        parsed = parse_time(moment)
        time = (
            parsed.timetuple()[:6]
            if parsed and parsed.year >= _OLDEST
            else (_OLDEST, 1, 1, 0, 0, 0)
        )
        entry = zipfile.ZipInfo(f"{self.folder}/{name}", time)
        entry.compress_type = compression
        entry.external_attr = 0o100600 << 16
        return entry


def _media(
    snapshot: Snapshot, store: MediaStore, writing: _Writing, problems: "_Lines"
) -> Iterator[bytes]:
    """Write the file of every attachment, and note those that cannot be included."""
    for post in snapshot.posts():
        writing.counts.posts += 1
        for one in files_of(post):
            why = one.why
            if one.file is not None:
                stream = open_saved(store, one.file)
                if stream is None:
                    why = LOST
                else:
                    with stream:
                        yield from writing.media(one.name, post.created_at, one.file, stream)
            if why:
                writing.counts.not_included += 1
                problems.add(f"{one.name}: {why}")


class _Outlet(RawIOBase):
    """Where a ZIP is written to: a file without a position, emptied as it fills."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def write(self, piece: Any) -> int:
        """Take some bytes."""
        self._pieces += piece
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._pieces)
        self._pieces.clear()
        return taken


class _Lines:
    """Lines of a text, on the disk when there are many."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_HELD)  # noqa: SIM115 — closed by __exit__

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, line: str) -> None:
        """Add a line."""
        self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def pieces(self) -> Iterator[bytes]:
        """All that was added, in pieces."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece
