"""Whether a file has a moving picture, by its own list of tracks."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.media.kinds import UNKNOWN, sniff
from archiver.media.tracks import has_video_track, is_fragment
from support.media.samples import FRAGMENT, INIT_SEGMENT, MP4, box, movie, webm

CASES = [
    (MP4, True), (movie(tracks=(b"soun",)), False), (movie(tracks=(b"vide",)), True),
    (movie(tracks=()), None), (movie(brand=b"M4A "), True), (webm(1, 2), True), (webm(2), False),
    (webm(), None), (b"ID3\x04", False), (b"OggS" + bytes(24) + b"\x80theora", True),
    (b"OggS" + bytes(24) + b"\x01vorbis", False), (b"FLV\x01\x05", True), (b"FLV\x01\x04", False),
    (b"FLV\x01\x00", None), (b"\x47" + bytes(187) + b"\x47", None),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_a_video_track_is_present_absent_or_unknown(
    tmp_path: Path, data: bytes, expected: bool | None
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert has_video_track(path, sniff(data) or UNKNOWN, data[:4096]) is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [(FRAGMENT, True), (INIT_SEGMENT, True), (FRAGMENT[16:], True), (MP4, False),
     (INIT_SEGMENT + FRAGMENT[16:], False), (FRAGMENT[:16] + INIT_SEGMENT + FRAGMENT[16:], False),
     (box(b"ftyp", b"isom", bytes(4)) + FRAGMENT[16:], True), (webm(1), False)],
)  # fmt: skip
def test_a_fragment_of_a_movie_is_not_taken_for_a_whole_one(
    tmp_path: Path, data: bytes, expected: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert is_fragment(path, sniff(data) or UNKNOWN) is expected


def test_an_element_that_begins_in_another_and_ends_outside_says_nothing(tmp_path: Path) -> None:
    whole = webm(1, 2)
    path = tmp_path / "file"
    for at in range(len(whole)):
        for size in range(1, 9):
            path.write_bytes(whole[:at] + bytes([0x84] * size) + whole[at:])
            kind = sniff(path.read_bytes()) or UNKNOWN
            assert has_video_track(path, kind, whole[:at]) in {True, False, None}


@given(st.sampled_from([MP4, webm(1, 2), FRAGMENT]), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_damaged_lists_raise_nothing(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + data.draw(st.binary(min_size=1, max_size=8)) + whole[at:]
    path = tmp_path / "file"
    path.write_bytes(changed)
    kind = sniff(changed) or UNKNOWN
    assert has_video_track(path, kind, changed[:4096]) in {True, False, None}
    assert is_fragment(path, kind) in {True, False}
