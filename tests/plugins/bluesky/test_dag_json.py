"""Values of DAG-CBOR are kept as JSON, and come back as they were."""

from typing import Any

import pytest

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import cid_of_file
from archiver_bluesky.dag_json import from_json, to_json

CID = cid_of_file(b"picture")


@pytest.mark.parametrize(
    "value",
    [
        None, True, -5, "text", [], {}, {"a": [CID, b"bytes", {"b": CID}]}, b"", b"\xff\x00",
        {"$link": "x", "more": 1}, {"$bytes": 5, "more": 1},
    ],
)  # fmt: skip
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert from_json(to_json(value)) == value


def test_links_and_bytes_have_the_forms_of_the_specification() -> None:
    assert to_json({"a": CID, "b": b"ab"}) == {"a": {"$link": str(CID)}, "b": {"$bytes": "YWI"}}
    assert from_json({"$bytes": "YWI="}) == b"ab"


@pytest.mark.parametrize("value", [{"$link": "text"}, {"$bytes": "YWI"}])
def test_an_object_that_json_would_take_for_another_value_is_refused(value: Any) -> None:
    with pytest.raises(BadData):
        to_json(value)


@pytest.mark.parametrize("value", [{"$link": "x"}, {"$link": 5}, {"$bytes": "?"}, {"$bytes": 5}])
def test_an_invalid_link_or_invalid_bytes_are_refused(value: Any) -> None:
    with pytest.raises(BadData):
        from_json(value)
