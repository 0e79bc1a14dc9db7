"""HTML is split into tags and text as browsers do, whatever stands in it."""

import pytest

from archiver_mastodon.html_tokens import Tag, tokens_of, unescaped


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a<br/>b", ["a", Tag("br"), "b"]),
        ("<P>a</P>", [Tag("p"), "a", Tag("p", closes=True)]),
        ("<a href='x&amp;y' Class=b c>", [Tag("a", False, {"href": "x&y", "class": "b", "c": ""})]),
        ("1 < 2 &lt; 3", ["1 ", "<", " 2 < 3"]),
        ("a<!-- <b> -->b<!doctype x>c", ["a", "b", "c"]),
        ("a<script>if (1 < 2)</script>b", ["a", Tag("script"), Tag("script", closes=True), "b"]),
        ("a<b", ["a"]),
        ("a<!-- b", ["a"]),
    ],
)
def test_tags_and_text_come_in_order(text: str, tokens: list[object]) -> None:
    assert list(tokens_of(text)) == tokens


@pytest.mark.parametrize("text", ["<a " * 20_000, "<" * 60_000, "<!--" * 15_000, "<a b=" * 12_000])
def test_long_nonsense_takes_no_longer_than_its_length(text: str) -> None:
    assert sum(1 for _ in tokens_of(text)) <= len(text)


def test_numbers_beyond_unicode_are_no_character() -> None:
    assert unescaped("&#x1F600;&#99999999999;") == "\U0001f600\ufffd"
