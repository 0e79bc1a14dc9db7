"""Thumbnails, made on first request and cached in `cache/thumbs/` of the archive.

The folder may be deleted at any time. Where it is read-only, a temporary folder is used for as long
as the server runs.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer, local

from archiver.archive.media_files import ArchivedFile
from archiver.disks import replace_file
from archiver.errors import StorageError
from archiver.media.store import MediaStore, hash_in_path

SIZES = {"s": (400, 1600), "m": (1080, 1080), "l": (2160, 2160)}
"""Sizes by their name in URLs: the shorter edge and the most of the longer one, see `fitted`.

`s` fills a square tile on a screen of two pixels to a CSS pixel, `m` the width of a card on a plain
screen, and `l` that on a sharper one.
"""

_SCRIPT = Path(__file__).with_name("thumbnailer.py")
_SUPPORTED = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
_MOST_PIXELS = 120_000_000
_MOST_BYTES = 200_000_000
_TIME_LIMIT = 20.0  # seconds for one picture
_WORKERS = 2


class Thumbs:
    """The thumbnails of one archive, cached in the folder `cache`."""

    def __init__(self, store: MediaStore, cache: Path) -> None:
        self._store = store
        self._cache_wanted = cache
        self._lock = Lock()
        self._running: dict[tuple[str, str], Future[Path | None]] = {}
        self._cache: Path | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._undecodable: set[str] = set()

    def get(self, row: ArchivedFile, size: str) -> Path | None:
        """The file of the thumbnail, made if need be; None where none can be made."""
        if row.content_type not in _SUPPORTED or row.sha256 in self._undecodable:
            return None
        if (row.width or 0) * (row.height or 0) > _MOST_PIXELS:
            return None
        target = self._target(row.sha256, size)
        if target.is_file():
            return target
        with self._lock:
            running = self._running.get((row.sha256, size))
            if running is None:
                running = _pool().submit(self._make, row, target, SIZES[size])
                self._running[row.sha256, size] = running
        try:
            return running.result()
        finally:
            with self._lock:
                self._running.pop((row.sha256, size), None)

    def _make(self, row: ArchivedFile, target: Path, edges: tuple[int, int]) -> Path | None:
        picture = self._read(row)
        if picture is None:
            return None
        partial = target.with_suffix(f".{os.getpid()}.tmp")
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not _worker().ask(picture, partial, edges):
                self._undecodable.add(row.sha256)
                return None
            replace_file(partial, target)
        except OSError:
            return None
        finally:
            partial.unlink(missing_ok=True)
        return target

    def _read(self, row: ArchivedFile) -> bytes | None:
        """The bytes of a picture; None where the file is missing or too large."""
        if hash_in_path(row.path) != row.sha256:
            return None
        try:
            found = self._store.stat(row.path)
            if found is None or found.size > _MOST_BYTES:
                return None
            with self._store.open(row.path) as file:
                return file.readall()
        except (OSError, StorageError):
            return None

    def _target(self, sha256: str, size: str) -> Path:
        if self._cache is None:
            self._cache = self._writable_folder()
        return self._cache / sha256[:2] / f"{sha256}-{size}{SIZES[size][0]}.webp"

    def _writable_folder(self) -> Path:
        wanted = self._cache_wanted
        try:
            wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(wanted, os.W_OK) and not wanted.parent.is_symlink():
                return wanted
        except OSError:
            pass
        self._temporary = tempfile.TemporaryDirectory(prefix="archiver-thumbs-")
        return Path(self._temporary.name)


_NEEDED = ("PATH", "SYSTEMROOT")  # nothing else of the environment, which may hold keys


class _Worker:
    """One thumbnailer process, restarted when it dies or takes too long."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, picture: bytes, target: Path, edges: tuple[int, int]) -> bool:
        """Make one thumbnail with these edges, see `fitted`. False if that failed."""
        process = self._process
        if process is None or process.poll() is not None:
            self.end()
            process = self._process = self._start()
        timer = Timer(_TIME_LIMIT, process.kill)
        timer.start()
        try:
            assert process.stdin  # noqa: S101 — for the type checker
            assert process.stdout  # noqa: S101 — for the type checker
            shorter, longer = edges
            job = {
                "size": len(picture), "target": str(target), "shorter": shorter, "longer": longer,
            }  # fmt: skip
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.write(picture)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if not line:
            self.end()
            return False
        return bool(json.loads(line)["ok"])

    def end(self) -> None:
        """Kill the process and close its pipes."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()

    @staticmethod
    def _start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [
                sys.executable,
                "-I",
                str(_SCRIPT),
            ],  # a script without imports of ours: starts quickly
            env={name: os.environ[name] for name in _NEEDED if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


_of_thread = local()
_pools: list[ThreadPoolExecutor] = []
_workers: list[_Worker] = []
_pools_lock = Lock()


def _pool() -> ThreadPoolExecutor:
    """The threads, each with a process of its own, shared by all archives."""
    with _pools_lock:
        if not _pools:
            atexit.register(stop)  # once is enough, and more do no harm
            _pools.append(ThreadPoolExecutor(_WORKERS, thread_name_prefix="thumbs"))
        return _pools[0]


def _worker() -> _Worker:
    if not hasattr(_of_thread, "worker"):
        _of_thread.worker = _Worker()
        with _pools_lock:
            _workers.append(_of_thread.worker)
    worker: _Worker = _of_thread.worker
    return worker


def stop() -> None:
    """Stop the processes; they are started again when needed."""
    with _pools_lock:
        pools, workers = _pools[:], _workers[:]
        _pools.clear()
        _workers.clear()
    for pool in pools:
        pool.shutdown(wait=True, cancel_futures=True)
    for worker in workers:
        worker.end()
