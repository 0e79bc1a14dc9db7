"""What the objects of a store hold."""

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import obstore

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Bucket


def names_in(bucket: "Bucket") -> list[str]:
    """All objects of a store."""
    return sorted(each["path"] for some in obstore.list(bucket) for each in some)


def objects_with(bucket: "Bucket", *marks: bytes) -> list[str]:
    """The objects in which one of the marks stands, whatever the case; packs are unpacked."""
    return [
        name for name in names_in(bucket)
        if any(mark.lower() in _unpacked(bucket, name).lower() for mark in marks)
    ]  # fmt: skip


def _unpacked(bucket: "Bucket", name: str) -> bytes:
    data = bytes(obstore.get(bucket, name).bytes())
    if not name.startswith("versions/"):
        return data
    return b"".join(_parts(data))


def _parts(data: bytes) -> Iterator[bytes]:
    """The parts of a pack, which are compressed one by one, and stand one after the other."""
    while data:
        part = zlib.decompressobj()
        yield part.decompress(data)
        data = part.unused_data
