"""What changed between two versions is shown word by word, in few steps whatever the texts."""

import difflib
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from archiver.archive.record_diff import Piece, changes, words_changed


def texts(pieces: Sequence[Piece], *which: str) -> str:
    return "".join(piece.text for piece in pieces if piece.what in which)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a b c", "a x c", "same:a |out:b|in:x|same: c"),
        ("a", "a", "same:a"),
        ("", "a", "in:a"),
        ("a", "", "out:a"),
        ("", "", ""),
        ("a a a", "a a", "same:a a|out: a"),
        (
            "one two three four",
            "one 2 three 4",
            "same:one |out:two|in:2|same: three |out:four|in:4",
        ),
    ],
)
def test_an_edit_is_shown_word_by_word(old: str, new: str, expected: str) -> None:
    assert "|".join(f"{piece.what}:{piece.text}" for piece in words_changed(old, new)) == expected


TEXTS: dict[str, Callable[[str, int], str]] = {
    "all words differ": lambda side, k: f"{side}{k}",
    "all words differ but their commas": lambda side, k: f"{side}{k},",
    "few words": lambda side, k: f"w{k % 7 if side == 'old' else k % 5}",
    "words that come again ten times": lambda side, k: f"w{k * (7 if side == 'old' else 11) % 97}",
}


@pytest.mark.parametrize("words", [10, 400, 4900])
@pytest.mark.parametrize("kind", TEXTS)
def test_comparing_takes_few_steps_whatever_the_texts(
    monkeypatch: pytest.MonkeyPatch, kind: str, words: int
) -> None:
    steps = 0

    class Counting(difflib.SequenceMatcher[str]):
        def find_longest_match(
            self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
        ) -> difflib.Match:
            nonlocal steps
            known: Any = self  # its anchors have no types
            steps += sum(len(known.b2j.get(word, ())) for word in known.a[alo:ahi])
            return super().find_longest_match(alo, ahi, blo, bhi)

    monkeypatch.setattr(difflib, "SequenceMatcher", Counting)
    old, new = (" ".join(TEXTS[kind](side, k) for k in range(words)) for side in ("old", "new"))

    pieces = words_changed(f"begin {old} end", f"begin {new} end")

    assert texts(pieces, "same", "out") == f"begin {old} end"
    assert texts(pieces, "same", "in") == f"begin {new} end"
    assert (pieces[0].what, pieces[-1].what) == ("same", "same")
    assert steps < 2_000_000

    steps = 0
    one_word = words_changed(f"{old} a {old}", f"{old} b {old}")
    assert [piece.what for piece in one_word] == ["same", "out", "in", "same"]
    assert steps == 0, "what two texts have in common at their ends is not compared"


def test_words_changed_in_a_record() -> None:
    old, new = json.dumps({"post": "a b"}), json.dumps({"post": "a c"})
    (change,) = changes(old, new, frozenset({"post"}))
    assert [piece.what for piece in change.pieces] == ["same", "out", "in"]
