"""Any JSON value is converted or None: a text, an id, a word, a flag, a list, content."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver_ayrshare import values
from archiver_ayrshare.values import (
    comparable,
    content_of,
    dig,
    digits,
    first,
    flag_of,
    id_of,
    is_blank,
    list_of,
    name_of,
    object_of,
    text_of,
    time_of,
    word_of,
)

pytestmark = pytest.mark.slow

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
ALL = (
    object_of, list_of, text_of, name_of, word_of, flag_of, id_of, time_of, is_blank, content_of,
)  # fmt: skip


@pytest.mark.parametrize("convert", ALL, ids=lambda convert: str(convert.__name__))
@given(value=JSON)
def test_no_value_at_all_is_an_error(convert: Any, value: Any) -> None:
    convert(value)


@given(JSON)
def test_content_can_be_written_as_it_is_read(value: Any) -> None:
    found = content_of(value)
    assert found is None or content_of(found) == found


@pytest.mark.parametrize(
    ("value", "text", "name", "id_"),
    [
        ("Grüße", "Grüße", "Grüße", "Grüße"), (" a ", " a ", " a ", " a "), ("", None, None, None),
        (" \n", None, None, None), (7, "7", "7", "7"), (-7, "-7", "-7", None),
        (1.5, "1.5", None, None), (True, "true", None, None), (math.inf, None, None, None),
        (12345678901234567890, "12345678901234567890", "12345678901234567890",
         "12345678901234567890"),
        (10**50, None, None, None), ([], None, None, None),
        ("x" * 1001, "x" * 1001, "x" * 1001, None),
        ("a\ud800", "a\ufffd", "a\ufffd", None),
    ],
)  # fmt: skip
def test_texts_names_and_ids(
    value: Any, text: str | None, name: str | None, id_: str | None
) -> None:
    assert (text_of(value), name_of(value), id_of(value)) == (text, name, id_)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True), ("TRUE ", True), (1, True), ("1", True), (False, False), ("0", False),
        (0, False), (2, None), ("yes", None), (None, None), ([], None), (1.0, None),
    ],
)  # fmt: skip
def test_flags(value: Any, *, expected: bool | None) -> None:
    assert flag_of(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1], [1]), ({"a": 1}, [{"a": 1}]), ({"0": 1, "1": 2}, [1, 2]), ({}, []), (None, []),
        ({"0": 1, "2": 2}, [{"0": 1, "2": 2}]), ("a", []),
    ],
)  # fmt: skip
def test_lists_also_in_the_form_of_php(value: Any, expected: list[Any]) -> None:
    assert list_of(value) == expected


def test_words_are_in_lower_case() -> None:
    assert word_of(" CAROUSEL_ALBUM ") == "carousel_album"
    assert word_of(None) == word_of(7) == ""


def test_an_object_that_is_none_is_empty_and_shared_by_nobody() -> None:
    assert object_of([1]) == {}
    assert object_of({"a": 1}) == {"a": 1}
    assert values._EMPTY_OBJECT == {}


def test_a_path_is_followed_as_far_as_there_are_objects() -> None:
    record = {"a": {"b": {"c": 1}}}
    assert dig(record, ("a", "b", "c")) == 1
    assert dig(record, ("a", "x", "c")) is None
    assert dig(record, ("a", "b", "c", "d")) is None


def test_the_first_field_that_is_understood_counts() -> None:
    record: dict[str, Any] = {"a": None, "b": [], "c": "3", "d": "4"}
    assert first(record, ("a", "b", "c", "d"), id_of) == "3"
    assert first(record, ("x", "b"), id_of) is None


def test_numbers_beyond_a_column_stay_exact_in_content() -> None:
    assert content_of(2**63 - 1) == 2**63 - 1
    assert content_of(2**63) == str(2**63)
    assert digits(10**40) is None


def test_content_leaves_out_what_is_no_content() -> None:
    value: dict[str, Any] = {"a": None, "b": "", "c": [1.5, "x", None], "d": {}, "e": True}
    assert content_of(value) == {"c": ["x"], "e": True}


def test_content_has_an_end_of_depth() -> None:
    deep: Any = "x"
    for _ in range(10_000):
        deep = [deep]
    assert content_of(deep) is None


def test_links_are_compared_without_what_rotates() -> None:
    one = "https://l.facebook.com/l.php?u=https%3A%2F%2Fa.example%2F%3Fid%3D1%26fbclid%3DX&h=A"
    assert comparable(one) == "https://a.example/?id=1"
    assert comparable(f"See {one} now") == "See https://a.example/?id=1 now"
    assert comparable("no link") == "no link"
