"""Chosen posts as a stream, at one moment."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from archiver.export.snapshot import open_snapshot
from support.exporting import FORMULA, snapshot_of


def test_posts_come_in_the_order_of_the_selection_and_those_that_are_not_there_do_not(
    directory: Path,
) -> None:
    with snapshot_of(directory, 3, 1, 999, 2) as snapshot:
        assert [post.id for post in snapshot.posts()] == [3, 1, 2]


def test_a_post_has_its_attachments_files_metrics_and_relations(directory: Path) -> None:
    with snapshot_of(directory, 1, 3) as snapshot:
        bowl, answer = snapshot.posts()
    assert (bowl.account, bowl.text, bowl.revisions) == ("acme", "Good evening", 2)
    first, second = bowl.attached
    assert first.main is not None
    assert first.main.path == f"media/{(first.main.sha256 or '')[:2]}/{first.main.sha256}.jpg"
    assert second.main is None
    assert [file.state for file in second.files] == ["omitted"]
    assert {metric.name: metric.value for metric in bowl.metrics} == {
        "likes": 5,
        "organic.views": 1.5,
    }
    assert [(one.kind, one.platform_id) for one in answer.relations] == [("reply_to", "p2")]


def test_revisions_come_with_their_posts_the_first_one_first(directory: Path) -> None:
    with snapshot_of(directory, 2, 1) as snapshot:
        found = list(snapshot.revisions())
    assert [(one.post_id, one.number, one.why) for one in found] == [
        (2, 1, "first"), (1, 1, "first"), (1, 2, "edited"),
    ]  # fmt: skip
    assert found[0].raw is not None


def test_what_is_written_meanwhile_is_not_seen(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path / "archive")
    with snapshot_of(tmp_path / "archive", 1, 2) as snapshot:
        before = list(snapshot.posts())
        with writer(tmp_path / "archive") as connection:
            connection.execute("UPDATE posts SET text = 'new words of a run'")
        assert list(snapshot.posts()) == before


def test_no_more_ids_are_asked_for_than_a_batch_needs(directory: Path) -> None:
    asked = []

    class Endless:
        def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
            while True:
                asked.append(1)
                yield 2

    address = f"{(directory / 'archive.db').as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as connection,
        open_snapshot(connection, Endless()) as snapshot,
    ):
        posts = snapshot.posts()
        assert [next(posts).text for _ in range(1000)] == [FORMULA] * 1000
    assert len(asked) < 1500


def test_a_column_that_moved_takes_no_other_place_and_a_missing_one_is_empty(
    directory: Path, tmp_path: Path
) -> None:
    shutil.copytree(directory, tmp_path / "archive")
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.db")) as connection, connection:
        connection.executescript("""
            PRAGMA foreign_keys = OFF;
            CREATE TABLE kept AS
                SELECT content_sha256, seen_at, number, post_id, why FROM revisions;
            DROP TABLE revisions;
            ALTER TABLE kept RENAME TO revisions;
        """)
    with snapshot_of(tmp_path / "archive", 1) as snapshot:
        first, second = snapshot.revisions()
    assert (first.number, second.number, first.raw) == (1, 2, None)
    assert len(first.content_sha256) == 64
