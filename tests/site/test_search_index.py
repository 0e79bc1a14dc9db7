"""The index of a site's search, in pieces."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from archiver.saved_posts import SavedPost
from archiver.site import search_index
from archiver.site.search_index import SearchIndex, words_of


def a_post(number: int, text: str) -> SavedPost:
    """A post with this text."""
    return SavedPost(
        number, "acme", None, "threads", f"p{number}", "post", None, None,
        "2026-03-01T09:00:00.000Z", None, text, None, None, None, None, 1,
    )  # fmt: skip


@pytest.fixture
def index() -> Iterator[SearchIndex]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield SearchIndex(connection)


def pieces(index: SearchIndex) -> dict[str, str]:
    return {name: b"".join(parts).decode() for name, parts in index.files()}


def test_words_are_folded_and_texts_without_spaces_are_cut_into_pairs() -> None:
    assert set(words_of("Die GRÖSSE, 日本語")) == {"die", "grosse", "日本", "本語", "語"}


def test_a_piece_has_the_words_of_one_letter_with_their_posts(index: SearchIndex) -> None:
    for number, text in enumerate(["a bowl", "no", "bowls, a bowl"], 10):
        index.add(a_post(number, text), "2026-03", 1)
    found = pieces(index)
    assert found["words-62.js"] == 'archiverSearch.words("b",{"bowl":[0,2],\n"bowls":[2]});\n'
    shown = json.loads(found["posts-0.js"].removeprefix("archiverSearch.posts(0,")[:-3])
    assert shown[2] == ["2026-03", 12, 1, "2026-03-01", "threads", "bowls, a bowl"]


def test_many_words_of_one_letter_are_split_by_the_second(
    index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "_MOST_WORDS", 2)
    index.add(a_post(1, "b bar bowl bowls"), "2026-03", 1)
    found = pieces(index)
    assert '"keys":["b","ba","bo"]' in found["index.js"]
    assert found["words-62.js"] == 'archiverSearch.words("b",{"b":[0]});\n'
    assert found["words-62-6f.js"] == 'archiverSearch.words("bo",{"bowl":[0],\n"bowls":[0]});\n'


def test_nothing_that_a_post_says_ends_the_script(index: SearchIndex) -> None:
    index.add(a_post(1, "</script><script>alert(1)</script>"), "2026-03", 1)
    assert "<" not in "".join(pieces(index).values())
