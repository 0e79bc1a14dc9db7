"""An import as a whole: what it adds, what a dry run shows, how it is stopped and resumed."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.archive.database import reader
from archiver.archive.edits import kinds_now
from archiver.evidence.files import Scope
from archiver.evidence.signed_heads import signed_heads
from archiver.evidence.verify import verify
from archiver.export.selection import ArchiveSelection
from archiver.export.snapshot import Snapshot
from archiver.imports import package_import
from archiver.serve.records import attached_files
from archiver_ayrshare.demo.accounts import WorldAccount
from archiver_ayrshare.demo.posts import WorldMedia, WorldPost
from archiver_ayrshare.demo.specs import photo, video
from support.exports.importing import CONFIG, CONTENT, ImportFolder, import_now
from support.exports.packing import write_zip
from support.exports.tweets import Tweet, TweetMedia, TweetWorld, sample
from support.media.samples import picture
from support.nights import Nights, nights

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Nights]:
    with nights(tmp_path, "twitter") as found:
        account = found.account("twitter")
        account.publish("Good morning & <more>", media=[photo(), photo()])
        account.publish("A film", media=[video()])
        account.publish("Only words")
        yield found


def export_of(world: Nights, account: WorldAccount, name: str, *more: Tweet) -> Path:
    """The archive that X would make of the account now, with posts that the API does not show."""
    tweets = [_tweet(post) for post in account.posts() if not post.removed]
    made = TweetWorld([*tweets, *more], account.platform_id, account.handle, world.clock.now())
    return write_zip(world.folder / name, made.files())


def _tweet(post: WorldPost) -> Tweet:
    return Tweet(post.id, post.at, post.text, [_media(medium) for medium in post.media],
                 likes=post.counters["likes"])  # fmt: skip


def _media(medium: WorldMedia) -> TweetMedia:
    files = medium.variants() or [file for file in medium.files if file.role == "original"]
    best, number = files[-1], medium.id.partition("_")[2]
    if medium.spec.kind == "photo":
        return TweetMedia(number, data=best.recipe.make(), base=best.path.rpartition("/")[2])
    address = f"https://video.example{best.path}"
    return TweetMedia(number, "video", best.recipe.make(), "still.jpg", None, [("2", address)])


OLD = sample().tweets[7]
STATE = (
    "SELECT platform_id, text, removed_at IS NOT NULL, edited_at, created_at FROM posts "
    "ORDER BY platform_id"
)


@pytest.mark.parametrize("order", ["api, export", "export, api", "export, api, api, export, api"])
def test_what_both_show_is_one_post_and_what_only_the_export_has_is_added(
    world: Nights, order: str
) -> None:
    package = export_of(world, world.account("twitter"), "x.zip", OLD)
    for step in order.split(", "):
        if step == "api":
            report = world.backup(full=True, now=True)
            world.next_night()
        else:
            report = import_now(world.config(), package, clock=world.clock)  # type: ignore[assignment]  # reports of two kinds
        assert report.exit_code == 0
    assert world.column("SELECT count(*) FROM posts") == [4]
    assert world.column("SELECT name FROM accounts") == ["twitter"]
    assert world.column("SELECT DISTINCT what FROM events WHERE what <> 'seen'") == []
    assert world.column("SELECT count(*) FROM post_sources") == [7]
    assert world.column("SELECT max(number) FROM revisions") == [1]
    assert world.column("SELECT count(*) FROM attachments") == [4]
    imports = "SELECT count(*) FROM ledger WHERE json_extract(entry, '$.happened.import') = 1"
    assert world.column(imports) == [order.count("export")]
    films = "SELECT count(*) FROM media WHERE content_type LIKE 'video/%'"
    assert world.column(films) == [1], "the same bytes are one file"
    found = verify(world.directory, Scope(), "2026-11-23T00:00:00.000Z")
    assert found.findings == []


def test_two_exports_around_nights_of_edits_and_removals(world: Nights) -> None:
    account = world.account("twitter")
    removed = account.publish("To be removed")
    first = export_of(world, account, "first.zip", OLD)
    for night in range(4):
        world.backup(full=True, now=True)
        if night == 1:
            removed.remove()
        account.publish(f"Night {night}")
        world.next_night(100)
    world.backup(full=True, now=True)
    second = export_of(world, account, "second.zip", OLD)
    before = world.query(STATE)
    assert [row[2] for row in before].count(1) == 1, "one post is removed by the API's word"
    for package in (second, first, second):
        import_now(world.config(), package, clock=world.clock)
    after = world.query(STATE)
    assert [row for row in after if row[0] != OLD.number] == before
    assert len(after) == len(before) + 1
    assert world.column("SELECT count(*) FROM events WHERE what = 'edited'") == [0]
    numbers = world.query("SELECT name, seen_at FROM metrics WHERE name = 'likes' ORDER BY seen_at")
    assert all(row[1] <= f"{world.clock.now():%Y-%m-%dT%H:%M:%S}.999Z" for row in numbers)


def test_an_entry_of_the_config_takes_over_the_label(world: Nights) -> None:
    package = export_of(world, world.account("twitter"), "x.zip")
    extra, world.extra = world.extra, ""
    import_now(world.config(), package, clock=world.clock)
    (label,) = world.column("SELECT name FROM accounts")
    assert label.startswith("twitter-")
    world.extra = extra
    world.backup()
    assert world.column("SELECT name FROM accounts") == ["twitter"]
    assert world.column("SELECT count(*) FROM posts") == [3]


def test_a_dry_run_says_what_it_would_add_and_adds_nothing(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    package = write_zip(tmp_path / "a.zip", sample().files())
    dry = archive.run(package, dry_run=True)
    assert not archive.directory.exists()
    real = archive.run(package)
    assert dry.counts == real.counts
    tables = archive.dump(*CONTENT, "packages", "runs")
    files = sorted(archive.directory.rglob("media/*/*"))
    again = archive.run(package, dry_run=True)
    assert (again.counts.new, again.counts.files_new) == (0, 0)
    assert archive.dump(*CONTENT, "packages", "runs") == tables
    assert sorted(archive.directory.rglob("media/*/*")) == files
    assert list((archive.directory / "tmp").iterdir()) == []


ROWS = {
    "posts": "platform_id, text, raw", "post_sources": "record_id, source, said",
    "revisions": "number, why, raw", "renditions": "state, media_key, media_sha256",
    "media": "sha256, path", "events": "what, source", "attachments": "key, kind, position",
}  # fmt: skip


def rows(archive: ImportFolder) -> dict[str, list[tuple[object, ...]]]:
    """What an archive has of a package, without ids and times."""
    return {
        table: archive.query(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
        for table, columns in ROWS.items()
    }


@pytest.mark.parametrize("batches", [0, 1, 4])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()], ids=["stop", "crash"])
def test_an_import_that_was_stopped_is_resumed_by_doing_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int, error: BaseException
) -> None:
    monkeypatch.setattr(package_import, "BATCH", 2)
    package = write_zip(tmp_path / "a.zip", sample().files())
    whole, stopped = (ImportFolder(tmp_path / name) for name in ("whole", "stopped"))
    for archive in (whole, stopped):
        archive.folder.mkdir()
    whole.run(package)
    _stop_after(batches, error, stopped, package)
    assert stopped.run(package).outcome == "done"
    assert rows(stopped) == rows(whole)
    outcomes = stopped.column("SELECT outcome FROM packages ORDER BY id")
    assert outcomes == ["interrupted", "done"]
    assert verify(stopped.directory, Scope(), "2026-11-23T00:00:00.000Z").findings == []


def _stop_after(batches: int, error: BaseException, archive: ImportFolder, package: Path) -> None:
    """Stop an import in the middle of a batch, as Ctrl-C or a crash would."""
    store_files, left = package_import.PackageImport._store_files, batches

    def stopping(self: package_import.PackageImport, batch: object) -> None:
        nonlocal left
        store_files(self, batch)  # type: ignore[arg-type]  # what it was called with
        if left == 0:
            raise error
        left -= 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package_import.PackageImport, "_store_files", stopping)
        if isinstance(error, KeyboardInterrupt):
            assert archive.run(package).outcome == "interrupted"
        else:
            with pytest.raises(type(error)):
                archive.run(package)


def test_the_hashes_of_all_parts_are_on_record(tmp_path: Path) -> None:
    from hashlib import sha256

    archive = ImportFolder(tmp_path)
    package = write_zip(tmp_path / "a.zip", sample().files())
    archive.run(package)
    assert archive.query("SELECT name, size, sha256 FROM package_parts") == [
        ("a.zip", package.stat().st_size, sha256(package.read_bytes()).hexdigest())
    ]
    assert archive.query("SELECT platform, layout, outcome FROM packages") == [
        ("twitter", "since 2022", "done")
    ]
    assert archive.column("SELECT DISTINCT package_id FROM package_posts") == [1]
    with sqlite3.connect(archive.directory / "archive.db") as connection:
        (asked,) = connection.execute("SELECT asked FROM runs").fetchone()
    connection.close()
    assert '"import": ["a.zip"]' in asked


def test_a_file_that_is_not_what_it_should_be_costs_only_itself(tmp_path: Path) -> None:
    files = sample().files()
    name = next(name for name in files if name.endswith("Ph1.jpg"))
    files[name] = "<html>Not found</html>"
    report = ImportFolder(tmp_path).run(write_zip(tmp_path / "a.zip", files))
    assert report.outcome == "partial"
    assert report.counts.files_failed == 1
    assert report.failures[0].startswith(name)


def test_what_the_settings_leave_out_is_not_imported_either(tmp_path: Path) -> None:
    left_out = f'{CONFIG}leave_out = ["numbers"]\n[media]\nleave_out = ["image"]\n'
    archive = ImportFolder(tmp_path, settings=left_out)
    archive.run(write_zip(tmp_path / "x.zip", sample().files()))
    assert archive.column("SELECT count(*) FROM metrics") == [0]
    assert archive.column("SELECT count(*) FROM posts WHERE raw LIKE '%favorite_count%'") == [0]
    states = (
        "SELECT DISTINCT state FROM renditions JOIN attachments ON attachment_id = attachments.id"
    )
    assert archive.column(f"{states} WHERE kind = 'image'") == ["skipped"]
    assert "stored" in archive.column(f"{states} WHERE kind = 'video'")


def test_another_alt_text_in_a_newer_export_is_an_edit_and_a_first_one_is_not(
    tmp_path: Path,
) -> None:
    archive = ImportFolder(tmp_path)
    for day, alt in enumerate((None, "A bowl", "A bowl", "A blue bowl"), 1):
        world = sample()
        bowl = TweetMedia("7", data=picture("JPEG"), base="P.jpg", alt=alt)
        world.tweets = [Tweet("1500", OLD.at, "Look", [bowl])]
        world.exported_at = OLD.at + timedelta(days=day)
        archive.run(write_zip(tmp_path / f"{day}.zip", world.files()))
    assert archive.column("SELECT alt_text FROM attachments") == ["A blue bowl"]
    assert archive.column("SELECT why FROM revisions ORDER BY number") == ["first", "edited"]


def test_an_older_export_is_history_and_takes_no_picture_from_the_post(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    for day, text in ((2, "New words"), (1, "Old words")):
        world = sample()
        shown = TweetMedia("7", data=picture("JPEG"), base="P.jpg")
        world.tweets = [Tweet("1500", OLD.at, text, [shown])]
        world.exported_at = OLD.at + timedelta(days=day)
        archive.run(write_zip(tmp_path / f"{day}.zip", world.files()))
    with reader(archive.directory) as connection:
        assert connection.execute("SELECT text FROM posts").fetchall() == [("New words",)]
        assert connection.execute("SELECT count(*) FROM revisions").fetchone() == (2,)
        assert kinds_now(connection, 1) == ["image"]
        assert len(attached_files(connection, 1)) == 1
        (post,) = Snapshot(connection, ArchiveSelection()).posts()
    assert len(post.attached) == 1, "an export and a page show it"


def test_an_import_ends_with_a_checkpoint_of_all_that_it_wrote_and_a_dry_run_with_none(
    world: Nights,
) -> None:
    package = export_of(world, world.account("twitter"), "x.zip")
    import_now(world.config(), package, clock=world.clock)
    with reader(world.config().archive.directory) as connection:
        query = "SELECT size, run_id, note FROM checkpoints"
        ((size, run_id, note),) = connection.execute(query).fetchall()
        (entries,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    assert (size, run_id) == (entries, 1)
    assert "\n\n\u2014 archiver/" in note
    heads = signed_heads(world.config())
    import_now(world.config(), package, clock=world.clock, dry_run=True)
    assert signed_heads(world.config()) == heads
