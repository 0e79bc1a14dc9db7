"""Paths of stored files: made from hashes, and nothing else is one."""

import hashlib
import io

import pytest

from archiver.errors import StorageError
from archiver.media import store
from archiver.media.store import (
    ByteRange,
    check_listed,
    check_path,
    hash_in_path,
    hash_stream,
    stored_path,
)

SHA256 = "ab" + "0" * 62
PATH = f"media/ab/{SHA256}.jpg"


def test_a_path_is_made_of_the_hash_and_the_extension_and_says_them_again() -> None:
    assert stored_path(SHA256, "jpg") == PATH
    assert hash_in_path(PATH) == SHA256
    check_path(PATH)


@pytest.mark.parametrize(
    ("sha256", "extension"),
    [
        (SHA256.upper(), "jpg"), (SHA256[1:], "jpg"), (f"{SHA256}0", "jpg"), (f"{SHA256}\n", "jpg"),
        ("٠" * 64, "jpg"), (SHA256, ""), (SHA256, "JPG"), (SHA256, "tar.gz"), (SHA256, "../x"),
        (SHA256, "jpg\n"), (SHA256, "a" * 9),
    ],
)  # fmt: skip
def test_no_other_hash_or_extension_makes_a_path(sha256: str, extension: str) -> None:
    with pytest.raises(ValueError, match="not the name of a stored file"):
        stored_path(sha256, extension)


@pytest.mark.parametrize(
    "path",
    [
        "", "media", f"media/cd/{SHA256}.jpg", f"media/{SHA256}.jpg", f"/{PATH}", f"../{PATH}",
        f"media/../{PATH}", PATH.upper(), f"{PATH}\n", f"media/ab/{SHA256}", f"media/ab/{SHA256}.",
        f"media\\ab\\{SHA256}.jpg", f"quarantine/{SHA256}.jpg",
    ],
)  # fmt: skip
def test_anything_else_is_no_path_of_a_stored_file(path: str) -> None:
    assert hash_in_path(path) is None
    with pytest.raises(StorageError, match="is not the path of a stored file"):
        check_path(path)


@pytest.mark.parametrize("path", [PATH, "media/odd name", "media/ab/Thumbs.db"])
def test_whatever_lies_in_the_store_may_be_deleted(path: str) -> None:
    check_listed(path)


@pytest.mark.parametrize(
    "path",
    ["", "media", "media/", "media/ab/", "media/../x", "media/./x", "media/a/b/c", "/media/x",
     "archive.db", "media/a\\b", "media/c:x", "media/a\0b", "media/ab/.."],
)  # fmt: skip
def test_nothing_out_of_the_store_may_be_deleted(path: str) -> None:
    with pytest.raises(StorageError, match="is not in the store"):
        check_listed(path)


@pytest.mark.parametrize("size", [0, 1, 4, 5, 1000])
def test_a_stream_is_hashed_to_its_end(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CHUNK_SIZE", 4)
    monkeypatch.delattr(store._thread_local, "buffer", raising=False)
    data = bytes(range(256)) * 4
    stream = io.BytesIO(data[:size])
    expected = hashlib.sha256(data[:size]).hexdigest()
    assert hash_stream(stream, from_disk=False) == (expected, size)  # type: ignore[arg-type]  # raw enough
    monkeypatch.delattr(store._thread_local, "buffer", raising=False)


def test_a_range_ends_before_its_end() -> None:
    assert ByteRange(2, 5).length == 3
