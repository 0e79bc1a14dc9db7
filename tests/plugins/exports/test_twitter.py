"""Archives of X become posts, field by field, whichever layout they have."""

import json
from pathlib import Path

import pytest

from support.exports.importing import CONTENT, ImportFolder
from support.exports.packing import write_folder, write_parts, write_zip
from support.exports.tweets import ERAS, Tweet, TweetWorld, sample


@pytest.fixture
def archive(tmp_path: Path) -> ImportFolder:
    return ImportFolder(tmp_path)


def kind_of(tweet: Tweet) -> str:
    if tweet.text.startswith("RT @"):
        return "repost"
    if tweet.answers:
        return "reply"
    return "quote" if any("/status/" in link for link in tweet.links) else "post"


def expected(world: TweetWorld, era: str) -> list[tuple[object, ...]]:
    """The rows of the posts of a world; of an edited one the newest version."""
    return sorted(
        (
            tweet.number, f"{tweet.at:%Y-%m-%dT%H:%M:%S}.000Z", tweet.text, kind_of(tweet),
            "unknown", "ann", f"https://x.com/ann/status/{tweet.number}",
            f"{tweet.deleted_at:%Y-%m-%dT%H:%M:%S}.000Z" if tweet.deleted_at else None,
        )
        for tweet in world.in_era(era)
        if not tweet.edits or tweet.number == tweet.edits[-1]
    )  # fmt: skip


def posts(archive: ImportFolder) -> list[tuple[object, ...]]:
    return archive.query(
        "SELECT platform_id, created_at, text, kind, visibility, author, url, removed_at "
        "FROM posts ORDER BY platform_id"
    )


@pytest.mark.parametrize("era", ERAS)
def test_the_archive_equals_the_world(archive: ImportFolder, tmp_path: Path, era: str) -> None:
    world = sample()
    report = archive.run(write_zip(tmp_path / "twitter.zip", world.files(era)))
    assert (report.outcome, report.failures, report.unmapped_paths) == ("done", [], {})
    assert report.account == "twitter-ann"
    assert posts(archive) == expected(world, era)
    for tweet in world.in_era(era):
        if not tweet.edits:
            assert archive.media_of(tweet.number) == [item.data for item in tweet.media]
    known = archive.query(
        "SELECT attachments.kind, attachments.platform_id, alt_text, width, duration_ms "
        "FROM attachments JOIN posts ON posts.id = post_id ORDER BY posts.created_at, position"
    )
    kinds = {"photo": "image", "video": "video", "animated_gif": "gif"}
    wanted = [
        (kinds[m.kind], m.number, m.alt, 40, None if m.kind == "photo" else 2500)
        for tweet in sorted(world.in_era(era), key=lambda each: each.at) for m in tweet.media
    ]  # fmt: skip
    assert known == wanted
    assert archive.query("SELECT platform_id, handle, name FROM accounts") == [
        ("42", "ann", "twitter-ann")
    ]


def test_metrics_are_of_the_time_of_the_export(archive: ImportFolder, tmp_path: Path) -> None:
    world = sample()
    archive.run(write_zip(tmp_path / "a.zip", world.files()))
    query = "SELECT name, value, seen_at FROM metrics WHERE value > 0 ORDER BY name, seen_at"
    at = f"{world.exported_at:%Y-%m-%dT%H:%M:%S}.000Z"
    assert archive.query(query) == [("likes", 3, at), ("reposts", 1, at)]


def test_replies_quotes_and_reposts_name_the_other_post(
    archive: ImportFolder, tmp_path: Path
) -> None:
    archive.run(write_zip(tmp_path / "a.zip", sample().files("2018")))
    assert archive.query("SELECT kind, platform_id FROM relations ORDER BY kind") == [
        ("quotes", "18"), ("reply_to", "17"), ("reposts", "19"),
    ]  # fmt: skip


def test_an_edited_post_is_one_with_both_versions(archive: ImportFolder, tmp_path: Path) -> None:
    world = sample()
    first, second = (tweet for tweet in world.tweets if tweet.edits)
    world.tweets = [second, *world.tweets, first]  # in no order, and one of them twice
    archive.run(write_zip(tmp_path / "a.zip", world.files()))
    assert archive.column("SELECT text FROM posts WHERE platform_id = ?", second.number) == [
        "First"
    ]
    query = (
        "SELECT number, why, json_extract(revisions.raw, '$.record.tweet.full_text') "
        "FROM revisions JOIN posts ON posts.id = post_id WHERE platform_id = ? ORDER BY number"
    )
    assert archive.query(query, second.number) == [(1, "first", "Frist"), (2, "edited", "First")]
    aliases = "SELECT value FROM post_aliases WHERE scheme = 'edit_history'"
    assert first.number in archive.column(aliases)


