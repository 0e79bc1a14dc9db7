"""A gzip stream is whole, or it is an error."""

import gzip
import zlib
from collections.abc import AsyncGenerator, Sequence

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.net.encoding import ENCODINGS, BadEncoding, gunzip, is_plain, peek_gzip


async def chunked(pieces: Sequence[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


def decode(*pieces: bytes) -> bytes:
    async def run() -> bytes:
        return b"".join([piece async for piece in gunzip(chunked(pieces))])

    return anyio.run(run)


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(1, 50))
def test_what_was_packed_comes_out_however_it_is_cut(data: bytes, size: int) -> None:
    packed = gzip.compress(data)
    assert decode(*(packed[at : at + size] for at in range(0, len(packed), size))) == data


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.data())
def test_cut_short_anywhere_it_is_an_error(data: bytes, draw: st.DataObject) -> None:
    packed = gzip.compress(data)
    cut = draw.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(BadEncoding):
        decode(packed[:cut])


def test_members_in_a_row_are_one_stream() -> None:
    assert decode(gzip.compress(b"one") + gzip.compress(b"two")) == b"onetwo"


@pytest.mark.parametrize("damage", [-1, -5, 12, 0])
def test_a_changed_byte_is_an_error(damage: int) -> None:
    packed = bytearray(gzip.compress(b"some text that is packed"))
    packed[damage] ^= 0x40
    with pytest.raises(BadEncoding):
        decode(bytes(packed))


def test_garbage_behind_it_is_an_error() -> None:
    with pytest.raises(BadEncoding):
        decode(gzip.compress(b"x") + b"garbage")


def test_a_bomb_comes_in_pieces() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(bytes(1 << 25)) + packer.flush()

    async def run() -> list[int]:
        return [len(piece) async for piece in gunzip(chunked([bomb]))]

    sizes = anyio.run(run)
    assert sum(sizes) == 1 << 25
    assert max(sizes) <= 1 << 20


@pytest.mark.parametrize(
    "name",
    ["", " ", ",", "identity", " Identity ", "UTF-8", "utf8", "none", "binary", "8bit", "7bit",
     "aws-chunked", "aws-chunked,identity", "null", "undefined", "x", "image/png", "amz-1.0"],
)  # fmt: skip
def test_what_names_no_encoding_is_none(name: str) -> None:
    assert is_plain({"content-encoding": name})
    assert not is_plain({"content-encoding": f"{name}, gzip"})
    assert not is_plain({"content-encoding": f"X-GZIP,{name}"})
    with pytest.raises(BadEncoding, match="'br'"):
        is_plain({"content-encoding": f"{name},br"})


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=20))
def test_any_other_word_is_no_encoding(name: str) -> None:
    words = {word.strip().lower() for word in name.split(",")}
    if not words & ENCODINGS:
        assert is_plain({"content-encoding": name})


def test_only_gzip_is_undone() -> None:
    assert is_plain({})
    for name in ("br", "zstd", "deflate", "compress", "BR", "gzip, gzip", "gzip,br", "dcb"):
        with pytest.raises(BadEncoding):
            is_plain({"content-encoding": name})


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 5))
def test_gzip_in_name_only_is_taken_as_it_is(data: bytes, size: int) -> None:
    async def run(whole: bytes) -> tuple[bool, bytes]:
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        packed, chunks = await peek_gzip(chunked(pieces))
        return packed, b"".join([piece async for piece in chunks])

    assert anyio.run(run, data) == (data[:2] == b"\x1f\x8b", data)
    packed = gzip.compress(data)  # once: it tells the second in which it was made
    assert anyio.run(run, packed) == (True, packed)
