"""Reads playlists of HTTP Live Streaming (RFC 8216); the package m3u8 does the parsing."""

import re
from collections.abc import Iterable
from typing import Any

from archiver.media.playlists.plan import (
    MOST_SEGMENTS,
    FilmTrack,
    MediaSegment,
    NotJoinable,
    Period,
    SegmentKey,
    Variant,
    address_in,
    checked_seconds,
    left_out,
    offer_subtitles,
    refuse_length,
    refuse_playlist,
)
from archiver.media.store import ByteRange

_BYTE_RANGE = re.compile(r"(\d{1,15})(?:@(\d{1,15}))?", re.ASCII)
_IV = re.compile(r"0[xX]([0-9a-fA-F]{1,32})", re.ASCII)
_SIMPLE_KEYS = {None, "", "identity"}


def read_hls(text: str, url: str) -> list[Variant] | FilmTrack:
    """The variants of a master playlist, or the track of a media playlist.

    `url` is where it came from. Raises NotJoinable, and MediaError for what cannot be read.
    """
    if text.count("#EXTINF") > MOST_SEGMENTS or text.count("#EXT-X-STREAM-INF") > MOST_SEGMENTS:
        refuse_length()
    if "#EXT-X-DEFINE" in text:
        raise NotJoinable("its playlist uses variables")
    playlist = _parse(text)
    if playlist.is_variant:
        return _variants(playlist, url)
    if playlist.is_i_frames_only:
        raise NotJoinable("its playlist has single pictures only")
    if not playlist.segments:
        raise NotJoinable("its playlist is empty")
    _refuse_drm([*playlist.keys, *(segment.key for segment in playlist.segments)])
    if not playlist.is_endlist:
        raise NotJoinable("it is being broadcast: its playlist has no end yet", "live")
    return FilmTrack(tuple(_periods(playlist.segments, url)))


def _parse(text: str) -> Any:
    import m3u8  # noqa: PLC0415 — needed for a playlist only

    try:
        return m3u8.loads(text)
    except Exception as error:  # noqa: BLE001 — what it raises for hostile text is not documented
        refuse_playlist(f"The playlist cannot be read: {type(error).__name__}")


def _refuse_drm(keys: Iterable[Any]) -> None:
    for key in keys:
        if key is None or key.method in {None, "NONE"}:
            continue
        if key.method != "AES-128" or key.keyformat not in _SIMPLE_KEYS:
            raise NotJoinable("it is encrypted in a way that the platform keeps to itself", "drm")


def _variants(playlist: Any, url: str) -> list[Variant]:
    _refuse_drm(playlist.session_keys)
    texts = [each for each in playlist.media if each.type == "SUBTITLES"]
    subtitles = offer_subtitles(
        (*_words(each), address_in(url, each.uri)) for each in texts if each.uri is not None
    )
    found = []
    for entry in playlist.playlists:
        info = entry.stream_info
        width, height = info.resolution or (None, None)
        address = address_in(url, entry.uri)
        sounds = _sounds(playlist.media, info.audio, url)
        sound = sounds[0][0] if sounds else None
        tracks = (address,) if sound is None or sound == address else (address, sound)
        other_sounds = (_words(each) for heard, each in sounds if heard not in {sound, address})
        without = left_out("sound", other_sounds)
        found.append(Variant(info.bandwidth or 0, width, height, tracks, without, subtitles))
    if not found:
        raise NotJoinable("its playlist is empty")
    pictures = [variant for variant in found if variant.width]
    return pictures or found  # where some have a picture, the others are sound alone


def _sounds(renditions: Iterable[Any], group: str | None, url: str) -> list[tuple[str | None, Any]]:
    """The sounds of a group by their playlists, first what is played unless somebody chooses.

    A member without an address says that the sound is in the variant itself.
    """
    members = [
        each for each in renditions
        if each.type == "AUDIO" and group is not None and each.group_id == group
    ]  # fmt: skip
    members.sort(key=lambda each: (each.default != "YES", each.autoselect != "YES"))
    return [(None if each.uri is None else address_in(url, each.uri), each) for each in members]


def _words(rendition: Any) -> tuple[str | None, str | None]:
    return rendition.language, rendition.name


def _periods(segments: Iterable[Any], url: str) -> Iterable[Period]:
    reader = _SegmentReader(url)
    gathered: list[MediaSegment] = []
    initialization: MediaSegment | None = None
    for segment in segments:
        if segment.gap_tag:
            raise NotJoinable("its playlist says that a part of it is missing")
        wanted = reader.initialization(segment)
        if gathered and (segment.discontinuity or wanted != initialization):
            yield Period(tuple(gathered), initialization)
            gathered = []
        initialization = wanted
        gathered.append(reader.segment(segment))
    yield Period(tuple(gathered), initialization)


class _SegmentReader:
    """Makes segments of what the parser gives; remembers where the last byte range ended."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._last: tuple[str, int] = ("", 0)

    def segment(self, segment: Any) -> MediaSegment:
        """A segment of media."""
        address = address_in(self._url, segment.uri)
        span = self._span(address, segment.byterange)
        seconds = checked_seconds(segment.duration)
        return MediaSegment(address, span, seconds, self._key(segment.key, segment.media_sequence))

    def initialization(self, segment: Any) -> MediaSegment | None:
        """The initialization that a segment needs (EXT-X-MAP)."""
        section = segment.init_section
        if section is None or section.uri is None:
            return None
        address = address_in(self._url, section.uri)
        span = None
        if section.byterange:
            size, start = _numbers(section.byterange)
            span = ByteRange(start or 0, (start or 0) + size)
        # without an IV of its own it cannot be encrypted (RFC 8216 section 4.3.2.5)
        has_iv = segment.key is not None and segment.key.iv is not None
        return MediaSegment(address, span, key=self._key(segment.key, 0) if has_iv else None)

    def _span(self, address: str, text: str | None) -> ByteRange | None:
        if not text:
            return None
        size, start = _numbers(text)
        if start is None:  # it follows the one before, of the same file
            if self._last[0] != address:
                refuse_playlist("The playlist names a byte range without its beginning")
            start = self._last[1]
        self._last = address, start + size
        return ByteRange(start, start + size)

    def _key(self, key: Any, sequence: int) -> SegmentKey | None:
        if key is None or key.method in {None, "NONE"}:
            return None
        if key.iv is None:
            return SegmentKey(address_in(self._url, key.uri), sequence.to_bytes(16, "big"))
        match = _IV.fullmatch(key.iv)
        if match is None:
            refuse_playlist("The playlist has an initialization vector that cannot be read")
        return SegmentKey(address_in(self._url, key.uri), int(match[1], 16).to_bytes(16, "big"))


def _numbers(text: str) -> tuple[int, int | None]:
    """Size and beginning of a byte range."""
    match = _BYTE_RANGE.fullmatch(text)
    if match is None or not int(match[1]):
        refuse_playlist("The playlist has a byte range that cannot be read")
    return int(match[1]), None if match[2] is None else int(match[2])
