"""Posts as they were at a moment."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.database import transaction
from archiver.archive.rows import insert
from archiver.errors import UsageError
from archiver.export.as_of import NO_READERS, Readers, Texts
from archiver.export.selection import ArchiveSelection
from archiver.export.snapshot import open_snapshot
from archiver.models import Attachment, Metric, Rendition
from archiver.saved_posts import PostRevision, SavedPost
from support.exporting import exported
from support.saver import POST, saving

FIRST, SECOND = "2026-03-01T22:00:00.000Z", "2026-03-02T22:00:00.000Z"


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a post that got other words, another picture and more likes."""
    folder = tmp_path_factory.mktemp("edited")
    other = Attachment("image", "m9", renditions=(Rendition("original", "https://a.example/9"),))
    with saving(folder) as saver:
        saver.save(POST)
        saver.save(
            replace(POST, text="Good evening", content={"text": "Good evening"},
                    attachments=(other,), metrics=(Metric("likes", 8),)),
            replace(POST, platform_id="p2", created_at="2026-03-02T09:00:00.000Z"),
        )  # fmt: skip
    return folder / "archive"


def posts(
    archive: Path, moment: str, readers: Readers = NO_READERS
) -> tuple[list[SavedPost], list[PostRevision]]:
    selection = ArchiveSelection(as_of=moment)
    address = f"{(archive / 'archive.db').as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as connection,
        open_snapshot(connection, selection, moment, readers) as snapshot,
    ):
        return list(snapshot.posts()), list(snapshot.revisions())


def test_words_files_and_numbers_are_those_of_then(edited: Path) -> None:
    (post,), (revision,) = posts(edited, FIRST)
    assert (post.text, post.revisions, post.edited_at) == ("Good morning", 1, None)
    assert [one.alt_text for one in post.attached] == ["A bowl"]
    assert [metric.value for metric in post.metrics] == [3]
    assert revision.number == 1


def test_after_an_edit_the_new_words_are_there(edited: Path) -> None:
    (post, second), revisions = posts(edited, SECOND)
    assert (post.text, post.revisions) == ("Good evening", 2)
    assert post.edited_at is not None
    assert [metric.value for metric in post.metrics] == [8]
    assert second.platform_id == "p2"
    assert len(revisions) == 3


def test_before_it_was_first_seen_a_post_has_its_first_known_words(edited: Path) -> None:
    (post,), _ = posts(edited, "2026-03-01T10:00:00.000Z")
    assert post.text == "Good morning"
    assert posts(edited, "2026-02-01T00:00:00.000Z") == ([], [])


def test_the_platform_itself_reads_the_earlier_record(edited: Path) -> None:
    source = ("threads", "ayrshare")
    readers: Readers = {
        ("threads", "ayrshare"): lambda raw: Texts("T", json.loads(raw)["text"][5:])
    }
    (post,), _ = posts(edited, FIRST, readers)
    assert (post.title, post.text) == ("T", "morning")
    (post,), _ = posts(edited, FIRST, {source: lambda _: None})
    assert post.text == "Good morning"


def test_a_post_is_removed_only_once_it_was(edited: Path, tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(POST)
        with transaction(saver.connection):
            for at, what in ((FIRST, "removed"), (SECOND, "restored")):
                insert(saver.connection, "events", post_id=1, run_id=1, at=at, what=what)
    archive = tmp_path / "archive"
    found = [posts(archive, at)[0][0].removed_at for at in ("2026-03-01T12", FIRST, SECOND)]
    assert found == [None, FIRST, None]


def test_the_format_that_has_rows_as_they_are_refuses_another_moment(
    edited: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="as they are"):
        exported(edited, tmp_path / "out", "sqlite", ArchiveSelection(as_of=FIRST))
    made = exported(edited, tmp_path / "out", "jsonl", ArchiveSelection(as_of=FIRST))
    text = (made.folder / "posts.jsonl").read_text()
    assert "Good morning" in text
    assert "Good evening" not in text
    assert f"as of {FIRST}" in (made.folder / "README.txt").read_text()
