"""How far our clock is off the source's, and what is said of it."""

from datetime import UTC, datetime, timedelta

import pytest

from archiver.backup.clocks import clock_offset, earlier_run_clock_note, source_clock_note
from archiver.models import CLOCKS_AGREE, Response

OURS = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def answer(date: str | None, received_at: str = "2026-03-01T12:00:00.000Z") -> Response:
    headers = {} if date is None else {"date": date}
    return Response("ayrshare", "https://a.example/", 200, headers, b"", received_at)


def at(moment: datetime) -> str:
    return f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


@pytest.mark.parametrize("off", [timedelta(days=3), -timedelta(hours=2), timedelta(minutes=11)])
def test_it_is_how_far_our_clock_is_ahead(off: timedelta) -> None:
    assert clock_offset(answer(at(OURS - off))) == off


@pytest.mark.parametrize("off", [timedelta(), timedelta(seconds=1), CLOCKS_AGREE, -CLOCKS_AGREE])
def test_clocks_that_differ_by_little_agree(off: timedelta) -> None:
    assert clock_offset(answer(at(OURS - off))) == timedelta()


def test_a_date_in_another_zone_is_the_same_moment() -> None:
    assert clock_offset(answer("Sun, 01 Mar 2026 15:00:00 +0300")) == timedelta()


@pytest.mark.parametrize(
    "date",
    [None, "", "yesterday", "Fri, 01 Jan 1960 00:00:00 GMT", "Sat, 01 Jan 9999 00:00:00 GMT"],
)
def test_a_server_without_a_clock_says_nothing(date: str | None) -> None:
    assert clock_offset(answer(date)) is None


def test_an_answer_that_a_plugin_made_up_says_nothing() -> None:
    assert clock_offset(answer(at(OURS), received_at="soon")) is None


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(days=1200), "1,200 days ahead of"), (-timedelta(hours=47), "47 hours behind"),
        (timedelta(hours=1, minutes=59), "119 minutes ahead of"),
    ],
)  # fmt: skip
def test_the_note_names_the_length_in_the_largest_unit_of_which_there_are_two(
    off: timedelta, words: str
) -> None:
    assert f"This machine's clock is {words} the source's" in source_clock_note(off)


def test_a_run_that_began_later_than_now_is_named_by_its_day() -> None:
    assert "which began on 2031-01-05:" in earlier_run_clock_note("2031-01-05T03:00:00.000Z")
