"""A damaged row stops its own account, never the others; what the disk does stops the run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archiver.evidence.copy import copy_archive
from archiver.evidence.files import Scope
from archiver.evidence.repair import repair
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.specs import photo
from support.bad_archives import flip, raw
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"
OF_THREADS = "(SELECT id FROM accounts WHERE platform = 'threads')"
POSTS = f"(SELECT id FROM posts WHERE account_id = {OF_THREADS})"
CELLS = {
    "posts.text": f"account_id = {OF_THREADS}",
    "posts.created_at": f"account_id = {OF_THREADS}",
    "post_sources.content_sha256": f"post_id IN {POSTS}",
    "post_sources.view": f"post_id IN {POSTS}",
    "post_sources.unmapped": f"post_id IN {POSTS}",
    "accounts.handle": f"id = {OF_THREADS}",
    "coverage.newest": f"account_id = {OF_THREADS}",
    "run_accounts.fresh_until": f"account_id = {OF_THREADS}",
}


def damage(world: Nights, cell: str, where: str) -> None:
    """Put a byte that begins no text into a column of some rows."""
    table, column = cell.split(".")
    with raw(world.directory) as connection:
        change = f"UPDATE {table} SET {column} = CAST(x'ff' AS TEXT) WHERE {where}"
        assert connection.execute(change).rowcount > 0


@contextmanager
def two_accounts(folder: Path) -> Iterator[Nights]:
    """Two accounts, backed up, each with an edit and a new post since then."""
    with nights(folder, "threads", "bluesky") as world:
        for platform in world.platforms:
            world.account(platform).populate(3)
        assert world.backup().exit_code == 0
        world.next_night(8)
        for platform in world.platforms:
            world.account(platform).posts()[0].edit(text="Edited")
            world.account(platform).publish("New", media=[photo()])
        yield world


def last_run(world: Nights) -> tuple[object, ...]:
    query = "SELECT outcome, exit_code, finished_at > '' FROM runs ORDER BY id DESC LIMIT 1"
    return world.query(query)[0]


@pytest.mark.parametrize("cell", CELLS)
def test_a_damaged_row_stops_its_own_account_alone(tmp_path: Path, cell: str) -> None:
    with two_accounts(tmp_path) as world:
        damage(world, cell, CELLS[cell])

        report = world.backup()

        threads, bluesky = report.accounts
        assert threads.error is not None
        assert threads.error.code == "damaged"
        assert "verify --repair" in str(threads.error)
        assert (bluesky.error, bluesky.counts.new, bluesky.counts.edited) == (None, 1, 1)
        assert report.exit_code == 3
        assert last_run(world) == ("partial", 3, 1)


def test_a_row_that_is_restored_lets_its_account_go_on(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as world:
        copy = tmp_path / "copy"
        copy_archive(world.directory, copy)
        post, text = world.query("SELECT min(id), text FROM posts WHERE platform = 'threads'")[0]
        with raw(world.directory) as connection:
            change = "UPDATE posts SET text = CAST(? AS TEXT) WHERE id = ?"
            connection.execute(change, (flip(text.encode(), 7), post))
        assert world.backup().exit_code == 3

        repair(world.directory, verify(world.directory, Scope(), NOW), NOW, copy)
        report = world.backup(now=True)

        assert (report.exit_code, report.counts.new, report.counts.edited) == (0, 1, 1)
        assert verify(world.directory, Scope(), NOW).damage == []


def test_a_damaged_row_of_a_file_that_waits_keeps_nothing_else_from_being_saved(
    tmp_path: Path,
) -> None:
    with two_accounts(tmp_path) as world:
        world.backup(media=False)
        of_threads = f"attachment_id IN (SELECT id FROM attachments WHERE post_id IN {POSTS})"
        damage(world, "renditions.reason", f"state = 'pending' AND {of_threads}")
        world.next_night()
        world.account("bluesky").publish("Newer")

        report = world.backup()

        threads, bluesky = report.accounts
        assert (report.exit_code, threads.outcome) == (3, "failed")
        assert "verify --repair" in threads.warnings[0]
        assert (bluesky.outcome, bluesky.counts.new) == ("done", 1)
        assert bluesky.counts.stored > 0
        assert last_run(world) == ("partial", 3, 1)
