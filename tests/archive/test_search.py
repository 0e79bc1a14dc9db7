"""Text is compared as people mean it, in every normal form, case and width."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.archive.search import earlier_column, fold, folded_column, index_folds

FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=20)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("café", "cafe\u0301"), ("CAFÉ", "cafe"), ("İstanbul", "istanbul"), ("ISPARTA", "ısparta"),
        ("Straße", "STRASSE"), ("ＡＢＣ", "abc"), ("ﬁlm", "film"), ("Łódź", "lodz"),
        ("Ελλάδα", "ΕΛΛΑΔΑ"),
        ("co\u00adoperate", "cooperate"), ("Đặng", "dang"), ("ｶﾞ", "ガ"), ("가", "\u1100\u1161"),
    ],
)  # fmt: skip
def test_what_people_take_for_the_same_word_is_folded_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("か", "が"), ("क", "कि"), ("釉", "薬")])
def test_letters_of_other_scripts_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(TEXTS, st.sampled_from(FORMS))
def test_every_normal_form_of_a_text_is_folded_to_the_same(
    text: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]
) -> None:
    assert fold(unicodedata.normalize(form, text)) == fold(text)


@given(TEXTS)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_a_text_has_a_folded_column_only_where_the_index_would_not_find_it(text: str) -> None:
    assert (folded_column([text]) is None) == (not text or fold(text) == index_folds(text))


def test_earlier_texts_are_kept_once_and_not_while_they_are_shown() -> None:
    first = earlier_column(None, ["Café crème", None], ["Tea"])
    assert first == "cafe creme\n"
    assert earlier_column(first, ["Tea", "CAFE CREME"], ["Milk"]) == "cafe creme\ntea\n"
    assert earlier_column(None, ["Tea"], ["TEA"]) is None
