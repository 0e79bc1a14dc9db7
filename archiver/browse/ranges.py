"""What part of a file a request asks for, and whether it needs it at all (RFC 9110)."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from `start` to before `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start


class UnsatisfiableError(Exception):
    """Nothing of the file lies in the range: 416."""


def byte_range(size: int, header: str | None) -> ByteRange | None:
    """The part that a Range header names; None for the whole file.

    Several ranges, other units and nonsense are answered with the whole, as the RFC allows.
    Raises UnsatisfiableError.
    """
    found = _RANGE.fullmatch("".join((header or "").split()))
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        if length == 0:
            raise UnsatisfiableError
        return ByteRange(size - length, size)
    start = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if last < start and found[2]:
        return None
    if start >= size:
        raise UnsatisfiableError
    return ByteRange(start, min(last, size - 1) + 1)


def matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names this tag, weak or strong."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
