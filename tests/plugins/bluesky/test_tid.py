"""TIDs: identifiers that are a time."""

from datetime import UTC, datetime

import pytest

from archiver_bluesky.tid import is_tid, time_of
from support.bluesky.world import tid


def test_a_tid_is_its_time() -> None:
    moment = datetime(2026, 11, 23, 20, 49, 0, 123_456, tzinfo=UTC)
    text = tid(int(moment.timestamp() * 1_000_000) << 10 | 7)
    assert is_tid(text)
    assert time_of(text) == moment
    assert time_of("3ktuffizgm22l") == datetime(2024, 6, 1, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "self",
        "3ktuffizgm22",
        "3ktuffizgm22l2",
        "zktuffizgm22l",
        "3KTUFFIZGM22L",
        "3ktuffizgm221",
    ],
)
def test_what_is_no_tid(text: object) -> None:
    assert not is_tid(text)
