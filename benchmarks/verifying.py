"""How fast an archive is read back: `verifying.py [FILES] [BYTES_EACH]`, default 2,000 of 1 MB.

Compared is `verify`, which checks rows, references and leftovers too and notes what it read, with
two threads that do nothing but hash the same files. Times are of the second of two rounds, with
the files in memory: the disk is not what is measured.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver.archive.database import reader, transaction, writer
from archiver.archive.rows import insert
from archiver.evidence.files import FileReading, Scope, files_in, rows_of
from archiver.evidence.verify import verify
from archiver.media.folder_store import FolderStore
from archiver.media.store import stored_path

NOW = "2026-01-01T00:00:00.000Z"


def make(directory: Path, count: int, size: int) -> list[Path]:
    """An archive with so many files, in the order of their names."""
    noise = os.urandom(size)
    paths = []
    with writer(directory) as connection, transaction(connection):
        for number in range(count):
            data = number.to_bytes(8) + noise[8:]
            digest = sha256(data).hexdigest()
            path = stored_path(digest, "jpg")
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(data)
            paths.append(directory / path)
            insert(
                connection, "media", sha256=digest, path=path, size=size,
                content_type="image/jpeg", stored_at=NOW,
            )  # fmt: skip
    return sorted(paths)


def hash_loop(paths: list[Path]) -> None:
    """Hash files into one buffer, and nothing else."""
    view = memoryview(bytearray(1 << 20))
    for path in paths:
        digest = sha256()
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(view):
                digest.update(view[:count])
        digest.hexdigest()


def two_threads(paths: list[Path]) -> None:
    """What it is compared with."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(hash_loop, (paths[::2], paths[1::2])))


def files_only(directory: Path) -> None:
    """Only the part of verify that hashes."""
    with reader(directory) as connection, FileReading(FolderStore(directory)) as reading:
        reading.begin(rows_of(connection, files_in(connection, Scope())))
        for _ in reading.results():
            pass


def main(count: int, size: int) -> None:
    """Make an archive, read it in three ways twice, print the second round."""
    with TemporaryDirectory() as folder:
        directory = Path(folder, "archive")
        paths = make(directory, count, size)
        ways: dict[str, Callable[[], object]] = {
            "two threads of hashlib": lambda: two_threads(paths),
            "files of verify": lambda: files_only(directory),
            "all of verify": lambda: verify(directory, Scope(), NOW),
        }
        first = 0.0
        for is_last in (False, True):
            for name, way in ways.items():
                wall, cpu = time.perf_counter(), time.process_time()
                way()
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                first = first if name != "two threads of hashlib" else cpu
                if is_last:
                    rate = count * size / wall / 1e6
                    print(f"{name}: {cpu:.2f} s of CPU ({cpu / first:.2f}×), {rate:,.0f} MB/s")


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    main(*numbers) if numbers else main(2_000, 1_000_000)
