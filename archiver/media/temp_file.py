"""A temporary file: hashed while it is written, removed unless it is kept."""

import hashlib
import os
import secrets
from itertools import count
from pathlib import Path
from types import TracebackType

from archiver.media.disk import PIECE, begin_writing, create_file, storage_error
from archiver.media.kinds import HEAD

_RUN = secrets.token_hex(12)  # asking the system for randomness takes longer than hashing
_NUMBERS = count()
_MUCH = 8 << 20
"""After so many bytes the disk is put to work; the sync at the end then has little to wait for."""


class TempFile:
    """A new private file in `folder`, removed on leaving the `with` block unless it was kept.

    `size` counts every byte given to `write`, `head` holds the first ones. All methods raise
    StorageError when the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{_RUN}-{next(_NUMBERS)}.part"
        self.size = 0
        self.head = b""
        self._hash = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._begun = 0
        self._kept = False
        try:
            self._descriptor = create_file(self.path)
        except OSError as error:
            raise storage_error(error, f"write into {folder}") from error

    def __enter__(self) -> "TempFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        if not self._kept:
            self.path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Take more bytes. They reach the file a mebibyte at a time."""
        self.take(data)
        if self.is_full:
            self.flush()

    def take(self, data: bytes) -> None:
        """Take more bytes, and leave it to the caller to flush when it is full."""
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
        self.size += len(data)
        self._waiting.append(data)
        self._waiting_bytes += len(data)

    @property
    def is_full(self) -> bool:
        """Whether a mebibyte waits to be hashed and written."""
        return self._waiting_bytes >= PIECE

    def restart(self) -> None:
        """Forget every byte that was written."""
        if not self.size:
            return
        self.size, self.head, self._begun = 0, b"", 0
        self._hash = hashlib.sha256()
        self._waiting, self._waiting_bytes = [], 0
        try:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        except OSError as error:
            raise storage_error(error, f"write into {self.path.parent}") from error

    def finish(self) -> str:
        """Write what is left and close the file; its SHA-256 in hexadecimal."""
        self.flush()
        self._close()
        return self._hash.hexdigest()

    def keep(self) -> None:
        """Leave the file where it is: somebody has taken it over."""
        self._kept = True

    def flush(self) -> None:
        """Hash and write what waits; for a worker thread, where that is much."""
        if not self._waiting:
            return
        data = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        self._hash.update(data)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            if self.size - self._begun >= _MUCH:
                begin_writing(self._descriptor, self._begun, self.size - self._begun)
                self._begun = self.size
        except OSError as error:
            raise storage_error(error, f"write into {self.path.parent}") from error

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                os.close(descriptor)
            except OSError as error:
                raise storage_error(error, f"write into {self.path.parent}") from error
