"""JSON text is split at its commas without parsing its parts; what is cut off is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.jsonpieces import BadJson, split_items, split_members

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
LAYOUTS: tuple[dict[str, Any], ...] = (
    {}, {"indent": 1}, {"ensure_ascii": False}, {"separators": (" , ", " : ")},
)  # fmt: skip


@pytest.mark.slow
@given(st.lists(VALUES), st.sampled_from(LAYOUTS))
def test_the_items_of_any_list_are_its_items(items: list[Any], layout: dict[str, Any]) -> None:
    text = json.dumps(items, **layout).encode()
    assert [json.loads(item) for item in split_items(text)] == items


@pytest.mark.slow
@given(st.dictionaries(st.text(), VALUES), st.sampled_from(LAYOUTS))
def test_the_members_of_any_object_are_its_members(
    members: dict[str, Any], layout: dict[str, Any]
) -> None:
    text = json.dumps(members, **layout).encode()
    assert {name: json.loads(value) for name, value in split_members(text)} == members


@pytest.mark.slow
@given(st.lists(VALUES, min_size=1), st.data())
def test_a_list_that_was_cut_off_is_refused(items: list[Any], data: st.DataObject) -> None:
    text = json.dumps(items).encode()
    cut = data.draw(st.integers(1, len(text) - 1))
    with pytest.raises(BadJson):
        list(split_items(text[:cut]))


def test_the_text_of_an_item_stays_as_it_came() -> None:
    text = b'[ {"a" : 1e400, "a":2} ,\t"\\u00e4" , -0.0 ]'
    assert list(split_items(text)) == [b'{"a" : 1e400, "a":2}', b'"\\u00e4"', b"-0.0"]


def test_one_item_that_is_no_json_leaves_the_others() -> None:
    assert list(split_items(b'[1, nonsense, {"a": \xff}, 2]')) == [
        b"1", b"nonsense", b'{"a": \xff}', b"2",
    ]  # fmt: skip


def test_no_depth_is_too_deep() -> None:
    deep = b"[" * 50_000 + b"]" * 50_000
    assert list(split_items(b"[1," + deep + b",2]")) == [b"1", deep, b"2"]


def test_commas_and_brackets_in_text_split_nothing() -> None:
    assert list(split_items(b'["a,b", "]", "\\"],"]')) == [b'"a,b"', b'"]"', b'"\\"],"']


def test_a_byte_order_mark_is_ignored() -> None:
    assert dict(split_members(b'\xef\xbb\xbf{"a": 1}')) == {"a": b"1"}


def test_a_name_that_is_not_utf_8_is_shown() -> None:
    assert dict(split_members(b'{"a\xff": 1}')) == {"a\\xff": b"1"}


@pytest.mark.parametrize(
    "text", [b"", b"[", b"1", b"{}", b"[1]]", b"[1] 2", b"[1}", b'["a]', b"[[1]", b"null"]
)
def test_what_is_no_list_is_refused(text: bytes) -> None:
    with pytest.raises(BadJson):
        list(split_items(text))


@pytest.mark.parametrize("text", [b"[]", b'{"a"}', b"{a: 1}", b'{"a": 1', b'{"a": 1}}', b"{1: 2}"])
def test_what_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(BadJson):
        dict(split_members(text))
