"""Comparing this machine's clock with the source's, and with the times of earlier runs."""

from datetime import UTC, datetime, timedelta

from archiver.models import CLOCKS_AGREE, Response, timestamp
from archiver.net.retry import http_date

_YEARS = range(1970, 9000)  # a server with another year has no valid clock


def clock_offset(answer: Response) -> timedelta | None:
    """How far our clock was ahead of the source's at an answer; None where that has no date.

    Zero where they differ by less than `CLOCKS_AGREE`.
    """
    theirs = http_date(answer.headers.get("date", ""))
    ours = timestamp(answer.received_at)
    if theirs is None or ours is None or theirs.year not in _YEARS:
        return None
    off = datetime.fromisoformat(ours) - theirs.astimezone(UTC)
    return off if abs(off) > CLOCKS_AGREE else timedelta()


def source_clock_note(off: timedelta) -> str:
    """The note about a clock that differs from the source's by `off`."""
    side = "ahead of" if off > timedelta() else "behind"
    return (
        f"This machine's clock is {_length(abs(off))} {side} the source's; set it right, "
        "because a run saves all times by it"
    )


def earlier_run_clock_note(started_at: str) -> str:
    """The note about a clock that is behind the start of an earlier run."""
    return (
        f"This machine's clock is behind an earlier run, which began on {started_at[:10]}: "
        "it is wrong now, or was wrong then"
    )


def _length(length: timedelta) -> str:
    """A length of time in the largest unit of which there are at least two."""
    for unit, one in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if length >= 2 * one:
            return f"{length // one:,} {unit}"
    return f"{length // timedelta(minutes=1)} minutes"
