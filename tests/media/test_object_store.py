"""Media in an object store: the contract of stores, and what only an object store can do wrong.

The quick cases use the stores in memory and in a folder that obstore has; those of the S3 API need
a server of others.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore, MemoryStore, S3Store

from archiver.errors import StorageError, UsageError
from archiver.evidence.files import MediaRow, check_file
from archiver.media.object_store import ObjectStore, open_bucket, put_new
from archiver.testing import StoreContract
from archiver.testing.store import StoreBench
from support.fleet.moto import MotoServer, moto_server


class BucketContract(StoreContract):
    """The contract over a bucket, which others can reach too."""

    def bucket(self, folder: Path) -> MemoryStore | LocalStore | S3Store:
        """The bucket of a folder; again, the same one."""
        raise NotImplementedError

    def open_store(self, folder: Path) -> ObjectStore:
        store = ObjectStore(self.bucket(folder), folder / "tmp")
        store.prepare()
        return store

    def alter(self, folder: Path, path: str, data: bytes) -> None:
        obstore.put(self.bucket(folder), path, data)

    def add_foreign(self, folder: Path, path: str) -> None:
        obstore.put(self.bucket(folder), path, b"x")


class TestInMemory(BucketContract):
    """Objects in memory."""

    _buckets: dict[Path, MemoryStore]

    def bucket(self, folder: Path) -> MemoryStore:
        self._buckets = getattr(self, "_buckets", {})
        return self._buckets.setdefault(folder, MemoryStore())


class TestInAFolder(BucketContract):
    """Objects in a folder."""

    def bucket(self, folder: Path) -> LocalStore:
        return LocalStore(folder / "bucket", mkdir=True)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.mark.peers
class TestOverTheS3Api(BucketContract):
    """Objects behind a server of others that speaks the S3 API."""

    @pytest.fixture(autouse=True)
    def _serve(self, moto: MotoServer) -> None:
        self.server = moto

    def bucket(self, folder: Path) -> S3Store:
        return self.server.bucket(folder.parent.name)

    def test_a_large_file_is_sent_in_parts(self) -> None:
        with self.bench() as bench:
            data = bytes(range(256)) * (80 << 10)
            assert bench.read(bench.put(data, "mp4")) == data


@pytest.mark.peers
class TestOnAGivenServer(BucketContract):
    """Objects in a bucket that the environment names, such as one of Ceph: see docs/fleet.md."""

    @pytest.fixture(autouse=True)
    def _prefix(self) -> None:
        if "ARCHIVER_TEST_S3" not in os.environ:
            pytest.skip(
                'set ARCHIVER_TEST_S3="ENDPOINT BUCKET KEY SECRET" to try another S3 server'
            )
        self.prefix = secrets.token_hex(8)

    def bucket(self, folder: Path) -> S3Store:
        endpoint, name, key, secret = os.environ["ARCHIVER_TEST_S3"].split()
        address = f"s3://{name}/{self.prefix}/{folder.parent.name}-{folder.name}"
        return open_bucket(address, endpoint=endpoint, key=key, secret=secret)

    def test_a_large_file_is_sent_in_parts(self) -> None:
        with self.bench() as bench:
            data = bytes(range(256)) * (80 << 10)
            assert bench.read(bench.put(data, "mp4")) == data

    def test_a_name_is_given_once(self, tmp_path: Path) -> None:
        bucket = self.bucket(tmp_path)
        assert put_new(bucket, "a", b"first") is True
        assert put_new(bucket, "a", b"second") is False
        assert bytes(obstore.get(bucket, "a").bytes()) == b"first"


@pytest.mark.peers
def test_a_server_without_conditional_requests_is_asked_what_it_has(moto: MotoServer) -> None:
    bucket = moto.bucket("unconditional", conditional_put="disabled")
    assert put_new(bucket, "a", b"first") is True
    assert put_new(bucket, "a", b"second") is False
    assert bytes(obstore.get(bucket, "a").bytes()) == b"first"


@pytest.fixture
def bench(tmp_path: Path) -> StoreBench:
    return StoreBench(TestInAFolder(), tmp_path)


def test_a_damaged_object_is_noticed_when_it_is_read(bench: StoreBench, tmp_path: Path) -> None:
    path = bench.put(b"one")
    TestInAFolder().alter(tmp_path / "store", path, b"onf")
    with pytest.raises(OSError, match="do not have the hash"):
        bench.read(path)
    sha256 = path.rpartition("/")[2].removesuffix(".jpg")
    found = check_file(bench.store, MediaRow(sha256, path, 3, None))
    assert found is not None
    assert found.what == "changed_file"


def test_a_store_that_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    store = ObjectStore(LocalStore(tmp_path / "bucket", mkdir=True), tmp_path / "tmp")
    (tmp_path / "bucket").rmdir()
    (tmp_path / "bucket").write_text("a file in its place")
    file = StoreBench(TestInMemory(), tmp_path).file(b"one")
    with pytest.raises(StorageError, match="object store") as failure:
        store.put([file])
    assert "Debug" not in str(failure.value)
    assert file.path.exists(), "a file that was not stored was removed"


def test_a_name_is_given_once() -> None:
    bucket = MemoryStore()
    assert put_new(bucket, "a", b"first") is True
    assert put_new(bucket, "a", b"second") is False
    assert bytes(obstore.get(bucket, "a").bytes()) == b"first"


@pytest.mark.parametrize("address", ["", "bucket", "s3://", "s3:///x", "https://x.example/b"])
def test_what_is_no_address_of_a_bucket_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="s3://bucket"):
        open_bucket(address)
