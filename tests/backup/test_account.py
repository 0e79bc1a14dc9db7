"""How far a history is read: paging, gaps, unfinished walks, and what a kill leaves behind."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.coverage import CoverageTracker
from archiver.backup.page_saver import PageSaver
from archiver.models import Page, Record, Window
from archiver_ayrshare.demo.networks.base import JsonObject
from archiver_ayrshare.demo.posts import WorldPost
from support.nights import Nights, nights, rewrite

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """Stands for a power cut: nothing in the program catches it."""


def kill_after(world: Nights, monkeypatch: pytest.MonkeyPatch, platform: str, pages: int) -> None:
    """End the program in the moment after so many pages were saved."""
    save = PageSaver.save
    count = 0

    async def some_saves(self: PageSaver, tracker: CoverageTracker, page: Page) -> None:
        nonlocal count
        if self.reader.account.platform == platform:
            if count == pages:
                raise Killed
            count += 1
        await save(self, tracker, page)

    monkeypatch.setattr(PageSaver, "save", some_saves)


def test_800_posts_behind_next_are_all_fetched_and_nothing_is_missing(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        world.account("twitter").populate(800, every=timedelta(hours=2))

        report = world.backup(media=False)

        assert (report.exit_code, report.counts.new) == (0, 800)
        assert world.query("SELECT reached_start, next FROM coverage") == [(1, None)]
        assert world.query("SELECT * FROM gaps") == []


def test_800_posts_without_paging_leave_a_gap_that_is_recorded_and_reported(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "linkedin") as world:
        account = world.account("linkedin")
        account.paging = False
        account.populate(800, every=timedelta(hours=2))

        report = world.backup(media=False)

        oldest = sorted(post.at for post in account.posts())[300]
        assert (report.exit_code, report.counts.new) == (3, 500)
        assert f"Posts before {oldest:%Y-%m-%dT%H:%M}" in report.accounts[0].warnings[0]
        assert "newest 500" in report.accounts[0].warnings[0]
        assert len(world.query("SELECT * FROM gaps")) == 1

        world.next_night()
        again = world.backup(media=False)

        assert again.exit_code == 0, "a gap that was known before is not news"
        world.next_night(0.1)
        full = world.backup(media=False, full=True, now=True)
        assert full.exit_code == 3, "a full scan that could not close it says so"
        assert len(world.query("SELECT * FROM gaps")) == 1


def test_a_gap_between_two_scans_is_closed_when_a_later_scan_reaches_across(tmp_path: Path) -> None:
    with nights(tmp_path, "linkedin") as world:
        account = world.account("linkedin")
        account.populate(20)
        account.paging = False
        world.backup(media=False)
        world.clock.advance(days=30)
        account.populate(600, every=timedelta(hours=1))
        world.backup(media=False)
        assert len(world.query("SELECT * FROM gaps")) == 1

        account.paging = True
        world.next_night()
        world.backup(media=False, full=True)

        assert world.query("SELECT * FROM gaps") == []
        assert world.column("SELECT count(*) FROM posts") == [620]


def test_facebook_without_paging_goes_on_by_dates(tmp_path: Path) -> None:
    with nights(tmp_path, "facebook") as world:
        account = world.account("facebook")
        account.paging = False
        account.populate(800, every=timedelta(hours=5))

        report = world.backup(media=False)

        assert (report.exit_code, report.counts.new) == (0, 800)
        assert world.query("SELECT * FROM gaps WHERE stream = 'posts'") == []


@pytest.mark.parametrize("pages", range(1, 6))
def test_killed_between_two_pages_the_next_run_leaves_no_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    with nights(tmp_path, "twitter") as world:
        world.account("twitter").populate(450, every=timedelta(hours=2))
        with monkeypatch.context() as patch:
            kill_after(world, patch, "twitter", pages)
            if pages < 5:
                with pytest.raises(Killed):
                    world.backup(media=False)
            else:
                world.backup(media=False)
        world.next_night()
        world.account("twitter").publish("Posted after the kill")

        report = world.backup(media=False)

        assert report.exit_code == 0
        assert world.column("SELECT count(*) FROM posts") == [451]
        assert world.query("SELECT reached_start, next FROM coverage") == [(1, None)]


@pytest.mark.parametrize("pages", range(1, 5))
def test_killed_in_a_full_scan_the_next_run_ends_with_one_coverage_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    with nights(tmp_path, "twitter") as world:
        world.account("twitter").populate(450, every=timedelta(hours=2))
        world.backup(media=False)
        world.next_night()
        with monkeypatch.context() as patch:
            kill_after(world, patch, "twitter", pages)
            with pytest.raises(Killed):
                world.backup(media=False, full=True)
        assert world.query("SELECT * FROM gaps") == []
        world.next_night()

        report = world.backup(media=False)

        assert report.exit_code == 0
        assert world.query("SELECT reached_start, next FROM coverage") == [(1, None)]


def test_a_lost_cursor_is_survived_by_looking_again_from_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "twitter") as world:
        world.account("twitter").populate(450, every=timedelta(hours=2))
        with monkeypatch.context() as patch:
            kill_after(world, patch, "twitter", 2)
            with pytest.raises(Killed):
                world.backup(media=False)
        world.forget_cursors()
        world.next_night()

        report = world.backup(media=False)

        assert (report.exit_code, report.counts.new) == (0, 250)
        assert world.query("SELECT reached_start, next FROM coverage") == [(1, None)]
        assert "saved cursor expired" in str(report.accounts[0].notes)


def test_a_pinned_old_post_does_not_end_a_look(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        account = world.account("twitter")
        old = account.populate(150, every=timedelta(hours=2))[20]
        world.backup(media=False)
        old.pin()
        world.clock.advance(days=5)  # no full scan is due, which would hide a mistake
        account.populate(250, every=timedelta(minutes=20))

        report = world.backup(media=False)

        assert not report.accounts[0].full
        assert report.counts.new == 250
        assert world.query("SELECT * FROM gaps") == []


@pytest.mark.parametrize("place", ["on top", "between the others"])
@pytest.mark.parametrize("created", ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", None])
def test_one_post_with_an_odd_date_does_not_end_a_look(
    tmp_path: Path, created: str | None, place: str
) -> None:
    with nights(tmp_path, "twitter") as world:
        account = world.account("twitter")
        odd = account.populate(120, every=timedelta(hours=2))[60]
        if place == "on top":
            odd.pin()

        def misdate(post: WorldPost, record: JsonObject) -> None:
            if post is odd:
                record |= {"created": created, "createdAt": created}

        rewrite(account, misdate)
        assert world.backup(media=False).counts.new == 120
        for _ in range(2):
            world.clock.advance(days=3)  # no full scan is due, which would hide a mistake
            account.populate(150, every=timedelta(minutes=20))

            report = world.backup(media=False)

            assert not report.accounts[0].full
            assert (report.exit_code, report.counts.new) == (0, 150)
        assert world.query("SELECT * FROM gaps") == []
        assert world.query("SELECT * FROM events WHERE what <> 'seen'") == []


def test_a_post_from_the_future_that_is_taken_down_is_noticed(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        account = world.account("twitter")
        odd = account.populate(20, every=timedelta(hours=2))[-1]

        def misdate(post: WorldPost, record: JsonObject) -> None:
            if post is odd:
                record |= {"created": "2030-01-01T00:00:00Z", "createdAt": None}

        rewrite(account, misdate)
        world.backup(media=False)
        odd.remove()
        for _ in range(2):
            world.next_night()
            world.backup(media=False)

        assert world.column("SELECT platform_id FROM posts WHERE removed_at > ''") == [odd.id]


def test_limit_and_since_stop_early_and_a_plain_run_goes_on_from_there(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        posts = world.account("twitter").populate(350, every=timedelta(days=1))
        limited = world.backup(media=False, limit=30)
        assert (limited.exit_code, limited.counts.new) == (0, 30)
        world.next_night(0.1)
        since = posts[-150].at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        world.backup(media=False, since=since)
        assert 150 <= world.column("SELECT count(*) FROM posts")[0] < 350
        world.next_night(0.1)

        report = world.backup(media=False)

        assert report.exit_code == 0
        assert world.column("SELECT count(*) FROM posts") == [350]
        assert world.query("SELECT * FROM gaps") == []


def test_an_account_is_not_asked_again_before_the_source_has_news(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(3)
        world.backup()
        world.clear_logs()

        assert world.backup().accounts[0].outcome == "fresh"
        assert world.api_requests == []
        assert world.backup(now=True).accounts[0].outcome == "done"

        world.clock.advance(minutes=33)
        assert world.backup().accounts[0].outcome == "done"


def test_an_empty_answer_where_there_were_posts_is_an_alarm_not_a_deletion(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(5)
        world.backup()
        for _ in range(3):
            world.next_night()
            world.answer_empty("threads", times=None)

            report = world.backup()

            assert report.exit_code == 3
            assert "shows no posts" in report.accounts[0].warnings[0]
        assert world.column("SELECT count(*) FROM events WHERE what <> 'seen'") == [0]


def test_stories_that_expire_are_never_missing_but_nights_without_a_scan_are_a_gap(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "snapchat") as world:
        world.account("snapchat").publish(kind="story")
        world.backup()
        world.next_night()
        world.account("snapchat").publish(kind="story")
        world.backup()
        assert world.query("SELECT * FROM gaps") == []

        world.next_night(days=5)
        world.backup()

        assert world.column("SELECT stream FROM gaps") == ["stories"]
        assert world.column("SELECT what FROM events ORDER BY id") == [
            "seen", "seen", "expired", "expired",
        ]  # fmt: skip
        assert world.column("SELECT removed_at FROM posts") == [None, None]


def test_changed_options_of_an_account_make_no_post_seem_removed(tmp_path: Path) -> None:
    with nights(tmp_path, "facebook") as world:
        page = world.account("facebook")
        page.publish("By the page")
        page.publish("By the page as well")
        page.publish("By a visitor", visitor=True)
        world.backup()
        world.extra += "page_published = true\n"
        for _ in range(3):
            world.next_night()
            world.backup()

        assert world.column("SELECT DISTINCT what FROM events") == ["seen"]

        page.posts()[-1].remove()
        for _ in range(2):
            world.next_night()
            world.backup()

        assert world.query("SELECT text FROM posts WHERE removed_at IS NOT NULL") == [
            ("By the page",)
        ]


def leading(pages: list[tuple[Sequence[int], str | None]]) -> Callable[..., Any]:
    """A platform's `pages`, from a list of (numbers of posts, next cursor)."""

    async def read(_client: object, _account: object, window: Window) -> AsyncIterator[Page]:
        place = int(window.cursor or 0)
        while True:
            numbers, cursor = pages[place]
            records = [
                {"id": str(100 - number), "post": f"Post {number}",
                 "created": f"2026-02-{28 - number:02d}T09:00:00Z"}
                for number in numbers
            ]  # fmt: skip
            yield Page(
                tuple(Record(json.dumps(record), record) for record in records), cursor=cursor,
                reached_start=cursor is None,
            )  # fmt: skip
            place = int(cursor or 0)

    return read


