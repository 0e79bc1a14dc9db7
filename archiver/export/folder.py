"""A folder that an export is written into: complete under its name, or not there under it.

It is written beside its place, under a name that ends in `.unfinished`, and renamed when all of it
is there. Files that an interrupted export had finished are kept by the next one, if their hash is
still right. Media files share their space with those of the archive where the disk can clone files
(Btrfs, XFS): a change of one is not in the other. `manifest-sha256.txt` has the SHA-256 of every
file, for `sha256sum -c`.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from io import FileIO, RawIOBase
from pathlib import Path, PurePosixPath

from archiver.disks import clone, sync_directory
from archiver.errors import PluginError, UsageError
from archiver.export.heading import ExportHeading
from archiver.export.package_files import LOST, open_saved
from archiver.export.written_files import WrittenFiles
from archiver.media.disk import CHUNK_SIZE, create_file, make_directory, storage_error
from archiver.media.store import MediaStore
from archiver.saved_posts import SavedFile

MANIFEST = "manifest-sha256.txt"
UNFINISHED = ".unfinished"
"""Ends the name of a folder that is being written."""

_PART = ".part"  # ends the name of a file that is being written


@dataclass(slots=True)
class ExportFolder:
    """A folder that is being written, and what is in it so far. `size` is in bytes."""

    path: Path
    store: MediaStore
    heading: ExportHeading
    on_post: Callable[[int], object] = int
    posts: int = 0
    files: int = 0
    size: int = 0
    not_included: int = 0
    damaged: int = 0
    _written: WrittenFiles = field(default_factory=WrittenFiles)

    def note_missing(self, line: str) -> None:
        """Note a file that could not be included, and why; README.txt has these lines."""
        self.not_included += 1
        self._written.note_missing(line)

    def missing(self) -> Iterator[str]:
        """A line for each file that could not be included, as it was noted."""
        return self._written.missing()

    def close(self) -> None:
        """Forget what was written; nothing can be written any more."""
        self._written.close()

    def count_posts(self, count: int = 1) -> None:
        """Count so many more posts that are written."""
        self.posts += count
        self.on_post(count)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file of ours in place of an earlier one. Raises StorageError."""
        digest = hashlib.sha256()
        with self._new_file(name) as descriptor:
            for piece in pieces:
                digest.update(piece)
                _write(descriptor, piece)
        self._written.add(name, digest.hexdigest())

    def make_folder(self, name: str) -> None:
        """Make a folder for files that are written by other means. Raises StorageError."""
        try:
            (self.path / name).mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise storage_error(error, f"make {self.path / name}") from error

    def adopt(self, name: str) -> None:
        """Take in a file that was written there by other means. Raises StorageError."""
        try:
            with (self.path / name).open("rb") as stream:
                self._written.add(name, hashlib.file_digest(stream, "sha256").hexdigest())
        except OSError as error:
            raise storage_error(error, f"read {self.path / name}") from error

    def add_media(self, name: str, file: SavedFile) -> bool:
        """Copy a media file, whose bytes must have its hash; False where it cannot be included.

        Raises StorageError where the folder cannot be written.
        """
        sha256 = file.sha256 or ""
        if self._written.sha256_of(name) == sha256:
            return True
        if not self._is_there(name, file) and not self._copy(name, file):
            self.damaged += 1
            self.note_missing(f"{name}: {LOST}")
            return False
        self._written.add(name, sha256)
        self.files += 1
        self.size += file.size or 0
        return True

    def finish(self) -> None:
        """Write the manifest, and remove what only an interrupted export had."""
        lines = (f"{digest}  {name}\n".encode() for digest, name in self._written.by_name())
        self.write(MANIFEST, lines)
        try:
            self._remove_others(self.path, "")
        except OSError as error:
            raise storage_error(
                error, f"remove files of an earlier export in {self.path}"
            ) from error

    def _remove_others(self, folder: Path, prefix: str) -> bool:
        """Remove files that were not written, and folders without files; whether any file stays."""
        stays = False
        with os.scandir(folder) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if self._remove_others(Path(entry.path), f"{name}/"):
                        stays = True
                    else:
                        Path(entry.path).rmdir()
                elif self._written.sha256_of(name) is not None:
                    stays = True
                else:
                    Path(entry.path).unlink()
        return stays

    def _is_there(self, name: str, file: SavedFile) -> bool:
        """Whether an interrupted export finished this file."""
        path = self.path / name
        try:
            if path.is_symlink() or path.stat().st_size != file.size:
                return False
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
        except OSError:
            return False

    def _copy(self, name: str, file: SavedFile) -> bool:
        stream = open_saved(self.store, file)
        if stream is None:
            return False
        digest = hashlib.sha256()
        try:
            with stream, self._new_file(name) as descriptor:
                is_cloned = isinstance(stream, FileIO) and clone(stream.fileno(), descriptor)
                for piece in _pieces(stream):
                    digest.update(piece)
                    if not is_cloned:
                        _write(descriptor, piece)
                if digest.hexdigest() != file.sha256:
                    raise _DamagedFile
        except _DamagedFile:
            return False
        return True

    @contextmanager
    def _new_file(self, name: str) -> Iterator[int]:
        """A descriptor of a file that has its name when the block is left without an error."""
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or not name:
            raise PluginError(f"{name!r} is no name for a file of an export")
        path = self.path / PurePosixPath(name)
        part = path.with_name(path.name + _PART)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.unlink(missing_ok=True)
            descriptor = create_file(part)
            try:
                yield descriptor
            except BaseException:
                os.close(descriptor)
                part.unlink(missing_ok=True)
                raise
            os.close(descriptor)
            part.replace(path)
        except OSError as error:
            raise storage_error(error, f"write {path}") from error


class _DamagedFile(Exception):
    """The bytes of a file do not have its hash."""


@contextmanager
def export_folder(
    target: Path, store: MediaStore, heading: ExportHeading,
    on_post: Callable[[int], object] = int,
) -> Iterator[ExportFolder]:  # fmt: skip
    """A new folder, which gets the name `target` when the block is left without an error.

    Raises UsageError where there is something under that name already, StorageError.
    """
    if os.path.lexists(target) and not _is_empty(target):
        raise UsageError(
            f"{target} exists already", kept="Nothing was changed", hint="Name a new folder"
        )
    unfinished = target.with_name(target.name + UNFINISHED)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        make_directory(unfinished)
    except OSError as error:
        raise storage_error(error, f"make {unfinished}") from error
    with closing(ExportFolder(unfinished, store, heading, on_post)) as folder:
        yield folder
    try:
        if target.is_dir():
            target.rmdir()
        unfinished.rename(target)
        sync_directory(target.parent, if_readable=True)
    except OSError as error:
        raise storage_error(error, f"finish {target}") from error


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _pieces(stream: RawIOBase) -> Iterator[bytes]:
    """The bytes of a stored file; one that cannot be read to its end is damaged."""
    try:
        while piece := stream.read(CHUNK_SIZE):
            yield piece
    except OSError as error:
        raise _DamagedFile from error


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
