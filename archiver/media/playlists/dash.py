"""Reads manifests of MPEG-DASH (ISO/IEC 23009-1), where they are static."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, zip_longest
from xml.etree import ElementTree as Xml

from msgspec import Struct
from msgspec.structs import replace

from archiver.media.playlists.plan import (
    MOST_SEGMENTS,
    FilmTrack,
    LeftOut,
    MediaSegment,
    NotJoinable,
    Period,
    Variant,
    address_in,
    checked_seconds,
    left_out,
    offer_subtitles,
    refuse_length,
    refuse_playlist,
)
from archiver.media.store import ByteRange

_WEBVTT = "text/vtt"
_SAME = ("id", "mimeType", "codecs", "width", "height", "audioSamplingRate")
"""What a representation has in common with itself in another period."""

_NAMESPACE = re.compile(r"\{[^}]*\}")
_DURATION = re.compile(
    r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?", re.ASCII
)
_FIELD = re.compile(r"\$(?:(RepresentationID|Number|Time|Bandwidth)(?:%0(\d{1,2})d)?)?\$")
_RANGE = re.compile(r"(\d{1,15})-(\d{1,15})", re.ASCII)


def read_dash(text: str, url: str) -> list[Variant]:
    """The variants of a film. Raises NotJoinable, and MediaError for what cannot be read."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        refuse_playlist("The playlist has declarations, which a playlist does not need")
    try:
        root = Xml.fromstring(text)  # noqa: S314 — without declarations there are no entities
    except (Xml.ParseError, ValueError) as error:
        refuse_playlist(f"The playlist cannot be read: {error}")
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", str(element.tag))
    if next(root.iter("ContentProtection"), None) is not None:
        raise NotJoinable("it is encrypted in a way that the platform keeps to itself", "drm")
    if root.get("type", "static") != "static":
        raise NotJoinable("it is being broadcast: its playlist has no end yet", "live")
    periods = root.findall("Period")
    if not periods:
        raise NotJoinable("its playlist is empty")
    if len(periods) > MOST_SEGMENTS:
        refuse_length()
    base = _based(url, root)
    found = [
        _PeriodReader(_based(base, period), seconds).variants(period)
        for period, seconds in zip(periods, _lengths(root, periods), strict=True)
    ]
    return _joined(found) if len(found) > 1 else [variant for _, variant in found[0]]


_Described = tuple[tuple[str | None, ...], Variant]
"""A variant of a period, and by what it is known in other periods: ids, codecs and size."""


def _lengths(root: Xml.Element, periods: Sequence[Xml.Element]) -> list[float | None]:
    """How many seconds each period plays (ISO/IEC 23009-1, 5.3.2.1).

    By its own word, else until the next one begins, or until the end of the whole.
    """
    whole = _seconds(root.get("mediaPresentationDuration"))
    found: list[float | None] = []
    begins: float | None = 0.0
    for period, after in zip_longest(periods, periods[1:]):
        told = _seconds(period.get("start"))
        begins = begins if told is None else told
        ends = whole if after is None else _seconds(after.get("start"))
        length = _seconds(period.get("duration"))
        if length is None and begins is not None and ends is not None and ends >= begins:
            length = ends - begins
        found.append(length)
        begins = None if begins is None or length is None else begins + length
    return found


def _joined(periods: Sequence[Sequence[_Described]]) -> list[Variant]:
    """The variants of several periods, each of which offers the same ones.

    Raises NotJoinable for others: a period of something else, such as an advertisement.
    """
    first = dict(periods[0])
    others = [dict(period) for period in periods[1:]]
    if len(first) < len(periods[0]) or any(
        other.keys() != first.keys() or len(other) < len(period)
        for other, period in zip(others, periods[1:], strict=True)
    ):
        raise NotJoinable("its playlist has several periods, with different pictures or sound")
    return [
        replace(
            variant,
            tracks=tuple(map(_in_turn, zip(*(each.tracks for each in every), strict=True))),
            left_out=tuple(dict.fromkeys(left for each in every for left in _without(each))),
            subtitles=(),
        )
        for key, variant in first.items()
        for every in [[variant, *(other[key] for other in others)]]
    ]


def _without(variant: Variant) -> tuple[LeftOut, ...]:
    """What is left out of it where its subtitles are left out too: they are of one period only."""
    texts = left_out("subtitles", ((each.language, each.label) for each in variant.subtitles))
    return (*texts, *variant.left_out)


