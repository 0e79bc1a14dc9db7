"""Which posts an export has: by account, date and words."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.errors import UsageError
from archiver.export.selection import ArchiveSelection


def chosen(directory: Path, **wanted: object) -> list[int]:
    address = f"{(directory / 'archive.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        return list(ArchiveSelection(**wanted).ids(connection))  # type: ignore[arg-type]  # by name


def test_without_restriction_all_posts_are_chosen_oldest_first(directory: Path) -> None:
    assert chosen(directory) == [3, 1, 2], "the one without a time counts as the oldest"


def test_dates_choose_from_the_first_to_before_the_second(directory: Path) -> None:
    assert chosen(directory, since="2026-03-01", until="2026-03-02") == [1]
    assert chosen(directory, since="2026-03-02T09:00:00.000Z") == [2]
    assert chosen(directory, until="2026-03-01") == []


@pytest.mark.parametrize(
    ("words", "posts"),
    [
        ("evening", [1]), ("EVENING good", [1]), ('"good evening"', [1]), ('"evening good"', []),
        ("GRUSS", [3]), ("gruß", [3]), ("日本", [3]), ("日", [3]), ("bowl", [1]), ("bo", [1]),
        ("morning", [1]), ("100%", []), ("_", []),
    ],
)  # fmt: skip
def test_words_are_found_in_texts_alt_texts_and_earlier_versions(
    directory: Path, words: str, posts: list[int]
) -> None:
    assert chosen(directory, words=words) == posts


def test_an_account_chooses_its_posts_and_an_unknown_one_is_named(directory: Path) -> None:
    assert chosen(directory, accounts=("acme",)) == [3, 1, 2]
    with pytest.raises(UsageError, match="no account nobody"):
        chosen(directory, accounts=("acme", "nobody"))


def test_a_selection_says_in_words_what_it_chooses() -> None:
    assert str(ArchiveSelection()) == "all accounts"
    wanted = ArchiveSelection(("acme",), "2026-03-01", "2026-04-01", "bowl")
    assert str(wanted) == "acme, from 2026-03-01, before 2026-04-01, with “bowl”"
