"""Which post of the archive a record is about: by its id, by an alias, and never by its content."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.identity import is_shown_elsewhere, lookup_ids, match_posts
from archiver.models import Alias, Post, Record
from support.saver import POST, Saver, saving

RECORD = Record("{}", {})


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        yield saver


def post(platform_id: str, *aliases: tuple[str, str]) -> Post:
    return replace(POST, platform_id=platform_id, aliases=tuple(Alias(*a) for a in aliases))


def matched(saver: Saver, *posts: Post) -> list[tuple[str, str, bool]]:
    """For each record in the order to save them: its own id, whose post it is, if that is known."""
    matches = match_posts(
        saver.connection, saver.account_id, "ayrshare", [(RECORD, p) for p in posts]
    )
    return [(m.post.platform_id, m.platform_id, m.is_known) for m in matches]


def test_a_new_post_has_its_own_id(saver: Saver) -> None:
    assert matched(saver, post("1")) == [("1", "1", False)]


def test_a_known_post_is_found_by_its_id(saver: Saver) -> None:
    saver.save(post("1"))
    assert matched(saver, post("1"), post("2")) == [("1", "1", True), ("2", "2", False)]


def test_a_new_id_that_names_a_known_one_is_that_post(saver: Saver) -> None:
    saver.save(post("100"))
    assert matched(saver, post("101", ("edit_history", "100"))) == [("101", "100", True)]


def test_an_id_that_a_known_post_has_as_an_alias_is_that_post(saver: Saver) -> None:
    saver.save(post("55_66", ("post_id", "66")))
    assert matched(saver, post("66")) == [("66", "55_66", True)]


def test_aliases_of_one_scheme_are_compared_with_each_other(saver: Saver) -> None:
    saver.save(post("1", ("activity", "7")))
    assert matched(saver, post("2", ("activity", "7"))) == [("2", "1", True)]
    assert matched(saver, post("2", ("share", "7"))) == [("2", "2", False)]


def test_two_posts_may_share_a_file(saver: Saver) -> None:
    saver.save(post("1", ("media_id", "7")))
    assert matched(saver, post("2", ("media_id", "7"))) == [("2", "2", False)]


def test_the_own_id_counts_more_than_any_alias(saver: Saver) -> None:
    saver.save(post("1"), post("2"))
    assert matched(saver, post("2", ("edit_history", "1"))) == [("2", "2", True)]


def test_another_account_is_another_person(saver: Saver) -> None:
    saver.save(post("1"))
    entries = [(RECORD, post("1")), (RECORD, post("2", ("edit_history", "1")))]
    found = match_posts(saver.connection, saver.account_id + 1, "ayrshare", entries)
    assert not any(match.is_known for match in found)


def test_on_one_page_the_earlier_id_comes_first(saver: Saver) -> None:
    newest = post("102", ("edit_history", "100"), ("edit_history", "101"))
    middle = post("101", ("edit_history", "100"))
    assert matched(saver, newest, post("9"), middle, post("100")) == [
        ("100", "102", False), ("101", "102", False), ("102", "102", False), ("9", "9", False),
    ]  # fmt: skip


def test_ids_that_name_each_other_are_one_post_and_end(saver: Saver) -> None:
    found = matched(saver, post("1", ("edit_history", "2")), post("2", ("edit_history", "1")))
    assert len({target for _, target, _ in found}) == 1


def test_ids_with_characters_that_no_column_holds_are_compared_as_they_are_saved(
    saver: Saver,
) -> None:
    saver.save(post("a\0b"))
    assert [known for *_, known in matched(saver, post("a\0b"))] == [True]


def test_what_names_the_content_is_not_asked_for() -> None:
    named = post("1", ("media_id", "2"), ("edit_history", "3"), ("edit_history", "1"))
    assert lookup_ids(named) == ["3"]


@pytest.mark.parametrize(
    ("scheme", "shown", "expected"),
    [
        ("post_id", {"66"}, True), ("post_id", {"67"}, False), ("media_id", {"66"}, False),
    ],
)  # fmt: skip
def test_a_post_is_shown_elsewhere_by_its_aliases_only(
    saver: Saver, scheme: str, shown: set[str], *, expected: bool
) -> None:
    saver.save(post("55_66", (scheme, "66")))
    found = is_shown_elsewhere(saver.connection, saver.account_id, 1, "55_66", shown)
    assert found is expected


def test_a_post_is_shown_by_another_one_that_names_it(saver: Saver) -> None:
    saver.save(post("100"))
    saver.save(post("101"))
    saver.save(post("101", ("edit_history", "100")))
    assert is_shown_elsewhere(saver.connection, saver.account_id, 1, "100", {"101"})
