"""The store of media files: a protocol, so that stores other than a folder are possible.

A file is known by its path, `media/ab/abcdef….jpg`, made of the SHA-256 of its bytes and of an
extension that comes from the bytes, never from a server. The path is the same in every kind of
store; the column `media.path` holds it. `archiver.testing.StoreContract` is the suite that every
kind of store passes.
"""

import hashlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from archiver.errors import StorageError
from archiver.media.disk import CHUNK_SIZE

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PATH = re.compile(r"media/([0-9a-f]{2})/([0-9a-f]{64})\.([a-z0-9]{1,8})", re.ASCII)
_EXTENSION = re.compile(r"[a-z0-9]{1,8}", re.ASCII)
_thread_local = threading.local()


class ByteRange(Struct, frozen=True):
    """Bytes from `start` to before `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start


class StoredFile(Struct, frozen=True):
    """A file in a store. `size` is in bytes.

    `sha256` is the one in its path; None where it is no plain file, or its path is not of
    the form of `stored_path`.
    """

    path: str
    sha256: str | None
    size: int


class IncomingFile(Protocol):
    """A complete temporary file, to be moved into a store."""

    @property
    def path(self) -> Path:
        """Where it is now."""

    @property
    def sha256(self) -> str:
        """Of its bytes, in lower-case hexadecimal."""

    @property
    def size(self) -> int:
        """Of its bytes."""

    @property
    def extension(self) -> str:
        """What its bytes are, as the end of a name: `jpg`."""


class MediaStore(Protocol):
    """Where media files are kept. One writer at a time; readers at any time, from any thread.

    Every method but `delete` raises StorageError for a path that `stored_path` does not make.
    """

    def put(self, files: Sequence[IncomingFile], /) -> list[str]:
        """Take over temporary files, durably: on return, bytes and names survive a power cut.

        Bytes that are there already are not stored twice. A stored file that turns out to be
        damaged is quarantined, and the new one takes its place; returns the hashes of those.
        Raises ValueError for an invalid hash or extension. Raises StorageError; then no row
        may say that any of these files is stored, and the same files may be put again.
        """

    def open(self, path: str, part: ByteRange | None = None, /) -> RawIOBase:
        """The bytes of a file, or a part of them. No link is followed.

        Raises FileNotFoundError, OSError for what cannot be read, or is no plain file.
        """

    def stat(self, path: str, /) -> StoredFile | None:
        """What is known of a file without reading it; None where there is no plain file."""

    def list(self, first: str = "", end: str | None = None, /) -> Iterator[StoredFile]:
        """Everything in the store, in the order of paths, whoever put it there.

        Of a range of paths below `media/` only those from `first` on, and before `end`.
        Raises StorageError.
        """

    def quarantine(self, path: str, /) -> str:
        """Move a file out of the way, durably, without losing it; returns where it is now.

        Raises StorageError, also where there is none.
        """

    def quarantined(self) -> Iterator[str]:
        """Where everything in quarantine is. Raises StorageError."""

    def delete(self, path: str, /) -> bool:
        """Delete anything that `list` names, durably; False where there is nothing.

        Raises StorageError.
        """


class StagedStore(MediaStore, Protocol):
    """A store that files are put into by way of a folder of this machine."""

    @property
    def tmp(self) -> Path:
        """The folder in which files to be put are written."""

    def prepare(self) -> None:
        """Make what is needed, and remove what an interrupted run left in `tmp`.

        To be called once before anything is put. Raises StorageError.
        """


def stored_path(sha256: str, extension: str) -> str:
    """Where a file is kept: `media/ab/abcdef….jpg`.

    Raises ValueError for anything but lower-case hexadecimal and a plain extension.
    """
    if not _SHA256.fullmatch(sha256) or not _EXTENSION.fullmatch(extension):
        raise ValueError(f"not the name of a stored file: {sha256!r}.{extension!r}")
    return f"media/{sha256[:2]}/{sha256}.{extension}"


def hash_in_path(path: str) -> str | None:
    """The hash that a path names; None where it is not the path of a stored file."""
    match = _PATH.fullmatch(path)
    return match[2] if match is not None and match[1] == match[2][:2] else None


def check_path(path: str) -> None:
    """Raise StorageError for anything but the path of a stored file."""
    if hash_in_path(path) is None:
        raise StorageError(f"{path!r} is not the path of a stored file")


def check_listed(path: str) -> None:
    """Raise StorageError for a path that no `list` can give, such as one out of the store."""
    head, *names = path.split("/")
    if head != "media" or not 1 <= len(names) <= 2 or any(_is_unsafe(name) for name in names):
        raise StorageError(f"{path!r} is not in the store")


def _is_unsafe(name: str) -> bool:
    return name in {"", ".", ".."} or any(character in name for character in "\\:\0")


def hash_stream(stream: RawIOBase, *, from_disk: bool = False) -> tuple[str, int]:
    """The SHA-256 of what is left in a stream, in hexadecimal, and its size in bytes.

    `from_disk` asks the system to drop the file from its cache, and reads it from the disk again.
    Raises OSError.
    """
    if from_disk and hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # not a file of this machine
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    digest = hashlib.sha256()
    size = 0
    view = _buffer()
    while count := stream.readinto(view):
        digest.update(view[:count])
        size += count
    return digest.hexdigest(), size


def _buffer() -> memoryview:
    """A buffer for each thread: making a new one takes longer than reading a small file."""
    if not hasattr(_thread_local, "buffer"):
        _thread_local.buffer = memoryview(bytearray(CHUNK_SIZE))
    buffer: memoryview = _thread_local.buffer
    return buffer
