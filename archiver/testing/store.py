"""The contract of a media store, executable: the suite that every kind of store passes.

    class TestFolderStore(StoreContract):
        def open_store(self, folder):
            store = FolderStore(folder)
            store.prepare()
            return store

pytest finds its tests by their names; this module itself needs no pytest. A case that does not
apply to a kind of store is skipped, and says why.
"""

# ruff: noqa: S101 — these assertions are the product

import hashlib
import itertools
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest

from archiver.errors import StorageError
from archiver.media.store import ByteRange, MediaStore, StoredFile, stored_path

_HASH = "ab" * 32
FOREIGN_PATHS = (
    "", ".", "archive.db", "media", "media/..", "media/../archive.db", f"/media/ab/{_HASH}.jpg",
    f"media/ff/{_HASH}.jpg", f"media/ab/{_HASH}", f"media/ab/{_HASH}.JPG",
    f"media/ab/{_HASH}.jpg\n", f"media/ab/../ab/{_HASH}.jpg", f"media\\ab\\{_HASH}.jpg",
    f"media/ab/{_HASH}.jpg/x", f"media/ab/{_HASH}.jpg\0", "media/ab/" + "AB" * 32 + ".jpg",
)  # fmt: skip
"""What no store takes for the path of a file."""
_FOREIGN_NAMES = (
    ("A" * 64, "jpg"), ("a" * 63, "jpg"), ("../" + "a" * 61, "jpg"), ("a" * 64, "../x"),
    ("a" * 64, ""), ("a" * 64, "JPG"), ("a" * 64 + "\n", "jpg"), ("a" * 64, "jpg\n"),
)  # fmt: skip
_MANY = 40


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A temporary file as a store takes it over."""

    path: Path
    sha256: str
    size: int
    extension: str


class StoreBench:
    """A store in a folder of its own, and temporary files for it."""

    def __init__(self, contract: "StoreContract", folder: Path) -> None:
        self.folder = folder
        self._tmp = folder / "incoming"
        self._tmp.mkdir()
        self._numbers = iter(range(10**9))
        self._contract = contract
        self.store = self.open()

    def open(self) -> MediaStore:
        """The store, opened anew."""
        return self._contract.open_store(self.folder / "store")

    def file(self, data: bytes, extension: str = "jpg") -> SampleFile:
        """A temporary file with these bytes."""
        path = self._tmp / f"{next(self._numbers)}.part"
        path.write_bytes(data)
        return SampleFile(path, hashlib.sha256(data).hexdigest(), len(data), extension)

    def put(self, data: bytes, extension: str = "jpg") -> str:
        """Put a file with these bytes; its path in the store."""
        file = self.file(data, extension)
        assert self.store.put([file]) == [], "a file that is new replaces a damaged one"
        return path_of(file)

    def read(self, path: str, part: ByteRange | None = None) -> bytes:
        """What the store gives out."""
        with self.store.open(path, part) as stream:
            return stream.readall()

    def listed(self) -> list[StoredFile]:
        """What the store has of our making."""
        return [file for file in self.store.list() if file.sha256 is not None]


def path_of(file: SampleFile) -> str:
    """Where a store keeps a file."""
    return stored_path(file.sha256, file.extension)


class StoreContract:
    """What every media store keeps. Subclass it, name it `Test…`, and say how one is opened."""

    def open_store(self, folder: Path) -> MediaStore:
        """A store that keeps its files in `folder`, or under its name; again, the same store."""
        raise NotImplementedError

    def alter(self, folder: Path, path: str, data: bytes) -> None:  # noqa: ARG002 — for subclasses
        """Give a stored file other bytes, behind the back of the store."""
        raise SkipTest("nobody but the store can alter its files")

    def add_foreign(self, folder: Path, path: str) -> None:  # noqa: ARG002 — for subclasses
        """Put something under a path of no file of ours."""
        raise SkipTest("nobody but the store can put anything there")

    @contextmanager
    def bench(self) -> Iterator[StoreBench]:
        """A new, empty store."""
        with tempfile.TemporaryDirectory() as folder:
            yield StoreBench(self, Path(folder))

    # Putting and reading

    def test_what_was_put_is_given_out(self) -> None:
        """Bytes, size and hash are those that were put, and the temporary files are gone."""
        with self.bench() as bench:
            files = [bench.file(b"one"), bench.file(b"two", "mp4"), bench.file(b"")]
            assert bench.store.put(files) == []
            for file, data in zip(files, (b"one", b"two", b""), strict=True):
                assert bench.read(path_of(file)) == data
                expected = StoredFile(path_of(file), file.sha256, len(data))
                assert bench.store.stat(path_of(file)) == expected
                assert not file.path.exists(), "a temporary file was left behind"
            assert sorted(bench.listed(), key=lambda file: file.path) == bench.listed()
            assert {file.path for file in bench.listed()} == set(map(path_of, files))

    def test_an_empty_store_has_nothing(self) -> None:
        """Nothing is listed, known or given out; nothing put is nothing done."""
        with self.bench() as bench:
            assert bench.store.put([]) == []
            assert [*bench.store.list()] == []
            path = stored_path(_HASH, "jpg")
            assert bench.store.stat(path) is None
            assert bench.store.delete(path) is False
            _raises(FileNotFoundError, lambda: bench.store.open(path))

    def test_a_range_of_paths_is_listed(self) -> None:
        """From a path on, and before another; all ranges together are everything."""
        with self.bench() as bench:
            for number in range(_MANY):
                bench.put(str(number).encode())
            paths = [file.path for file in bench.listed()]
            names = [path.removeprefix("media/") for path in paths]
            ends = ("", names[7], names[20][:2], f"{names[30]}0", None)
            found = [
                [file.path for file in bench.store.list(first or "", end)]
                for first, end in itertools.pairwise(ends)
            ]
            assert all(found)
            assert [path for some in found for path in some] == paths

    def test_it_survives_its_process(self) -> None:
        """Another store over the same place has the same files."""
        with self.bench() as bench:
            path = bench.put(b"one")
            bench.store = bench.open()
            assert bench.read(path) == b"one"
            assert [file.path for file in bench.listed()] == [path]

    def test_equal_bytes_are_stored_once(self) -> None:
        """In one batch, and when they come again."""
        with self.bench() as bench:
            files = [bench.file(b"one"), bench.file(b"one")]
            assert bench.store.put(files) == []
            again = bench.file(b"one")
            assert bench.store.put([again]) == []
            assert len(bench.listed()) == 1
            assert not any(file.path.exists() for file in (*files, again))

    def test_parts_of_a_file_are_given_out(self) -> None:
        """As many bytes as are asked for, from where they are asked for."""
        data = bytes(range(256)) * 1000
        with self.bench() as bench:
            path = bench.put(data)
            for start, end in (
                (0, 1),
                (10, 20),
                (len(data) - 7, len(data)),
                (0, len(data)),
                (5, 5),
            ):
                assert bench.read(path, ByteRange(start, end)) == data[start:end], (start, end)
            with bench.store.open(path, ByteRange(100, 300)) as stream:
                pieces = iter(lambda: stream.read(64), b"")
                assert b"".join(piece or b"" for piece in pieces) == data[100:300]

    def test_many_threads_may_read_while_files_are_put(self) -> None:
        """What was put is there for every thread, also where batches have files in common."""
        with self.bench() as bench:
            batches = [
                [bench.file(f"{number} {part}".encode()) for part in range(3)]
                + [bench.file(f"common {number % 2}".encode())]
                for number in range(_MANY)
            ]
            with ThreadPoolExecutor(8) as pool:
                readings = []
                for batch in batches:
                    bench.store.put(batch)
                    readings += [pool.submit(bench.store.stat, path_of(file)) for file in batch]
                assert all(reading.result() for reading in readings)
            assert len(bench.listed()) == 3 * _MANY + 2

    def test_a_file_that_is_not_there_cannot_be_put(self) -> None:
        """The whole batch fails, and the same files may be put again."""
        with self.bench() as bench:
            files = [bench.file(b"one"), bench.file(b"two")]
            files[1].path.unlink()
            _raises(StorageError, lambda: bench.store.put(files))
            again = [bench.file(b"one"), bench.file(b"two")]
            assert bench.store.put(again) == []
            assert [bench.read(path_of(file)) for file in again] == [b"one", b"two"]

    # Damage

    def test_a_damaged_file_is_replaced_and_not_lost(self) -> None:
        """Whatever its size is; the hash of what was replaced is returned."""
        for data in (b"onf", b"longer", b""):
            with self.bench() as bench:
                path = bench.put(b"one")
                self.alter(bench.folder / "store", path, data)
                assert bench.store.put([new := bench.file(b"one")]) == [new.sha256]
                assert bench.read(path) == b"one"
                assert len(bench.listed()) == 1, "what was damaged is still listed"

    def test_a_file_in_quarantine_is_out_of_the_way(self) -> None:
        """It is neither listed nor given out, and the same bytes may be put again; as often."""
        with self.bench() as bench:
            places = set()
            for _ in range(2):
                path = bench.put(b"one")
                places.add(bench.store.quarantine(path))
                assert bench.store.stat(path) is None
                assert bench.listed() == []
                assert {*bench.store.quarantined()} == places
                _raises(FileNotFoundError, lambda path=path: bench.store.open(path))
                _raises(StorageError, lambda path=path: bench.store.quarantine(path))
            assert len(places) == 2, "one file took another's place in quarantine"

    def test_a_deleted_file_is_gone(self) -> None:
        """And only that one."""
        with self.bench() as bench:
            path, other = bench.put(b"one"), bench.put(b"two")
            assert bench.store.delete(path) is True
            assert bench.store.delete(path) is False
            assert [file.path for file in bench.listed()] == [other]

    # Paths

    def test_no_path_leads_anywhere_else(self) -> None:
        """A row of an archive from elsewhere may say anything."""
        with self.bench() as bench:
            path = bench.put(b"one")
            for wrong in FOREIGN_PATHS:
                for method in (bench.store.open, bench.store.stat, bench.store.quarantine):
                    _raises(StorageError, lambda m=method, w=wrong: m(w))
            for wrong in ("media/..", "media/../x", "x/ab/y", "/etc/passwd", "media/a/b/c", ""):
                _raises(StorageError, lambda w=wrong: bench.store.delete(w))
            for sha256, extension in _FOREIGN_NAMES:
                file = bench.file(b"x")
                wrong_file = SampleFile(file.path, sha256, 1, extension)
                _raises(ValueError, lambda f=wrong_file: bench.store.put([f]))
            assert [file.path for file in bench.listed()] == [path]

    def test_what_is_none_of_ours_is_listed_as_such(self) -> None:
        """It has no hash; it may be deleted."""
        names = ("media/ab/stray.txt", f"media/ab/{_HASH}.JPG", "media/notes")
        for name in names:
            with self.bench() as bench:
                path = bench.put(b"one")
                self.add_foreign(bench.folder / "store", name)
                found = {file.path: file.sha256 for file in bench.store.list()}
                assert found.keys() == {name, path}
                assert found[name] is None
                assert bench.store.delete(name) is True
                assert [file.path for file in bench.store.list()] == [path]


def _raises(kind: type[Exception], action: object) -> None:
    assert callable(action)
    try:
        action()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__} was raised")
