"""A machine whose clock was wrong for a night: afterwards all is as if it never had been."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.coverage import story_range
from archiver.archive.coverage_rows import coverage_ranges, save_range
from archiver.archive.database import DATABASE, reader, writer
from archiver.archive.readers import archive_status
from archiver.cli.summary import has_trouble, run_summary
from archiver.clock import START, Clock
from archiver.models import timestamp
from archiver_ayrshare.demo.specs import photo
from support.browsing import browsing
from support.nights import Nights, nights
from support.running import Cli

pytestmark = pytest.mark.slow

IN_2106 = timedelta(days=29_200)
IN_1970 = timedelta(days=-20_500)
RIGHT_NIGHTS = 20

History = dict[str, list[tuple[Any, ...]]]
"""What is compared: rows by what they are."""


class Astray:
    """A clock that is off by so much."""

    def __init__(self, right: Clock, off: timedelta) -> None:
        self._right = right
        self._off = off

    def now(self) -> datetime:
        """The time of day, wrong."""
        return self._right.now() + self._off

    def monotonic(self) -> float:
        """Seconds that never go back, right."""
        return self._right.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await self._right.sleep(seconds)


def set_clock(world: Nights, off: timedelta) -> None:
    """Let the machine's clock be off by so much."""
    world.machine = Astray(world.clock, off) if off else world.clock


def live(world: Nights, night: int) -> None:
    """What people do before a night, the same in every world."""
    threads, instagram = world.account("threads"), world.account("instagram")
    *_, old, oldest = threads.posts()
    threads.publish(f"Night {night}")
    instagram.publish(f"A picture of night {night}", media=[photo()])
    instagram.publish(kind="story", media=[photo()])
    if night in {1, 2, 4}:
        threads.posts()[2].edit(text=f"Edited before night {night}")
        instagram.posts()[5].remove()
    if night == 5:
        oldest.edit(text="So old that only a full scan shows it")
        old.remove()


def history(folder: Path, *wrong: timedelta) -> History:
    """What is in the archive of a world after its nights; in the first ones the clock was wrong."""
    with nights(folder, "threads", "instagram") as world:
        world.account("threads").populate(130, every=timedelta(days=1))
        world.account("instagram").populate(8)
        world.backup()
        for night in range(1, 1 + len(wrong) + RIGHT_NIGHTS):
            world.next_night((START - world.clock.now()) / timedelta(days=1) + night)
            live(world, night)
            world.faults.clear()
            set_clock(world, timedelta())
            if night <= len(wrong):
                set_clock(world, wrong[night - 1])
                world.media_fault(times=None, status=503)
            world.backup()
        return {name: world.query(query) for name, query in HISTORY.items()}


HISTORY = {
    "posts": "SELECT platform_id, text, created_at, removed_at IS NULL FROM posts ORDER BY 1",
    "revisions": """
        SELECT platform_id, number, revisions.content_sha256
          FROM revisions JOIN posts ON posts.id = post_id ORDER BY 1, 2""",
    "events": """
        SELECT platform_id, what FROM events JOIN posts ON posts.id = post_id ORDER BY 1, 2""",
    "renditions": """
        SELECT posts.platform_id, role, media_key, state, renditions.reason, media_sha256
          FROM renditions JOIN attachments ON attachments.id = attachment_id
          JOIN posts ON posts.id = post_id ORDER BY 1, 2, 3""",
    "coverage": """
        SELECT platform, stream, newest, oldest, reached_start, next, reason
          FROM coverage JOIN accounts ON accounts.id = account_id ORDER BY 1, 2, 3""",
    "gaps": "SELECT * FROM gaps",
}


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> History:
    """What is in the archive of the same world where the clock never was wrong."""
    return history(tmp_path_factory.mktemp("right"), timedelta(), timedelta())


@pytest.mark.parametrize(
    "wrong",
    [(IN_2106, IN_1970), (IN_1970, IN_2106), (timedelta(days=40), timedelta(days=-40))],
    ids=["2106-1970", "1970-2106", "forty-days"],
)
def test_after_twenty_right_nights_no_row_shows_that_two_were_wrong(
    tmp_path: Path, right: History, wrong: tuple[timedelta, timedelta]
) -> None:
    jumped = history(tmp_path, *wrong)

    for name, rows in right.items():
        assert jumped[name] == rows, name
    assert right["gaps"] == []
    assert ("So old that only a full scan shows it",) in [row[1:2] for row in right["posts"]]
    assert {row[3] for row in right["renditions"]} == {"stored"}


@pytest.mark.parametrize("off", [IN_2106, IN_1970], ids=["2106", "1970"])
def test_a_full_scan_is_due_after_a_run_at_a_wrong_time(tmp_path: Path, off: timedelta) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(3)
        world.backup()
        for wrong in (off, timedelta()):
            world.next_night()
            set_clock(world, wrong)
            assert world.backup().accounts[0].full
        world.next_night()
        assert not world.backup().accounts[0].full


