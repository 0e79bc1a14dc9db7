"""Strict DAG-CBOR: each value has one encoding (https://ipld.io/specs/codecs/dag-cbor/spec/).

Values are None, bool, int, float, str, bytes, Cid, lists, and dicts with str keys.
"""

import math
import struct
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid

MAX_BLOCK_SIZE = 2 * 1024 * 1024
"""Bytes of one block. Records may have 1 MiB (https://atproto.com/specs/repository)."""

_MAX_DEPTH = 128
_LINK = 42  # the only tag
_INTEGER, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_SHORT, _LONGEST_ARGUMENT = 24, 27
_FALSE, _TRUE, _NULL, _FLOAT = 20, 21, 22, 27


def decode(data: bytes) -> Any:
    """The value of a whole block. Raises BadData for anything but canonical DAG-CBOR."""
    if len(data) > MAX_BLOCK_SIZE:
        raise BadData(f"A block has {len(data):,} bytes, more than the {MAX_BLOCK_SIZE:,} allowed")
    value, end = _decode(data, 0, 0)
    if end != len(data):
        raise BadData("A block has bytes after its end")
    return value


def decode_first(data: bytes) -> tuple[Any, int]:
    """The first value in the data, and its size in bytes. Raises BadData."""
    return _decode(data, 0, 0)


def _decode(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """The value at a position, and the position after it."""
    if depth > _MAX_DEPTH:
        raise BadData(f"A block is nested deeper than {_MAX_DEPTH} levels")
    if at >= len(data):
        raise BadData("A block ends too early")
    major, argument = data[at] >> 5, data[at] & 31
    if major == _SIMPLE:
        return _simple(data, at, argument)
    number, at = _argument(data, at + 1, argument)
    return _READERS[major](data, at, number, depth)


def _integer(_: bytes, at: int, number: int, __: int) -> tuple[int, int]:
    return number, at


def _negative(_: bytes, at: int, number: int, __: int) -> tuple[int, int]:
    return -1 - number, at


def _bytes(data: bytes, at: int, size: int, _: int) -> tuple[bytes, int]:
    return data[at : at + _within(data, at, size)], at + size


def _text(data: bytes, at: int, size: int, _: int) -> tuple[str, int]:
    try:
        return data[at : at + _within(data, at, size)].decode(), at + size
    except UnicodeDecodeError:
        raise BadData("A block has text that is not UTF-8") from None


def _list(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(_within(data, at, count)):
        item, at = _decode(data, at, depth + 1)
        items.append(item)
    return items, at


def _within(data: bytes, at: int, count: int) -> int:
    """A number of bytes or items; raises BadData where the data is too short for them."""
    if count > len(data) - at:
        raise BadData("A block ends too early")
    return count


def _argument(data: bytes, at: int, argument: int) -> tuple[int, int]:
    if argument < _SHORT:
        return argument, at
    if argument > _LONGEST_ARGUMENT:
        raise BadData("A block has an item without a length, or of a reserved kind")
    size = 1 << (argument - _SHORT)
    number = int.from_bytes(data[at : at + size], "big")
    if len(data) < at + size:
        raise BadData("A block ends too early")
    if number < (_SHORT if size == 1 else 1 << (4 * size)):
        raise BadData("A block has a number that is not in its shortest form")
    return number, at + size


def _simple(data: bytes, at: int, argument: int) -> tuple[Any, int]:
    if argument in {_FALSE, _TRUE}:
        return argument == _TRUE, at + 1
    if argument == _NULL:
        return None, at + 1
    if argument == _FLOAT and len(data) >= at + 9:
        number: float = struct.unpack_from(">d", data, at + 1)[0]
        if math.isfinite(number):
            return number, at + 9
    raise BadData("A block has a simple value that DAG-CBOR does not have")


def _link(data: bytes, at: int, tag: int, _: int) -> tuple[Cid, int]:
    if tag != _LINK:
        raise BadData(f"A block has the tag {tag}, and only links are allowed")
    value, end = _decode(data, at, _MAX_DEPTH)
    if not isinstance(value, bytes) or value[:1] != b"\0":
        raise BadData("A block has a link that is not a CID")
    return Cid(value[1:]), end


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    last = (-1, b"")
    for _ in range(_within(data, at, count)):
        begin = at
        key, at = _decode(data, at, depth + 1)
        if not isinstance(key, str):
            raise BadData("A block has a key that is not text")
        order = (len(key.encode()), data[begin:at])
        if order <= last:
            raise BadData("A block has keys that are repeated or not in order")
        last = order
        found[key], at = _decode(data, at, depth + 1)
    return found, at


_READERS: tuple[Callable[[bytes, int, int, int], tuple[Any, int]], ...] = (
    _integer, _negative, _bytes, _text, _list, _map, _link,
)  # fmt: skip
"""Readers by major type; arguments: data, position, the item's number, depth."""


def encode(value: Any) -> bytes:
    """The canonical encoding of a value. Raises BadData for what DAG-CBOR cannot hold."""
    pieces: list[bytes] = []
    _encode(value, pieces.append, 0)
    return b"".join(pieces)


def _encode(value: Any, write: Callable[[bytes], object], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise BadData(f"A value is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, dict):
        write(_head(_MAP, len(value)))
        for key, item in sorted(
            ((_key(key), item) for key, item in value.items()), key=itemgetter(0)
        ):
            write(_head(_TEXT, key[0]) + key[1])
            _encode(item, write, depth + 1)
    elif isinstance(value, list | tuple):
        write(_head(_LIST, len(value)))
        for item in value:
            _encode(item, write, depth + 1)
    else:
        write(_encode_plain(value))


def _encode_plain(value: Any) -> bytes:
    """The encoding of a value that contains no other values."""
    if value is None or isinstance(value, bool):
        return _SIMPLES[value]
    if isinstance(value, int):
        return _head(_INTEGER, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, str):
        text = _utf8(value)
        return _head(_TEXT, len(text)) + text
    if isinstance(value, bytes):
        is_link = isinstance(value, Cid)
        head = b"\xd8\x2a\x58\x25\x00" if is_link else _head(_BYTES, len(value))
        return head + bytes(value)
    if isinstance(value, float) and math.isfinite(value):
        return b"\xfb" + struct.pack(">d", value)
    raise BadData(f"DAG-CBOR cannot hold this {type(value).__name__}")


_SIMPLES = {None: b"\xf6", True: b"\xf5", False: b"\xf4"}


def _key(key: object) -> tuple[int, bytes]:
    """A key as maps are sorted: shorter ones first."""
    if not isinstance(key, str):
        raise BadData("A key is not text")
    text = _utf8(key)
    return len(text), text


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadData("Text has a lone surrogate") from None


def _head(major: int, number: int) -> bytes:
    """The first bytes of an item: its kind, and a number in its shortest form."""
    if number < _SHORT:
        return bytes((major << 5 | number,))
    for place, size in enumerate((1, 2, 4, 8)):
        if number < 1 << (8 * size):
            return bytes((major << 5 | _SHORT + place,)) + number.to_bytes(size, "big")
    raise BadData("A whole number has more than 64 bits")
