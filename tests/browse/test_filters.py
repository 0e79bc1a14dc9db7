"""A view is in its URL: what is read from one is written into the next, and nothing else."""

import pytest

from archiver.browse.filters import Cursor, Filter, ListPlace, following, place_in

ALL = {
    "q": "blue bowl", "account": "acme", "platform": "threads", "kind": "reel",
    "since": "2026-03", "until": "2026-03-31", "media": "1", "edited": "1", "apart": "1",
    "order": "oldest",
}  # fmt: skip


def test_every_parameter_comes_back_as_it_was() -> None:
    assert dict(Filter.parse(ALL).pairs()) == ALL
    assert Filter.parse(ALL).query() == Filter.parse(dict(Filter.parse(ALL).pairs())).query()
    assert Filter.parse({}).query() == ""


def test_invalid_values_are_ignored_and_invalid_dates_shown() -> None:
    found = Filter.parse({"since": "2026-13", "until": "yesterday", "order": "random", "q": "\0 "})
    assert not found
    assert found.invalid_dates == ("2026-13", "yesterday")


def test_order_and_grouping_restrict_nothing() -> None:
    assert not Filter.parse({"order": "oldest", "apart": "1"})
    assert Filter.parse({"account": "a", "order": "oldest"}).is_only_account
    assert not Filter.parse({"account": "a", "q": "b"}).is_only_account


def test_a_name_of_before_still_works() -> None:
    assert Filter.parse({"withheld": "1"}).flags == {"omitted"}


def test_each_restriction_can_be_taken_out_alone_and_both_dates_of_a_month_together() -> None:
    month = Filter(since="2026-03", until="2026-03", words="bowl")
    assert [label for _, label in month.labels()] == ["“bowl”", "March 2026"]
    assert [query for _, query in month.removable_parts()] == [
        "?since=2026-03&until=2026-03",
        "?q=bowl",
    ]
    assert Filter(flags=frozenset({"media", "edited"})).with_flag("removed").flags == {
        "media", "removed"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "next_"),
    [("2026", "2027"), ("2026-12", "2027-01"), ("2026-02-28", "2026-03-01"), ("9999-12-31", "")],
)
def test_what_follows_a_day_a_month_or_a_year_bounds_it(text: str, next_: str) -> None:
    assert following(text) == next_


def test_a_page_begins_beside_a_post_or_at_a_date() -> None:
    cursor = Cursor("2026-03-01T00:00:00.000Z", 7)
    assert Cursor.parse(str(cursor)) == cursor
    assert Cursor.parse("x~y") is None
    assert place_in({"before": str(cursor), "at": "2026"}, Filter()) == ListPlace(cursor)
    assert place_in({"at": "2026-03"}, Filter()).older_than == Cursor("2026-04", 0)
    assert place_in({"at": "2026-03"}, Filter(order="likes")).is_first
    oldest = Filter(order="oldest")
    assert place_in({"at": "2026-03"}, oldest).newer_than == Cursor("2026-03", 0)
    assert place_in({}, Filter()).is_first
