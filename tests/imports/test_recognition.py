"""Parts become packages by their content: those of one export together, others apart."""

from datetime import timedelta
from pathlib import Path

import pytest

from archiver.errors import UsageError
from support.exports.importing import ImportFolder, import_now
from support.exports.packing import write_folder, write_zip
from support.exports.tweets import TweetWorld, sample


def test_two_exports_of_one_account_are_two_packages_oldest_first(tmp_path: Path) -> None:
    old, new = sample(), sample()
    old.tweets = old.tweets[:4]
    new.exported_at += timedelta(days=365)
    archive = ImportFolder(tmp_path)
    files = [write_zip(tmp_path / "1.zip", new.files()), write_zip(tmp_path / "2.zip", old.files())]
    report = import_now(archive.config(), *files)
    assert [each.counts.new for each in report.packages] == [4, 8]
    assert archive.column("SELECT exported_at FROM packages ORDER BY id") == [
        "2024-07-01T12:00:00.000Z", "2025-07-01T12:00:00.000Z",
    ]  # fmt: skip
    assert archive.query("SELECT name, source, new FROM run_accounts") == [
        ("twitter-ann", "export", 12)
    ]


def test_exports_of_two_people_get_an_account_each(tmp_path: Path) -> None:
    other = sample()
    other.account_id, other.handle = "43", "Bob_B"
    archive = ImportFolder(tmp_path)
    files = [
        write_zip(tmp_path / f"{number}.zip", world.files())
        for number, world in enumerate((sample(), other))
    ]
    assert import_now(archive.config(), *files).exit_code == 0
    assert archive.column("SELECT name FROM accounts ORDER BY name") == [
        "twitter-ann", "twitter-bob-b",
    ]  # fmt: skip


def test_a_part_that_has_only_pictures_belongs_to_the_package_named_like_it(tmp_path: Path) -> None:
    files = sample().files()
    pictures = {name: content for name, content in files.items() if "_media/" in name}
    rest = {name: content for name, content in files.items() if name not in pictures}
    parts = [write_zip(tmp_path / "x-1.zip", rest), write_zip(tmp_path / "x-2.zip", pictures)]
    for order in (parts, parts[::-1]):
        report = ImportFolder(tmp_path / order[0].stem)
        report.folder.mkdir()
        assert report.run(*order).outcome == "done"


def test_a_part_of_somebody_else_is_not_taken_for_a_part_of_the_package(tmp_path: Path) -> None:
    bob = write_zip(tmp_path / "bob.zip", TweetWorld(sample().tweets[:2], "99", "bob").files())
    files = sample().files()
    part = write_zip(tmp_path / "part-1.zip", {"data/tweets.js": files["data/tweets.js"]})
    archive = ImportFolder(tmp_path)
    with pytest.raises(UsageError, match=r"does not say whose it is.*give all of them together"):
        import_now(archive.config(), bob, part)
    assert not archive.directory.exists() or archive.column("SELECT count(*) FROM posts") == [0]


def test_a_folder_is_hashed_by_its_files(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    folder = write_folder(tmp_path / "export", sample().files())
    first = archive.run(folder).hashes
    moved = folder.rename(tmp_path / "moved")
    assert archive.run(moved).hashes == first
    (moved / "data" / "account.js").touch()
    assert archive.run(moved).hashes == first