def test_empty_pages_between_posts_are_followed_to_the_first_post(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "bluesky") as world:
        platform = world.plugins.platform("bluesky", "ayrshare")
        pages = leading([(range(10), "1"), ([], "2"), ([], "3"), (range(10, 27), None)])
        monkeypatch.setattr(platform, "pages", pages)
        monkeypatch.setattr(platform, "identify", nobody)

        report = world.backup(media=False)

        assert (report.exit_code, report.counts.new) == (0, 27)
        assert world.query("SELECT reached_start, next FROM coverage") == [(1, None)]


@pytest.mark.parametrize("full", [True, False])
def test_a_gap_that_a_full_scan_could_not_close_is_partial_and_tried_again_every_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    with nights(tmp_path, "bluesky") as world:
        platform = world.plugins.platform("bluesky", "ayrshare")
        monkeypatch.setattr(platform, "identify", nobody)
        stuck = leading([(range(10), "1"), ([], "2"), ([], "1")])
        monkeypatch.setattr(platform, "pages", stuck)
        assert world.backup(media=False).exit_code == 3
        for _ in range(2):
            world.clock.advance(days=1)
            report = world.backup(media=False, full=full)
            assert report.exit_code == 3
            assert "not available from the source" in report.accounts[0].warnings[0]
            assert world.column("SELECT next NOT NULL FROM coverage") == [1]

        mended = leading([(range(10), "1"), ([], "2"), ([], "3"), (range(10, 27), None)])
        monkeypatch.setattr(platform, "pages", mended)
        world.clock.advance(days=1)
        report = world.backup(media=False, full=full)
        assert (report.exit_code, report.counts.new) == (0, 17)
        assert world.query("SELECT reached_start, next, reason FROM coverage") == [(1, None, None)]


async def nobody(*_: object) -> None:
    """A source that does not say who the account is."""
