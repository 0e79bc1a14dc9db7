"""Attachments of two sources with the same bytes become one, which has what either says."""

import sqlite3
from collections.abc import Iterator

import pytest

from archiver.archive.rows import insert
from archiver.archive.same_files import merge_same_files
from support.small_archive import SmallArchive, small_archive

SHA256 = "a" * 64


def attach(connection: sqlite3.Connection, source: str, key: str, **more: object) -> None:
    attachment_id = insert(
        connection, "attachments", post_id=1, position=0, key=key, kind="image", source=source,
        omitted=0, first_revision=1, **({"last_revision": 1} | more),
    )  # fmt: skip
    insert(
        connection, "renditions", attachment_id=attachment_id, account_id=1, source=source,
        role="original", media_key=key, state="stored", media_sha256=SHA256, tries=0,
    )  # fmt: skip
    insert(connection, "coverage", account_id=1, source=source, stream="posts", reached_start=1,
           run_id=1)  # fmt: skip


@pytest.fixture
def archive() -> Iterator[SmallArchive]:
    with small_archive() as archive:
        archive.post(archive.account("threads"))
        insert(archive.connection, "media", sha256=SHA256, path="media/aa/a.jpg", size=1,
               content_type="image/jpeg", stored_at="")  # fmt: skip
        yield archive


def found(archive: SmallArchive, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in archive.connection.execute(sql)]


def test_two_become_one_with_the_keys_and_values_of_both(archive: SmallArchive) -> None:
    attach(archive.connection, "own", "1", width=640)
    attach(archive.connection, "between", "x", alt_text="A bowl", last_revision=2)
    assert merge_same_files(archive.connection, [1]) == 1
    assert found(
        archive, "SELECT source, key, alt_text, width, last_revision FROM attachments"
    ) == [("own", "1", "A bowl", 640, 2)]
    assert found(archive, "SELECT source, key, matched_by FROM attachment_sources") == [
        ("between", "x", "bytes")
    ]
    assert found(archive, "SELECT attachment_id, source FROM renditions ORDER BY id") == [
        (1, "own"), (1, "between"),
    ]  # fmt: skip
    assert merge_same_files(archive.connection, [1]) == 0


def test_one_source_may_publish_one_file_twice(archive: SmallArchive) -> None:
    attach(archive.connection, "own", "1")
    attach(archive.connection, "own", "2")
    assert merge_same_files(archive.connection, [1]) == 0
    assert found(archive, "SELECT key FROM attachments ORDER BY id") == [("1",), ("2",)]