def _in_turn(tracks: Iterable[str | FilmTrack]) -> FilmTrack:
    """The same track of all periods, one after the other."""
    own = [track for track in tracks if isinstance(track, FilmTrack)]
    return FilmTrack(tuple(period for track in own for period in track.periods))


class _PeriodReader(Struct, frozen=True):
    """One period of a manifest: where its addresses start from, how many seconds it plays."""

    url: str
    seconds: float | None

    def variants(self, period: Xml.Element) -> list[_Described]:
        """Each picture, with the best sound."""
        pictures = list(self._representations(period, "video"))
        sounds = list(self._representations(period, "audio"))
        sound = max(sounds, key=_bandwidth, default=None)
        subtitles = offer_subtitles(
            (*_words(one), self._track(one)) for one in self._representations(period, _WEBVTT)
        )
        without = (*_other_texts(period), *_other_sounds(period, sound if pictures else None))
        found = []
        for picture in pictures or sounds:
            tracks = [picture] if sound is None or not pictures else [picture, sound]
            variant = Variant(
                sum(map(_bandwidth, tracks)), _number(picture.get("width")),
                _number(picture.get("height")), tuple(map(self._track, tracks)), without,
                subtitles,
            )  # fmt: skip
            found.append((tuple(each.get(name) for each in tracks for name in _SAME), variant))
        if not found:
            raise NotJoinable("its playlist is empty")
        return found

    def _representations(self, period: Xml.Element, kind: str) -> Iterator[Xml.Element]:
        """Those of a kind, each with what its set says for all of them."""
        for group in period.findall("AdaptationSet"):
            for one in group.findall("Representation"):
                if not _kind_of(one, group).startswith(kind):
                    continue
                merged = Xml.Element("Representation", {**group.attrib, **one.attrib})
                merged.set("base", _based(_based(self.url, group), one))
                names = ("SegmentTemplate", "SegmentList", "SegmentBase")
                for name in names:
                    merged.extend(_inherited(period, group, one, name))
                yield merged

    def _track(self, one: Xml.Element) -> FilmTrack:
        base = one.get("base", "")
        if (template := one.find("SegmentTemplate")) is not None:
            return _of_template(template, one, base, self.seconds)
        if (listed := one.find("SegmentList")) is not None:
            return _of_list(listed, base)
        return FilmTrack((Period((MediaSegment(base, None, self.seconds or 0.0),)),))


def _other_texts(period: Xml.Element) -> tuple[LeftOut, ...]:
    """Subtitles in other forms than WebVTT."""
    groups = (
        group
        for group in period.findall("AdaptationSet")
        if _is_text(group) and not any(_kind_of(each, group) == _WEBVTT for each in group)
    )
    return left_out("subtitles", map(_words, groups))


def _kind_of(one: Xml.Element, group: Xml.Element) -> str:
    """The media type of a representation, or its beginning, as it or its set says it."""
    return one.get("mimeType") or group.get("mimeType") or group.get("contentType") or ""


def _is_text(group: Xml.Element) -> bool:
    """Whether a set has subtitles: as files of text, or in mp4 (ISO/IEC 14496-30)."""
    said = [(each.get("mimeType"), each.get("codecs")) for each in (group, *group)]
    return group.get("contentType") == "text" or any(
        (kind or "").startswith(("text/", "application/ttml"))
        or (codecs or "").startswith(("stpp", "wvtt"))
        for kind, codecs in said
    )


def _other_sounds(period: Xml.Element, chosen: Xml.Element | None) -> tuple[LeftOut, ...]:
    """Sets of sound in other languages, or under other names, than the one that was chosen."""
    if chosen is None:
        return ()
    named = {_words(group) for group in period.findall("AdaptationSet") if _is_sound(group)}
    return left_out("sound", sorted(named - {_words(chosen)}, key=str))


def _is_sound(group: Xml.Element) -> bool:
    kinds = (each.get("mimeType") or each.get("contentType") or "" for each in (group, *group))
    return any(kind.startswith("audio") for kind in kinds)


def _words(group: Xml.Element) -> tuple[str | None, str | None]:
    """The language and the name of a set; what was merged with one has them too."""
    return group.get("lang"), group.get("label")


