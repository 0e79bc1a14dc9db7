"""A run that finds nothing new writes nothing and fetches nothing."""

from pathlib import Path

import pytest

from archiver_ayrshare.demo.specs import photo
from support.nights import PLATFORMS, nights

pytestmark = pytest.mark.slow

TABLES = ("posts", "revisions", "events", "attachments", "renditions", "media", "metrics",
          "post_sources", "post_aliases", "relations", "responses", "quarantine")  # fmt: skip


def test_ten_platforms_of_150_posts_run_again_unchanged_though_every_address_rotated(
    tmp_path: Path,
) -> None:
    with nights(tmp_path) as world:
        for platform in PLATFORMS:
            world.account(platform).populate(150, stories=False)
        first = world.backup()
        assert (first.exit_code, first.counts.new) == (0, 1500)
        before = world.dump(*TABLES)
        world.clear_logs()
        world.next_night()

        second = world.backup()

        assert second.exit_code == 0
        assert second.counts.got >= 1000
        assert world.dump(*TABLES) == before
        assert world.media_requests == []


def test_a_full_scan_of_unchanged_accounts_writes_nothing_either(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram", "threads") as world:
        for platform in world.platforms:
            world.account(platform).populate(150, stories=False)
        world.backup()
        before = world.dump(*TABLES)
        world.next_night()
        world.clear_logs()

        report = world.backup(full=True)

        assert [(account.full, account.complete) for account in report.accounts] == [
            (True, True)
        ] * 2
        assert report.counts.got == 300
        assert world.dump(*TABLES) == before
        assert world.media_requests == []


def test_moved_counters_add_metrics_and_nothing_else(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        post = world.account("instagram").publish("Good morning", media=[photo()])
        world.backup()
        before = world.dump("posts", "revisions", "events", "attachments", "renditions")
        world.next_night()
        post.count(likes=5)

        report = world.backup()

        assert report.counts.edited == 0
        assert world.dump("posts", "revisions", "events", "attachments", "renditions") == before
        likes = world.column("SELECT value FROM metrics WHERE name = 'likes' ORDER BY seen_at")
        assert likes[1] == likes[0] + 5
        others = world.query(
            "SELECT name, count(*) FROM metrics GROUP BY name HAVING name <> 'likes'"
        )
        assert {count for _, count in others} == {1}
