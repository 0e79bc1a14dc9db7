"""What each command does to posts that are held, and with posts that were erased.

Each test is a cell of the table in docs/retention.md, and its docstring is what the cell says.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.database import DATABASE, writer
from archiver.archive.holds import holds, matters_of_posts, place_hold, release_holds
from archiver.archive.post_scope import PostScope
from archiver.archive.separation import matched_record
from archiver.binding import CalendarPeriod
from archiver.browse.published import publish
from archiver.cli.shell import Shell
from archiver.errors import UsageError
from archiver.evidence.copy import copy_archive
from archiver.evidence.files import Scope
from archiver.evidence.repair import repair
from archiver.evidence.verify import verify
from archiver.export.selection import ArchiveSelection
from archiver.retention.erasure import carry_out, erasures, plan_erasure
from archiver.retention.rules import dispose, due_posts
from archiver.settings import RetentionRule
from support.erasing import NOW, SECRET, Erasing, WithoutIds
from support.exporting import exported
from support.exports.importing import ImportFolder, import_now
from support.exports.packing import write_zip
from support.exports.tweets import sample
from support.fresh import ROOT
from support.gazette import gazette
from support.running import Cli

pytestmark = pytest.mark.slow

Cell = Callable[..., None]
TABLE: dict[str, dict[str, str]] = {}
MATTER = "2026/17"
LATER = datetime(2030, 1, 1, tzinfo=UTC)
RULE = RetentionRule("all", CalendarPeriod(1, "day"), "4.1")


def cell(command: str, posts: str) -> Callable[[Cell], Cell]:
    """Put the docstring of a test into the table: of a command, and of `held` or `erased` posts."""

    def register(test: Cell) -> Cell:
        TABLE.setdefault(command, {})[posts] = " ".join((test.__doc__ or "").split()).rstrip(".")
        return test

    return register


def hold(directory: Path, **scope: Any) -> None:
    with writer(directory, create=False) as connection:
        place_hold(connection, MATTER, "a claim", PostScope(**scope), "counsel", NOW)


def held(directory: Path) -> list[int]:
    """The posts that are held."""
    with writer(directory, create=False) as connection:
        every = [post_id for (post_id,) in connection.execute("SELECT id FROM posts ORDER BY id")]
        return sorted(matters_of_posts(connection, every))


@pytest.fixture
def holding(erasing: Erasing) -> Erasing:
    """The archive with a hold on its post with a secret."""
    hold(erasing.directory, posts=(erasing.secret,))
    return erasing


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zip(tmp_path_factory.mktemp("package") / "x.zip", sample().files())


@pytest.fixture
def imported(tmp_path: Path, package: Path) -> ImportFolder:
    """An archive of an export of X."""
    folder = ImportFolder(tmp_path)
    folder.run(package)
    return folder


@contextmanager
def matched(tmp_path: Path) -> Iterator[Erasing]:
    """An archive with one post that a rule took for the same in two sources."""
    with gazette(tmp_path) as world:
        world.kiosk = WithoutIds()
        world.publish(SECRET, pictures=1)
        world.backup("paper", "kiosk")
        yield Erasing(world, tmp_path / "archive")


@cell("archiver erase", "held")
def test_a_held_post_is_not_erased(holding: Erasing) -> None:
    """is not erased; the attempt is on record, with the matter"""
    with pytest.raises(UsageError, match=MATTER):
        holding.erase()
    assert holding.rows("SELECT state, reason FROM erasures") == [
        ("refused", f"1 post under legal hold for {MATTER}")
    ]
    assert len(holding.traces()) > 5


@cell("archiver erase", "erased")
def test_an_erased_post_cannot_be_erased_again(erasing: Erasing) -> None:
    """is not there any more to be erased"""
    secret = erasing.secret
    erasing.erase()
    with erasing.open() as connection:
        assert list(PostScope(posts=(secret,)).ids(connection)) == []
        with pytest.raises(UsageError, match="No post matches"):
            plan_erasure(connection, [], "Art. 17", "clerk", NOW)


@cell("archiver retention --dispose", "held")
def test_a_held_post_is_not_disposed_of(holding: Erasing) -> None:
    """stays; that it was due is on record, with the matter"""
    with holding.open() as connection:
        (done,) = dispose(connection, holding.directory, [RULE], ["all"], "clerk", LATER)
        assert done.count == 2
        assert [each.state for each in erasures(connection)] == ["refused", "done"]
    assert len(holding.traces()) > 5


@cell("archiver retention --dispose", "erased")
def test_an_erased_post_is_never_due(erasing: Erasing) -> None:
    """is under no rule, and never due again"""
    secret = erasing.secret
    erasing.erase()
    with erasing.open() as connection:
        (due,) = due_posts(connection, [RULE], LATER)
    assert due.under == 2
    assert secret not in due.free


@cell("archiver backup", "held")
def test_a_held_post_is_backed_up_as_ever(holding: Erasing) -> None:
    """is backed up as ever: what was saved before an edit or a removal stays"""
    revisions = f"SELECT count(*) FROM revisions WHERE post_id = {holding.secret}"
    ((before,),) = holding.rows(revisions)
    holding.world.issues[1].text = "Nothing to see"
    holding.world.next_night()
    holding.world.backup("paper", "kiosk", full=True)
    holding.world.issues[1].removed = True
    for _ in range(2):
        holding.world.next_night()
        holding.world.backup("paper", "kiosk", full=True)
    ((after,),) = holding.rows(revisions)
    assert after > before
    assert holding.rows("SELECT removed_at IS NOT NULL FROM posts WHERE id = 2") == [(1,)]
    assert "text in archive.db" in holding.traces()
    assert held(holding.directory) == [holding.secret]


@cell("archiver backup", "erased")
def test_a_backup_does_not_bring_an_erased_post_back(erasing: Erasing) -> None:
    """is not saved again, from any source"""
    erasing.erase()
    erasing.world.next_night()
    erasing.world.backup("paper", "kiosk", full=True)
    assert erasing.rows("SELECT count(*) FROM posts") == [(2,)]
    assert erasing.traces() == []


@cell("archiver import", "held")
def test_an_import_adds_to_what_is_held(imported: ImportFolder, package: Path) -> None:
    """keeps what it had; posts of the package that fit the hold are held too"""
    directory = imported.folder / "archive"
    hold(directory, words="pictures")
    (first,) = held(directory)
    more = sample()
    more.tweets[0] = replace(more.tweets[0], number="7", text="More pictures")
    imported.run(write_zip(imported.folder / "more.zip", more.files()))
    found = held(directory)
    assert first in found
    assert len(found) == 2


@cell("archiver import", "erased")
def test_an_import_does_not_bring_an_erased_post_back(
    imported: ImportFolder, package: Path
) -> None:
    """is not imported again"""
    directory = imported.folder / "archive"
    (count,) = imported.column("SELECT count(*) FROM posts")
    with writer(directory, create=False) as connection:
        planned = plan_erasure(connection, [1], "Art. 17", "clerk", NOW)
        carry_out(connection, directory, planned.id, "officer", NOW)
    again = sample()
    again.tweets[5] = replace(again.tweets[5], text="Another package")
    imported.run(write_zip(imported.folder / "again.zip", again.files()))
    assert imported.column("SELECT count(*) FROM posts") == [count - 1]


@cell("archiver import ARCHIVE", "held")
def test_another_archive_adds_to_what_is_held_and_brings_no_hold(
    holding: Erasing, tmp_path: Path
) -> None:
    """
    is held as before, with what that archive adds to it; holds of that archive do not come along
    """
    other = another_archive(holding, tmp_path)
    hold(other.directory, posts=(1,))
    take_in(holding, exported(other.directory, tmp_path / "out", "sqlite").folder)
    assert held(holding.directory) == [holding.secret]
    with pytest.raises(UsageError, match=MATTER):
        holding.erase()


@pytest.mark.parametrize("form", ["sqlite", "jsonl", "bagit", "the folder"])
@cell("archiver import ARCHIVE", "erased")
def test_another_archive_does_not_bring_an_erased_post_back(
    erasing: Erasing, tmp_path: Path, form: str
) -> None:
    """is not taken in from another archive, an export of one, or an older copy"""
    other = another_archive(erasing, tmp_path)
    folder = other.directory
    if form != "the folder":
        folder = exported(other.directory, tmp_path / "out", form).folder
    erasing.erase()
    take_in(erasing, folder)
    assert erasing.rows("SELECT count(*) FROM posts") == [(2,)]
    assert erasing.traces() == []
    assert erasing.damage() == []


@cell("archiver copy", "held")
def test_a_copy_has_the_hold_too(holding: Erasing, tmp_path: Path) -> None:
    """is held in the copy too; a copy with a hold that the archive never had is not written over"""
    copy = tmp_path / "copy"
    copy_archive(holding.directory, copy)
    copied = Erasing(holding.world, copy)
    with pytest.raises(UsageError, match=MATTER):
        copied.erase()
    hold(copy, posts=(1,))
    holding.erase(3)
    with pytest.raises(UsageError, match=f"under legal hold for {MATTER}"):
        copy_archive(holding.directory, copy, older=True)
    with copied.open() as connection:
        release_holds(connection, holds(connection, 2), "settled", "judge", NOW)
    copy_archive(holding.directory, copy, older=True)
    assert copied.rows("SELECT id FROM posts ORDER BY id") == [(1,), (2,)]


@cell("archiver copy", "erased")
def test_a_copy_loses_what_was_erased(erasing: Erasing, tmp_path: Path) -> None:
    """goes from the copy too, with its files"""
    copy = tmp_path / "copy"
    copy_archive(erasing.directory, copy)
    erasing.erase()
    copy_archive(erasing.directory, copy)
    assert Erasing(erasing.world, copy).traces() == []


@cell("an older copy in the place of the archive", "held")
def test_an_older_copy_has_not_the_holds_since(erasing: Erasing, tmp_path: Path) -> None:
    """is held only if the copy has the hold: place those since then again"""
    copy_archive(erasing.directory, tmp_path / "copy")
    hold(erasing.directory, posts=(1,))
    shutil.rmtree(erasing.directory)
    shutil.copytree(tmp_path / "copy", erasing.directory)
    assert held(erasing.directory) == []


@cell("an older copy in the place of the archive", "erased")
def test_an_older_copy_has_what_was_erased_since(erasing: Erasing, tmp_path: Path) -> None:
    """comes back: bring each copy up to date after an erasure, or erase again"""
    copy_archive(erasing.directory, tmp_path / "copy")
    erasing.erase()
    shutil.rmtree(erasing.directory)
    shutil.copytree(tmp_path / "copy", erasing.directory)
    assert len(erasing.traces()) > 5
    erasing.erase()
    assert erasing.traces() == []


@cell("archiver verify --repair", "held")
def test_a_held_post_is_repaired(holding: Erasing, tmp_path: Path) -> None:
    """is restored from the copy, and so is a damaged hold"""
    copy_archive(holding.directory, tmp_path / "copy")
    damage(holding, "UPDATE posts SET text = 'altered' WHERE id = 2")
    damage(holding, "UPDATE holds SET scope = '{\"posts\": [99]}'")
    mend(holding, tmp_path / "copy")
    assert held(holding.directory) == [holding.secret]
    assert holding.rows("SELECT text FROM posts WHERE id = 2") == [(SECRET,)]


@cell("archiver verify --repair", "erased")
def test_a_repair_does_not_bring_an_erased_post_back(erasing: Erasing, tmp_path: Path) -> None:
    """is not brought back by an older copy"""
    copy_archive(erasing.directory, tmp_path / "copy")
    erasing.erase()
    damage(erasing, "UPDATE posts SET text = 'altered' WHERE id = 1")
    mend(erasing, tmp_path / "copy")
    assert erasing.traces() == []
    assert erasing.damage() == []


@cell("archiver separate", "held")
def test_both_parts_of_a_held_post_are_held(tmp_path: Path, cli: Cli) -> None:
    """is held as before, and so is the post that is separated from it"""
    with matched(tmp_path) as one:
        hold(one.directory, posts=(1,))
        hold(one.directory, words="Kowalski")
        done = cli(
            "--config", str(tmp_path / "archive.toml"), "separate", "1", "kiosk",
            shell=Shell(_plugins=one.world.plugins()),
        )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        assert held(one.directory) == [1, 2]
        with one.open() as connection:
            by_words = holds(connection)[1]
            release_holds(connection, [by_words], "settled", "judge", NOW)
        assert held(one.directory) == [1, 2]
        assert one.damage() == []


@cell("archiver separate", "erased")
def test_an_erased_post_cannot_be_separated(tmp_path: Path) -> None:
    """is not there any more to be separated"""
    with matched(tmp_path) as one:
        one.erase(1)
        with one.open() as connection, pytest.raises(UsageError, match="no post of that id"):
            matched_record(connection, 1, "kiosk")


@cell("archiver export", "held")
def test_a_held_post_is_exported(holding: Erasing, tmp_path: Path) -> None:
    """is exported as ever; `--held` exports only what is held"""
    for name, selection, count in (("all", None, 3), ("held", ArchiveSelection(matter=MATTER), 1)):
        folder = exported(holding.directory, tmp_path / name, "jsonl", selection).folder
        lines = (folder / "posts.jsonl").read_text().splitlines()
        assert len(lines) == count
        assert sum(SECRET in line for line in lines) == 1


@cell("archiver export", "erased")
def test_an_erased_post_is_in_no_export(erasing: Erasing, tmp_path: Path) -> None:
    """is in no export; those that were made before are yours to delete"""
    erasing.erase()
    folder = exported(erasing.directory, tmp_path / "out", "jsonl").folder
    assert "Kowalski" not in (folder / "posts.jsonl").read_text()


@cell("archiver browse --published", "held")
def test_a_published_copy_does_not_show_holds(holding: Erasing, tmp_path: Path) -> None:
    """is in the published copy as ever, without the hold"""
    publish(holding.directory / DATABASE, tmp_path / "public")
    with closing(sqlite3.connect(tmp_path / "public" / DATABASE)) as connection:
        assert (SECRET,) in connection.execute("SELECT text FROM posts").fetchall()
        assert holds(connection) == []


@cell("archiver browse --published", "erased")
def test_a_published_copy_loses_what_was_erased(erasing: Erasing, tmp_path: Path) -> None:
    """goes from the published copy, with its files, when that is made again"""
    publish(erasing.directory / DATABASE, tmp_path / "public")
    erasing.erase()
    publish(erasing.directory / DATABASE, tmp_path / "public")
    assert Erasing(erasing.world, tmp_path / "public").traces_in_files() == []


def another_archive(archive: Erasing, tmp_path: Path) -> Erasing:
    """One with the same posts, as a backup by somebody else would have them."""
    return Erasing(archive.world, Path(shutil.copytree(archive.directory, tmp_path / "other")))


def take_in(archive: Erasing, folder: Path) -> None:
    """Import what another archive has."""
    report = import_now(ImportFolder(archive.world.folder).config(), folder)
    assert report.packages
    assert report.exit_code == 0


def damage(archive: Erasing, sql: str) -> None:
    with closing(sqlite3.connect(archive.directory / DATABASE)) as connection, connection:
        connection.execute(sql)


def mend(archive: Erasing, copy: Path) -> None:
    repair(archive.directory, verify(archive.directory, Scope(), NOW), NOW, copy)


def test_the_page_has_this_table() -> None:
    lines = [
        "| what is done | a post that is held | a post that was erased |",
        "|---|---|---|",
        *(
            f"| {command if ' copy in' in command else f'`{command}`'} "
            f"| {said['held']} | {said['erased']} |"
            for command, said in TABLE.items()
        ),
    ]
    assert "\n".join(lines) in (ROOT / "docs" / "retention.md").read_text("utf-8")