@pytest.mark.parametrize("form", ["zip", "folder", "wrapped", "parts", "folder of zips"])
def test_every_form_is_the_same_package(archive: ImportFolder, tmp_path: Path, form: str) -> None:
    world = sample()
    files = world.files(parts=3)
    match form:
        case "zip":
            given = [write_zip(tmp_path / "whatever.bin", files)]
        case "folder":
            given = [write_folder(tmp_path / "export", files)]
        case "wrapped":
            given = [
                write_folder(tmp_path / "out", {f"twitter-2024/{n}": c for n, c in files.items()})
            ]
        case "parts":
            given = write_parts(tmp_path, "twitter", files, 4)
        case _:
            write_parts(tmp_path / "downloads", "twitter", files, 3)
            given = [tmp_path / "downloads"]
    assert archive.run(*given).outcome == "done"
    assert posts(archive) == expected(world, "2022")


def test_a_second_import_changes_nothing(archive: ImportFolder, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "a.zip", sample().files())
    archive.run(package)
    before = archive.dump(*CONTENT)
    archive.clock.advance(days=1)
    report = archive.run(package)
    assert (report.counts.new, report.counts.files_new, report.counts.files_held) == (0, 0, 0)
    assert report.counts.known == len(before["posts"])
    assert report.imported_before is not None
    assert archive.dump(*CONTENT) == before


def test_a_newer_archive_adds_what_is_new_and_an_older_one_takes_nothing_back(
    archive: ImportFolder, tmp_path: Path
) -> None:
    world = sample()
    old = TweetWorld([t for t in world.tweets if not t.is_long][:6])
    old.exported_at = world.tweets[5].at
    grailbird = write_zip(tmp_path / "old.zip", old.files("2018"))
    new = write_zip(tmp_path / "new.zip", world.files())
    for order in ((grailbird, new), (new, grailbird)):
        both = ImportFolder(tmp_path / order[0].stem)
        both.folder.mkdir()
        for package in order:
            both.run(package)
        assert posts(both) == expected(world, "2022")
        assert both.column("SELECT count(*) FROM events WHERE what = 'edited'") == [1]
        assert both.column("SELECT count(*) FROM events WHERE what = 'removed'") == [1]
        assert both.media_of(world.tweets[1].number) == [m.data for m in world.tweets[1].media]


def test_a_missing_part_and_a_missing_file_are_named(archive: ImportFolder, tmp_path: Path) -> None:
    files = sample().files(parts=3)
    del files["data/tweets-part1.js"]
    gone = next(name for name in files if "Ph2" in name)
    del files[gone]
    report = archive.run(write_zip(tmp_path / "a.zip", files))
    assert report.outcome == "partial"
    assert report.missing == ("data/tweets-part1.js",)
    assert report.counts.files_missing == 1
    query = "SELECT state, reason_code FROM renditions WHERE state <> 'stored'"
    assert archive.query(query) == [("failed", "not_in_package")]
    whole = write_zip(tmp_path / "whole.zip", sample().files())
    assert archive.run(whole).outcome == "done"
    assert archive.query(query) == []


def test_media_with_other_names_are_found_by_the_id_of_their_post(
    archive: ImportFolder, tmp_path: Path
) -> None:
    world = sample()
    files = {name.replace("-Ph", "-Renamed"): content for name, content in world.files().items()}
    archive.run(write_zip(tmp_path / "a.zip", files))
    pictures = world.tweets[1]
    assert archive.media_of(pictures.number) == [item.data for item in pictures.media]


def test_nothing_private_is_read(archive: ImportFolder, tmp_path: Path) -> None:
    report = archive.run(write_zip(tmp_path / "a.zip", sample().files()))
    assert "direct messages: private" in report.not_read
    whole = b"".join(path.read_bytes() for path in archive.directory.glob("archive.db*"))
    assert b"for nobody else" not in whole
    assert b"ann@example.org" not in whole


def test_a_wrong_date_gives_way_to_that_of_the_id(archive: ImportFolder, tmp_path: Path) -> None:
    world = sample()
    tweet = world.tweets[0]
    record = tweet.record("2022") | {"created_at": "Wed Jan 01 00:00:00 +0000 1997", "new": 1}
    text = f"window.YTD.tweets.part0 = {json.dumps([{'tweet': record}])}"
    report = archive.run(write_zip(tmp_path / "a.zip", world.files() | {"data/tweets.js": text}))
    assert archive.column("SELECT created_at FROM posts WHERE platform_id = ?", tweet.number) == [
        "2024-06-01T12:00:00.000Z"
    ]
    assert report.unmapped_paths == {"new": 1}
