"""A run whose time is short: all accounts are scanned first, and no file is lost."""

from pathlib import Path

import pytest

from archiver.clock import DemoClock
from archiver_ayrshare.demo.specs import photo
from support.nights import Nights, nights

FILES = 6
SECONDS = 1e9  # more than any run has


class Stopwatch(DemoClock):
    """A clock by which the time is over once the world has been asked for so many files."""

    def __init__(self, world: Nights, files: int) -> None:
        super().__init__()
        self._world = world
        self._files = files

    def monotonic(self) -> float:
        return SECONDS if len(self._world.media_requests) >= self._files else 0.0


def states(world: Nights) -> dict[str, int]:
    return dict(world.query("SELECT state, count(*) FROM renditions GROUP BY state"))


def test_without_any_time_for_files_all_posts_are_saved_and_their_files_come_later(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "threads", "bluesky") as world:
        for name in ("threads", "bluesky"):
            world.account(name).populate(5)
        report = world.backup(minutes=0)
        posts = world.column("SELECT count(*) FROM posts")
        assert states(world).keys() <= {"pending", "skipped", "not_offered"}
        assert (report.exit_code, report.out_of_time) == (0, True)
        assert report.waiting == states(world)["pending"]
        later = world.backup(now=True)
        assert world.column("SELECT count(*) FROM posts") == posts
        assert "pending" not in states(world)
        assert (later.waiting, later.out_of_time) == (0, False)


def test_of_accounts_that_are_not_due_only_files_are_fetched(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(5)
        world.backup(minutes=0)
        scans = world.column("SELECT count(*) FROM run_accounts")
        report = world.backup(due=True, files_only=("threads",))
        assert world.column("SELECT count(*) FROM run_accounts") == scans
        assert "pending" not in states(world)
        assert (report.exit_code, report.counts.stored > 0) == (0, True)


@pytest.mark.parametrize("files", [1, 3, FILES - 1])
def test_a_file_that_was_begun_is_finished_and_the_rest_is_left_for_the_next_run(
    tmp_path: Path, files: int
) -> None:
    with nights(tmp_path, "threads") as world:
        world.settings["media"] = "connections = 1"
        for number in range(FILES):
            world.account("threads").publish(f"Number {number}", media=[photo()])
        world.machine = Stopwatch(world, files)
        report = world.backup(minutes=1)
        assert report.counts.stored == len(world.media_requests) == files
        assert report.out_of_time
        assert report.waiting == states(world)["pending"] > 0
        assert report.counts.failed == 0
        assert list((world.directory / "tmp").iterdir()) == []
