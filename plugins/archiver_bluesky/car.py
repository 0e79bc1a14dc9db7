"""CAR files, version 1: blocks one after the other (https://ipld.io/specs/transport/car/carv1/)."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid
from archiver_bluesky.dag_cbor import MAX_BLOCK_SIZE, decode, encode

MAX_BLOCKS = 10_000_000
_MAX_HEADER_SIZE = 64 * 1024
_CID_SIZE = 36
_MAX_VARINT_BYTES = 5


class CarFile:
    """The blocks of a CAR file, each checked against its CID.

    The file is read once from front to back, and then only where a block is asked for: held in
    memory is where each of them stands.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Read and check everything. Raises BadData."""
        self._file = file
        self._positions: dict[Cid, tuple[int, int]] = {}
        self.root = _read_root(file)
        for cid, begin, size in _read_blocks(file):
            self._positions[cid] = (begin, size)
            if len(self._positions) > MAX_BLOCKS:
                raise BadData(f"The CAR file has more than {MAX_BLOCKS:,} blocks")

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[Cid]:
        return iter(self._positions)

    def has(self, cid: Cid) -> bool:
        """Whether the file has the block of a CID."""
        return cid in self._positions

    def block(self, cid: Cid) -> bytes | None:
        """The block of a CID; None where the file does not have it."""
        if (place := self._positions.get(cid)) is None:
            return None
        self._file.seek(place[0])
        return self._file.read(place[1])


def write_car(root: Cid, blocks: Iterable[tuple[Cid, bytes]]) -> bytes:
    """A CAR file of these blocks, in their order."""
    header = encode({"roots": [root], "version": 1})
    pieces = [_varint(len(header)), header]
    for cid, block in blocks:
        pieces += (_varint(len(cid) + len(block)), cid, block)
    return b"".join(pieces)


def _read_root(file: BinaryIO) -> Cid:
    size = _read_varint(file)
    if size is None or size > _MAX_HEADER_SIZE:
        raise BadData("This is not a CAR file")
    header = decode(_read_exactly(file, size))
    if not isinstance(header, dict) or header.get("version") != 1:
        raise BadData("This is not a CAR file of version 1")
    roots = header.get("roots")
    if not isinstance(roots, list) or not roots or not isinstance(roots[0], Cid):
        raise BadData("The CAR file has no root")
    return roots[0]


def _read_blocks(file: BinaryIO) -> Iterator[tuple[Cid, int, int]]:
    """Each CID with the position and size of its block."""
    while (size := _read_varint(file)) is not None:
        if not _CID_SIZE <= size <= MAX_BLOCK_SIZE + _CID_SIZE:
            raise BadData(f"The CAR file has a block of {size:,} bytes, which is not valid")
        section = _read_exactly(file, size)
        cid, block = Cid(section[:_CID_SIZE]), section[_CID_SIZE:]
        if not cid.matches(block):
            raise BadData(f"A block does not have the hash in its CID {cid}", "hash")
        yield cid, file.tell() - len(block), len(block)


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    piece = file.read(size)
    if len(piece) != size:
        raise BadData("The CAR file ends in the middle of a block", "incomplete")
    return piece


def _read_varint(file: BinaryIO) -> int | None:
    """An unsigned LEB128 number in its shortest form; None at the end of the file."""
    number = 0
    for place in range(_MAX_VARINT_BYTES):
        byte = file.read(1)
        if not byte:
            if place:
                raise BadData("The CAR file ends in the middle of a block", "incomplete")
            return None
        number |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            if place and not byte[0]:
                raise BadData("The CAR file has a length that is not in its shortest form")
            return number
    raise BadData("The CAR file has a length that is too large")


def _varint(number: int) -> bytes:
    pieces = bytearray()
    while number > 0x7F:
        pieces.append(number & 0x7F | 0x80)
        number >>= 7
    pieces.append(number)
    return bytes(pieces)
