"""The posts of a view, whole, in its order."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.browse import selection
from archiver.browse.filters import Filter
from archiver.browse.selection import ViewSelection


@pytest.mark.parametrize("order", ["", "oldest"])
@pytest.mark.parametrize("limit", [None, 10, 25])
def test_a_view_is_taken_whole_in_its_order(
    demo: Path, monkeypatch: pytest.MonkeyPatch, order: str, limit: int | None
) -> None:
    monkeypatch.setattr(selection, "_PAGE", 7)
    with closing(sqlite3.connect(f"{demo.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        ids = list(ViewSelection(Filter(order=order), limit).ids(connection))
        rows = connection.execute("SELECT id FROM posts ORDER BY created_at DESC, id").fetchall()
    expected = [row[0] for row in rows]
    assert ids == (expected[::-1] if order else expected)[:limit]
