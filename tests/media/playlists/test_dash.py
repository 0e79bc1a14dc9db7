"""Manifests of DASH: the segments that they name, in whatever way they name them."""

import pytest

from archiver.errors import MediaError, MediaRefused
from archiver.media.playlists.dash import read_dash
from archiver.media.playlists.plan import FilmTrack, LeftOut, MediaSegment, NotJoinable
from archiver.media.store import ByteRange

URL = "https://a.example/films/1/film.mpd?token=1"
BASE = "https://a.example/films/1/"
LONG = 'duration="PT2S"'


def manifest(
    inside: str, picture: str = "", *, of: str = 'mediaPresentationDuration="PT5S"'
) -> str:
    return (
        f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" {of}>'
        f'<Period><AdaptationSet mimeType="video/mp4">{picture}'
        f'<Representation id="v1" bandwidth="800000" width="640" height="360">{inside}'
        "</Representation></AdaptationSet></Period></MPD>"
    )


def track(text: str) -> FilmTrack:
    (variant,) = read_dash(text, URL)
    (found,) = variant.tracks
    assert isinstance(found, FilmTrack)
    return found


def names(text: str) -> list[str]:
    (period,) = track(text).periods
    return [segment.url.removeprefix(BASE) for segment in period.all]


def test_numbers_are_counted_until_the_film_is_over() -> None:
    template = (
        '<SegmentTemplate timescale="1000" duration="2000" startNumber="7" '
        'media="$RepresentationID$/$Number%03d$.m4s" initialization="$RepresentationID$/init.mp4"/>'
    )
    assert names(manifest(template)) == ["v1/init.mp4", "v1/007.m4s", "v1/008.m4s", "v1/009.m4s"]


def test_a_time_line_says_when_each_segment_begins() -> None:
    template = (
        '<SegmentTemplate timescale="10" media="$Time$-$Bandwidth$.m4s"><SegmentTimeline>'
        '<S t="100" d="20" r="1"/><S d="5"/></SegmentTimeline></SegmentTemplate>'
    )
    assert names(manifest(template)) == ["100-800000.m4s", "120-800000.m4s", "140-800000.m4s"]
    assert track(manifest(template)).seconds == 4.5


def test_what_a_set_says_is_said_of_each_of_its_representations() -> None:
    outer = '<SegmentTemplate duration="5" initialization="i.mp4"/>'
    assert names(manifest('<SegmentTemplate media="$Number$.m4s"/>', outer)) == ["i.mp4", "1.m4s"]


def test_a_list_names_parts_of_one_file() -> None:
    listed = (
        '<BaseURL>v.mp4</BaseURL><SegmentList duration="2"><Initialization range="0-99"/>'
        '<SegmentURL mediaRange="100-199"/><SegmentURL mediaRange="200-204"/></SegmentList>'
    )
    (period,) = track(manifest(listed)).periods
    assert period.initialization == MediaSegment(f"{BASE}v.mp4", ByteRange(0, 100))
    assert [each.span for each in period.segments] == [ByteRange(100, 200), ByteRange(200, 205)]


def test_a_file_by_itself_is_one_segment() -> None:
    assert names(manifest("<BaseURL>../whole.mp4</BaseURL>")) == [
        "https://a.example/films/whole.mp4"
    ]


def representation(name: str, bandwidth: int, size: str = "") -> str:
    base = f"<BaseURL>{name}.mp4</BaseURL>"
    return f'<Representation id="{name}" bandwidth="{bandwidth}" {size}>{base}</Representation>'


def test_each_picture_goes_with_the_best_sound() -> None:
    sounds = representation("a1", 1) + representation("a9", 9)
    pictures = representation("v100", 100, 'width="2" height="4"') + representation("v50", 50)
    text = (
        f'<MPD><Period><AdaptationSet contentType="audio">{sounds}</AdaptationSet>'
        f'<AdaptationSet contentType="video">{pictures}</AdaptationSet></Period></MPD>'
    )
    first, second = read_dash(text, URL)
    assert (first.name, second.name) == ("2x4-109", "0x0-59")
    for variant, picture in ((first, "v100"), (second, "v50")):
        urls = [
            each.periods[0].segments[0].url
            for each in variant.tracks
            if isinstance(each, FilmTrack)
        ]
        assert urls == [f"{BASE}{picture}.mp4", f"{BASE}a9.mp4"]


