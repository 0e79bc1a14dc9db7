"""A media store in a bucket with the S3 API, or in any other store that `obstore` knows.

media/ab/abcdef….jpg     an object for each file, named by the SHA-256 of its bytes
quarantine/              damaged objects: their bytes do not have the hash in their name

A file is made only where there is none of its name (`If-None-Match: *`). Servers without
conditional requests are asked first what they have: two writers then store the same bytes twice,
which changes nothing. Failed requests are repeated by `obstore`, with a growing pause.
"""

import errno
import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from archiver.errors import StorageError, UsageError
from archiver.media.disk import make_directory, storage_error
from archiver.media.store import (
    ByteRange,
    IncomingFile,
    StoredFile,
    check_listed,
    check_path,
    hash_in_path,
    hash_stream,
    stored_path,
)

try:
    import obstore
    from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError
    from obstore.store import S3Store
except ImportError as error:
    raise UsageError(
        "Object stores need the extra fleet",
        hint="Install it with: pip install 'social-archiver[fleet]'",
    ) from error

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Bucket

__all__ = ["ObjectStore", "bucket_errors", "open_bucket", "put_new"]

_THREADS = 8
_PART_SIZE = 8 << 20
"""Bytes of a part of a multipart upload; smaller files are sent in one request."""
_RETRIES = 8
_RETRY_TIMEOUT = timedelta(minutes=2)
_UNREACHABLE = errno.ESTALE
"""As of a file server that cannot be reached: it does not mean that a file is damaged."""
_T = TypeVar("_T")


def open_bucket(
    address: str, *, endpoint: str | None = None, key: str | None = None, secret: str | None = None
) -> "S3Store":
    """The bucket of an address, `s3://bucket/prefix`; everything lies below its prefix.

    What is not given is taken from `AWS_ENDPOINT`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and the other
    variables of that kind. Uploads carry their SHA-256 for the server to check. Raises UsageError.
    """
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not bucket:
        raise UsageError(f"{address} is no address of a bucket", hint="Write s3://bucket/prefix")
    given = {"endpoint": endpoint, "access_key_id": key, "secret_access_key": secret}
    return S3Store(
        bucket,
        prefix=prefix.strip("/") or None,
        config={"checksum_algorithm": "SHA256"}
        | {name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]  # names are of its keys
        client_options={"allow_http": (endpoint or "").startswith("http://")},
        retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_TIMEOUT},
    )


class ObjectStore:
    """The media of one archive in a bucket: a MediaStore.

    Files to be put are written to the folder `tmp` of this machine first.
    """

    def __init__(self, bucket: "Bucket", tmp: Path) -> None:
        self.tmp = tmp
        self._bucket = bucket

    def prepare(self) -> None:
        """Make the folder for temporary files, and remove what an interrupted run left in it.

        To be called once before anything is put. Raises StorageError.
        """
        try:
            self.tmp.parent.mkdir(parents=True, exist_ok=True)
            make_directory(self.tmp)
            for entry in self.tmp.iterdir():
                if not entry.is_dir() or entry.is_symlink():
                    entry.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, f"use {self.tmp}") from error

    def put(self, files: Sequence[IncomingFile], /) -> list[str]:
        """Upload files, several at once, and remove them here when all are stored."""
        by_path = {stored_path(file.sha256, file.extension): file for file in files}
        with ThreadPoolExecutor(_THREADS) as pool:
            damaged = [*pool.map(self._put, by_path, by_path.values())]
        for file in files:
            file.path.unlink(missing_ok=True)
        return [file.sha256 for file, is_damaged in zip(by_path.values(), damaged, strict=True)
                if is_damaged]  # fmt: skip

    def _put(self, path: str, file: IncomingFile) -> bool:
        """Upload a file; whether one of its name was there, and damaged."""
        with bucket_errors(f"store {path}"):
            if file.size <= _PART_SIZE:
                if put_new(self._bucket, path, file.path):
                    return False
            elif self.stat(path) is None:  # an upload in parts cannot be conditional
                self._overwrite(path, file)
                return False
            if self._is_intact(path, file):
                return False
        self.quarantine(path)
        with bucket_errors(f"store {path}"):
            self._overwrite(path, file)
        return True

    def _overwrite(self, path: str, file: IncomingFile) -> None:
        obstore.put(self._bucket, path, file.path, mode="overwrite", chunk_size=_PART_SIZE)
        found = obstore.head(self._bucket, path)["size"]
        if found != file.size:
            raise StorageError(f"The object store has {found:,} bytes of {path}, not {file.size:,}")

    def _is_intact(self, path: str, file: IncomingFile) -> bool:
        """Whether the object has the bytes of its name: the right size alone proves nothing."""
        stream = _ObjectStream(lambda: obstore.get(self._bucket, path).stream(), expected=None)
        return hash_stream(stream) == (file.sha256, file.size)

    def open(self, path: str, part: ByteRange | None = None, /) -> RawIOBase:
        """The bytes of a file, or a part of them.

        Reading a whole file to its end raises OSError where its bytes do not have its hash: no
        server that was tried checks what it stores.
        """
        check_path(path)
        if part is not None and not part.length:
            return _ObjectStream(lambda: iter(()), expected=None)
        with _os_errors(path):
            if part is None:
                found = obstore.get(self._bucket, path)
            else:
                options = {"range": (part.start, part.end)}
                found = obstore.get(self._bucket, path, options=options)  # type: ignore[arg-type]  # a TypedDict
        expected = hash_in_path(path) if part is None else None
        return _ObjectStream(found.stream, expected)

    def stat(self, path: str, /) -> StoredFile | None:
        """The size of a file; None where there is none."""
        check_path(path)
        with bucket_errors(f"look for {path}"):
            try:
                return StoredFile(
                    path, hash_in_path(path), obstore.head(self._bucket, path)["size"]
                )
            except FileNotFoundError:
                return None

    def list(self, first: str = "", end: str | None = None, /) -> Iterator[StoredFile]:
        """Every object below `media/`, or those of a range of paths there."""

        def is_in(path: str) -> bool:
            name = path.removeprefix("media/")
            return first <= name and (end is None or name < end)

        with bucket_errors("list the media"):
            top = obstore.list_with_delimiter(self._bucket, "media")
            places: dict[str, int | None] = dict.fromkeys(top["common_prefixes"])
            places |= {found["path"]: found["size"] for found in top["objects"]}
            for place, size in sorted(places.items()):
                if size is not None:
                    if is_in(place):
                        yield StoredFile(place, hash_in_path(place), size)
                    continue
                folder = place.removeprefix("media/")
                if f"{folder}0" <= first or (end is not None and f"{folder}/" >= end):
                    continue
                objects = {
                    found["path"]: found["size"]
                    for some in obstore.list(self._bucket, place)
                    for found in some
                }
                for path, length in sorted(objects.items()):
                    if is_in(path):
                        yield StoredFile(path, hash_in_path(path), length)

    def quarantine(self, path: str, /) -> str:
        """Move an object to `quarantine/`; its new name."""
        check_path(path)
        target = f"quarantine/{path.rpartition('/')[2]}.{secrets.token_hex(8)}"
        with bucket_errors(f"move {path} to {target}"):
            obstore.copy(self._bucket, path, target)
            obstore.delete(self._bucket, path)
        return target

    def quarantined(self) -> Iterator[str]:
        """Every object below `quarantine/`."""
        with bucket_errors("list the quarantine"):
            for some in obstore.list(self._bucket, "quarantine"):
                yield from sorted(each["path"] for each in some)

    def delete(self, path: str, /) -> bool:
        """Delete an object."""
        check_listed(path)
        with bucket_errors(f"delete {path}"):
            try:
                obstore.head(self._bucket, path)
            except FileNotFoundError:
                return False
            obstore.delete(self._bucket, path)
        return True


