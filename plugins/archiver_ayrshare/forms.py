"""Which form a value must have to be understood: the one place that decides.

A field is absent, null (text without a character in it says as little), understood, or not
understood. What is not understood is named among a post's unmapped fields, whatever is made of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType

from archiver_ayrshare.addresses import url_of
from archiver_ayrshare.numbers import count_of, duration_of, whole_of
from archiver_ayrshare.values import (
    content_of,
    flag_of,
    id_of,
    name_of,
    text_of,
    time_of,
)


@dataclass(frozen=True, slots=True)
class Form:
    """One form of values.

    A value is understood where `take` gives something for it; where it is null; and, unless `blank`
    is false, where it is blank text. `plain` are the types that need no look at the value.
    """

    name: str
    take: Callable[[object], object]
    plain: frozenset[type] = frozenset({NoneType})
    blank: bool = True


def _plain(*types: type) -> frozenset[type]:
    return frozenset({NoneType, *types})


def _of_content(value: object) -> object:
    """Content is understood one value at a time: what is in a list has a path of its own."""
    return None if isinstance(value, dict | list) else content_of(value)


def _anything(value: object) -> object:
    return None if isinstance(value, dict | list) else True


TEXT = Form("text", text_of, _plain(str, int, bool))
NAME = Form("name", name_of, _plain(str, int))
WORD = Form("word", lambda _value: None, _plain(str))
FLAG = Form("true or false", flag_of, _plain(bool))
ID = Form("id", id_of)
TIME = Form("time", time_of)
ADDRESS = Form("address", url_of)
FILE = Form("address of a file", url_of, blank=False)  # blank is neither null nor an address
COUNT = Form("count", count_of)
SIZE = Form("size", whole_of)
DURATION = Form("duration", duration_of)
CONTENT = Form("content", _of_content, _plain(str, int, bool))
ANY = Form("anything", _anything, _plain(str, int, bool, float))


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a path of a table goes, in words for the docs, and the form of what goes there."""

    words: str
    form: Form


ORIGINAL = Slot("original: url", FILE)
THUMBNAIL = Slot("thumbnail: url", ADDRESS)
PREVIEW = Slot("preview: url", ADDRESS)
COVER = Slot("cover: url", ADDRESS)
PLATFORM_ID = Slot("platform_id", ID)
ALT_TEXT = Slot("alt_text", TEXT)
KIND = Slot("kind", WORD)
CONTENT_TYPE = Slot("original: content_type", WORD)
WIDTH = Slot("width", SIZE)
HEIGHT = Slot("height", SIZE)
DURATION_MS = Slot("duration_ms", DURATION)
DURATION_SECONDS = Slot("duration_ms, from seconds", DURATION)
