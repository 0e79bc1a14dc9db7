"""Ids that were seen, in little memory: an archive of X may have millions of posts."""

from array import array

_SMALLEST = 1 << 10  # places
_LARGEST_NUMBER = (1 << 64) - 2


class NumberSet:
    """A set of ids, most of which are numbers of up to 64 bits; each of these takes some 20 bytes.

    They are in a table of places: an id is at the place that its number leads to, or at the next
    free one.
    """

    def __init__(self) -> None:
        self._table = _empty(_SMALLEST)
        self._count = 0
        self._others: set[str] = set()

    def __contains__(self, text: str) -> bool:
        number = _number_of(text)
        if number is None:
            return text in self._others
        return self._table[_place(self._table, number)] != 0

    def add(self, text: str) -> None:
        """Add an id."""
        number = _number_of(text)
        if number is None:
            self._others.add(text)
            return
        at = _place(self._table, number)
        if self._table[at]:
            return
        self._table[at] = number
        self._count += 1
        if self._count * 3 > len(self._table) * 2:
            self._grow()

    def _grow(self) -> None:
        table = _empty(len(self._table) * 2)
        for number in self._table:
            if number:
                table[_place(table, number)] = number
        self._table = table


def _empty(size: int) -> "array[int]":
    return array("Q", bytes(8 * size))


def _place(table: "array[int]", number: int) -> int:
    """Where a number is in a table, or where it belongs. 0 is a place that is free."""
    last = len(table) - 1  # sizes are powers of two
    at = number * 0x9E3779B97F4A7C15 >> 32 & last  # the lowest bits of ids of X are seldom set
    while table[at] not in {0, number}:
        at = at + 1 & last
    return at


def _number_of(text: str) -> int | None:
    """The number of an id, and one more, so that none is 0; None for what is written otherwise."""
    if not (text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")):
        return None
    number = int(text) if len(text) <= 20 else _LARGEST_NUMBER + 1
    return number + 1 if number <= _LARGEST_NUMBER else None
