"""What a playlist says that a film is made of: tracks of segments, in the order of play."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, NoReturn
from urllib.parse import quote

from msgspec import Struct

from archiver.errors import MediaError, MediaRefused
from archiver.media.store import ByteRange
from archiver.urls import BadUrl, normalize_url

MOST_SEGMENTS = 20_000
"""Segments of one film, initialization segments and keys included: more than 24 hours of 6 s."""

_LONGEST_WORD = 100  # characters of a language or a name
_MOST_LEFT_OUT = 100

PlaylistProblem = Literal["manifest_only", "live", "drm"]


class NotJoinable(Exception):
    """A playlist that no film can be made of here; the message says why, for people.

    `code` is `live` (it has no end yet), `drm` (its segments are protected), or `manifest_only`.
    """

    def __init__(self, why: str, code: PlaylistProblem = "manifest_only") -> None:
        super().__init__(why)
        self.code = code


class SegmentKey(Struct, frozen=True):
    """AES-128 in CBC mode (RFC 8216 section 4.3.2.4): where the key is, and the 16 bytes of IV."""

    url: str
    iv: bytes


class MediaSegment(Struct, frozen=True):
    """A file, or the part `span` of one; `seconds` is how long it plays: an initialization, 0."""

    url: str
    span: ByteRange | None = None
    seconds: float = 0.0
    key: SegmentKey | None = None


class Period(Struct, frozen=True):
    """Segments whose times go on without a break, with the initialization that they need."""

    segments: tuple[MediaSegment, ...]
    initialization: MediaSegment | None = None

    @property
    def all(self) -> tuple[MediaSegment, ...]:
        """Everything to fetch, in order."""
        first = () if self.initialization is None else (self.initialization,)
        return (*first, *self.segments)

    @property
    def seconds(self) -> float:
        """How long it plays, by the playlist's word."""
        return sum(segment.seconds for segment in self.segments)


class FilmTrack(Struct, frozen=True):
    """One playlist of media: picture and sound together, or one of them."""

    periods: tuple[Period, ...]

    @property
    def seconds(self) -> float:
        """How long it plays, by the playlist's word."""
        return sum(period.seconds for period in self.periods)


class FilmPlan(Struct, frozen=True):
    """All tracks of a film: the picture (with its sound, or without), and the sound apart."""

    tracks: tuple[FilmTrack, ...]

    @property
    def segments(self) -> Iterator[MediaSegment]:
        """All that is to be fetched, in order."""
        for period in self.periods:
            yield from period.all

    @property
    def periods(self) -> Iterator[Period]:
        """Those of all tracks, in order."""
        for track in self.tracks:
            yield from track.periods

    @property
    def seconds(self) -> float:
        """How long it plays, by the playlist's word."""
        return self.tracks[0].seconds

    @property
    def is_plain(self) -> bool:
        """Whether its segments, one after the other, are a valid file."""
        return len(self.tracks) == 1 and len(self.tracks[0].periods) == 1


class LeftOut(Struct, frozen=True):
    """Subtitles, or sound besides the one that is played, which a film is made without.

    `language` and `name` are as the playlist has them.
    """

    kind: Literal["subtitles", "sound"]
    language: str | None
    name: str | None


class SubtitleOffer(Struct, frozen=True):
    """Subtitles that a playlist offers in files of their own; the words are the playlist's.

    `name` tells them from the others, across runs; `track` is the address of their media playlist,
    or what such a playlist would say.
    """

    name: str
    language: str | None
    label: str | None
    track: str | FilmTrack


class Variant(Struct, frozen=True):
    """One version of a film among others: its bits per second, its size in pixels.

    `tracks` are the picture (with its sound, or without), and the sound where it is apart: each as
    the address of its media playlist, or as what such a playlist would say.
    """

    bandwidth: int
    width: int | None
    height: int | None
    tracks: tuple[str | FilmTrack, ...]
    left_out: tuple[LeftOut, ...] = ()
    subtitles: tuple[SubtitleOffer, ...] = ()

    @property
    def name(self) -> str:
        """What tells it from the others, across runs: `1280x720-2500000`."""
        return f"{self.width or 0}x{self.height or 0}-{self.bandwidth}"


def choose_variant(variants: list[Variant], videos: str, name: str | None = None) -> Variant:
    """The variant of that name, else the one that the setting `videos` wants first.

    Raises NotJoinable for a name that is not among them.
    """
    if name is not None:
        for variant in variants:
            if variant.name == name:
                return variant
        raise NotJoinable("its playlist no longer has this variant")
    quality = [(variant.bandwidth, (variant.width or 0) * (variant.height or 0))
               for variant in variants]  # fmt: skip
    wanted = min(quality) if videos == "smallest" else max(quality)
    return variants[quality.index(wanted)]


def left_out(
    kind: Literal["subtitles", "sound"], named: Iterable[tuple[str | None, str | None]]
) -> tuple[LeftOut, ...]:
    """These languages and names, each once; of a playlist that has more than a film has, some."""
    short = (
        LeftOut(kind, language and language[:_LONGEST_WORD], name and name[:_LONGEST_WORD])
        for language, name in named
    )
    return tuple(islice(dict.fromkeys(short), _MOST_LEFT_OUT))


def offer_subtitles(
    found: Iterable[tuple[str | None, str | None, str | FilmTrack]],
) -> tuple[SubtitleOffer, ...]:
    """Subtitles by language, name and track; of those with one language and name, the first.

    Others are on other servers, or for other variants.
    """
    offers: dict[str, SubtitleOffer] = {}
    for language, label, track in found:
        words = (language and language[:_LONGEST_WORD], label and label[:_LONGEST_WORD])
        name = "/".join(quote(word or "", safe="") for word in words)
        offers.setdefault(name, SubtitleOffer(name, words[0], words[1], track))
    return tuple(islice(offers.values(), _MOST_LEFT_OUT))


def address_in(playlist_url: str, text: str | None) -> str:
    """An address that a playlist names, as an absolute one. Raises MediaError."""
    try:
        return normalize_url(text or "", playlist_url)
    except BadUrl as error:
        refuse_playlist(f"An address in the playlist cannot be used: {error}")


def checked_seconds(value: float | None) -> float:
    """A duration that a playlist gives, in seconds. Raises MediaError."""
    seconds = value or 0.0
    if not (math.isfinite(seconds) and 0 <= seconds <= 86_400):
        refuse_playlist("A segment has no sensible duration")
    return seconds


def refuse_playlist(why: str) -> NoReturn:
    """Raise the MediaError for a playlist that cannot be read."""
    raise MediaError("The file could not be fetched", why=why, code="bad_playlist")


def refuse_length() -> NoReturn:
    """Raise the MediaRefused for a playlist with too many segments."""
    raise MediaRefused(
        "The playlist is too long",
        why=f"The playlist has more than {MOST_SEGMENTS:,} segments",
        code="playlist_too_long",
    )
