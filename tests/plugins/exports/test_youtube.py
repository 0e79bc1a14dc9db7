"""Google Takeouts of YouTube become posts, field by field, in every layout and language."""

from pathlib import Path

import pytest

from archiver.errors import PackageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.exports.importing import CONTENT, ImportFolder, import_now
from support.exports.packing import write_folder, write_parts, write_tar, write_zip
from support.exports.takeout import (
    CHANNEL,
    ERAS,
    TakeoutVideo,
    TakeoutWorld,
    as_csv,
    sample,
)
from support.media.samples import movie
from support.nights import nights


@pytest.fixture
def archive(tmp_path: Path) -> ImportFolder:
    return ImportFolder(tmp_path)


def expected(world: TakeoutWorld) -> list[tuple[object, ...]]:
    return sorted(
        (
            video.number, f"{video.at:%Y-%m-%dT%H:%M:%S}.000Z", video.title, video.text or None,
            video.privacy.lower(), f"https://www.youtube.com/watch?v={video.number}", "video",
            world.channel_title, video.seconds * 1000,
        )
        for video in world.videos
    )  # fmt: skip


def videos(archive: ImportFolder) -> list[tuple[object, ...]]:
    return archive.query(
        "SELECT posts.platform_id, created_at, title, text, visibility, url, posts.kind, author, "
        "duration_ms FROM posts JOIN attachments ON post_id = posts.id ORDER BY posts.platform_id"
    )


def films(archive: ImportFolder, world: TakeoutWorld) -> list[bool]:
    return [archive.media_of(video.number) == [video.data] for video in world.videos]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("era", ERAS)
def test_the_archive_equals_the_world(
    archive: ImportFolder, tmp_path: Path, era: str, language: str
) -> None:
    world = sample()
    report = archive.run(write_zip(tmp_path / "t.zip", world.files(era, language)))
    assert (report.outcome, report.failures, report.unmapped_paths) == ("done", [], {})
    assert archive.query("SELECT platform_id, title FROM accounts") == [(CHANNEL, "Ann's films")]
    found = videos(archive)
    if language == "de" and era != "json":  # nothing but the word itself is known to be English
        assert {row[4] for row in found} == {"public", "unlisted", "private"}
    assert found == expected(world)
    assert films(archive, world) == [True] * len(world.videos)
    tags = "SELECT json_extract(raw, '$.record') FROM posts WHERE platform_id = 'aaaaaaaaaa1'"
    assert '"one"' in archive.column(tags)[0]
    if era != "json":
        comments = (
            "SELECT posts.platform_id, text, created_at, relations.platform_id FROM posts "
            "JOIN relations ON post_id = posts.id WHERE posts.kind = 'reply' ORDER BY created_at"
        )
        assert archive.query(comments) == [
            (c.number, c.text, f"{c.at:%Y-%m-%dT%H:%M:%S}.000Z", c.answers or c.video)
            for c in world.comments
        ]
        assert "watch and search history: private" in report.not_read


@pytest.mark.parametrize("language", ["en", "de"])
def test_descriptions_in_a_table_of_their_own_are_joined(
    archive: ImportFolder, tmp_path: Path, language: str
) -> None:
    world = sample()
    archive.run(write_zip(tmp_path / "t.zip", world.files("csv", language, with_texts=True)))
    assert videos(archive) == expected(world)


@pytest.mark.parametrize("form", ["parts", "folder", "tgz"])
def test_a_takeout_in_parts_is_one_package(
    archive: ImportFolder, tmp_path: Path, form: str
) -> None:
    world = sample()
    files = world.files("csv", "de")
    given = {
        "parts": lambda: write_parts(tmp_path, "takeout-20240701T000000Z", files, 4),
        "folder": lambda: [write_folder(tmp_path / "takeout", files)],
        "tgz": lambda: [write_tar(tmp_path / "takeout.tgz", files)],
    }[form]()
    assert archive.run(*given).outcome == "done"
    assert videos(archive) == expected(world)
    assert all(films(archive, world))


def test_names_that_older_takeouts_cut_are_found(archive: ImportFolder, tmp_path: Path) -> None:
    world = sample()
    report = archive.run(write_zip(tmp_path / "t.zip", world.files(cut=46)))
    assert report.outcome == "done"
    assert all(films(archive, world))


def test_films_of_equal_titles_are_left_out_and_named(
    archive: ImportFolder, tmp_path: Path
) -> None:
    world = sample()
    world.videos.append(TakeoutVideo("aaaaaaaaaa6", "Talk: part 1"))
    report = archive.run(write_zip(tmp_path / "t.zip", world.files()))
    assert [text.rpartition("/")[2] for text in report.not_read[:2]] == [
        f"Talk_ part 1{number}.mp4: 2 videos have this title" for number in ("(1)", "")
    ]
    assert report.outcome == "partial"
    assert films(archive, world) == [False, True, True, True, True, False]
    renamed = {
        name.replace("Talk_ part 1(1).mp4", "aaaaaaaaaa6.mp4").replace(
            "videos/Talk_ part 1.mp4", "videos/aaaaaaaaaa1.mp4"
        ): data for name, data in world.files().items()
    }  # fmt: skip
    assert archive.run(write_zip(tmp_path / "r.zip", renamed)).outcome == "done"
    assert all(films(archive, world)), "a film that is named by the id of its video is its film"


