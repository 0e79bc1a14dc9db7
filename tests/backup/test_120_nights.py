"""A world of 120 days, backed up every night, checked post by post against what it did."""

import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.specs import photo, video
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

PLATFORMS = ("instagram", "threads", "tiktok")
DAYS = 120
FAULTS = {
    20: "answer_partial", 33: "answer_empty", 47: "bad_records", 61: "fail",
    75: "answer_partial", 90: "answer_empty", 101: "fail",
}  # fmt: skip
QUIET = 24  # days at the end, so that every look that must confirm something has happened


@dataclass
class Witness:
    """What a perfect archive would have seen: filled in by looking at the world each night."""

    contents: dict[tuple[str, str], list[tuple[Any, ...]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def look(self, world: Nights, *, full: bool) -> None:
        """Note every post that a look at its account shows, with its content."""
        for platform in PLATFORMS:
            shown = world.account(platform).posts(shown=True)
            shown.sort(key=lambda post: not post.pinned)
            for post in shown if full else shown[:100]:
                seen = self.contents[platform, post.id]
                several = len(post.media) > 1  # a single item has no id but its post's
                ids = tuple(media.id for media in post.media) if several else (post.id,)
                content = (post.text, ids)
                if not seen or seen[-1] != content:
                    seen.append(content)


class Life:
    """What people do in a day, by chance but always the same."""

    def __init__(self, world: Nights) -> None:
        self.world = world
        self.chance = random.Random(120)
        self.number = 0

    def live(self) -> None:
        """One day: some posts, some changes."""
        for platform in PLATFORMS:
            for _ in range(self.chance.choice([0, 0, 1, 1, 2])):
                self._publish(platform)
            post = self.chance.choice(self.world.account(platform).posts()[:70])
            self.chance.choice([self._edit, self._remove_or_restore, self._pin, self._nothing])(
                post
            )
        self.world.tick(newest=20)

    def _publish(self, platform: str) -> None:
        self.number += 1
        media = {
            "instagram": [photo(), video(), photo()][: self.chance.choice([1, 2, 3])],
            "threads": [],
            "tiktok": [video()],
        }[platform]
        self.world.account(platform).publish(f"Post {self.number}", media=media)

    def _edit(self, post: WorldPost) -> None:
        if not post.removed:
            self.number += 1
            post.edit(text=f"Edited {self.number}")
            if post.platform == "instagram" and len(post.media) > 2:
                last = len(post.media) - 1
                post.edit_media(order=[*reversed(range(last))], remove=[last])

    def _remove_or_restore(self, post: WorldPost) -> None:
        post.restore() if post.removed else post.remove()

    def _pin(self, post: WorldPost) -> None:
        if not post.removed:
            post.unpin() if post.pinned else post.pin()

    def _nothing(self, post: WorldPost) -> None:
        pass


def disturb(world: Nights, what: str) -> None:
    """Let tonight's answers be bad ones."""
    for platform in PLATFORMS:
        if what == "fail":
            world.fail(platform, status=400, times=None)
        else:
            getattr(world, what)(platform, times=None)


def test_after_120_nights_every_post_has_the_history_that_it_really_had(tmp_path: Path) -> None:
    witness = Witness()
    with nights(tmp_path, *PLATFORMS) as world:
        for platform in PLATFORMS:
            world.account(platform).populate(90)
        reel = world.account("instagram").publish("With a song", kind="reel", media=[video()])
        reel.withhold()
        life = Life(world)
        for day in range(DAYS):
            fault = FAULTS.get(day)
            if fault:
                disturb(world, fault)
            elif day < DAYS - QUIET:
                life.live()
            if day == 50:
                reel.release()
            report = world.backup()
            if fault:
                world.faults.clear()
                assert report.exit_code != 0
            else:
                assert report.exit_code == 0, [a.error or a.warnings for a in report.accounts]
                witness.look(world, full=any(account.full for account in report.accounts))
            world.next_night()

        check_every_post(world, witness)
        check_the_reel(world, reel)
        assert world.query("SELECT * FROM gaps WHERE stream = 'posts'") == []
        assert world.query("SELECT * FROM quarantine") == []


def check_every_post(world: Nights, witness: Witness) -> None:
    """Every post that a look could see is there, with its contents in order and its state."""
    rows = world.query("SELECT platform, platform_id, id, text, removed_at FROM posts")
    assert {(row[0], row[1]) for row in rows} == set(witness.contents)
    for platform, platform_id, post_id, text, removed_at in rows:
        post = world.account(platform).post(platform_id)
        expected = witness.contents[platform, platform_id]
        assert text == expected[-1][0]
        found = [
            contents(platform, raw)
            for raw in world.column(
                "SELECT raw FROM revisions WHERE post_id = ? ORDER BY number", post_id
            )
        ]
        assert found == [seen if platform == "instagram" else seen[:1] for seen in expected]
        assert (removed_at is not None) == post.removed, (platform, platform_id)
        check_events(world, post_id, edits=len(expected) - 1, removed=post.removed)


def contents(platform: str, raw: str) -> tuple[Any, ...]:
    """What a stored record says, in the words of the witness."""
    record = json.loads(raw)
    text = record.get("post", record.get("text"))
    if platform != "instagram":
        return (text,)
    children = record.get("mediaUrls") or [record]
    ids = [child["id"] for child in children]
    return text, tuple(ids)


def check_events(world: Nights, post_id: int, *, edits: int, removed: bool) -> None:
    """Seen once, edited as often as it was; missing, removed and restored only in their order."""
    events = world.column(
        "SELECT what FROM events WHERE post_id = ? AND what NOT IN ('omitted', 'media_restored') "
        "ORDER BY id",
        post_id,
    )
    assert events[0] == "seen"
    assert events.count("seen") == 1
    assert events.count("edited") == edits
    state = "there"
    for event in events:
        if event == "missing":
            assert state == "there"
            state = "missing"
        elif event == "removed":
            assert state == "missing"
            state = "removed"
        elif event == "restored":
            assert state in {"missing", "removed"}
            state = "there"
    assert state == ("removed" if removed else "there")


def check_the_reel(world: Nights, reel: WorldPost) -> None:
    """Withheld from the first look, given back on day 50: one row all along, and now its file."""
    rows = world.query(
        "SELECT role, state FROM renditions JOIN attachments ON attachments.id = attachment_id "
        "JOIN posts ON posts.id = post_id WHERE posts.platform_id = ? ORDER BY role",
        reel.id,
    )
    assert rows == [("original", "stored"), ("thumbnail", "stored")]
    events = world.column(
        "SELECT what FROM events JOIN posts ON posts.id = post_id WHERE posts.platform_id = ?",
        reel.id,
    )
    assert events == ["seen", "omitted", "media_restored"]
