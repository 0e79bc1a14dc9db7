"""What `archiver export` wrote is imported again, and equals the archive that it was made of."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.facts import ROW_HASHED
from archiver.archive.transfer import add_posts
from archiver.errors import PackageError, UsageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.export.selection import ArchiveSelection
from archiver.imports import transfer_import
from archiver.imports.package import OpenPackage
from archiver.imports.parts import open_part
from archiver.imports.transfer_rows import database_in
from archiver.saved_posts import ACCOUNTS_FILE, LINES_FORMAT
from archiver_ayrshare.demo.specs import photo, video
from support.archive_folder import ArchiveFolder
from support.bluesky.nights import bluesky_nights
from support.damage import flip
from support.exporting import exported
from support.exports.importing import CONFIG, ImportFolder, import_now
from support.exports.packing import write_zip
from support.exports.tweets import sample
from support.media.samples import picture
from support.nights import Nights, nights
from support.old_archive import unpack

pytestmark = pytest.mark.slow

POST_TABLES = (
    "accounts", "account_profiles", "posts", "post_sources", "post_aliases", "relations",
    "revisions", "attachments", "attachment_sources", "renditions", "events", "metrics", "media",
)  # fmt: skip
OF_THIS_ARCHIVE = {
    "id", "account_id", "post_id", "attachment_id", "rendition_id", "run_id", "response_id",
    "row_sha256", "stored_at", "verified_at",
}  # fmt: skip
FORMATS = ("sqlite", "jsonl", "bagit")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """Four nights of two networks, with edits, a removal, and an export of one of them."""
    with nights(tmp_path_factory.mktemp("world"), "twitter", "instagram") as found:
        gram, account = found.account("instagram"), found.account("twitter")
        first = account.publish("Good morning, „grüß“ 🏺", media=[photo(), photo()])
        gone = account.publish("To be removed", media=[video()])
        gram.publish("Three", media=[photo()] * 3)
        found.backup(full=True, now=True)
        first.edit(text="Good evening")
        found.next_night()
        found.backup(full=True, now=True)
        gone.remove()
        for _ in range(2):
            found.next_night()
            found.backup(full=True, now=True)
        package = write_zip(found.folder / "x.zip", sample().files())
        import_now(found.config(), package, clock=found.clock)
        yield found


def contents(archive: ArchiveFolder, table: str) -> list[str]:
    """The rows of a table without what every archive has of its own."""
    with closing(sqlite3.connect(archive.directory / "archive.db")) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        return sorted(
            repr([value for name, value in zip(names, row, strict=True)
                  if name not in OF_THIS_ARCHIVE])
            for row in cursor
        )  # fmt: skip


def lines(folder: Path) -> list[dict[str, Any]]:
    """The posts of a `jsonl` export, without what every archive has of its own."""
    found = []
    for text in (folder / "posts.jsonl").read_bytes().splitlines():
        post = json.loads(text)
        del post["id"]
        for revision in post["revisions"]:
            del revision["run_id"]
        found.append(post)
    return found


def exported_to(world: Nights, form: str, target: Path) -> Path:
    """A copy of an export, which is made once."""
    made = world.folder / f"made-{form}"
    if not made.exists():
        exported(world.directory, made, form)
    return Path(shutil.copytree(made, target))


def new_archive(tmp_path: Path) -> ImportFolder:
    folder = tmp_path / "new"
    folder.mkdir()
    return ImportFolder(folder)


def media_names(archive: ArchiveFolder) -> list[str]:
    return sorted(path.name for path in archive.directory.glob("media/*/*"))


@pytest.mark.parametrize("form", FORMATS)
def test_a_new_archive_made_of_an_export_exports_the_same(
    world: Nights, tmp_path: Path, form: str
) -> None:
    folder = exported_to(world, form, tmp_path / "out")
    archive = new_archive(tmp_path)
    report = import_now(archive.config(), folder, clock=archive.clock)
    assert [(each.account, each.outcome) for each in report.packages] == [
        (name, "done") for name in archive.column("SELECT name FROM accounts ORDER BY id")
    ]
    again = exported(archive.directory, tmp_path / "again", "jsonl").folder
    assert lines(again) == lines(exported_to(world, "jsonl", tmp_path / "jsonl"))
    assert media_names(archive) == media_names(world)
    assert verify(archive.directory, Scope(), "2026-12-23T00:00:00.000Z").findings == []


def test_every_row_of_a_post_is_the_same_after_sqlite(world: Nights, tmp_path: Path) -> None:
    archive = new_archive(tmp_path)
    import_now(archive.config(), exported_to(world, "sqlite", tmp_path / "out"))
    for table in POST_TABLES:
        assert contents(archive, table) == contents(world, table), table
    assert set(POST_TABLES) <= set(ROW_HASHED)


@pytest.mark.parametrize("form", FORMATS[:2])
def test_the_nights_go_on_in_the_new_archive_without_false_edits(
    world: Nights, tmp_path: Path, form: str
) -> None:
    folder = exported_to(world, form, tmp_path / "out")
    archive = ImportFolder(tmp_path)
    import_now(archive.config(), folder, clock=archive.clock)
    before = archive.column("SELECT count(*) FROM posts")
    other = Nights(tmp_path, world.platforms)
    other.base_url, other.clock, other.machine = world.base_url, world.clock, world.machine
    other.api_key, other.x_api_key = world.api_key, world.x_api_key
    other.x_api_secret = world.x_api_secret
    for _ in range(2):
        assert other.backup(full=True, now=True).exit_code == 0
    assert archive.column("SELECT count(*) FROM posts") == before
    for what in ("edited", "removed"):
        query = "SELECT count(*) FROM events WHERE what = ?"
        assert archive.column(query, what) == world.column(query, what)


@pytest.mark.parametrize("form", FORMATS[:2])
def test_the_same_export_again_adds_nothing_and_a_dry_run_neither(
    world: Nights, tmp_path: Path, form: str
) -> None:
    folder = exported_to(world, form, tmp_path / "out")
    archive = new_archive(tmp_path)
    dry = import_now(archive.config(), folder, dry_run=True)
    assert not archive.directory.exists()
    real = import_now(archive.config(), folder)
    assert [each.counts for each in dry.packages] == [each.counts for each in real.packages]
    before = archive.dump(*POST_TABLES)
    again = import_now(archive.config(), folder)
    assert [each.counts.new for each in again.packages] == [0, 0, 0]
    assert archive.dump(*POST_TABLES) == before


def test_posts_that_are_here_get_the_files_and_numbers_that_they_lack(
    world: Nights, tmp_path: Path
) -> None:
    lines_only = exported_to(world, "jsonl", tmp_path / "lines")
    shutil.rmtree(lines_only / "media")
    archive = new_archive(tmp_path)
    import_now(archive.config(), lines_only)
    assert media_names(archive) == []
    before = archive.dump("posts", "revisions", "events")
    report = import_now(archive.config(), exported_to(world, "sqlite", tmp_path / "rows"))
    assert {each.counts.new for each in report.packages} == {0}
    assert media_names(archive) == media_names(world)
    assert archive.column("SELECT count(*) FROM renditions WHERE state = 'failed'") == [0]
    assert archive.column("SELECT count(*) FROM metrics") == world.column(
        "SELECT count(*) FROM metrics"
    )
    assert archive.dump("posts", "revisions", "events") == before, "nothing was edited or removed"
    assert verify(archive.directory, Scope(), "2026-12-23T00:00:00.000Z").findings == []


@pytest.mark.parametrize("form", FORMATS[:2])
def test_names_and_avatars_come_along_and_go_to_an_account_that_lacks_them(
    tmp_path: Path, form: str
) -> None:
    (tmp_path / "home").mkdir()
    with bluesky_nights(tmp_path / "home") as home:
        alice = home.network.account("alice.example")
        home.follow(alice)
        avatar = alice.upload(picture("PNG"), "image/png")
        alice.put("app.bsky.actor.profile", "self", displayName="Alice", avatar=avatar)
        alice.post("Hello")
        home.backup()
        folder = exported(home.directory, tmp_path / "rows", form).folder
        archive = new_archive(tmp_path)
        import_now(archive.config(), folder)
        assert media_names(archive) == media_names(home)
        for table in ("accounts", "account_profiles"):
            assert contents(archive, table) == contents(home, table)
        shown = "SELECT kind, state, media_sha256 FROM account_pictures"
        assert archive.query(shown) == home.query(shown)
        assert len(archive.query(shown)) == 1
        import_now(archive.config(), folder)
        assert len(archive.query(shown)) == 1
        assert verify(archive.directory, Scope(), "2026-12-23T00:00:00.000Z").findings == []


@pytest.mark.parametrize("form", FORMATS[:2])
def test_a_known_post_gets_what_it_said_before_it_was_known_here(
    world: Nights, tmp_path: Path, form: str
) -> None:
    later = Nights(tmp_path, world.platforms)
    later.base_url, later.clock, later.machine = world.base_url, world.clock, world.machine
    later.api_key, later.x_api_key = world.api_key, world.x_api_key
    later.x_api_secret = world.x_api_secret
    assert later.backup(full=True, now=True).exit_code == 0
    of_post = "FROM revisions JOIN posts ON posts.id = post_id WHERE text = 'Good evening'"
    assert later.column(f"SELECT why {of_post}") == ["first"]
    folder = exported_to(world, form, tmp_path / "out")
    for _ in range(2):
        import_now(later.config(), folder, clock=later.clock)
    assert later.column(f"SELECT why {of_post} ORDER BY number") == ["first", "other_source"]
    happened = "SELECT count(*) FROM events WHERE what IN ('edited', 'removed')"
    before = later.column(happened)
    assert later.backup(full=True, now=True).exit_code == 0
    assert later.column(happened) == before, "history is no edit"
    (first,) = world.column(f"SELECT min(seen_at) {of_post}")
    shown = {}
    for moment in (first, "2030-01-01"):
        selection = ArchiveSelection(as_of=moment)
        made = exported(later.directory, tmp_path / f"as-of-{moment[:4]}", "jsonl", selection)
        shown[moment] = {post["text"] for post in lines(made.folder)}
    assert "Good morning, „grüß“ 🏺" in shown[first]
    assert "Good evening" in shown["2030-01-01"]
    query = "SELECT count(*) FROM attachments JOIN posts ON posts.id = post_id WHERE text = ? "
    newest = "AND last_revision = (SELECT max(number) FROM revisions WHERE post_id = posts.id)"
    assert later.column(query + newest, "Good evening") == [2], "its pictures are still attached"


@pytest.mark.parametrize("form", FORMATS[:2])
def test_what_the_settings_leave_out_is_not_taken_in_either(
    world: Nights, tmp_path: Path, form: str
) -> None:
    archive = new_archive(tmp_path)
    left_out = 'leave_out = ["numbers", "people"]\n[media]\nleave_out = ["image"]\n'
    archive.settings = CONFIG + left_out
    report = import_now(archive.config(), exported_to(world, form, tmp_path / "out"))
    assert {each.outcome for each in report.packages} == {"done"}
    assert archive.column("SELECT count(*) FROM posts") == world.column(
        "SELECT count(*) FROM posts"
    )
    assert archive.column("SELECT count(*) FROM metrics") == [0]
    assert archive.column("SELECT count(*) FROM posts WHERE author IS NOT NULL") == [0]
    records = "SELECT raw FROM posts UNION ALL SELECT raw FROM revisions"
    assert any("likeCount" in raw or "favorite" in raw for raw in world.column(records))
    for word in ("likeCount", "favorite_count", "retweet_count"):
        assert not any(word in raw for raw in archive.column(records)), word
    states = (
        "SELECT DISTINCT state FROM renditions JOIN attachments ON attachments.id = attachment_id "
    )
    assert archive.column(f"{states} WHERE kind = 'image'") == ["skipped"]
    assert "stored" in archive.column(f"{states} WHERE kind = 'video'")
    assert verify(archive.directory, Scope(), "2026-12-23T00:00:00.000Z").findings == []


def test_an_archive_of_the_first_version_is_brought_up_to_date_on_a_copy(tmp_path: Path) -> None:
    folder = unpack(tmp_path / "old")
    with closing(sqlite3.connect(folder / "archive.db")) as connection:
        (posts,) = connection.execute("SELECT count(*) FROM posts").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    given = (folder / "archive.db").read_bytes()
    archive = new_archive(tmp_path)
    report = import_now(archive.config(), folder)
    assert [each.error for each in report.packages if each.error] == []
    assert archive.column("SELECT count(*) FROM posts") == [posts]
    assert (folder / "archive.db").read_bytes() == given
    assert verify(archive.directory, Scope(), "2026-12-23T00:00:00.000Z").findings == []
    with closing(sqlite3.connect(folder / "archive.db")) as connection:
        connection.execute("UPDATE posts SET author = 'Somebody' WHERE id = 1")
        connection.commit()
    with pytest.raises(PackageError, match="hash"):
        import_now(archive.config(), folder)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()], ids=["stop", "crash"])
def test_an_import_that_was_stopped_is_resumed_by_doing_it_again(
    world: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(transfer_import, "_BATCH", 2)
    folder, archive = exported_to(world, "sqlite", tmp_path / "out"), new_archive(tmp_path)
    left = 2

    def stopping(*given: Any) -> None:
        nonlocal left
        add_posts(*given)
        left -= 1
        if not left:
            raise error

    with monkeypatch.context() as patch:
        patch.setattr(transfer_import, "add_posts", stopping)
        if isinstance(error, KeyboardInterrupt):
            assert import_now(archive.config(), folder).outcome == "interrupted"
        else:
            with pytest.raises(MemoryError):
                import_now(archive.config(), folder)
    assert archive.column("SELECT count(*) FROM posts") == [2], "what was not finished is not there"
    import_now(archive.config(), folder)
    assert contents(archive, "posts") == contents(world, "posts")
    assert media_names(archive) == media_names(world)


def test_a_missing_and_a_damaged_file_are_named_and_asked_for_again(
    world: Nights, tmp_path: Path
) -> None:
    folder = exported_to(world, "jsonl", tmp_path / "out")
    first, second = sorted(folder.glob("media/*/*"))[:2]
    first.unlink()
    data = second.read_bytes()
    second.write_bytes(flip(data, 8 * len(data) - 1))
    archive = new_archive(tmp_path)
    report = import_now(archive.config(), folder)
    assert report.outcome == "partial"
    failures = "".join(text for each in report.packages for text in each.failures)
    assert first.name in failures
    assert second.name in failures
    states = set(archive.column("SELECT state FROM renditions WHERE reason_code = ?",
                                "not_in_package"))  # fmt: skip
    assert states == {"failed"}


def test_an_older_format_is_read_and_a_newer_one_is_refused(world: Nights, tmp_path: Path) -> None:
    folder = exported_to(world, "jsonl", tmp_path / "lines")
    told = json.loads((folder / ACCOUNTS_FILE).read_text())
    assert told["format"] == LINES_FORMAT
    archive = new_archive(tmp_path)
    newer = {"format": LINES_FORMAT + 1, "made_by": "archiver 9.0", "people": []}
    (folder / ACCOUNTS_FILE).write_text(json.dumps(newer))
    with pytest.raises(PackageError, match=r"newer version.*archiver 9\.0.*Upgrade archiver"):
        import_now(archive.config(), folder)
    assert not archive.directory.exists()
    (folder / ACCOUNTS_FILE).unlink()  # as in an export of the first format
    import_now(archive.config(), folder)
    posts = "SELECT count(*) FROM posts"
    assert archive.column(posts) == world.column(posts)


def test_the_rows_that_prove_a_table_are_no_archive(world: Nights, tmp_path: Path) -> None:
    folder = exported_to(world, "csv", tmp_path / "tables")
    assert (folder / "proofs" / "archive.db").is_file()
    assert database_in(OpenPackage([open_part(folder)])) is None


def test_an_altered_row_an_unreadable_line_and_another_version_are_refused(
    world: Nights, tmp_path: Path
) -> None:
    archive = new_archive(tmp_path)
    folder = exported_to(world, "sqlite", tmp_path / "rows")
    for name, change in (
        ("hash", "UPDATE posts SET author = 'Somebody' WHERE id = 1"),
        ("newer version", "UPDATE _sqlite_migrations SET name = 'm999' WHERE id = 1"),
    ):
        other = shutil.copytree(folder, tmp_path / name)
        with closing(sqlite3.connect(other / "archive.db")) as connection:
            connection.execute(change)
            connection.commit()
        with pytest.raises(PackageError, match=name):
            import_now(archive.config(), other)
    folder = exported_to(world, "jsonl", tmp_path / "lines")
    with (folder / "posts.jsonl").open("a") as file:
        file.write('{"account": 1}\n')
    with pytest.raises(PackageError, match=r"Line \d+ of posts.jsonl"):
        import_now(archive.config(), folder)
    with pytest.raises(UsageError, match="names its accounts"):
        import_now(archive.config(), folder, account="twitter")
    assert not archive.directory.exists()
