"""DAG-CBOR: one value, one form of bytes."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid, cid_of_block, cid_of_file
from archiver_bluesky.dag_cbor import MAX_BLOCK_SIZE, decode, encode
from archiver_bluesky.dag_json import from_json, to_json

WHOLE = st.integers(min_value=-(2**64), max_value=2**64 - 1)
PLAIN = (
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.binary() | st.binary().map(cid_of_file)
)  # fmt: skip
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)

# the vectors of the AT protocol's own interoperability tests: JSON, DAG-CBOR, CID
VECTORS: list[tuple[Any, str, str]] = [
    (
        {
            "a": {"$link": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"},
            "b": {"$bytes": "nFERjvLLiw9qm45JrqH9QTzyC2Lu1Xb4ne6+sBrCzI0"},
            "c": {
                "$type": "blob",
                "ref": {"$link": "bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity"},
                "mimeType": "image/jpeg",
                "size": 10000,
            },
        },
        "o2Fh2CpYJQABcRIgZQYqWloA/BbXPGlEI3zLwVscSnI0SJM2iR0JF0GiOdBhYlggnFERjvLLiw9qm45JrqH9QTzyC2"
        "Lu1Xb4ne6+sBrCzI1hY6RjcmVm2CpYJQABVRIgQljP/3j2E2l2l1Y/kmyR5dNXTS6iWuftktbr/COjiJ5kc2l6ZRkn"
        "EGUkdHlwZWRibG9iaG1pbWVUeXBlamltYWdlL2pwZWc",
        "bafyreihldkhcwijkde7gx4rpkkuw7pl6lbyu5gieunyc7ihactn5bkd2nm",
    ),
    (
        {"string": "abc", "unicode": "a~öñ©⽘☎𓋓😀👨‍👩‍👧‍👧", "integer": 123, "bool": True,
         "null": None, "array": ["abc", "def", "ghi"],
         "object": {"string": "abc", "number": 123, "bool": True, "arr": ["abc", "def", "ghi"]}},
        "p2Rib29s9WRudWxs9mVhcnJheYNjYWJjY2RlZmNnaGlmb2JqZWN0pGNhcnKDY2FiY2NkZWZjZ2hpZGJvb2z1Zm51bW"
        "Jlchh7ZnN0cmluZ2NhYmNmc3RyaW5nY2FiY2dpbnRlZ2VyGHtndW5pY29kZXgvYX7DtsOxwqnivZjimI7wk4uT8J+Y"
        "gPCfkajigI3wn5Gp4oCN8J+Rp+KAjfCfkac",
        "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq",
    ),
]  # fmt: skip

BAD = {
    "a number that is not in its shortest form": "1800 190001 1a00000001 1b0000000000000001",
    "a length that is not in its shortest form": "5801aa 780161 980100 b800",
    "an item without a length": "5fff 7fff 9fff bfff",
    "a float of half or single precision": "f93c00 fa3f800000",
    "no number": "fb7ff8000000000000 fb7ff0000000000000",
    "undefined, and other simple values": "f7 e0 f820 ff",
    "another tag": "c000 d8200a",
    "a link that is none": "d82a00 d82a4100 d82a420001 d82a6161",
    "keys out of order": "a2616200616100 a262616100616200",
    "a key twice": "a2616100616101",
    "a key that is not text": "a10000 a1416100",
    "text that is not UTF-8": "61ff 63eda080",
    "an end that comes too early": "19 6261 8200 a16161 1b00 4261",
    "bytes behind the end": "0000 f6f6",
    "a reserved kind": "1c 3d 5e 7c",
    "more items than there are bytes": "9a7fffffff ba7fffffff 5b7fffffffffffffff",
    "nothing": "",
}


@given(VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    block = encode(value)
    found = decode(block)
    assert found == value
    assert encode(found) == block


@given(VALUES)
def test_json_comes_back_as_the_same_bytes(value: Any) -> None:
    try:
        written = to_json(value)
    except BadData:  # it has an object that JSON takes for a link, which is never kept as one
        return
    assert encode(from_json(written)) == encode(value)


@given(st.binary(max_size=64))
def test_any_bytes_are_refused_or_are_the_form_of_their_value(data: bytes) -> None:
    try:
        value = decode(data)
    except BadData:
        return
    assert encode(value) == data


@pytest.mark.parametrize(("value", "block", "cid"), VECTORS)
def test_vectors_of_the_protocol(value: Any, block: str, cid: str) -> None:
    expected = base64.b64decode(block + "=" * (-len(block) % 4))
    assert encode(from_json(value)) == expected
    assert to_json(decode(expected)) == value
    assert str(cid_of_block(expected)) == cid


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_canonical_is_refused(what: str) -> None:
    for text in BAD[what].split() or [""]:
        with pytest.raises(BadData):
            decode(bytes.fromhex(text))


def test_a_link_keeps_its_cid() -> None:
    cid = cid_of_block(b"x")
    found = decode(encode([cid]))[0]
    assert isinstance(found, Cid)
    assert found == cid


def test_nesting_and_size_have_an_end() -> None:
    with pytest.raises(BadData, match="deeper"):
        decode(b"\x81" * 100_000 + b"\x00")
    with pytest.raises(BadData, match="allowed"):
        decode(bytes(MAX_BLOCK_SIZE + 1))
    deep: Any = None
    for _ in range(1000):
        deep = [deep]
    with pytest.raises(BadData, match="deeper"):
        encode(deep)


@pytest.mark.parametrize(
    "value", [{1: 2}, {"a": object()}, 2**64, float("nan"), "\ud800", {"\ud800": 1}]
)
def test_what_it_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(BadData):
        encode(value)


@pytest.mark.parametrize(
    "value",
    [{"$link": 5}, {"$link": "nonsense"}, {"$bytes": 5}, {"$bytes": "*"}, {"$bytes": "a"}],
)
def test_json_that_is_no_link_and_no_bytes_is_refused(value: Any) -> None:
    with pytest.raises(BadData):
        from_json(value)


def test_an_object_that_looks_like_a_link_is_not_taken_for_one() -> None:
    with pytest.raises(BadData, match="would take"):
        to_json({"$link": "text"})
    assert from_json({"$link": "text", "more": 1}) == {"$link": "text", "more": 1}
