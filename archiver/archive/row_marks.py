"""A set of row ids in little memory: a million of them take a megabyte, in a set eighty."""

from collections.abc import Iterable, Iterator

_BITS = 12
_PAGE = 1 << _BITS
_IN_PAGE = _PAGE - 1


class RowMarks:
    """Rows that are marked, by id: a byte for each, in pages, since ids lie close together."""

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._pages: dict[int, bytearray] = {}
        self.mark(ids)

    def mark(self, ids: Iterable[int]) -> None:
        """Mark these rows."""
        pages = self._pages
        for row_id in ids:
            number = row_id >> _BITS
            if number not in pages:
                pages[number] = bytearray(_PAGE)
            pages[number][row_id & _IN_PAGE] = 1

    def unmarked(self, ids: Iterable[int]) -> Iterator[int]:
        """Those of the rows that are not marked, in their order."""
        pages, none = self._pages, bytes(_PAGE)
        for row_id in ids:
            if not pages.get(row_id >> _BITS, none)[row_id & _IN_PAGE]:
                yield row_id