def test_a_film_of_another_length_is_not_the_video_s(archive: ImportFolder, tmp_path: Path) -> None:
    world = sample()
    world.videos[0].film = movie(units=59_000)
    report = archive.run(write_zip(tmp_path / "t.zip", world.files()))
    assert report.outcome == "partial"
    assert report.failures[0].endswith("and is 59 s long, not 61 s")
    query = "SELECT state, reason_code FROM renditions WHERE state <> 'stored'"
    assert archive.query(query) == [("failed", "not_in_package")]
    assert archive.column("SELECT count(*) FROM media") == [4]
    world.videos[0].film = None
    assert archive.run(write_zip(tmp_path / "new.zip", world.files())).outcome == "done"
    assert all(films(archive, world))


def test_a_missing_film_is_named(archive: ImportFolder, tmp_path: Path) -> None:
    world = sample()
    files = world.files()
    del files["Takeout/YouTube and YouTube Music/videos/For the family.mp4"]
    report = archive.run(write_zip(tmp_path / "t.zip", files))
    assert (report.outcome, report.missing) == ("partial", ("the film of 'For the family'",))
    whole = archive.run(write_zip(tmp_path / "whole.zip", world.files()))
    assert whole.outcome == "done"
    assert all(films(archive, world))


def test_a_takeout_without_films_lacks_nothing_that_it_claims(
    archive: ImportFolder, tmp_path: Path
) -> None:
    files = {n: c for n, c in sample().files().items() if "/videos/" not in n}
    assert archive.run(write_zip(tmp_path / "t.zip", files)).outcome == "done"
    assert set(archive.column("SELECT state FROM renditions")) == {"not_offered"}


def test_a_second_import_changes_nothing(archive: ImportFolder, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "t.zip", sample().files())
    archive.run(package)
    before = archive.dump(*CONTENT)
    archive.clock.advance(days=1)
    report = archive.run(package)
    assert (report.counts.new, report.counts.files_new) == (0, 0)
    assert archive.dump(*CONTENT) == before


def test_another_channel_in_the_same_takeout_is_left_out_and_named(
    archive: ImportFolder, tmp_path: Path
) -> None:
    files = sample().files()
    table = "Takeout/YouTube and YouTube Music/video metadata/videos.csv"
    other = "UC" + "b" * 22
    row = TakeoutVideo("cccccccccc1", "Not hers").row()
    row[5] = other
    files[table] = str(files[table]) + as_csv(row, [])
    report = archive.run(write_zip(tmp_path / "t.zip", files))
    assert f"videos of another channel, {other}" in report.not_read
    assert "cccccccccc1" not in archive.column("SELECT platform_id FROM posts")


def test_a_row_without_an_id_is_quarantined(archive: ImportFolder, tmp_path: Path) -> None:
    files = sample().files()
    table = "Takeout/YouTube and YouTube Music/video metadata/videos.csv"
    files[table] = str(files[table]) + as_csv(["", "1000", *["x"] * 3, CHANNEL], [])
    report = archive.run(write_zip(tmp_path / "t.zip", files))
    assert report.counts.quarantined == 1
    assert archive.column("SELECT reason FROM quarantine") == ["The row has no id of a video"]


def test_a_table_that_is_cut_off_is_refused(archive: ImportFolder, tmp_path: Path) -> None:
    files = sample().files()
    table = "Takeout/YouTube and YouTube Music/video metadata/videos.csv"
    files[table] = str(files[table]) + '"' + "x" * 200_000
    with pytest.raises(PackageError, match=r"videos\.csv cannot be read.*separated by commas"):
        archive.run(write_zip(tmp_path / "t.zip", files))
    assert not archive.directory.exists()


MISSING = "SELECT kind, role, state FROM missing_media"


@pytest.mark.parametrize("order", ["api, export, api", "export, api"])
def test_a_film_becomes_the_file_of_the_post_that_the_api_shows(tmp_path: Path, order: str) -> None:
    with nights(tmp_path, "youtube") as world:
        account = world.account("youtube")
        post = account.publish("About it", title="Talk: part 1")
        film = TakeoutVideo(post.id, post.title, post.text, post.at, seconds=7)
        made = TakeoutWorld([film], channel_title=account.title)
        files = {
            name: content.replace(CHANNEL, account.platform_id) if isinstance(content, str)
            else content
            for name, content in made.files().items()
        }  # fmt: skip
        package = write_zip(tmp_path / "takeout.zip", files)
        for step in order.split(", "):
            if step == "api":
                assert world.backup(full=True, now=True).exit_code == 0
                world.next_night()
            else:
                report = import_now(world.config(), package, clock=world.clock)
                (found,) = report.packages
                assert (found.outcome, found.counts.files_new) == ("done", 1)
        assert world.column("SELECT name FROM accounts") == ["youtube"]
        assert world.column("SELECT platform_id FROM posts") == [post.id]
        assert world.query("SELECT source FROM post_sources ORDER BY source") == [
            ("ayrshare",), ("export",),
        ]  # fmt: skip
        stored = (
            "SELECT role, attachments.kind, source_of.source, media.content_type "
            "FROM renditions AS source_of JOIN attachments ON attachments.id = attachment_id "
            "JOIN media ON sha256 = media_sha256 WHERE state = 'stored' ORDER BY role"
        )
        assert world.query(stored) == [
            ("original", "video", "export", "video/mp4"),
            ("thumbnail", "video", "ayrshare", "image/jpeg"),
        ]
        assert world.column("SELECT count(*) FROM attachments") == [1]
        assert world.query(MISSING) == [], "the film is not missing any more"
        account.publish("Another", title="Only on the API")
        post.edit(text="About it, and more")
        assert world.backup(full=True, now=True).exit_code == 0
        assert world.query(MISSING) == [("video", "original", "not_offered")]
        assert verify(world.directory, Scope(), "2026-11-28T00:00:00.000Z").findings == []
