"""Small files that only their owner can read: each replaced whole, by one program at a time."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from archiver.disks import replace_file, sync_directory

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK_SECONDS = 120.0
"""So long a program waits for another that is changing the same file."""


def replace_privately(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # born 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace_file(Path(name), path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    sync_directory(path.parent, if_readable=True)


def lock_beside(path: Path) -> "BaseFileLock":
    """Take the lock of whoever reads a file, changes it and writes it back; the caller releases it.

    It is a file of its own: a file that is replaced cannot be locked itself. Raises OSError, and
    TimeoutError where another program does not let it go.
    """
    from filelock import FileLock  # noqa: PLC0415 — most programs only read

    lock = FileLock(f"{path}.lock", timeout=LOCK_SECONDS, mode=0o600, thread_local=False)
    lock.acquire()
    return lock


@contextmanager
def locked_beside(path: Path, problem: Callable[[OSError], Exception]) -> Iterator[None]:
    """Hold that lock; the folder of the file is made. Raises what `problem` makes of an OSError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = lock_beside(path)
    except OSError as error:
        raise problem(error) from error
    try:
        yield
    finally:
        lock.release()
