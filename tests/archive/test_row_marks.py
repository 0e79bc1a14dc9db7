"""Marked rows are those that were marked, however far apart their ids are."""

from hypothesis import given
from hypothesis import strategies as st

from archiver.archive.row_marks import RowMarks

IDS = st.lists(st.integers(1, 9_000) | st.integers(1, 2**63 - 1))


@given(IDS, IDS, IDS)
def test_it_is_as_a_set(first: list[int], second: list[int], others: list[int]) -> None:
    marks = RowMarks(first)
    marks.mark(second)
    asked = first + others
    assert list(marks.unmarked(asked)) == [n for n in asked if n not in {*first, *second}]
