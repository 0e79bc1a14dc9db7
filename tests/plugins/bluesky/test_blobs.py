"""Blobs of records, in the form of today and of early 2023."""

from typing import Any

import pytest

from archiver_bluesky.blobs import Blob, parse_blob
from archiver_bluesky.cid import cid_of_file

CID = cid_of_file(b"picture")
TODAY = {"$type": "blob", "ref": {"$link": str(CID)}, "mimeType": "image/jpeg", "size": 7}


def test_both_forms_name_the_same_file() -> None:
    assert parse_blob(TODAY) == Blob(CID, "image/jpeg", 7)
    assert parse_blob({"cid": str(CID), "mimeType": "image/jpeg"}) == Blob(CID, "image/jpeg", None)


@pytest.mark.parametrize("value", [None, [], "x", {}, {"ref": {"$link": "x"}}, {"ref": 5}])
def test_what_names_no_file_is_no_blob(value: Any) -> None:
    assert parse_blob(value) is None


@pytest.mark.parametrize("size", [0, -1, True, 2**53, "7", 1.5])
def test_an_odd_size_or_type_is_left_out(size: Any) -> None:
    assert parse_blob(TODAY | {"size": size, "mimeType": "image"}) == Blob(CID, None, None)
