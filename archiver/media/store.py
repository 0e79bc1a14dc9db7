"""The folder of media: files named by the SHA-256 of their bytes, written to survive a power cut.

    media/ab/abcdef….jpg     0600; the extension comes from the bytes, never from a server
    tmp/                     downloads in progress
    quarantine/              files that no longer had the bytes of their name

`keep` returns only when bytes and names are on the disk; only then may a row say `stored`.
"""

import hashlib
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TypeVar

from archiver.errors import StorageError
from archiver.media.disk import (
    PIECE,
    make_directories,
    make_directory,
    open_file,
    storage_error,
    sync_directory,
    sync_file,
)
from archiver.media.download import Download

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PATH = re.compile(r"media/([0-9a-f]{2})/([0-9a-f]{64})\.([a-z0-9]{1,8})", re.ASCII)
_EXTENSION = re.compile(r"[a-z0-9]{1,8}", re.ASCII)
_SYNC_THREADS = 8
_Place = TypeVar("_Place", Path, str)
_OF_THREAD = threading.local()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file found in the store: `path` relative to the archive folder.

    `sha256` is what its name says; None where the name, or the file, is none of ours.
    """

    path: str
    sha256: str | None


def relative_path(sha256: str, extension: str) -> str:
    """Where a file is kept, from the archive folder: `media/ab/abcdef….jpg`.

    Raises ValueError for anything but lower-case hexadecimal and a plain extension.
    """
    if not _SHA256.fullmatch(sha256) or not _EXTENSION.fullmatch(extension):
        raise ValueError(f"not the name of a stored file: {sha256!r}.{extension!r}")
    return f"media/{sha256[:2]}/{sha256}.{extension}"


def hash_file(path: Path | str, *, from_disk: bool = False) -> tuple[str, int]:
    """The SHA-256 of a file, in hexadecimal, and its size; never through a link.

    `from_disk` asks the system to forget what it holds of the file in memory, and read it anew.
    Raises OSError.
    """
    digest = hashlib.sha256()
    size = 0
    view = _buffer()
    with FileIO(open_file(path)) as file:
        if from_disk and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while count := file.readinto(view):
            digest.update(view[:count])
            size += count
    return digest.hexdigest(), size


def _buffer() -> memoryview:
    """A buffer that the files read by one thread share: for small ones, making it is the work."""
    if not hasattr(_OF_THREAD, "buffer"):
        _OF_THREAD.buffer = memoryview(bytearray(PIECE))
    buffer: memoryview = _OF_THREAD.buffer
    return buffer


class Store:
    """The media of one archive folder. One writer at a time; the archive's lock sees to it.

    The folder itself may be behind a link; nothing in it may be one.
    """

    def __init__(self, directory: Path) -> None:
        directory = directory.resolve()
        self.directory = directory
        self._root = str(directory)
        self.tmp = directory / "tmp"
        self._media = directory / "media"
        self._quarantine = directory / "quarantine"

    def prepare(self) -> None:
        """Make the folders, and remove what an interrupted run left in `tmp/`.

        Raises StorageError.
        """
        try:
            for folder in (self._media, self.tmp):
                make_directory(folder)
            # a run that was killed may have made folders whose names are not on the disk yet
            for folder in (self.directory, self._media):
                sync_directory(folder)
            with os.scandir(self.tmp) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        Path(entry.path).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, f"use the archive folder {self.directory}") from error

    def keep(self, downloads: Sequence[Download]) -> list[Path]:
        """Move downloads into place, durably, a batch at a time; for a worker thread.

        Bytes that are there already are not stored twice. A stored file that turns out to be
        damaged goes to `quarantine/`, its fresh bytes take its place; the paths of such files, now
        in quarantine, are returned. Raises StorageError; then no row may say that any of these
        files is stored, and their downloads that were not moved yet are still in `tmp/`.
        """
        try:
            return self._keep(downloads)
        except OSError as error:
            raise storage_error(error, f"store media in {self._media}") from error

    def _keep(self, downloads: Sequence[Download]) -> list[Path]:
        _in_threads(sync_file, [download.path for download in downloads])
        damaged: list[Path] = []
        known: set[str] = set()
        fresh: set[str] = set()
        # as text: for hundreds of thousands of files, making a Path of each is work
        names = [f"{self._root}/{relative_path(d.sha256, d.extension)}" for d in downloads]
        folders = [Path(folder) for folder in sorted({os.path.dirname(name) for name in names})]  # noqa: PTH120 — as above
        make_directories(folders)
        for download, name in zip(downloads, names, strict=True):
            holds = True if name in fresh else _holds(name, download)
            if holds:
                known.add(name)
                download.path.unlink()
                continue
            if holds is False:
                damaged.append(self._move_away(Path(name)))
            download.path.replace(name)
            fresh.add(name)
        # An interrupted run may have left a file whose bytes or name never reached the disk.
        _in_threads(sync_file, sorted(known - fresh))
        _in_threads(sync_directory, folders)
        return damaged

    def path_of(self, path: str) -> Path:
        """Where a stored file is, from the relative path in its row.

        Raises StorageError for a path that leads anywhere else.
        """
        return Path(self.name_of(path))

    def name_of(self, path: str) -> str:
        """The same as text: for hundreds of thousands of files, making a Path of it is work."""
        match = _PATH.fullmatch(path)
        if match is None or match[1] != match[2][:2]:
            raise StorageError(f"{path!r} is not the path of a stored file")
        return f"{self._root}/{path}"

    def walk(self) -> Iterator[StoredFile]:
        """Every file in the media folder, in the order of their names; links are not followed.

        None where the folder was never made. Raises StorageError.
        """
        if not os.path.lexists(self._media):
            return
        try:
            for folder in _sorted_entries(self._media):
                if not folder.is_dir(follow_symlinks=False):
                    yield StoredFile(f"media/{folder.name}", None)
                    continue
                for entry in _sorted_entries(Path(folder.path)):
                    path = f"media/{folder.name}/{entry.name}"
                    yield StoredFile(path, _name_says(path, entry))
        except OSError as error:
            raise storage_error(error, f"read {self._media}") from error

    def quarantine(self, path: str) -> Path:
        """Move a damaged file out of the way, durably; where it is now. Raises StorageError."""
        target = self.path_of(path)
        try:
            moved = self._move_away(target)
            sync_directory(target.parent)
        except OSError as error:
            raise storage_error(error, f"move {target} to {self._quarantine}") from error
        return moved

    def _move_away(self, target: Path) -> Path:
        make_directory(self._quarantine)
        number = 0
        while os.path.lexists(place := self._quarantine / f"{target.name}.{number}"):
            number += 1
        target.replace(place)
        sync_directory(self._quarantine)
        return place


def _holds(name: str, download: Download) -> bool | None:
    """Whether the file in place has the bytes of its name; None where there is none.

    Sizes alone are not believed.
    """
    try:
        found = os.lstat(name)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size != download.size:
        return False
    try:
        return hash_file(name) == (download.sha256, download.size)
    except OSError:
        return False  # what cannot be read is damaged: we hold better bytes


def _in_threads(sync: Callable[[_Place], None], paths: Sequence[_Place]) -> None:
    """Sync files or folders, several at once: the disk then joins their flushes.

    Each thread has its share from the start: to hand out one after the other would take longer
    than most disks take. Raises OSError.
    """
    shares = [paths[number::_SYNC_THREADS] for number in range(min(_SYNC_THREADS, len(paths)))]
    if len(shares) == 1:
        _sync_all(sync, shares[0])
    elif shares:
        with ThreadPoolExecutor(len(shares)) as pool:
            for _ in pool.map(partial(_sync_all, sync), shares):
                pass


def _sync_all(sync: Callable[[_Place], None], paths: Sequence[_Place]) -> None:
    for path in paths:
        sync(path)


def _sorted_entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _name_says(path: str, entry: os.DirEntry[str]) -> str | None:
    sha256, _, extension = entry.name.partition(".")
    try:
        ours = entry.is_file(follow_symlinks=False) and relative_path(sha256, extension) == path
    except ValueError:
        return None
    return sha256 if ours else None
