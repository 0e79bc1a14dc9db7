"""The story of the demo: good to look at, quick to tell, the same every time."""

import io
import json

import pytest
from PIL import Image

from archiver.clock import DemoClock
from archiver_ayrshare.demo.networks import NETWORKS
from archiver_ayrshare.demo.story import Story
from archiver_ayrshare.demo.story_data import CORRECTED, DELETED, MIXED, REEL, TYPO
from archiver_ayrshare.demo.world import World


def told(until: int) -> World:
    clock = DemoClock()
    story = Story(clock.now)
    for day in range(1, until + 1):
        assert all(sentence.endswith(".") for sentence in story.begin_day(day))
        if day < until:
            clock.advance(days=1)
    return story.world


def shown(world: World, platform: str) -> list[str]:
    return [post.text for post in world.account(platform).posts(shown=True)]


def test_the_first_day_has_something_on_every_platform_in_several_languages() -> None:
    world = told(1)
    assert {account.platform for account in world.accounts()} == set(NETWORKS)
    assert all(len(account.posts(shown=True)) >= 4 for account in world.accounts())
    texts = "".join(post.text + post.title for a in world.accounts() for post in a.posts())
    for sign in ("釉薬", "我们", "صباح", "ç", "🔥"):
        assert sign in texts
    kinds = {post.kind for a in world.accounts() for post in a.posts()}
    assert kinds == {
        "post", "reel", "story", "saved_story", "spotlight", "reply", "quote", "repost", "pin",
        "video",
    }  # fmt: skip


def test_the_first_day_omits_and_lacks_what_it_says() -> None:
    world = told(1)
    instagram = {post.text: post.record() for post in world.account("instagram").posts()}
    assert "mediaUrl" not in instagram[REEL]
    assert [("mediaUrl" in child) for child in instagram[MIXED]["mediaUrls"]].count(False) == 1
    assert sum(post.withheld for post in world.account("tiktok").posts()) == 1
    assert {file.status for file in world.files.values()} == {200, 404}


def test_the_second_day_edits_deletes_publishes_and_rotates() -> None:
    world = told(2)
    assert TYPO not in shown(world, "facebook")
    assert CORRECTED in shown(world, "facebook")
    assert DELETED not in shown(world, "twitter")
    whats = {event.what for event in world.event_log.events if event.at == world.now()}
    assert whats == {"edited", "removed", "published"}
    assert world.generation == 1
    for platform in ("facebook", "instagram", "snapchat"):
        stories = [p for p in world.account(platform).posts() if p.kind == "story"]
        assert stories
        assert not any(story.shown(world.now()) for story in stories)


def test_on_the_third_day_the_deletion_holds_and_the_reel_is_back() -> None:
    world = told(3)
    assert DELETED not in shown(world, "twitter")
    reel = next(post for post in world.account("instagram").posts() if post.text == REEL)
    assert "mediaUrl" in reel.record()


def test_there_is_no_fourth_day() -> None:
    with pytest.raises(ValueError, match="three days"):
        Story(DemoClock().now).begin_day(4)


def test_pictures_decode_and_all_media_are_five_megabytes_at_most() -> None:
    world = told(3)
    total = 0
    for file in world.files.values():
        data = world.fixtures.get(file.recipe)
        total += len(data)
        if file.recipe.content_type.startswith("image/"):
            with Image.open(io.BytesIO(data)) as image:
                image.verify()
    assert 500_000 < total < 5_000_000


def test_its_records_are_the_same_every_time() -> None:
    one, two = (
        json.dumps([post.record() for a in told(3).accounts() for post in a.posts()])
        for _ in range(2)
    )
    assert one == two
