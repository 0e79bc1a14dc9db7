"""The forms of values: the one place that decides whether a value is understood.

A field is absent, null (or blank text, which counts as null), understood, or not understood. What
is not understood is listed in the unmapped fields of the post.
"""

from collections.abc import Callable
from types import NoneType
from typing import NamedTuple

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


class Form(NamedTuple):
    """One form of values.

    A value is understood where `parse` returns something for it; where it is null; and, unless
    `blank` is false, where it is blank text. Values of `accepted_types` are always understood.
    """

    name: str
    parse: Callable[[object], object]
    accepted_types: frozenset[type] = frozenset({NoneType})
    blank: bool = True


def _types(*types: type) -> frozenset[type]:
    return frozenset({NoneType, *types})


def _of_content(value: object) -> object:
    """Scalars only: the items of a list, and the values of an object, have paths of their own."""
    return None if isinstance(value, dict | list) else content_of(value)


def _anything(value: object) -> object:
    return None if isinstance(value, dict | list) else True


TEXT = Form("text", text_of, _types(str, int, bool))
NAME = Form("name", name_of, _types(str, int))
WORD = Form("word", lambda _value: None, _types(str))
FLAG = Form("true or false", flag_of, _types(bool))
ID = Form("id", id_of)
TIME = Form("time", time_of)
ADDRESS = Form("address", url_of)
FILE = Form("address of a file", url_of, blank=False)  # blank is neither null nor an address
COUNT = Form("count", count_of)
SIZE = Form("size", whole_of)
DURATION = Form("duration", duration_of)
CONTENT = Form("content", _of_content, _types(str, int, bool))
ANY = Form("anything", _anything, _types(str, int, bool, float))


class Slot(NamedTuple):
    """What a path is read into, described for the docs, and the form that its value must have."""

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
