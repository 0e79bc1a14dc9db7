"""Exports of TikTok become posts, and the files behind their links are fetched with them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.errors import PackageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.exports.importing import CONTENT, WITH_NETWORK, ImportFolder, import_now
from support.exports.packing import write_folder, write_zip
from support.exports.served_files import ServedFiles, serve_files
from support.exports.tiktok import ERAS, TikTok, TikTokWorld, sample
from support.media.samples import movie
from support.nights import nights
from support.running import Cli

AUDIENCES = {"Everyone": "public", "Friends": "friends", "Only me": "private"}


@pytest.fixture
def archive(tmp_path: Path) -> ImportFolder:
    return ImportFolder(tmp_path, settings=WITH_NETWORK)


@pytest.fixture
def world() -> TikTokWorld:
    return sample()


@pytest.fixture
def server(world: TikTokWorld, archive: ImportFolder) -> Iterator[ServedFiles]:
    """The server of the files, while the links hold."""
    with serve_files({post.path: post.data for post in world.posts}) as served:
        world.base = served.base_url
        world.expires = archive.clock.now() + timedelta(days=10)
        yield served


def expected(world: TikTokWorld, era: str) -> list[tuple[object, ...]]:
    is_old = era == "2024"
    return [
        (
            f"export:time:{post.at:%Y-%m-%d %H:%M:%S}", f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            None if is_old else post.title or None,
            "unknown" if is_old else AUDIENCES.get(post.audience, "unknown"),
            "post" if post.mime.startswith("image") else "video", post.likes,
        )
        for post in world.posts
    ]  # fmt: skip


def posts(archive: ImportFolder) -> list[tuple[object, ...]]:
    return archive.query(
        "SELECT platform_id, created_at, title, visibility, kind, value FROM posts "
        "JOIN metrics ON post_id = posts.id AND name = 'likes' ORDER BY created_at"
    )


@pytest.mark.parametrize("era", ERAS)
def test_the_archive_equals_the_world(
    archive: ImportFolder, tmp_path: Path, world: TikTokWorld, server: ServedFiles, era: str
) -> None:
    report = archive.run(write_zip(tmp_path / "t.zip", world.files(era)))
    assert (report.outcome, report.failures, report.unmapped_paths) == ("done", [], {})
    assert (report.account, report.counts.files_new) == ("tiktok-ann", len(world.posts))
    assert archive.query("SELECT platform_id, handle FROM accounts") == [("@ann", "ann")]
    assert posts(archive) == expected(world, era)
    for post in world.posts:
        number = f"export:time:{post.at:%Y-%m-%d %H:%M:%S}"
        assert archive.media_of(number) == [post.data]
    whole = b"".join(path.read_bytes() for path in archive.directory.glob("archive.db*"))
    for secret in (b"ann@example.org", b"for nobody else", b"Watch History", b"RepostList"):
        assert secret not in whole


@pytest.mark.parametrize("form", ["a file", "a folder"])
def test_the_file_and_a_folder_are_read_too(
    archive: ImportFolder, tmp_path: Path, world: TikTokWorld, server: ServedFiles, form: str
) -> None:
    folder = write_folder(tmp_path / "export", world.files())
    package = folder if form == "a folder" else folder / "user_data_tiktok.json"
    assert archive.run(package).outcome == "done"
    assert posts(archive) == expected(world, "2025")


def test_what_was_deleted_is_saved_as_removed(archive: ImportFolder, tmp_path: Path) -> None:
    world = sample()
    at = world.posts[0].at
    world.posts = [TikTok(at, "/gone", deleted_at=at + timedelta(days=2))]
    archive.run(write_zip(tmp_path / "t.zip", world.files()), dry_run=False)
    assert archive.column("SELECT removed_at FROM posts") == ["2024-06-03T12:00:00.000Z"]
    old = ImportFolder(tmp_path / "old")
    old.folder.mkdir()
    old.run(write_zip(tmp_path / "old.zip", world.files("2024")))
    made = "2024-06-02T03:04:06.000Z"
    assert old.column("SELECT removed_at FROM posts") == [made], "by when the export was made"


def test_a_second_import_changes_nothing(
    archive: ImportFolder, tmp_path: Path, world: TikTokWorld, server: ServedFiles
) -> None:
    package = write_zip(tmp_path / "t.zip", world.files())
    archive.run(package)
    before, asked = archive.dump(*CONTENT), len(server.asked)
    archive.clock.advance(days=1)
    assert archive.run(package).counts.new == 0
    assert archive.dump(*CONTENT) == before
    assert len(server.asked) == asked


def test_a_dry_run_asks_no_server(
    archive: ImportFolder, tmp_path: Path, world: TikTokWorld, server: ServedFiles
) -> None:
    report = archive.run(write_zip(tmp_path / "t.zip", world.files()), dry_run=True)
    assert (report.counts.new, server.asked) == (len(world.posts), [])


@pytest.mark.parametrize("how", ["the link says so", "the server says so"])
def test_an_expired_link_is_recorded_and_a_newer_export_brings_the_file(
    archive: ImportFolder, tmp_path: Path, world: TikTokWorld, server: ServedFiles, how: str
) -> None:
    good = world.expires
    if how == "the link says so":
        world.expires = archive.clock.now() - timedelta(days=1)
    else:
        server.is_refusing = True
    old = write_zip(tmp_path / "old.zip", world.files())
    assert archive.run(old).outcome == "partial"
    states = "SELECT DISTINCT state, reason_code FROM renditions"
    assert archive.query(states) == [("gone", "expired")]
    before = archive.dump(*CONTENT)
    assert archive.run(old).outcome == "done", "what was known before is no failure"
    assert archive.dump(*CONTENT) == before
    world.expires, server.is_refusing = good + timedelta(days=1), False
    new = archive.run(write_zip(tmp_path / "new.zip", world.files()))
    assert (new.outcome, new.counts.files_new) == ("done", len(world.posts))
    assert archive.query(states) == [("stored", None)]
    assert archive.column("SELECT count(*) FROM revisions") == [len(world.posts)]


def test_an_address_that_is_not_allowed_is_refused(
    tmp_path: Path, world: TikTokWorld, server: ServedFiles
) -> None:
    archive = ImportFolder(tmp_path)
    assert archive.run(write_zip(tmp_path / "t.zip", world.files())).outcome == "partial"
    assert archive.query("SELECT DISTINCT state, reason_code FROM renditions") == [
        ("refused", "address_not_allowed")
    ]
    assert server.asked == []


def test_the_variant_of_text_files_is_refused(archive: ImportFolder, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="as text files") as caught:
        archive.run(write_zip(tmp_path / "t.zip", sample().texts()))
    assert "choose JSON" in (caught.value.hint or "")
    assert not archive.directory.exists()


def test_an_export_without_posts_is_refused(archive: ImportFolder, tmp_path: Path) -> None:
    world = sample()
    world.posts = []
    with pytest.raises(PackageError, match="has no post"):
        archive.run(write_zip(tmp_path / "t.zip", world.files()))


def test_a_post_without_a_date_is_quarantined_and_two_of_one_second_are_two(
    archive: ImportFolder, tmp_path: Path
) -> None:
    world = sample()
    world.posts[1].at = world.posts[0].at
    text = str(world.files()["user_data_tiktok.json"]).replace("2024-06-01 15:00:00", "")
    report = archive.run(write_zip(tmp_path / "t.zip", {"user_data_tiktok.json": text}))
    assert report.counts.quarantined == 1
    assert archive.column("SELECT count(*) FROM posts") == [3]


@pytest.mark.parametrize("order", ["api, export, api", "export, api"])
def test_a_post_is_that_of_the_api_by_its_time(tmp_path: Path, order: str) -> None:
    film = movie(units=7000)
    with nights(tmp_path, "tiktok") as world, serve_files({"/a/": film, "/b/": film}) as server:
        account = world.account("tiktok")
        post = account.publish("Words that the export does not have")
        world.clock.advance(hours=1)
        near = [account.publish(f"Near {n}") for n in range(2)]  # two within a minute: no guess
        made = TikTokWorld(
            [TikTok(post.at - timedelta(seconds=16), "/a/"), TikTok(near[0].at, "/b/")],
            account.handle, server.base_url, world.clock.now() + timedelta(days=9),
        )  # fmt: skip
        package = write_zip(tmp_path / "tiktok.zip", made.files())
        for step in order.split(", "):
            if step == "api":
                assert world.backup(full=True, now=True).exit_code == 0
                world.next_night()
            else:
                report = import_now(world.config(), package, clock=world.clock)
                assert report.exit_code == 0
        matched = "SELECT platform_id, matched_by FROM post_sources JOIN posts ON post_id = id "
        assert world.query(matched + "WHERE matched_by IS NOT NULL") == [
            (post.id, "time within a minute, and kinds of media")
        ]
        assert world.column("SELECT text FROM posts WHERE platform_id = ?", post.id) == [post.text]
        assert world.column("SELECT count(*) FROM posts") == [4]
        stored = (
            "SELECT count(*) FROM renditions JOIN attachments ON attachments.id = attachment_id "
            "JOIN posts ON posts.id = post_id WHERE posts.platform_id = ? AND role = 'original' "
            "AND state = 'stored'"
        )
        assert world.column(stored, post.id) == [1]
        assert world.column("SELECT count(*) FROM events WHERE what IN ('edited', 'removed')") == [
            0
        ]
        assert verify(world.directory, Scope(), "2026-11-28T00:00:00.000Z").findings == []


def test_a_match_that_was_wrong_is_undone_with_what_it_brought(tmp_path: Path, cli: Cli) -> None:
    with nights(tmp_path, "tiktok") as world, serve_files({"/a/": movie()}) as server:
        account = world.account("tiktok")
        post = account.publish("Another one")
        world.backup()
        expires = world.clock.now() + timedelta(days=9)
        made = TikTokWorld([TikTok(post.at, "/a/")], account.handle, server.base_url, expires)
        import_now(world.config(), write_zip(tmp_path / "t.zip", made.files()), clock=world.clock)
        states = (
            "SELECT posts.platform_id, renditions.source, state FROM renditions "
            "JOIN attachments ON attachments.id = attachment_id JOIN posts ON posts.id = post_id "
            "WHERE role = 'original' ORDER BY 1, 2"
        )
        assert world.query(states) == [
            (post.id, "ayrshare", "skipped"), (post.id, "export", "stored"),
        ]  # fmt: skip
        config = str(world.folder / "archive.toml")
        assert cli("--config", config, "separate", "1", "export").exit_code == 0
        assert world.query(states) == [
            (post.id, "ayrshare", "not_offered"),
            (f"export:time:{post.at:%Y-%m-%d %H:%M:%S}", "export", "pending"),
        ]
