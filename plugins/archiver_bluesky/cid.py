"""CIDs: identifiers of data by its SHA-256.

See https://atproto.com/specs/data-model#link-and-cid-formats. The AT protocol has one kind of hash
and two kinds of content: blocks in DAG-CBOR, and raw files.
"""

import base64
import hashlib
import re

from archiver_bluesky.baddata import BadData

_BLOCK = b"\x01\x71\x12\x20"  # version 1, dag-cbor, SHA-256 of 32 bytes
_FILE = b"\x01\x55\x12\x20"  # version 1, raw, SHA-256 of 32 bytes
_TEXT = re.compile(r"b[a-z2-7]{58}", re.ASCII)


class Cid(bytes):
    """A CID in its binary form, 36 bytes; `str()` is the form that people see, `bafyrei…`."""

    __slots__ = ()

    def __new__(cls, binary: bytes) -> "Cid":
        """Check the form. Raises BadData."""
        if len(binary) != 36 or not binary.startswith((_BLOCK, _FILE)):
            raise BadData("A CID is not in the form that the AT protocol uses")
        return super().__new__(cls, binary)

    def __str__(self) -> str:
        return "b" + base64.b32encode(self).decode().rstrip("=").lower()

    def __repr__(self) -> str:
        return f"Cid({self})"

    @property
    def is_block(self) -> bool:
        """Whether it names a block in DAG-CBOR, and not a file."""
        return self.startswith(_BLOCK)

    @property
    def sha256(self) -> bytes:
        """The hash of the bytes that it names, 32 bytes."""
        return self[4:]

    def matches(self, data: bytes) -> bool:
        """Whether it is the CID of these bytes."""
        return hashlib.sha256(data).digest() == self[4:]


def cid_of_block(block: bytes) -> Cid:
    """The CID of a block in DAG-CBOR."""
    return Cid(_BLOCK + hashlib.sha256(block).digest())


def cid_of_file(data: bytes) -> Cid:
    """The CID of a file."""
    return Cid(_FILE + hashlib.sha256(data).digest())


def parse_cid(text: object) -> Cid:
    """A CID from its text, `bafyrei…` or `bafkrei…`. Raises BadData."""
    if not isinstance(text, str) or not _TEXT.fullmatch(text):
        raise BadData("A CID is not in the form that the AT protocol uses")
    cid = Cid(base64.b32decode(text[1:].upper() + "======"))
    if str(cid) != text:  # the last letter has bits to spare
        raise BadData("A CID is not in its canonical form")
    return cid
