"""Which posts count as public: those that everybody sees now."""

import sqlite3
from contextlib import closing

import pytest

from archiver.archive.public_posts import public_condition


@pytest.mark.parametrize(
    ("visibility", "kind", "created_at", "removed_at", "is_shown"),
    [
        (None, "post", "2020-01-01T00:00:00.000Z", None, True),
        ("Public", "post", None, None, True),
        ("unknown", "post", None, None, False),
        ("friends", "post", None, None, False),
        ("public", "post", None, "2026-03-01T00:00:00.000Z", False),
        ("public", "story", "2020-01-01T00:00:00.000Z", None, False),
        ("public", "story", "2999-01-01T00:00:00.000Z", None, True),
    ],
)
def test_a_post_is_public_while_everybody_sees_it(
    visibility: str | None, kind: str, created_at: str | None, removed_at: str | None, *,
    is_shown: bool,
) -> None:  # fmt: skip
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE posts (visibility, kind, created_at, removed_at)")
        row = (visibility, kind, created_at, removed_at)
        connection.execute("INSERT INTO posts VALUES (?, ?, ?, ?)", row)
        found = connection.execute(f"SELECT 1 FROM posts WHERE {public_condition()}").fetchone()
    assert (found is not None) is is_shown
