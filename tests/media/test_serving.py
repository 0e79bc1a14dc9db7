"""How a request for a file is read (RFC 9110)."""

import pytest

from archiver.media.serving import UnsatisfiableError, byte_range, etag_matches
from archiver.media.store import ByteRange


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("bytes=0-9", ByteRange(0, 10)),
        ("bytes=90-", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-1000", ByteRange(0, 100)),
        ("bytes=0-1000", ByteRange(0, 100)),
        ("BYTES = 5 - 6", ByteRange(5, 7)),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=99-99", ByteRange(99, 100)),
    ],
)
def test_ranges_are_read_as_the_standard_says(
    header: str | None, expected: ByteRange | None
) -> None:
    assert byte_range(100, header) == expected


@pytest.mark.parametrize(
    ("size", "header"), [(100, "bytes=100-"), (100, "bytes=-0"), (0, "bytes=-5"), (0, "bytes=0-")]
)
def test_ranges_outside_the_file_are_refused(size: int, header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        byte_range(size, header)


@pytest.mark.parametrize(
    ("header", "same"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
    ],
)
def test_entity_tags(header: str | None, same: bool) -> None:
    assert etag_matches(header, '"a"') is same
