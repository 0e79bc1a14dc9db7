"""CAR files: every block is checked, whatever stands around it."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver_bluesky.baddata import BadData
from archiver_bluesky.car import CarFile, write_car
from archiver_bluesky.cid import cid_of_block
from archiver_bluesky.dag_cbor import encode

BLOCKS = [encode({"text": "a" * size}) for size in (0, 1, 200, 20_000)]
ENTRIES = [(cid_of_block(block), block) for block in BLOCKS]
CAR = write_car(ENTRIES[0][0], ENTRIES)


def read(data: bytes) -> CarFile:
    return CarFile(io.BytesIO(data))


def test_blocks_come_back() -> None:
    car = read(CAR)
    assert car.root == ENTRIES[0][0]
    assert list(car) == [cid for cid, _ in ENTRIES]
    assert [car.block(cid) for cid in car] == BLOCKS
    assert car.block(cid_of_block(b"\xf6")) is None


def test_a_file_without_blocks_is_a_file() -> None:
    assert len(read(write_car(ENTRIES[0][0], []))) == 0


def test_a_flipped_bit_in_a_block_is_found() -> None:
    place = CAR.index(b"a" * 200) + 100
    for bit in range(8):
        flipped = bytearray(CAR)
        flipped[place] ^= 1 << bit
        with pytest.raises(BadData, match="A block does not have the hash in its CID") as caught:
            read(bytes(flipped))
        assert caught.value.code == "hash"


@given(st.integers(0, len(CAR) - 1), st.integers(0, 7))
def test_no_flipped_bit_anywhere_goes_unnoticed(place: int, bit: int) -> None:
    flipped = bytearray(CAR)
    flipped[place] ^= 1 << bit
    try:
        car = read(bytes(flipped))
    except BadData:
        return
    assert car.root != ENTRIES[0][0]  # the hash of the root is not in it, but of what is asked for
    assert [car.block(cid) for cid, _ in ENTRIES] == BLOCKS


@given(st.integers(0, len(CAR) - 1))
def test_a_file_that_ends_early_is_refused_or_lacks_blocks(end: int) -> None:
    try:
        car = read(CAR[:end])
    except BadData:
        return
    assert len(car) < len(BLOCKS)


@given(st.binary(max_size=100))
def test_other_bytes_are_no_car_file(data: bytes) -> None:
    with pytest.raises(BadData):
        read(data)


@pytest.mark.parametrize(
    "header",
    [{"version": 2, "roots": [ENTRIES[0][0]]}, {"version": 1}, {"version": 1, "roots": []},
     {"version": 1, "roots": ["x"]}, ["roots"], 5],
)  # fmt: skip
def test_a_header_without_a_root_is_refused(header: object) -> None:
    block = encode(header)
    with pytest.raises(BadData):
        read(bytes((len(block),)) + block)


def test_a_length_that_cannot_be_is_refused() -> None:
    start = write_car(ENTRIES[0][0], [])
    for length in (b"\xff\xff\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x05hello", b"\xa4\x80\x00"):
        with pytest.raises(BadData):
            read(start + length)
