"""Tombstones: an erased post is known by any of its ids, and nothing can be read from them."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver import Alias, Post
from archiver.archive.database import transaction, writer
from archiver.archive.rows import insert
from archiver.archive.tombstones import add_tombstones, erased_among, is_erased_id
from support.small_archive import SmallArchive

AT = "2026-03-02T09:00:00.000Z"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Of account 1 the post g:1, known as k1 and abc too, and a post of a made id, are erased."""
    with writer(tmp_path / "archive") as connection, transaction(connection):
        small = SmallArchive(connection)
        account = small.account("gazette")
        small.alias(small.post(account, AT, name="g:1"), "shortcode", "abc")
        small.alias(1, "cid", "bafy")
        small.post(account, "2026-03-02T10:00:00.000Z", name="export:t:1")
        insert(
            connection, "erasures", state="running", kind="erasure", basis="b", requested_at=AT,
            requested_by="clerk", count=2, keeps_metrics=0,
        )  # fmt: skip
        add_tombstones(connection, 1, json.dumps([1, 2]))
        yield connection


@pytest.mark.parametrize(
    ("post", "is_erased"),
    [
        (Post("g:1"), True),
        (Post("abc"), True),
        (Post("x", aliases=(Alias("key", "g:1"),)), True),
        (Post("x", aliases=(Alias("cid", "bafy"),)), False),
        (Post("g:2", created_at=AT), False),
        (Post("export:t:9", created_at="2026-03-02T09:00:02.000Z"), True),
        (Post("export:t:9", created_at="2026-03-02T09:00:04.000Z"), False),
        (Post("g:3", created_at="2026-03-02T10:00:01.000Z"), True),
        (Post("g:3", created_at="2026-03-02T10:01:00.000Z"), False),
    ],
)
def test_a_post_is_known_by_its_ids_and_without_one_by_its_time(
    connection: sqlite3.Connection, post: Post, is_erased: bool
) -> None:
    assert erased_among(connection, 1, "gazette", [post]) == (
        {post.platform_id} if is_erased else set()
    )


def test_the_same_id_on_another_platform_is_another_post(connection: sqlite3.Connection) -> None:
    assert not is_erased_id(connection, "other", "g:1")
    assert is_erased_id(connection, "gazette", "g:1")


def test_nothing_can_be_read_from_them(connection: sqlite3.Connection) -> None:
    rows = connection.execute("SELECT commitment FROM tombstones").fetchall()
    assert all(len(bytes.fromhex(commitment)) == 32 for (commitment,) in rows)
    assert len({commitment for (commitment,) in rows}) == len(rows)
