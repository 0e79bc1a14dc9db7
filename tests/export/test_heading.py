"""An export says when it was made."""

from datetime import UTC, datetime

from archiver.export.heading import time_now


def test_the_time_is_in_utc_and_has_whole_seconds() -> None:
    text = time_now()
    assert len(text) == len("2026-03-01T00:00:00Z")
    assert datetime.fromisoformat(text).tzinfo == UTC
