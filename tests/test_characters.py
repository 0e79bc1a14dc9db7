"""Invisible characters are found, and every character has a name for messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.characters import describe_character, first_invisible, typographic_quote


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", None), ("", None), ("日本 Größe", None), ("می‌خواهم", None), ("👩‍👩‍👧", None),
        ("a\tb", 1), ("\u00a0a", 0), ("ab\u200b", 2), ("a\u202eb", 1), ("a\ufeff", 1),
        ("a\u3000b", 1), ("a\u2028b", 1), ("\x7f", 0), ("a\u00adb", 1),
    ],
)  # fmt: skip
def test_what_is_not_seen(text: str, expected: int | None) -> None:
    assert first_invisible(text) == expected


def test_quotes_of_a_word_processor() -> None:
    assert [typographic_quote(one) for one in "“”«‘’`\"'a"] == [*'"""', *"'''", None, None, None]


@given(st.characters())
def test_every_character_has_a_name_that_can_be_printed(character: str) -> None:
    name = describe_character(character)
    assert name.isprintable()
    assert name