def _inherited(
    period: Xml.Element, group: Xml.Element, one: Xml.Element, name: str
) -> list[Xml.Element]:
    """An element as its representation sees it: the outer ones' attributes, then its own."""
    levels = [level.find(name) for level in (period, group, one)]
    there = [level for level in levels if level is not None]
    if not there:
        return []
    merged = Xml.Element(name, {k: v for level in there for k, v in level.attrib.items()})
    children = {child.tag: level for level in there for child in level}
    for tag, level in children.items():
        merged.extend(level.findall(tag))
    return [merged]


def _of_template(
    template: Xml.Element, one: Xml.Element, base: str, seconds: float | None
) -> FilmTrack:
    scale = _number(template.get("timescale")) or 1
    first = _number(template.get("startNumber"))
    numbers = count(1 if first is None else first)
    fields = {"RepresentationID": one.get("id", ""), "Bandwidth": one.get("bandwidth", "")}
    media = template.get("media", "")
    segments: list[MediaSegment] = []
    for number, (time, length) in zip(numbers, _times(template, scale, seconds), strict=False):
        if len(segments) >= MOST_SEGMENTS:
            refuse_length()
        values = {**fields, "Number": str(number), "Time": str(time)}
        played = checked_seconds(length / scale)
        segments.append(MediaSegment(address_in(base, _filled(media, values)), None, played))
    if not segments:
        raise NotJoinable("its playlist is empty")
    start = template.get("initialization")
    head = MediaSegment(address_in(base, _filled(start, fields))) if start else None
    return FilmTrack((Period(tuple(segments), head),))


def _times(template: Xml.Element, scale: int, seconds: float | None) -> Iterator[tuple[int, int]]:
    """When each segment begins and how long it is, in units of the time scale."""
    timeline = template.find("SegmentTimeline")
    if timeline is None:
        length = _number(template.get("duration"))
        if not length or seconds is None:
            raise NotJoinable("its playlist does not say how many segments there are")
        for number in range(-int(-seconds * scale // length)):
            yield number * length, length
        return
    now = 0
    for entry in timeline.findall("S"):
        now = _number(entry.get("t")) if entry.get("t") else now  # type: ignore[assignment]  # digits, by _number
        length = _number(entry.get("d")) or 0
        repeats = int(entry.get("r", "0")) if re.fullmatch(r"-?\d{1,6}", entry.get("r", "0")) else 0
        if repeats < 0 or not length:
            raise NotJoinable("its playlist does not say how many segments there are")
        for _ in range(repeats + 1):
            yield now, length
            now += length


def _of_list(listed: Xml.Element, base: str) -> FilmTrack:
    scale = _number(listed.get("timescale")) or 1
    seconds = checked_seconds((_number(listed.get("duration")) or 0) / scale)
    entries = listed.findall("SegmentURL")
    if len(entries) > MOST_SEGMENTS:
        refuse_length()
    segments = tuple(
        MediaSegment(
            address_in(base, entry.get("media")) if entry.get("media") else base,
            _span(entry.get("mediaRange")), seconds,
        )
        for entry in entries
    )  # fmt: skip
    if not segments:
        raise NotJoinable("its playlist is empty")
    start = listed.find("Initialization")
    head = None
    if start is not None:
        source = start.get("sourceURL")
        address = address_in(base, source) if source else base
        head = MediaSegment(address, _span(start.get("range")))
    return FilmTrack((Period(segments, head),))


def _filled(text: str, fields: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        if match[1] not in fields:
            refuse_playlist(f"The playlist uses ${match[1]}$ where it has no value")
        return fields[match[1]].zfill(int(match[2] or 0))

    return _FIELD.sub(value, text)


def _based(url: str, element: Xml.Element) -> str:
    base = element.find("BaseURL")
    return url if base is None else address_in(url, base.text)


def _span(text: str | None) -> ByteRange | None:
    if text is None:
        return None
    match = _RANGE.fullmatch(text)
    if match is None or int(match[2]) < int(match[1]):
        refuse_playlist("The playlist has a byte range that cannot be read")
    return ByteRange(int(match[1]), int(match[2]) + 1)


def _seconds(text: str | None) -> float | None:
    """A duration of XML Schema (`PT1M30.5S`) in seconds."""
    match = _DURATION.fullmatch(text or "")
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return checked_seconds(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _bandwidth(element: Xml.Element) -> int:
    return _number(element.get("bandwidth")) or 0


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,15}", text, re.ASCII) else None
