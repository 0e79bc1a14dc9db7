"""CAR files, version 1: blocks one after the other (https://ipld.io/specs/transport/car/carv1/)."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid
from archiver_bluesky.dag_cbor import LARGEST_BLOCK, decode, encode

MOST_BLOCKS = 10_000_000
_LARGEST_HEADER = 64 * 1024
_CID_SIZE = 36
_MOST_VARINT_BYTES = 5


class CarFile:
    """The blocks of a CAR file, each of which is what its CID says.

    The file is read once from front to back, and then only where a block is asked for: held in
    memory is where each of them stands.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Read and check everything. Raises BadData."""
        self._file = file
        self._places: dict[Cid, tuple[int, int]] = {}
        self.root = _read_root(file)
        for cid, begin, size in _read_blocks(file):
            self._places[cid] = (begin, size)
            if len(self._places) > MOST_BLOCKS:
                raise BadData(f"The CAR file has more than {MOST_BLOCKS:,} blocks")

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Cid]:
        return iter(self._places)

    def has(self, cid: Cid) -> bool:
        """Whether the file holds the bytes that a CID names."""
        return cid in self._places

    def block(self, cid: Cid) -> bytes | None:
        """The bytes that a CID names; None where the file does not hold them."""
        if (place := self._places.get(cid)) is None:
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
    if size is None or size > _LARGEST_HEADER:
        raise BadData("This is not a CAR file")
    header = decode(_read_exactly(file, size))
    if not isinstance(header, dict) or header.get("version") != 1:
        raise BadData("This is not a CAR file of version 1")
    roots = header.get("roots")
    if not isinstance(roots, list) or not roots or not isinstance(roots[0], Cid):
        raise BadData("The CAR file has no root")
    return roots[0]


def _read_blocks(file: BinaryIO) -> Iterator[tuple[Cid, int, int]]:
    """Each CID, and where its block begins and how many bytes it has."""
    while (size := _read_varint(file)) is not None:
        if not _CID_SIZE <= size <= LARGEST_BLOCK + _CID_SIZE:
            raise BadData(f"The CAR file has a block of {size:,} bytes, which cannot be")
        section = _read_exactly(file, size)
        cid, block = Cid(section[:_CID_SIZE]), section[_CID_SIZE:]
        if not cid.names(block):
            raise BadData(f"A block is not what its CID says: {cid}", "hash")
        yield cid, file.tell() - len(block), len(block)


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    piece = file.read(size)
    if len(piece) != size:
        raise BadData("The CAR file ends in the middle of a block", "incomplete")
    return piece


def _read_varint(file: BinaryIO) -> int | None:
    """An unsigned LEB128 number in its shortest form; None at the end of the file."""
    number = 0
    for place in range(_MOST_VARINT_BYTES):
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
    raise BadData("The CAR file has a length that cannot be")


def _varint(number: int) -> bytes:
    pieces = bytearray()
    while number > 0x7F:
        pieces.append(number & 0x7F | 0x80)
        number >>= 7
    pieces.append(number)
    return bytes(pieces)
