"""Archives of Mastodon accounts become posts, and one with those that the API shows."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import PackageError
from archiver.imports.report import ImportReport
from archiver.report import RunReport
from support.exports.importing import CONTENT, ImportFolder, import_now
from support.exports.outbox import archive_of
from support.exports.packing import write_folder, write_tar, write_zip
from support.exports.tweets import unlike
from support.mastodon.nights import FediNights, fedi_nights
from support.mastodon.world import FediMedia
from support.media.samples import movie, picture

NO_STILL = {"preview_url": None}  # archives have no thumbnails


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[FediNights]:
    with fedi_nights(tmp_path / "home") as found:
        found.folder.mkdir(exist_ok=True)
        _publish(found)
        yield found


def _publish(nights: FediNights) -> None:
    """One post of every kind, a minute apart."""
    press, world = nights.press, nights.world
    other = world.sign_up("bob", "other.example")
    pictures = [
        FediMedia(body=unlike(picture("PNG"), n), description=f"Picture {n}", fields=NO_STILL)
        for n in range(2)
    ]
    film = FediMedia("video", movie(), fields=NO_STILL)
    said: list[dict[str, Any]] = [
        {"text": "Good morning & <more>\n\nhttps://example.org/a/very/long/path/of/a/page"},
        {"text": "Two pictures #cats", "media": pictures},
        {"text": "A film", "media": [film], "warning": "Noise"},
        {"text": "For some", "visibility": "unlisted"},
        {"text": "What next?", "poll": ["This", "That"]},
        {"text": "An answer", "answers": other.publish("A question")},
        {"text": "I quote", "quotes": other.publish("Something")},
        {"boosts": other.publish("Not mine")},
    ]
    for each in said:
        nights.clock.advance(minutes=1)
        press.publish(**each)
    press.publish("For one", visibility="direct")
    nights.clock.advance(minutes=1)


POSTS = (
    "SELECT platform_id, substr(created_at, 1, 19), text, kind, visibility, author, "
    "iif(kind = 'repost', NULL, url) FROM posts "
    "ORDER BY platform_id"
)
ATTACHMENTS = (
    "SELECT posts.platform_id, position, attachments.kind, attachments.platform_id, alt_text, "
    "width, height FROM attachments JOIN posts ON posts.id = post_id ORDER BY 1, 2"
)
FILES = "SELECT sha256, size, content_type FROM media ORDER BY sha256"


def package(nights: FediNights, name: str = "archive.zip") -> Path:
    return write_zip(nights.folder / name, archive_of(nights.press))


def test_an_archive_alone_says_of_posts_what_the_api_says(
    nights: FediNights, tmp_path: Path
) -> None:
    nights.backup()
    private = [s for s in nights.press.statuses if s.visibility == "direct"]
    (tmp_path / "alone").mkdir()
    alone = ImportFolder(tmp_path / "alone", nights.clock)
    report = alone.run(package(nights))
    assert (report.outcome, report.unmapped_paths, report.account) == (
        "done", {}, "mastodon-press-social-example",
    )  # fmt: skip
    assert alone.query(POSTS) == nights.query(POSTS)
    assert alone.query(ATTACHMENTS) == nights.query(ATTACHMENTS)
    assert alone.query(FILES) == nights.query(FILES)
    assert private[0].status_id not in alone.column("SELECT platform_id FROM posts")
    polls = "SELECT record_id, extra FROM post_sources WHERE extra LIKE '%poll%'"
    said = [json.loads(each.query(polls)[0][1])["poll"] for each in (nights, alone)]
    assert said[0] == said[1]
    assert alone.column("SELECT platform_id FROM accounts") == [nights.press.uri]


@pytest.mark.parametrize("first", ["api", "archive"])
def test_both_sources_make_one_post(nights: FediNights, first: str) -> None:
    given = package(nights)
    steps: list[Callable[[], RunReport | ImportReport]] = [
        nights.backup, lambda: import_now(nights.config(), given, clock=nights.clock)
    ]  # fmt: skip
    for step in steps if first == "api" else reversed(steps):
        assert step().exit_code == 0
    count = len([s for s in nights.press.statuses if s.visibility != "direct"])
    assert nights.column("SELECT count(*) FROM posts") == [count]
    assert nights.column("SELECT count(*) FROM post_sources") == [2 * count]
    assert nights.column("SELECT name FROM accounts") == ["press"]
    assert nights.column("SELECT count(*) FROM media") == [3]
    assert nights.column("SELECT DISTINCT matched_by FROM attachment_sources") == ["id"]
    events = "SELECT DISTINCT what FROM events WHERE what <> 'seen'"
    assert nights.column(events) == []
    before = nights.dump(*CONTENT)
    for step in steps:
        step()
        nights.next_night()
    changed = {name for name, rows in nights.dump(*CONTENT).items() if rows != before[name]}
    assert changed <= {"metrics"}


def test_an_edit_between_two_archives_is_one_edit(nights: FediNights, tmp_path: Path) -> None:
    alone = ImportFolder(tmp_path, nights.clock)
    old = package(nights, "old.zip")
    nights.next_night()
    nights.press.statuses[0].edit("Good evening")
    files = archive_of(nights.press)
    new = write_tar(tmp_path / "new.tar.gz", files)
    alone.run(old)
    assert alone.run(new).counts.edited == 1
    assert alone.run(old).counts.edited == 0, "an older archive takes nothing back"
    text = "SELECT text, edited_at IS NOT NULL FROM posts ORDER BY platform_id LIMIT 1"
    assert alone.query(text) == [("Good evening", 1)]


@pytest.mark.parametrize("form", ["tar.gz", "tar", "folder"])
def test_every_form_is_read(nights: FediNights, tmp_path: Path, form: str) -> None:
    files = archive_of(nights.press)
    match form:
        case "tar.gz":
            given = write_tar(tmp_path / "a.tar.gz", files)
        case "tar":
            given = write_tar(tmp_path / "a.bin", files, "w")
        case _:
            given = write_folder(tmp_path / "unpacked", files)
    alone = ImportFolder(tmp_path, nights.clock)
    assert alone.run(given).outcome == "done"
    assert alone.column("SELECT count(*) FROM media") == [3]


def test_half_an_archive_is_refused(nights: FediNights, tmp_path: Path) -> None:
    files = archive_of(nights.press)
    del files["actor.json"]
    with pytest.raises(PackageError, match=r"no actor\.json"):
        ImportFolder(tmp_path).run(write_zip(tmp_path / "a.zip", files))
    other = {"outbox.json": json.dumps([1]), "actor.json": "{}"}
    with pytest.raises(PackageError, match="no official export"):
        ImportFolder(tmp_path).run(write_zip(tmp_path / "b.zip", other))