def put_new(bucket: "Bucket", path: str, data: Path | bytes) -> bool:
    """Make an object whose name is free; False where there is one of that name.

    Raises StorageError, or what `bucket_errors` turns into one.
    """
    try:
        obstore.put(bucket, path, data, mode="create")
    except AlreadyExistsError:
        return False
    except (BaseError, NotImplementedError) as error:
        if not _is_unconditional(error):
            raise
        with suppress(FileNotFoundError):
            obstore.head(bucket, path)
            return False
        obstore.put(bucket, path, data, mode="overwrite")
    return True


def _is_unconditional(error: Exception) -> bool:
    """Whether the server has no conditional requests: it answers 501, or obstore knows it."""
    return isinstance(error, NotSupportedError | NotImplementedError) or any(
        sign in str(error) for sign in ("501 Not Implemented", "NotImplemented")
    )


class _ObjectStream(RawIOBase):
    """The bytes of an object, as they arrive. `expected` is the SHA-256 of all of them, or None."""

    def __init__(self, start: Callable[[], Iterator[object]], expected: str | None) -> None:
        self._chunks = iter(start())
        self._rest = memoryview(b"")
        self._expected = expected
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # typeshed names a wider type
        with _os_errors("an object"):
            while not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    self._check()
                    return 0
                self._rest = memoryview(bytes(chunk))  # type: ignore[call-overload]  # its Bytes is a buffer
                if self._expected is not None:
                    self._digest.update(self._rest)
        count = min(len(buffer), len(self._rest))
        memoryview(buffer)[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _check(self) -> None:
        if self._expected is not None and self._digest.hexdigest() != self._expected:
            raise OSError(errno.EBADMSG, "Its bytes do not have the hash in its name")


@contextmanager
def _os_errors(path: str) -> Iterator[None]:
    """Raise OSError for what an object store answers, as reading a file does."""
    try:
        yield
    except (BaseError, NotImplementedError) as error:
        raise OSError(_UNREACHABLE, _first_line(error), path) from error


@contextmanager
def bucket_errors(doing: str) -> Iterator[None]:
    """Raise StorageError for what an object store answers. `doing` completes "Cannot …"."""
    try:
        yield
    except (BaseError, NotImplementedError, OSError) as error:
        raise StorageError(
            f"Cannot {doing} in the object store",
            why=_first_line(error),
            kept="What was stored before is safe",
            hint="Check its address, its keys and that it answers, then run this again",
        ) from error


def _first_line(error: Exception) -> str:
    """What happened, without the long description for developers below it."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
