"""Exports of Pinterest become posts, field by field."""

from pathlib import Path

import pytest

from archiver.errors import PackageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.specs import photo
from archiver_exports import pinterest
from support.exports.importing import CONTENT, ImportFolder, import_now
from support.exports.packing import write_folder, write_zip
from support.exports.pins import Pin, PinWorld, image_hash, sample
from support.nights import nights


@pytest.fixture
def archive(tmp_path: Path) -> ImportFolder:
    return ImportFolder(tmp_path)


def expected(world: PinWorld) -> list[tuple[object, ...]]:
    return [
        (
            pin.number, f"{pin.at:%Y-%m-%dT%H:%M:%S}.000Z", pin.title or None, pin.text or None,
            "repost" if pin.is_repin else "pin", "private" if pin.is_private else "public", "ann",
            f"https://www.pinterest.com/pin/{pin.number}", "video" if pin.is_video else "image",
            pin.image, pin.alt or None, "not_offered",
        )
        for pin in world.pins
    ]  # fmt: skip


def posts(archive: ImportFolder) -> list[tuple[object, ...]]:
    return archive.query(
        "SELECT posts.platform_id, created_at, title, text, posts.kind, visibility, author, "
        "posts.url, attachments.kind, attachments.platform_id, alt_text, state FROM posts "
        "JOIN attachments ON post_id = posts.id JOIN renditions ON attachment_id = attachments.id "
        "ORDER BY posts.platform_id"
    )


@pytest.mark.parametrize("commas", [False, True], ids=["plain", "lines end with commas"])
def test_the_archive_equals_the_world(archive: ImportFolder, tmp_path: Path, commas: bool) -> None:
    world = sample()
    report = archive.run(write_zip(tmp_path / "p.zip", world.files(commas=commas)))
    assert (report.outcome, report.unmapped_paths, report.account) == ("done", {}, "pinterest-ann")
    assert archive.query("SELECT platform_id, handle FROM accounts") == [("@ann", "ann")]
    assert posts(archive) == expected(world)
    links = archive.column("SELECT extra FROM post_sources WHERE extra LIKE '%\"link\"%'")
    assert ["https://example.org/chair?a=1" in text for text in links] == [True]
    whole = b"".join(path.read_bytes() for path in archive.directory.glob("archive.db*"))
    for secret in (b"192.0.2.1", b"ann@example.org", b"what was looked for"):
        assert secret not in whole


@pytest.mark.parametrize("piece", [300, 700, 5000])
def test_a_large_file_is_read_piece_by_piece(
    archive: ImportFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(pinterest, "_PIECE", piece)
    world = sample()
    archive.run(write_folder(tmp_path / "export", world.files()))
    assert posts(archive) == expected(world)


def test_a_second_import_changes_nothing(archive: ImportFolder, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "p.zip", sample().files())
    archive.run(package)
    before = archive.dump(*CONTENT)
    archive.clock.advance(days=1)
    assert archive.run(package).counts.new == 0
    assert archive.dump(*CONTENT) == before


def test_an_export_without_pins_is_refused(archive: ImportFolder, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="has no post"):
        archive.run(write_zip(tmp_path / "p.zip", PinWorld([]).files()), account="ann")
    assert not archive.directory.exists()


@pytest.mark.parametrize("order", ["api, export, api", "export, api, export"])
def test_a_pin_is_that_of_the_api_and_so_is_its_picture(tmp_path: Path, order: str) -> None:
    with nights(tmp_path, "pinterest") as world:
        account = world.account("pinterest")
        post = account.publish("A chair", title="Chair", media=[photo()])
        (medium,) = post.media
        image = medium.files[0].path.rpartition("/")[2].partition(".")[0]
        both = Pin(post.id, "Chair", "A chair", image, post.at)
        made = PinWorld([both, Pin("9", "Only here", "", image_hash(9))], account.handle)
        package = write_zip(tmp_path / "pinterest.zip", made.files())
        for step in order.split(", "):
            if step == "api":
                assert world.backup(full=True, now=True).exit_code == 0
                world.next_night()
            else:
                assert import_now(world.config(), package, clock=world.clock).exit_code == 0
        assert world.column("SELECT name FROM accounts") == ["pinterest"]
        assert sorted(world.column("SELECT platform_id FROM posts")) == sorted(["9", post.id])
        shown = (
            "SELECT role, state FROM renditions JOIN attachments ON attachments.id = attachment_id "
            "JOIN posts ON posts.id = post_id WHERE posts.platform_id = ?"
        )
        assert ("original", "stored") in world.query(shown, post.id)
        assert ("original", "not_offered") not in world.query(shown, post.id)
        assert world.column("SELECT count(*) FROM attachments") == [2]
        assert world.column("SELECT count(*) FROM events WHERE what IN ('edited', 'removed')") == [
            0
        ]
        assert verify(world.directory, Scope(), "2026-11-28T00:00:00.000Z").findings == []
