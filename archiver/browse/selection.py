"""The posts of a view, as the selection of an export: what the filter in the URL chooses, whole."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.browse.filters import Filter, ListPlace
from archiver.browse.stream import post_page

_PAGE = 500


@dataclass(frozen=True, slots=True)
class ViewSelection:
    """All posts that match a filter, in the order of its view; at most `limit` of them."""

    wanted: Filter
    limit: int | None = None

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
        """Their ids, read a page at a time."""
        left, place = self.limit, ListPlace()
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            found = post_page(
                connection, self.wanted, older_than=place.older_than, newer_than=place.newer_than,
                size=size,
            )  # fmt: skip
            yield from found.ids
            left = None if left is None else left - len(found.ids)
            upwards = self.wanted.oldest_first
            place = (
                ListPlace(newer_than=found.newer) if upwards else ListPlace(older_than=found.older)
            )
            if place.is_first:
                return


@dataclass(frozen=True, slots=True)
class PostSelection:
    """One post."""

    post_id: int

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:  # noqa: ARG002 — of the protocol
        """Its id."""
        yield self.post_id
