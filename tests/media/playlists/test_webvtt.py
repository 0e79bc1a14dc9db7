"""Subtitles in segments become one file, in time with the film."""

import pytest

from archiver.errors import MediaRefused
from archiver.media.playlists.webvtt import join_webvtt


def segment(cue: str, *head: str) -> bytes:
    return "\n".join(["WEBVTT", *head, "", cue, ""]).encode()


def joined(*segments: bytes) -> list[str]:
    """The blocks of the file after its first line."""
    first, *blocks = join_webvtt(segments).decode().removesuffix("\n").split("\n\n")
    assert first == "WEBVTT"
    return blocks


def test_a_clock_that_goes_on_from_segment_to_segment_is_followed() -> None:
    clocks = (f"X-TIMESTAMP-MAP=MPEGTS:{ticks},LOCAL:00:00:00.000" for ticks in (900000, 1440000))
    assert joined(*(segment("00:01.000 --> 00:02.000\nA", clock) for clock in clocks)) == [
        "00:00:01.000 --> 00:00:02.000\nA", "00:00:07.000 --> 00:00:08.000\nA",
    ]  # fmt: skip


@pytest.mark.parametrize("local", ["LOCAL:00:00:10.000,MPEGTS:900000", "MPEGTS:900000"])
def test_times_of_the_whole_film_stay_as_they_are_but_for_where_they_begin(local: str) -> None:
    begins = 10_000 if "LOCAL" in local else 0
    found = joined(
        segment("00:10.000 --> 00:11.000\nA", f"X-TIMESTAMP-MAP={local}"),
        segment("00:12.000 --> 00:13.000\nB", f"X-TIMESTAMP-MAP={local}"),
    )
    times = [int(cue[6:8]) for cue in found]
    assert times == [10 - begins // 1000, 12 - begins // 1000]


def test_a_clock_that_begins_anew_is_no_jump() -> None:
    found = joined(
        segment("00:00.000 --> 00:01.000\nA", f"X-TIMESTAMP-MAP=MPEGTS:{(1 << 33) - 90000}"),
        segment("00:00.000 --> 00:01.000\nB", "X-TIMESTAMP-MAP=MPEGTS:90000"),
    )
    assert found[1].startswith("00:00:02.000 -->")


def test_names_settings_and_regions_stay_and_notes_and_styles_do_not() -> None:
    body = (
        "NOTE x\n\nSTYLE\n::cue {}\n\nREGION\nid:a\n\n7\n00:00.500 --> 00:01.000 line:0\n<b>A</b>"
    )
    assert joined(segment(body), segment(body)) == [
        "REGION\nid:a", "7\n00:00:00.500 --> 00:00:01.000 line:0\n<b>A</b>",
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_any_end_of_line_and_a_byte_order_mark_are_read(end: str) -> None:
    text = f"\ufeffWEBVTT - title{end}{end}01:00:00.000 --> 01:00:01.000{end}A{end}".encode()
    assert joined(text) == ["01:00:00.000 --> 01:00:01.000\nA"]


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"WEBVTTX\n", b"1\n00:00:01,000 --> 00:00:02,000"]
)
def test_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(MediaRefused, match="not WebVTT"):
        join_webvtt([data])
