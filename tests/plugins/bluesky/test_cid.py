"""CIDs: their one form, and the bytes that they name."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid, cid_of_block, cid_of_file, parse_cid
from archiver_bluesky.dag_cbor import encode

EMPTY_TREE = "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm"
"""The root of an account without records, which every implementation knows."""


class TestForm:
    def test_an_empty_tree_has_the_cid_that_it_has_everywhere(self) -> None:
        assert str(cid_of_block(encode({"l": None, "e": []}))) == EMPTY_TREE

    @given(st.binary())
    def test_text_and_bytes_are_the_same_cid(self, data: bytes) -> None:
        for cid in (cid_of_block(data), cid_of_file(data)):
            assert parse_cid(str(cid)) == cid
            assert cid.matches(data)
            assert not cid.matches(data + b"x")

    def test_the_cid_of_a_file_holds_its_sha256(self) -> None:
        cid = cid_of_file(b"a picture")
        assert cid.sha256 == hashlib.sha256(b"a picture").digest()
        assert str(cid).startswith("bafkrei")
        assert not cid.is_block

    @pytest.mark.parametrize(
        "text",
        [None, 5, "", "b", EMPTY_TREE.upper(), EMPTY_TREE[:-1], EMPTY_TREE + "a", f"z{EMPTY_TREE}",
         EMPTY_TREE[:-1] + "n", "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"],
    )  # fmt: skip
    def test_what_is_no_cid_is_refused(self, text: object) -> None:
        with pytest.raises(BadData):
            parse_cid(text)

    def test_another_hash_or_another_codec_is_refused(self) -> None:
        for start in (b"\x01\x71\x13\x20", b"\x01\x70\x12\x20", b"\x00\x71\x12\x20"):
            with pytest.raises(BadData):
                Cid(start + bytes(32))
