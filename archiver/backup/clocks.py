"""How this machine's clock agrees with the source's, and with what it said in earlier runs."""

from datetime import UTC, datetime, timedelta

from archiver.models import CLOCKS_AGREE, Response, timestamp
from archiver.net.retry import http_date

_YEARS = range(1970, 9000)  # a server that says another year has no clock


def clock_off(answer: Response) -> timedelta | None:
    """How far our clock was ahead of the source's when an answer came; None where it has no date.

    Zero where the two agree as far as clocks do.
    """
    theirs = http_date(answer.headers.get("date", ""))
    ours = timestamp(answer.received_at)
    if theirs is None or ours is None or theirs.year not in _YEARS:
        return None
    off = datetime.fromisoformat(ours) - theirs.astimezone(UTC)
    return off if abs(off) > CLOCKS_AGREE else timedelta()


def note_on_source(off: timedelta) -> str:
    """What to say of a clock that is so far off the source's."""
    side = "ahead of" if off > timedelta() else "behind"
    return (
        f"This machine's clock is {_length(abs(off))} {side} the source's; set it right, "
        "because all times that a run notes are by it"
    )


def note_on_earlier_run(started_at: str) -> str:
    """What to say of a clock that is behind a run which is over."""
    return (
        f"This machine's clock is behind an earlier run, which began on {started_at[:10]}: "
        "it is wrong now, or was wrong then"
    )


def _length(length: timedelta) -> str:
    """In the largest unit of which there are at least two."""
    for unit, one in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if length >= 2 * one:
            return f"{length // one:,} {unit}"
    return f"{length // timedelta(minutes=1)} minutes"
