"""Posts for spreadsheets."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.export.csv_table import COLUMNS, csv_table, neutral, plain
from support.exporting import FORMULA, snapshot_of

MARKS = tuple("=+-@＝＋－＠\t\r\n")


def rows(directory: Path, *posts: int) -> list[dict[str, str]]:
    with snapshot_of(directory, *posts) as snapshot:
        text = b"".join(csv_table(snapshot)).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def test_a_row_for_each_post_with_named_columns(directory: Path) -> None:
    bowl, formula, answer = rows(directory, 1, 2, 3)
    assert tuple(bowl) == COLUMNS
    assert (bowl["account"], bowl["likes"], bowl["versions"]) == ("acme", "5", "2")
    assert (bowl["attachments"], bowl["files"], bowl["omitted_files"]) == ("2", "1", "1")
    assert bowl["alt_texts"] == "Bowl m1\nBowl m2"
    assert answer["created_at"] == ""
    assert answer["text"] == "An answer, „grüß“ 日本語\n🏺"
    assert plain(formula["text"]) == FORMULA


def test_no_cell_begins_like_a_formula(directory: Path) -> None:
    for row in rows(directory, 1, 2, 3):
        assert not any(cell.startswith(MARKS) for cell in row.values())


@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    assert plain(neutral(text)) == text
    assert not neutral(text).lstrip().startswith(MARKS)


@pytest.mark.parametrize("text", ["=1", " =1", "\u3000=1", "+1", "-1", "@a", "\t=1", "\n=1", "'=1"])
def test_what_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"


def test_other_texts_stay_as_they_are() -> None:
    for text in ("", "Good morning", "a = b", "1+1", "# title"):
        assert neutral(text) == text


def test_every_cell_is_quoted_and_lines_end_as_the_standard_says(directory: Path) -> None:
    with snapshot_of(directory, 2) as snapshot:
        data = b"".join(csv_table(snapshot))
    assert data.startswith(b'\xef\xbb\xbf"created_at","account"')
    assert data.endswith(b'"\r\n')
