"""Subtitles in segments become one file (WebVTT, https://www.w3.org/TR/webvtt1/).

A segment may say how its times relate to the clock of the film (X-TIMESTAMP-MAP, RFC 8216 section
3.5). What the first segment says is taken for the beginning of the film, since many servers do not
give picture and subtitles the same clock.
"""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from archiver.errors import MediaRefused

_TIME = r"(?:(\d{2,6}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}([ \t].*)?", re.ASCII)
_MAP = re.compile(r"^X-TIMESTAMP-MAP=(.*)$", re.MULTILINE)
_MPEG = re.compile(r"MPEGTS:(\d{1,12})", re.ASCII)
_LOCAL = re.compile(rf"LOCAL:{_TIME}", re.ASCII)
_TICKS = 90  # of the clock of a transport stream in a millisecond
_WRAP = 1 << 33  # where that clock begins anew


class _TextSegment(Struct, frozen=True):
    """The blocks of a segment; `clock` in ticks is that of the film at `local` milliseconds."""

    blocks: Sequence[str]
    clock: int | None
    local: int


def join_webvtt(segments: Iterable[bytes]) -> bytes:
    """One file of subtitles. Raises MediaRefused for a segment that is something else.

    A cue that is in two segments, as it is shown over their border, is in the file once. Styles are
    left out: a platform does not say how pages of this program look.
    """
    regions: dict[str, None] = {}
    cues: dict[str, None] = {}
    first: int | None = None
    for segment in map(_read, segments):
        first = segment.clock if first is None else first
        shift = _milliseconds_after(first, segment.clock) - segment.local
        for block in segment.blocks:
            if block.startswith("REGION"):
                regions[block] = None
            elif (cue := _moved(block, shift)) is not None:
                cues[cue] = None
    return ("\n\n".join(["WEBVTT", *regions, *cues]) + "\n").encode()


def _read(data: bytes) -> _TextSegment:
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    if not re.match(r"WEBVTT(?:[ \t\n]|\Z)", text):
        raise MediaRefused(
            "The subtitles cannot be read", why="They are not WebVTT", code="wrong_kind"
        )
    head, *blocks = (block.strip("\n") for block in re.split(r"\n{2,}", text))
    match = _MAP.search(head)
    said = match[1] if match else ""
    clock, local = _MPEG.search(said), _LOCAL.search(said)
    return _TextSegment(
        blocks, int(clock[1]) if clock else None, _milliseconds(local.groups()) if local else 0
    )


def _milliseconds_after(first: int | None, clock: int | None) -> int:
    if first is None or clock is None:
        return 0
    ticks = (clock - first) % _WRAP
    return (ticks - _WRAP if ticks > _WRAP // 2 else ticks) // _TICKS


def _moved(block: str, shift: int) -> str | None:
    """A cue at its time in the film; None for a block that is none, or is over before it begins."""
    lines = block.split("\n")
    for at, line in enumerate(lines[:2]):  # the first line may be the name of the cue
        if match := _TIMING.fullmatch(line.strip()):
            begin, end = (_milliseconds(match.groups()[k : k + 4]) + shift for k in (0, 4))
            if end <= 0:
                return None
            timing = f"{_written(max(0, begin))} --> {_written(end)}{(match[9] or '').rstrip()}"
            return "\n".join([*lines[:at], timing, *lines[at + 1 :]])
    return None


def _milliseconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, rest = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def _written(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{rest:03}"
