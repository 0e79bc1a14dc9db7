"""Leaving out from the start what nobody needs to keep: numbers, and the names of other people.

A post is reduced when it is parsed. Its record is reduced when it is stored: of the values that
may be left out, only those stay without which the same post could not be read from it. So what
stands in a field that no plugin reads goes too.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from archiver.errors import RecordError
from archiver.models import Post, Record

LeftOut = Literal["numbers", "people"]

Read = Callable[[Any], Post]
"""Parses a record's data into a reduced post. Raises RecordError."""

_Pattern = tuple[str, ...]
"""Where a value is in records: keys, and `[]` for any index."""

_DIGITS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


@dataclass(slots=True)
class Minimiser:
    """Leaves out `parts` of posts and records; with none, both stay as they are."""

    parts: frozenset[LeftOut] = frozenset()
    _needed: set[_Pattern] = field(default_factory=set)

    @classmethod
    def of(cls, parts: Iterable[LeftOut]) -> "Minimiser":
        """One that leaves out these parts."""
        return cls(frozenset(parts))

    @property
    def leaves_numbers_out(self) -> bool:
        """Whether metrics are not kept."""
        return "numbers" in self.parts

    def reduce_post(self, post: Post) -> Post:
        """The post without what is left out.

        What people published (texts, alt texts, what is content of `extra`) stays, with the names
        in it. Of a post that this one answers or shares, the id stays, and the address goes.
        """
        if "numbers" in self.parts:
            attached = tuple(replace(each, metrics=()) for each in post.attachments)
            post = replace(post, metrics=(), attachments=attached)
        if "people" in self.parts:
            post = replace(
                post, author=None, extra=tuple(each for each in post.extra if each.is_content),
                relations=tuple(replace(each, url=None) for each in post.relations),
            )  # fmt: skip
        return post

    def record_text(self, record: Record, read: Read) -> str:
        """The text of a record that is stored: as it came, or reduced.

        `read` gives reduced posts. A record that it cannot read stays as it came.
        """
        if not self.parts:
            return record.raw
        try:
            data = json.loads(record.raw)
            post = _comparable(read(data))
        except (RecordError, ValueError):
            return record.raw
        found = set(self._patterns(data))
        if not self._is_same(data, found - self._needed, post, read):
            self._find_needed(data, found, post, read)
        return json.dumps(_without(data, found - self._needed, self._may_go), ensure_ascii=False)

    def _find_needed(self, data: Any, found: set[_Pattern], post: Post, read: Read) -> None:
        """Try the values one after the other, each without those that can go already."""
        left_out: set[_Pattern] = set()
        for pattern in sorted(found - self._needed):
            if self._is_same(data, left_out | {pattern}, post, read):
                left_out.add(pattern)
            else:
                self._needed.add(pattern)

    def _is_same(self, data: Any, left_out: set[_Pattern], post: Post, read: Read) -> bool:
        try:
            return _comparable(read(_without(data, left_out, self._may_go))) == post
        except RecordError:
            return False

    def _may_go(self, value: Any) -> bool:
        if isinstance(value, str):
            if "people" in self.parts:
                return True
            return "numbers" in self.parts and _DIGITS.fullmatch(value) is not None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and "numbers" in self.parts

    def _patterns(self, value: Any, path: _Pattern = ()) -> Iterator[_Pattern]:
        if isinstance(value, dict):
            for key, each in value.items():
                yield from self._patterns(each, (*path, key))
        elif isinstance(value, list):
            for each in value:
                yield from self._patterns(each, (*path, "[]"))
        elif self._may_go(value):
            yield path


def _without(
    value: Any, left_out: set[_Pattern], may_go: Callable[[Any], bool], path: _Pattern = ()
) -> Any:
    """A copy of a JSON value without the values of these patterns."""

    def stays(each: Any, pattern: _Pattern) -> bool:
        return pattern not in left_out or isinstance(each, dict | list) or not may_go(each)

    if isinstance(value, dict):
        return {
            key: _without(each, left_out, may_go, (*path, key))
            for key, each in value.items() if stays(each, (*path, key))
        }  # fmt: skip
    if isinstance(value, list):
        inner = (*path, "[]")
        return [_without(each, left_out, may_go, inner) for each in value if stays(each, inner)]
    return value


def _comparable(post: Post) -> Post:
    """The post without the names of fields that nobody reads."""
    return replace(post, unmapped=())
