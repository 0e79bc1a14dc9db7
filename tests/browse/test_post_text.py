"""Long texts are shown short, searches around their hits, and addresses by their host."""

import html
import re

import pytest

from archiver.browse.post_text import AROUND, SHORT, are_shown, excerpt, marked, rich, short_address

SENTENCE = "The kiln has to cool for a whole day before anybody may open it. "


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


@pytest.mark.parametrize(
    "text",
    ["", "short", SENTENCE * 7, "a\n" * 10, SENTENCE * 8, "\n" * 12, "x" * 590],
)
def test_a_short_text_is_whole(text: str) -> None:
    found = excerpt(text)
    assert found.whole is None
    assert plain(found.head) == text


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE * 80,
        "line\n" * 200,
        "word" * 2000,
        "朝の光の中で釉薬を混ぜる。" * 100,
        "<b>&" * 400,
    ],
)
def test_a_long_text_shows_its_beginning_and_has_the_whole(text: str) -> None:
    found = excerpt(text)
    assert found.whole is not None
    assert plain(found.whole) == text
    head = plain(found.head)
    assert text.startswith(head)
    assert 30 <= len(head) <= SHORT
    assert not found.are_snippets


@pytest.mark.parametrize(
    "letter",
    ["👩🏽‍🎨", "🇯🇵", "e\u0301", "🏳️‍🌈", "\u0e19\u0e49\u0e33"],
)
@pytest.mark.parametrize("before", range(7))
def test_no_letter_is_torn_apart(letter: str, before: int) -> None:
    head = plain(excerpt("x" * before + letter * 900).head)[before:]
    assert head
    assert head == letter * (len(head) // len(letter))


def test_no_address_is_torn_apart() -> None:
    address = "https://example.com/" + "a-" * 300
    found = excerpt(SENTENCE * 7 + address + " " + SENTENCE * 20)
    assert "example.com" not in found.head
    assert found.whole
    assert f'href="{address}"' in found.whole
    only = excerpt(address + " " + SENTENCE * 20)
    assert f'href="{address}"' in only.head


def test_a_search_shows_what_stands_around_the_first_hits() -> None:
    text = (
        SENTENCE * 30 + "Then the zirconium came. " + SENTENCE * 30 + "And a lantern. " + SENTENCE
    )
    found = excerpt(text, ["zirconium", "lantern"])
    assert found.are_snippets
    assert found.head.count("<mark>") == 2
    for snippet in plain(found.head).splitlines():
        assert len(snippet) <= 2 * AROUND + len("zirconium") + 70
        assert snippet.strip("… ") in text
    assert found.whole
    assert plain(found.whole) == text


def test_a_search_whose_hit_is_elsewhere_shows_the_beginning() -> None:
    found = excerpt(SENTENCE * 30, ["zirconium"])
    assert not found.are_snippets
    assert SENTENCE.startswith(plain(found.head)[:60])


def test_hits_that_stand_together_are_one_snippet() -> None:
    found = excerpt(SENTENCE * 20 + "zirconium lantern " + SENTENCE * 20, ["lantern", "zirconium"])
    assert len(found.head.splitlines()) == 1


def test_a_hit_at_either_end_is_shown() -> None:
    for text in ("zirconium " + SENTENCE * 30, SENTENCE * 30 + "zirconium"):
        assert "<mark>zirconium</mark>" in excerpt(text, ["zirconium"]).head


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.com/short", "https://example.com/short"),
        ("https://example.com/" + "a" * 200, "example.com/" + "a" * 29 + "…"),
        ("https://bank.example@evil.example/" + "a" * 200, "evil.example/" + "a" * 29 + "…"),
        (f"https://{'www.bank.example.' * 9}evil.example/", None),
        ("https://[bad/" + "a" * 90, None),
    ],
)
def test_a_long_address_is_its_host_and_a_little(address: str, shown: str | None) -> None:
    found = short_address(address)
    assert found == shown if shown else True
    assert "bank.example@" not in found
    page = rich(address)
    assert f'href="{address}"' in page
    assert 'rel="noopener noreferrer nofollow"' in page


def test_a_hit_in_the_hidden_part_of_an_address_is_shown() -> None:
    address = "https://example.com/" + "a" * 200 + "/zirconium"
    assert "<mark>zirconium</mark>" in rich(address, ["zirconium"])
    assert "zirconium</a>" not in rich(address, ["other"])


def test_what_was_searched_for_is_marked_however_it_is_written() -> None:
    assert marked("Ein Café, ein CAFE\u0301!", ["cafe"]) == (
        "Ein <mark>Café</mark>, ein <mark>CAFE\u0301</mark>!"
    )
    assert marked("Straße <b>", ["ss", "<"]) == "Stra<mark>ß</mark>e <mark>&lt;</mark>b&gt;"
    assert marked("plain", ["x"]) == "plain"


def test_a_post_shows_all_terms_or_only_some_of_them() -> None:
    assert are_shown(["cafe", "bowl"], "Café", None, "A BOWL")
    assert not are_shown(["cafe", "tea"], "Café", "bowl")


def test_custom_emoji_are_pictures_in_the_text_and_nothing_else_is() -> None:
    emoji = {"star": "/a/-/media/1", "star2": "/a/-/media/2"}
    text = ":star: a :star2: <b> :nobody: https://a.example/:star:/b ::star::"
    found = str(rich(text, ("a",), emoji))
    assert found.count('<img class="emoji" src="/a/-/media/1" alt=":star:"') == 2
    assert found.count('src="/a/-/media/2"') == 1
    assert "<mark>a</mark>" in found
    assert "&lt;b&gt; :nobody:" in found
    assert '<a href="https://a.example/:star:/b"' in found
    assert excerpt(SENTENCE * 20 + ":star:", (), emoji).whole is not None
