"""Which of the formats that a page offers are wanted."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archiver import ResolvedSubtitles

_PLAIN = frozenset({"http", "https"})
_PLAYLISTS = frozenset({"m3u8", "m3u8_native"})
_MP4 = frozenset({"mp4", "m4a"})
_MOST_SUBTITLES = 50
_LONGEST_WORD = 100  # characters


class VideoChoice(NamedTuple):
    """The formats to get: one with everything, or the picture and the sound.

    `url` is the address of the one format, where it is an ordinary file.
    """

    ids: tuple[str, ...]
    url: str | None
    has_sound: bool
    details: Mapping[str, object]


def choose_formats(info: Mapping[str, Any], videos: str) -> VideoChoice | None:
    """The formats for the setting `videos`; None where the page offers none.

    A whole file is taken where it is as good as the best picture: it is fetched as it is served.
    """
    formats = [each for each in info.get("formats") or [info] if isinstance(each, Mapping)]
    pictures = [each for each in formats if _has(each, "vcodec") and each.get("format_id")]
    if not pictures:
        return None
    whole = [each for each in pictures if _has(each, "acodec")]
    sounds = [
        each for each in formats
        if _has(each, "acodec") and not _has(each, "vcodec") and each.get("format_id")
    ]  # fmt: skip
    pick = min if videos == "smallest" else max
    best = pick(pictures, key=_quality)
    if whole:
        candidate = pick(whole, key=lambda each: (*_quality(each)[:1], _is_plain(each),
                                                  *_quality(each)[1:]))  # fmt: skip
        is_as_good = _height(candidate) >= _height(best) or videos == "smallest" or not sounds
        if is_as_good:
            return _choice([candidate], has_sound=True)
    if not sounds:
        return _choice([best], has_sound=any(_has(each, "acodec") for each in formats))
    split = [each for each in pictures if each.get("ext") in _MP4] or pictures
    picture = pick(split, key=_quality)
    fitting = [each for each in sounds if _family(each) == _family(picture)] or sounds
    return _choice([picture, pick(fitting, key=_sound_quality)], has_sound=True)


def subtitles_of(info: Mapping[str, Any]) -> tuple[ResolvedSubtitles, ...]:
    """The subtitles that people have made, in each language as an ordinary file of WebVTT."""
    found = []
    offered = info.get("subtitles")
    for language, forms in offered.items() if isinstance(offered, Mapping) else ():
        for form in forms if isinstance(forms, list) else ():
            url = form.get("url") if isinstance(form, Mapping) else None
            is_plain = form.get("protocol", "https") in _PLAIN if url else False
            if isinstance(url, str) and is_plain and form.get("ext") == "vtt":
                name = form.get("name")
                found.append(
                    ResolvedSubtitles(
                        url,
                        str(language)[:_LONGEST_WORD],
                        name[:_LONGEST_WORD] if isinstance(name, str) else None,
                    )
                )
                break
    return tuple(found[:_MOST_SUBTITLES])


def _choice(formats: Sequence[Mapping[str, Any]], *, has_sound: bool) -> VideoChoice:
    single = formats[0] if len(formats) == 1 else {}
    url = single.get("url") if _is_plain(single) and not single.get("cookies") else None
    names = (
        "format_id",
        "ext",
        "container",
        "vcodec",
        "acodec",
        "width",
        "height",
        "tbr",
        "protocol",
    )
    return VideoChoice(
        tuple(str(each["format_id"]) for each in formats),
        url if isinstance(url, str) else None,
        has_sound,
        {
            "formats": [
                {name: each[name] for name in names if each.get(name) is not None}
                for each in formats
            ]
        },
    )


def _has(each: Mapping[str, Any], codec: str) -> bool:
    """Whether a format has a picture, or sound; yt-dlp writes `none` where it has not."""
    return each.get(codec) != "none"


def _is_plain(each: Mapping[str, Any]) -> bool:
    """Whether our own client can fetch it: a file, or a playlist of segments."""
    protocol = each.get("protocol")
    return protocol in _PLAYLISTS or (protocol in _PLAIN and not each.get("fragments"))


def _height(each: Mapping[str, Any]) -> int:
    return _whole(each.get("height"))


def _quality(each: Mapping[str, Any]) -> tuple[int, int]:
    return _height(each), _whole(each.get("tbr"))


def _sound_quality(each: Mapping[str, Any]) -> int:
    return _whole(each.get("abr") or each.get("tbr"))


def _family(each: Mapping[str, Any]) -> bool:
    return each.get("ext") in _MP4


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 1 << 40 else 0