def test_a_file_that_failed_in_the_future_is_tried_in_the_next_run(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").publish("A picture", media=[photo()])
        set_clock(world, IN_2106)
        world.media_fault(times=None, status=503)
        assert world.backup().counts.failed == 1
        world.faults.clear()
        world.next_night()
        set_clock(world, timedelta())

        report = world.backup()

        assert (report.counts.stored, report.waiting) == (1, 0)


def test_a_file_that_waits_longest_is_not_tried_too_early(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").publish("A picture", media=[photo()])
        world.media_fault(times=None, status=503)
        tried = 0
        for _ in range(20):
            tried += world.backup().counts.failed
            world.next_night(days=4)
        assert tried == 9


@pytest.mark.parametrize("off", [IN_1970, timedelta(days=-3650)], ids=["1970", "ten-years"])
def test_a_clock_that_was_set_back_makes_no_account_fresh(tmp_path: Path, off: timedelta) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(3)
        world.backup()
        world.next_night()
        world.account("threads").publish("News")
        set_clock(world, off)

        report = world.backup()

        assert (report.accounts[0].outcome, report.counts.new) == ("done", 1)


def test_a_source_that_has_news_in_eighty_years_only_is_asked_all_the_same(tmp_path: Path) -> None:
    with nights(tmp_path, "threads", cache=IN_2106) as world:
        world.account("threads").populate(3)
        world.backup()
        world.forget_answers()
        world.account("threads").publish("News")
        world.next_night()

        report = world.backup()

        assert (report.accounts[0].outcome, report.counts.new) == ("done", 1)


def test_without_the_time_of_the_source_stories_go_on_from_the_last_right_look(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "snapchat") as world:
        world.account("snapchat").publish(kind="story")
        world.backup()
        now = world.clock.now()
        with writer(world.directory) as connection:
            first = coverage_ranges(connection, 1, "ayrshare", "stories")[0]
            for looked_at in (now + IN_2106, now + timedelta(days=1)):
                range_ = story_range(
                    coverage_ranges(connection, 1, "ayrshare", "stories"), looked_at
                )
                save_range(connection, 1, "ayrshare", "stories", range_, 1)
            later = {s.id: s for s in coverage_ranges(connection, 1, "ayrshare", "stories")}
        assert later[first.id].oldest == first.oldest
        assert later[first.id].newest == "2026-03-03T09:00:00.000Z"
        assert all((s.oldest or "") < (s.newest or "") for s in later.values())


def test_status_warns_of_a_run_in_the_future_until_a_run_with_a_right_clock_ends(
    tmp_path: Path, cli: Cli
) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(1)
        set_clock(world, IN_2106)
        world.backup()

        told = cli("--config", str(tmp_path / "archive.toml"), "status").stdout

        assert "last run in the future: check the clock (done)" in " ".join(told.split())
        assert re.search(r"^threads .*in the future$", told, re.MULTILINE)
        with browsing(world.directory / DATABASE) as client:
            page = client.get("/").text
        assert page.count("in the future: check the clock") == 3
        set_clock(world, timedelta())
        world.backup()
        with reader(world.directory) as connection:
            (account,) = archive_status(connection).accounts
        assert account.last_good_run == timestamp(START)


def test_a_clock_behind_an_earlier_run_is_noted_once(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.dates = False
        world.account("threads").populate(1)
        set_clock(world, IN_2106)
        assert world.backup().notes == []
        set_clock(world, timedelta())
        world.next_night()

        (note,) = world.backup().notes

        assert "clock is behind an earlier run" in note
        assert "2106-02-11" in note
        world.next_night()
        assert world.backup().notes == []


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(minutes=-12), "12 minutes behind the source's"),
        (timedelta(hours=3), "3 hours ahead of the source's"),
        (IN_2106, "29,200 days ahead of the source's"),
        (timedelta(minutes=4), None),
    ],
)
def test_a_clock_that_is_off_the_source_s_is_said_once_a_run(
    tmp_path: Path, off: timedelta, words: str | None
) -> None:
    with nights(tmp_path, "threads", "bluesky") as world:
        for platform in world.platforms:
            world.account(platform).populate(1)
        set_clock(world, off)

        report = world.backup()

        assert report.exit_code == 0
        assert len(report.notes) == (words is not None)
        assert (words or "") in "".join(report.notes)
        assert report.as_json()["notes"] == report.notes
        assert (words or "") in " ".join(run_summary(report).split())
        assert has_trouble(report) or not report.notes


@pytest.mark.parametrize("date", ["soon", "Sat, 01 Jan 0100 00:00:00 GMT", "", "Fri, 31 Dec 9999"])
def test_a_date_that_cannot_be_is_not_compared(tmp_path: Path, date: str) -> None:
    with nights(tmp_path, "snapchat") as world:
        body = {"status": "success", "posts": [world.account("snapchat").publish("Hi").record()]}
        world.fail("snapchat", status=200, body=body, headers={"date": date}, times=None)
        report = world.backup()
        assert (report.exit_code, report.notes) == (0, [])
