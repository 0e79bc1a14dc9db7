"""What a run changed, in counts: labels and numbers, and nothing of a post."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.archive.database import reader, writer
from archiver.archive.rows import update
from archiver.unattended.news import break_before, digest, run_news
from support.nights import Nights, nights


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Nights]:
    with nights(tmp_path, "bluesky") as world:
        world.account("bluesky").populate(2)
        world.backup()
        yield world


def test_removals_and_omissions_of_the_last_run_are_counted_by_account(world: Nights) -> None:
    with writer(world.directory) as connection:
        assert run_news(connection) == []
        update(connection, "run_accounts", "run_id = 1", (), removed=1, omitted=2)
        assert run_news(connection) == ["bluesky: 1 post removed, 2 files omitted by the platform"]
    world.next_night()
    world.backup()
    with reader(world.directory) as connection:
        assert run_news(connection) == [], "that was another run"


def test_a_long_break_is_one_between_the_last_two_runs(world: Nights) -> None:
    late_after = timedelta(days=2)
    for days, found in ((1, None), (9, "no backup ran for 9 days before this one"), (1, None)):
        world.next_night(days)
        world.backup()
        with reader(world.directory) as connection:
            assert break_before(connection, late_after) == found


def test_a_digest_has_the_counts_of_its_time(world: Nights) -> None:
    with reader(world.directory) as connection:
        text = digest(connection, world.clock.now() - timedelta(days=7))
        assert text.startswith("the last week: 1 run, 2 new posts, 0 edited, 0 removed,")
        later = digest(connection, world.clock.now() + timedelta(seconds=1))
        assert later.startswith("the last week: 0 runs, 0 new posts,")
