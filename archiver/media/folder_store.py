"""A media store in a folder of this machine, written to survive a power cut.

media/ab/abcdef….jpg     0600, named by the SHA-256 of its bytes
tmp/                     temporary files; on the same disk, so that they can be renamed
quarantine/              damaged files: their bytes do not have the hash in their name
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import FileIO, RawIOBase
from pathlib import Path
from typing import TypeVar

from archiver.disks import replace_file, sync_directory
from archiver.media.disk import (
    is_link,
    make_directories,
    make_directory,
    open_file,
    refuse_link,
    storage_error,
    sync_file,
)
from archiver.media.file_system_sync import FileSystemSync
from archiver.media.store import (
    ByteRange,
    IncomingFile,
    StoredFile,
    check_listed,
    check_path,
    hash_in_path,
    hash_stream,
    stored_path,
)

_SYNC_THREADS = 8
_PathT = TypeVar("_PathT", Path, str)


class FolderStore:
    """The media of one archive folder: a MediaStore.

    The folder itself may be reached through a link; nothing in it may be one. Files to be put are
    written to `tmp` first.
    """

    def __init__(self, directory: Path) -> None:
        directory = directory.resolve()
        self.directory = directory
        self.tmp = directory / "tmp"
        self._root = str(directory)
        self._media = directory / "media"
        self._quarantine = directory / "quarantine"
        self._file_system: FileSystemSync | None = None

    def prepare(self) -> None:
        """Make the folders, and remove what an interrupted run left in `tmp/`.

        To be called once before anything is put. Raises StorageError.
        """
        try:
            for folder in (self._media, self.tmp):
                make_directory(folder)
            self._file_system = FileSystemSync(self.tmp)
            # a run that was killed may have made folders whose names are not on the disk yet
            for folder in (self.directory, self._media):
                sync_directory(folder)
            with os.scandir(self.tmp) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        Path(entry.path).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, f"use the archive folder {self.directory}") from error

    def put(self, files: Sequence[IncomingFile], /) -> list[str]:
        """Move files from `tmp/` into place, durably, a batch at a time; for a worker thread."""
        try:
            return self._put(files)
        except OSError as error:
            raise storage_error(error, f"store media in {self._media}") from error

    def _put(self, files: Sequence[IncomingFile]) -> list[str]:
        whole = self._quicker_sync(files)
        _sync(sync_file, [file.path for file in files], whole)
        damaged: list[str] = []
        known: set[str] = set()
        fresh: set[str] = set()
        # as text: making a Path of each of hundreds of thousands of files takes noticeable time
        names = [f"{self._root}/{stored_path(file.sha256, file.extension)}" for file in files]
        folders = [Path(folder) for folder in sorted({os.path.dirname(name) for name in names})]  # noqa: PTH120 — as above
        make_directories(folders)
        for file, name in zip(files, names, strict=True):
            is_intact = True if name in fresh else _is_intact(name, file)
            if is_intact:
                known.add(name)
                file.path.unlink()
                continue
            if is_intact is False:
                self._move_to_quarantine(Path(name))
                damaged.append(file.sha256)
            replace_file(file.path, name)
            fresh.add(name)
        # An interrupted run may have left a file whose bytes or name never reached the disk.
        _in_threads(sync_file, sorted(known - fresh))
        _sync(sync_directory, folders, whole)
        return damaged

    def _quicker_sync(self, files: Sequence[IncomingFile]) -> FileSystemSync | None:
        """The sync of the whole file system, where that is quicker than one for each file."""
        found, size = self._file_system, sum(file.size for file in files)
        return found if found is not None and found.is_quicker(len(files), size) else None

    def open(self, path: str, part: ByteRange | None = None, /) -> RawIOBase:
        """The bytes of a file, or a part of them; following no link below the archive folder."""
        file = FileIO(open_file(self._name_of(path)))
        return file if part is None else _PartOfFile(file, part)

    def stat(self, path: str, /) -> StoredFile | None:
        """The size of a file; None where there is no plain file."""
        try:
            found = os.lstat(self._name_of(path))
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return StoredFile(path, hash_in_path(path), found.st_size)

    def list(self, first: str = "", end: str | None = None, /) -> Iterator[StoredFile]:
        """Every file in the media folder; no link is followed. Empty where there is no folder.

        Of a range of paths below it only those from `first` on, and before `end`.
        """
        if not os.path.lexists(self._media):
            return

        def is_in(path: str) -> bool:
            return first <= path and (end is None or path < end)

        try:
            for folder in _sorted_entries(self._media):
                if not folder.is_dir(follow_symlinks=False):
                    if is_in(folder.name):
                        yield from _entry(f"media/{folder.name}", folder)
                elif f"{folder.name}0" > first and (end is None or f"{folder.name}/" < end):
                    for entry in _sorted_entries(Path(folder.path)):
                        if is_in(f"{folder.name}/{entry.name}"):
                            yield from _entry(f"media/{folder.name}/{entry.name}", entry)
        except OSError as error:
            raise storage_error(error, f"read {self._media}") from error

    def quarantine(self, path: str, /) -> str:
        """Move a damaged file to `quarantine/`; its path there, from the archive folder."""
        try:
            target = Path(self._name_of(path))
            moved = self._move_to_quarantine(target)
            sync_directory(target.parent)
        except OSError as error:
            raise storage_error(error, f"move {path} to {self._quarantine}") from error
        return f"quarantine/{moved.name}"

    def quarantined(self) -> Iterator[str]:
        """Everything in the folder `quarantine`, which is followed nowhere."""
        if self._quarantine.is_dir() and not self._quarantine.is_symlink():
            for entry in sorted(self._quarantine.iterdir()):
                yield f"quarantine/{entry.name}"

    def delete(self, path: str, /) -> bool:
        """Delete a file and its name."""
        check_listed(path)
        target = Path(f"{self._root}/{path}")
        try:
            refuse_link(self._media)
            refuse_link(target.parent)
            target.unlink()
            sync_directory(target.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise storage_error(error, f"delete {target}") from error
        return True

    def _name_of(self, path: str) -> str:
        """Where a file is, as text. Raises StorageError; OSError where a folder of it is a link.

        The folders are checked before the file is opened: whoever can replace one by a link in
        between can write to the archive anyway.
        """
        check_path(path)
        refuse_link(f"{self._root}/media")
        refuse_link(f"{self._root}/{path[:8]}")
        return f"{self._root}/{path}"

    def _move_to_quarantine(self, target: Path) -> Path:
        make_directory(self._quarantine)
        number = 0
        while os.path.lexists(place := self._quarantine / f"{target.name}.{number}"):
            number += 1
        replace_file(target, place)
        sync_directory(self._quarantine)
        return place


class _PartOfFile(RawIOBase):
    """Some bytes of a file, which is closed with it."""

    def __init__(self, file: FileIO, part: ByteRange) -> None:
        self._file = file
        self._left = part.length
        file.seek(part.start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # typeshed names a wider type
        count = self._file.readinto(memoryview(buffer)[: self._left])
        self._left -= count
        return count

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
        super().close()


def _is_intact(name: str, file: IncomingFile) -> bool | None:
    """Whether the file in place has the bytes of its name; None where there is none.

    The bytes are hashed: the right size alone proves nothing.
    """
    try:
        found = os.lstat(name)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size != file.size:
        return False
    try:
        with FileIO(open_file(name)) as stored:
            return hash_stream(stored) == (file.sha256, file.size)
    except OSError:
        return False  # unreadable, so damaged: the bytes at hand are right


def _sync(
    sync: Callable[[_PathT], None], paths: Sequence[_PathT], whole: FileSystemSync | None
) -> None:
    """Sync files or folders: all that there is on the disk at once, or one by one."""
    if whole is None or not whole.sync():
        _in_threads(sync, paths)


def _in_threads(sync: Callable[[_PathT], None], paths: Sequence[_PathT]) -> None:
    """Sync files or folders, several at once: file systems combine the flushes.

    Each thread has its share from the start: handing them out one by one would take longer than
    the disk needs. Raises OSError.
    """
    shares = [paths[number::_SYNC_THREADS] for number in range(min(_SYNC_THREADS, len(paths)))]
    if len(shares) == 1:
        _sync_all(sync, shares[0])
    elif shares:
        with ThreadPoolExecutor(len(shares)) as pool:
            for _ in pool.map(partial(_sync_all, sync), shares):
                pass


def _sync_all(sync: Callable[[_PathT], None], paths: Sequence[_PathT]) -> None:
    for path in paths:
        sync(path)


def _sorted_entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _entry(path: str, entry: os.DirEntry[str]) -> Iterator[StoredFile]:
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return  # moved away in between
    is_file = stat.S_ISREG(found.st_mode) and not is_link(found)
    yield StoredFile(path, hash_in_path(path) if is_file else None, found.st_size)
