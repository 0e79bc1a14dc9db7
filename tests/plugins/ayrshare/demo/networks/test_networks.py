"""Records are written as the documented ones are, field by field."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import DemoClock
from archiver_ayrshare.demo.networks import NETWORKS
from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.specs import gif, link, photo, video
from archiver_ayrshare.demo.world import World

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[3] / "data"
OURS: dict[str, set[str]] = {
    "bluesky": {".embed", ".mediaUrls[]", ".reply"},
    "facebook": {".mediaView", ".mediaViewIsFromAds"},
    "tiktok": {".tags[]"},
    "twitter": {".media[].altText", ".media[].url"},
}
"""What no documented example shows, but other documentation names."""


def paths(value: Any, path: str = "") -> Iterator[str]:
    """The JSON paths of everything in a value."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from paths(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{path}[]")
    else:
        yield path


@pytest.mark.parametrize("platform", sorted(set(NETWORKS) - {"threads"}))
def test_records_have_the_documented_fields_and_no_others(world: World, platform: str) -> None:
    samples = json.loads((SAMPLES / f"{platform}.json").read_text())
    documented = {path for sample in samples for path in paths(sample)}
    posts = world.account(platform).populate(60, stories=True)
    written = {path for post in posts for path in paths(post.record())}
    more = tuple(OURS.get(platform, ()))
    assert {path for path in written - documented if not path.startswith(more)} == set()
    assert documented - written == set()


def test_threads_is_written_in_two_spellings(world: World) -> None:
    account = world.account("threads")
    new = account.publish("hello", media=[photo(), video()]).record()
    old = account.publish("hello", media=[photo(), video()], older_form=True).record()
    assert (new["post"], old["text"]) == ("hello", "hello")
    assert {"created", "postUrl", "likeCount", "mediaUrls"} <= set(new)
    assert {"timestamp", "permalink", "likes", "children"} <= set(old)
    assert new.keys() & old.keys() >= {"id", "shortcode", "username", "owner", "mediaType"}


@pytest.mark.parametrize("platform", NETWORKS)
def test_ids_are_text_and_unlike_each_other_across_profiles(world: World, platform: str) -> None:
    others = world.add_profile("other", "Other").account(platform)
    mine = world.account(platform).populate(400) + others.populate(400)
    ids = [post.record()["id"] for post in mine]
    assert all(isinstance(name, str) for name in ids)
    assert len(set(ids)) == 800


def test_ids_of_x_and_tiktok_are_too_long_for_a_float(world: World) -> None:
    for platform in ("twitter", "tiktok"):
        assert int(world.account(platform).populate(1)[0].id) > 2**53


def test_instagram_omits_the_file_and_keeps_the_still(world: World) -> None:
    account = world.account("instagram")
    reel = account.publish("reel", kind="reel", media=[video()])
    reel.withhold()
    assert "mediaUrl" not in reel.record()
    assert "thumbnailUrl" in reel.record()
    reel.release()
    assert "mediaUrl" in reel.record()
    album = account.publish("album", media=[photo(), video(), photo()])
    album.withhold(child=1)
    urls = ["mediaUrl" in child for child in album.record()["mediaUrls"]]
    assert urls == [True, False, True]


def test_tiktok_drops_the_media_or_the_post(world: World) -> None:
    account = world.account("tiktok")
    post = account.publish("dance")
    post.withhold()
    assert not {"thumbnailUrl", "embedUrl", "videoDuration"} & set(post.record())
    post.release()
    post.withhold(whole=True)
    assert not post.shown(world.now())
    post.release()
    assert post.shown(world.now())
    assert "thumbnailUrl" in post.record()


def test_x_offers_three_bitrates_a_playlist_or_only_a_still(world: World) -> None:
    account = world.account("twitter")
    (new,) = account.publish(media=[video()]).record()["media"]
    (old,) = account.publish(media=[video()], older_form=True).record()["media"]
    assert [v.get("bitRate") for v in new["mediaUrls"]] == [256_000, 832_000, 2_176_000, None]
    assert set(old) == {"mediaKey", "previewImageUrl", "durationMs", "type"}
    (moving,) = account.publish(media=[gif()]).record()["media"]
    assert moving["type"] == "animated_gif"


def test_private_metrics_of_x_are_given_for_thirty_days(world: World, clock: DemoClock) -> None:
    post = world.account("twitter").publish("hello")
    assert "nonPublicMetrics" in post.record()
    clock.advance(days=30)
    assert "nonPublicMetrics" not in post.record()


def test_an_edited_carousel_keeps_the_ids_of_its_items(world: World) -> None:
    post = world.account("instagram").publish(media=[photo(), video(), photo()])
    one, two, three = (child["id"] for child in post.record()["mediaUrls"])
    post.edit_media(remove=[1], order=[1, 0], add=[photo()])
    ids = [child["id"] for child in post.record()["mediaUrls"]]
    assert ids[:2] == [three, one]
    assert two not in ids
    event = world.event_log.of_kinds("media_edited")[0]
    assert (event.old, event.new) == (f"{one} {two} {three}", " ".join(ids))


def test_an_edit_is_known_from_linkedins_field_and_recorded(world: World, clock: DemoClock) -> None:
    post = world.account("linkedin").publish("Helo")
    clock.advance(hours=2)
    post.edit(text="Hello")
    record = post.record()
    assert record["post"] == "Hello"
    assert record["lastModified"] == "2026-03-02T11:00:00Z" != record["created"]
    event = world.event_log.of("linkedin", post.id)[-1]
    assert (event.what, event.old, event.new, event.at) == ("edited", "Helo", "Hello", clock.now())


def test_counters_move_only_on_request(world: World, clock: DemoClock) -> None:
    post = world.account("instagram").publish(media=[photo()])
    before = post.record()
    clock.advance(days=100)
    assert post.record()["likeCount"] == before["likeCount"]
    post.count(likes=3)
    assert post.record()["likeCount"] == before["likeCount"] + 3
    views = post.counters["views"]
    world.tick()
    assert post.counters["views"] > views


@pytest.mark.parametrize(
    ("platform", "wrong"),
    [
        ("instagram", {"kind": "quote"}),
        ("instagram", {}),
        ("instagram", {"media": [gif()]}),
        ("twitter", {"media": [photo()] * 5}),
        ("twitter", {"visibility": "PUBLIC"}),
        ("youtube", {"media": [link("https://example.com")]}),
    ],
)
def test_a_post_that_does_not_suit_its_platform_cannot_be_published(
    world: World, platform: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=platform):
        world.account(platform).publish("no", **wrong)


def test_only_instagram_and_tiktok_omit_files(world: World) -> None:
    def withhold(post: WorldPost, **how: bool) -> None:
        with pytest.raises(ValueError, match="withholds nothing"):
            post.withhold(**how)

    withhold(world.account("bluesky").publish("text"))
    withhold(world.account("instagram").publish(media=[photo()]), whole=True)


def test_the_same_seed_gives_the_same_world() -> None:
    def print_error(seed: int) -> str:
        world = World(DemoClock().now, seed)
        for platform in NETWORKS:
            world.account(platform).populate(20, every=timedelta(hours=5))
        return json.dumps([p.record() for a in world.accounts() for p in a.posts()])

    assert print_error(1) == print_error(1) != print_error(2)
