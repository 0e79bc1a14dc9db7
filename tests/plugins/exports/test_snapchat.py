"""Memories of Snapchat are imported where that is asked for, and never published."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.browse.published import publish
from archiver.errors import PackageError
from archiver.serve.records import find_records
from archiver.served_records import HistoryAccount, HistoryQuery
from support.exports.importing import CONTENT, WITH_NETWORK, ImportFolder, import_now
from support.exports.memories import Memory, MemoryWorld, sample, uuid
from support.exports.packing import write_folder, write_parts, write_zip
from support.exports.served_files import serve_files
from support.media.samples import picture
from support.nights import nights


@pytest.fixture
def archive(tmp_path: Path) -> ImportFolder:
    return ImportFolder(tmp_path)


def expected(world: MemoryWorld) -> list[tuple[object, ...]]:
    return [
        (
            f"export:memory:{each.uuid}", f"{each.at:%Y-%m-%dT%H:%M:%S}.000Z", "memory", "private",
            "video" if each.is_video else "image",
        )
        for each in world.memories
    ]  # fmt: skip


def posts(archive: ImportFolder) -> list[tuple[object, ...]]:
    return archive.query(
        "SELECT posts.platform_id, created_at, posts.kind, visibility, attachments.kind FROM posts "
        "JOIN attachments ON post_id = posts.id AND position = 0 ORDER BY created_at"
    )


@pytest.mark.parametrize("form", ["zip", "folder", "parts"])
def test_memories_in_the_package_equal_the_world(
    archive: ImportFolder, tmp_path: Path, form: str
) -> None:
    world = sample()
    files = world.files("files")
    given = {
        "zip": lambda: [write_zip(tmp_path / "s.zip", files)],
        "folder": lambda: [write_folder(tmp_path / "export", files)],
        "parts": lambda: write_parts(tmp_path, "mydata~1717243200000", files, 2),
    }[form]()
    report = archive.run(*given, private=True)
    assert (report.outcome, report.failures, report.unmapped_paths) == ("done", [], {})
    assert archive.query("SELECT name, platform_id FROM accounts") == [("snapchat-ann", "@ann")]
    assert posts(archive) == expected(world)
    for memory in world.memories:
        files_of = [each for each in (memory.data, memory.overlay) if each is not None]
        assert archive.media_of(f"export:memory:{memory.uuid}") == files_of
    places = archive.column("SELECT extra FROM post_sources WHERE extra LIKE '%location%'")
    assert ["38.7, -9.1" in text for text in places] == [True]
    whole = b"".join(path.read_bytes() for path in archive.directory.glob("archive.db*"))
    assert b"for nobody else" not in whole
    assert "stories: cannot be told from other files" in report.not_read


def test_without_being_asked_for_they_are_left_out(archive: ImportFolder, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "s.zip", sample().files("files"))
    with pytest.raises(PackageError, match=r"never published.*3 private items") as caught:
        archive.run(package)
    assert "--private" in (caught.value.hint or "")
    assert not archive.directory.exists()


def test_links_are_followed_where_a_get_is_enough(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path, settings=WITH_NETWORK)
    world = sample()
    with serve_files({f"/m/{each.uuid}": each.data for each in world.memories}) as server:
        world.base = server.base_url
        package = write_zip(tmp_path / "s.zip", world.files())
        assert archive.run(package, private=True).counts.files_new == 3
        before = archive.dump(*CONTENT)
        archive.clock.advance(days=1)
        assert archive.run(package, private=True).counts.new == 0
        assert archive.dump(*CONTENT) == before
    assert posts(archive) == expected(world)
    old = ImportFolder(tmp_path / "old")
    old.folder.mkdir()
    old.run(write_zip(tmp_path / "old.zip", world.files("old")), private=True)
    assert posts(old) == expected(world)
    assert set(old.column("SELECT state FROM renditions")) == {"not_offered"}
    old.run(write_zip(tmp_path / "new.zip", world.files("files")), private=True)
    assert posts(old) == expected(world), "a newer export with the files brings these"
    assert set(old.column("SELECT state FROM renditions")) == {"stored"}


def test_a_file_that_fits_several_rows_is_kept_and_given_to_none(
    archive: ImportFolder, tmp_path: Path
) -> None:
    world = sample()
    at = world.memories[0].at
    world.memories = [Memory(uuid(n), at, data=picture("JPEG", (40, 30 + n))) for n in (7, 8)]
    archive.run(write_zip(tmp_path / "s.zip", world.files("files")), private=True)
    for memory in world.memories:
        assert archive.media_of(f"export:memory:{memory.uuid}") == [memory.data]
    rows = "SELECT platform_id FROM posts WHERE platform_id LIKE 'export:memory:2024-%'"
    assert len(archive.column(rows)) == 2, "the rows stay as they are, without a file"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"html/memories_history.html": "<html></html>"}, "HTML only.*JSON and memories ticked"),
        ({"json/memories_history.json": '{"Saved Media": []}'}, "has no post"),
        ({"json/memories_history.json": '{"Saved Media": [{"Date"'}, "cannot be read.*cut off"),
        ({"json/chat_history.json": "{}"}, "no official export that can be read"),
    ],
)
def test_a_broken_package_is_refused(
    archive: ImportFolder, tmp_path: Path, files: dict[str, str], why: str
) -> None:
    with pytest.raises(PackageError, match=why):
        archive.run(write_zip(tmp_path / "s.zip", files), private=True, account="ann")
    assert not archive.directory.exists()


def test_a_memory_is_no_story_and_never_in_a_published_copy(tmp_path: Path) -> None:
    with nights(tmp_path, "snapchat") as world:
        account = world.account("snapchat")
        story = account.publish(kind="spotlight")
        assert world.backup().exit_code == 0
        made = MemoryWorld(
            [Memory(uuid(1), story.at + timedelta(seconds=1), is_video=True)], account.handle
        )
        package = write_zip(tmp_path / "s.zip", made.files("old"))
        import_now(world.config(), package, clock=world.clock, private=True)
        kinds = world.query("SELECT name, posts.kind FROM posts JOIN accounts "
                            "ON accounts.id = account_id ORDER BY posts.kind")  # fmt: skip
        assert kinds == [("snapchat", "memory"), ("snapchat", "spotlight")]
        rules = "SELECT matched_by FROM post_sources WHERE matched_by IS NOT NULL"
        assert world.column(rules) == []
        public = tmp_path / "public"
        publish(world.directory / "archive.db", public)
        with closing(sqlite3.connect(world.directory / "archive.db")) as connection:
            wanted = HistoryQuery(HistoryAccount(1, "", "snapchat", None, None, None, None, ""))
            served = [record.platform_id for record in find_records(connection, wanted)]
            assert served == [story.id], "nor is it served"
    with closing(sqlite3.connect(public / "archive.db")) as copy:
        assert copy.execute("SELECT kind FROM posts").fetchall() == [("spotlight",)]
