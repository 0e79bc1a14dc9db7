"""A temporary file: hashed while it is written, removed unless it is kept."""

import hashlib
import os
import secrets
from itertools import count
from pathlib import Path
from types import TracebackType

from archiver.media.disk import CHUNK_SIZE, create_file, open_file, start_writeback, storage_error
from archiver.media.kinds import HEAD

_PREFIX = secrets.token_hex(12)  # asking the system for randomness takes longer than hashing
_NUMBERS = count()
_WRITEBACK_SIZE = 8 << 20
"""So many bytes are sent to the disk at once, so that the sync at the end has little left to do."""

_MOST_PIECES = 16
"""More pieces are put together before they are hashed and written: each is two calls, in which
other threads may go on. Fewer stay apart, which needs no room for a copy."""


class TempFile:
    """A new private file in `folder`, removed on leaving the `with` block unless it was kept.

    It is made by the first `flush`: until then, nothing waits for the disk. `size` counts every
    byte given to `write`, `head` holds the first ones. All methods raise StorageError when the disk
    fails.
    """

    def __init__(self, folder: Path) -> None:
        self.path = _new_path(folder)
        self.size = 0
        self.head = b""
        self._hash = hashlib.sha256()
        self._buffer: list[bytes] = []
        self._buffered_bytes = 0
        self._written_back = 0
        self._kept = False
        self._is_made = False
        self._descriptor = -1

    @classmethod
    def adopt(cls, written: Path, folder: Path) -> "TempFile":
        """A file that another process has written, moved to `folder`, as if it were written here.

        Both are on one disk.
        """
        path = _new_path(folder)
        try:
            descriptor = open_file(written.rename(path))
        except OSError as error:
            raise storage_error(error, f"read {path}") from error
        file = cls.__new__(cls)
        file.path, file.size, file.head = path, 0, b""
        file._hash = hashlib.sha256()
        file._buffer, file._buffered_bytes, file._written_back = [], 0, 0
        file._kept, file._is_made, file._descriptor = False, True, descriptor
        try:
            while data := os.read(descriptor, CHUNK_SIZE):
                file.head += data[: HEAD - len(file.head)]
                file.size += len(data)
                file._hash.update(data)
        except OSError as error:
            file._close()
            raise storage_error(error, f"read {path}") from error
        return file

    def __enter__(self) -> "TempFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        if self._is_made and not self._kept:
            self.path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Write more bytes. They reach the file a mebibyte at a time."""
        self.buffer(data)
        if self.is_full:
            self.flush()

    def buffer(self, data: bytes) -> None:
        """Buffer more bytes, and leave it to the caller to flush when `is_full`."""
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
        self.size += len(data)
        self._buffer.append(data)
        self._buffered_bytes += len(data)

    @property
    def is_full(self) -> bool:
        """Whether a mebibyte is buffered."""
        return self._buffered_bytes >= CHUNK_SIZE

    def restart(self) -> None:
        """Start again with an empty file."""
        if not self.size:
            return
        self.size, self.head, self._written_back = 0, b"", 0
        self._hash = hashlib.sha256()
        self._buffer, self._buffered_bytes = [], 0
        if not self._is_made:
            return
        try:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        except OSError as error:
            raise storage_error(error, f"write into {self.path.parent}") from error

    def finish(self) -> str:
        """Write what is left and close the file; its SHA-256 in hexadecimal."""
        self._make()
        self.flush()
        self._close()
        return self._hash.hexdigest()

    def keep(self) -> None:
        """Do not remove the file on leaving the `with` block: the caller owns it from now on."""
        self._kept = True

    def flush(self) -> None:
        """Hash and write what is buffered; call it in a worker thread where that is much."""
        if not self._buffer:
            return
        self._make()
        pieces, self._buffer, self._buffered_bytes = self._buffer, [], 0
        if len(pieces) > _MOST_PIECES:
            pieces = [b"".join(pieces)]
        try:
            for piece in pieces:
                self._hash.update(piece)
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            if self.size - self._written_back >= _WRITEBACK_SIZE:
                start_writeback(
                    self._descriptor, self._written_back, self.size - self._written_back
                )
                self._written_back = self.size
        except OSError as error:
            raise storage_error(error, f"write into {self.path.parent}") from error

    def _make(self) -> None:
        if self._is_made:
            return
        try:
            self._descriptor = create_file(self.path)
        except OSError as error:
            raise storage_error(error, f"write into {self.path.parent}") from error
        self._is_made = True

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                os.close(descriptor)
            except OSError as error:
                raise storage_error(error, f"write into {self.path.parent}") from error


def _new_path(folder: Path) -> Path:
    return folder / f"{_PREFIX}-{next(_NUMBERS)}.part"
