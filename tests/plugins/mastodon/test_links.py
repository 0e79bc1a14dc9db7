"""Where the next page is, as headers say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver_mastodon.links import next_cursor, parameters_of

NEXT = '<https://social.example/api/v1/accounts/1/statuses?limit=40&max_id=7>; rel="next"'


@pytest.mark.parametrize(
    ("header", "cursor"),
    [
        (NEXT, "max_id=7"),
        (f'<https://social.example/?min_id=9>; rel="prev", {NEXT}', "max_id=7"),
        (NEXT.replace('"next"', "next"), "max_id=7"),
        (NEXT.replace('rel="next"', 'title="a, b; c"; rel="last next"'), "max_id=7"),
        (NEXT.replace('rel="next"', 'REL="Next"'), "max_id=7"),
        ('</api/v1/x?page=2>;rel=next', "page=2"),
        ('<https://x.example/?max_id=a%26b&access_token=x>; rel="next"', "max_id=a%26b"),
        ('<https://social.example/?min_id=9>; rel="prev"', None),
        ('<https://social.example/?limit=40>; rel="next"', None),
        ('<https://[half>; rel="next"', None),
        (f'<https://x.example/?max_id={"1" * 2000}>; rel="next"', None),
        ("", None),
        ("nonsense, rel=next", None),
    ],
)  # fmt: skip
def test_the_next_page_is_what_its_parameters_say(header: str, cursor: str | None) -> None:
    assert next_cursor(header) == cursor


def test_a_cursor_is_the_parameters_to_ask_with() -> None:
    assert parameters_of("max_id=a%26b") == {"max_id": "a&b"}
    assert parameters_of("limit=5000&access_token=x&page=2") == {"page": "2"}


@given(st.text(alphabet='<>;=", relnxt?/:', max_size=80))
def test_any_header_is_read(header: str) -> None:
    cursor = next_cursor(header)
    assert cursor is None or parameters_of(cursor) is not None


def test_a_long_header_takes_no_longer_than_its_length() -> None:
    for piece in ("<a>;a", '<a>;a="', "<", ';rel="', "<a>;;;"):
        next_cursor(piece * 20_000)