def test_subtitles_and_sound_in_other_languages_are_named() -> None:
    sets = (
        'mimeType="video/mp4"', 'mimeType="audio/mp4" lang="en"', 'mimeType="audio/mp4" lang="it"',
        'mimeType="text/vtt" lang="de"', 'mimeType="application/mp4" codecs="stpp" lang="fr"',
    )  # fmt: skip
    inside = representation("x", 1)
    groups = "".join(f"<AdaptationSet {said}>{inside}</AdaptationSet>" for said in sets)
    text = f"<MPD><Period>{groups}</Period></MPD>"
    (variant,) = read_dash(text, URL)
    assert variant.left_out == (LeftOut("subtitles", "fr", None), LeftOut("sound", "it", None))
    (german,) = variant.subtitles
    assert (german.name, german.language) == ("de/", "de")
    assert isinstance(german.track, FilmTrack)
    assert [each.url for each in german.track.periods[0].all] == [f"{BASE}x.mp4"]
    (both,) = read_dash(text.replace("</MPD>", f"<Period>{groups}</Period></MPD>"), URL)
    assert LeftOut("subtitles", "de", None) in both.left_out
    assert both.subtitles == ()


def period(said: str, template: str, *ids: str) -> str:
    pictures = "".join(f'<Representation id="{name}" width="64" height="48"/>' for name in ids)
    return (
        f'<Period {said}><AdaptationSet mimeType="video/mp4">'
        f'<SegmentTemplate duration="2" media="{template}-$RepresentationID$-$Number$.m4s"/>'
        f"{pictures}</AdaptationSet></Period>"
    )


def test_periods_that_offer_the_same_are_played_one_after_the_other() -> None:
    text = (
        '<MPD mediaPresentationDuration="PT9S">'
        + period("", "a", "big", "small")
        + period('start="PT4S" duration="PT2S"', "b", "small", "big")
        + period("", "c", "big", "small")
        + "</MPD>"
    )
    first, second = read_dash(text, URL)
    for variant, name in ((first, "big"), (second, "small")):
        (track,) = variant.tracks
        assert isinstance(track, FilmTrack)
        assert [[each.url.removeprefix(BASE) for each in part.all] for part in track.periods] == [
            [f"a-{name}-1.m4s", f"a-{name}-2.m4s"],
            [f"b-{name}-1.m4s"],
            [f"c-{name}-1.m4s", f"c-{name}-2.m4s"],
        ]


@pytest.mark.parametrize("other", [("small",), ("big", "small", "small"), ()])
def test_periods_of_something_else_make_no_film(other: tuple[str, ...]) -> None:
    text = f"<MPD>{period(LONG, 'a', 'big', 'small')}{period(LONG, 'ad', *other)}</MPD>"
    with pytest.raises(NotJoinable, match=r"several periods, with different|is empty"):
        read_dash(text, URL)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (manifest('<SegmentTemplate media="$Number$"/>'), NotJoinable),
        (manifest('<SegmentTemplate media="$Number$" duration="1"/>', of=""), NotJoinable),
        (
            manifest(
                '<SegmentTemplate media="a"><SegmentTimeline><S d="1" r="-1"/></SegmentTimeline>'
                "</SegmentTemplate>"
            ),
            NotJoinable,
        ),
        (manifest('<SegmentTemplate media="a" initialization="$Time$" duration="1"/>'), MediaError),
        (manifest('<SegmentList><SegmentURL mediaRange="9-1"/></SegmentList>'), MediaError),
        (manifest("<BaseURL>ftp://a.example/v.mp4</BaseURL>"), MediaError),
        ("<MPD><Period>", MediaError),
        ('<!DOCTYPE MPD [<!ENTITY a "b">]><MPD/>', MediaError),
        (
            manifest('<SegmentTemplate timescale="1000" duration="1" media="$Number$"/>',
                     of='mediaPresentationDuration="PT60S"'),
            MediaRefused,
        ),
        ("<MPD><Period/></MPD>", NotJoinable),
    ],
)  # fmt: skip
def test_what_has_no_end_or_makes_no_sense_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_dash(text, URL)
