"""What an account lists: every post once, in order, as the platform was when it was asked."""

from datetime import timedelta

import pytest

from archiver.clock import DemoClock
from archiver_ayrshare.demo.networks import NETWORKS
from archiver_ayrshare.demo.specs import photo
from archiver_ayrshare.demo.world import World
from support.demo.asking import Api

PLATFORMS = tuple(NETWORKS)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_following_next_gives_every_post_once(api: Api, world: World, platform: str) -> None:
    account = world.account(platform)
    account.populate(57)
    account.posts()[20].pin()
    account.posts()[3].pin()
    ids = [record["id"] for record in api.walk(platform, limit=10)]
    newest_first = [post.id for post in account.posts()]
    pinned = [newest_first[3], newest_first[20]]
    assert ids == pinned + [name for name in newest_first if name not in pinned]


def test_a_page_cap_is_smaller_than_the_limit(api: Api, world: World) -> None:
    account = world.account("threads")
    account.populate(30)
    account.page_cap = 7
    page = api.history("threads", limit=100)
    assert len(page["posts"]) == 7
    assert page["meta"]["pagination"]["limit"] == 100
    assert len(api.walk("threads", limit=100)) == 30


def test_pinned_posts_can_fill_more_than_a_page(api: Api, world: World) -> None:
    account = world.account("threads")
    for post in account.populate(6)[:4]:
        post.pin()
    ids = [record["id"] for record in api.walk("threads", limit=3)]
    assert len(ids) == len(set(ids)) == 6


def test_without_paging_there_is_no_meta_and_no_way_on(api: Api, world: World) -> None:
    account = world.account("pinterest")
    account.populate(20)
    account.paging = False
    page = api.history("pinterest", limit=5)
    assert "meta" not in page
    assert [record["id"] for record in page["posts"]] == [p.id for p in account.posts()[:5]]


def test_an_account_may_show_only_its_newest(api: Api, world: World) -> None:
    account = world.account("tiktok")
    account.populate(20)
    account.shows = 8
    assert len(api.walk("tiktok", limit=5)) == 8


def test_the_default_limit_is_ten(api: Api, world: World) -> None:
    world.account("tiktok").populate(12)
    assert len(api.posts("tiktok")) == 10


def test_a_cursor_is_bound_to_its_account_and_filters_not_to_its_limit(
    api: Api, world: World
) -> None:
    for platform in ("facebook", "threads"):
        world.account(platform).populate(9)
    cursor = api.history("facebook", limit=3)["meta"]["pagination"]["next"]
    assert len(api.posts("facebook", limit=5, next=cursor)) == 5
    assert api.get("history/threads", {"next": cursor}).status_code == 400
    other = {"next": cursor, "dataType": "posts"}
    assert api.get("history/facebook", other).status_code == 400
    assert api.get("history/facebook", {"next": cursor[:-4] + "AAA="}).status_code == 400
    world.forget_cursors()
    assert api.get("history/facebook", {"next": cursor}).status_code == 400


def test_a_scan_goes_on_although_the_post_at_its_cursor_was_removed(api: Api, world: World) -> None:
    account = world.account("threads")
    account.populate(6)
    page = api.history("threads", limit=3)
    account.post(page["posts"][-1]["id"]).remove()
    cursor = page["meta"]["pagination"]["next"]
    rest = [record["id"] for record in api.posts("threads", limit=10, next=cursor)]
    assert rest == [post.id for post in account.posts()[3:]]


def test_an_endless_account_leads_its_last_page_to_itself(api: Api, world: World) -> None:
    account = world.account("threads")
    account.populate(4)
    account.endless = True
    page = api.history("threads", limit=3)
    seen = []
    for _ in range(3):
        page = api.history("threads", limit=3, next=page["meta"]["pagination"]["next"])
        seen.append([record["id"] for record in page["posts"]])
    assert seen == [[account.posts()[-1].id]] * 3


def test_what_is_removed_is_not_listed_and_comes_back(
    api: Api, world: World, clock: DemoClock
) -> None:
    post = world.account("bluesky").publish("now you see me")
    post.remove()
    assert api.posts("bluesky") == []
    post.restore()
    clock.advance(days=1)
    assert [record["id"] for record in api.posts("bluesky")] == [post.id]
    assert [event.what for event in world.event_log.of("bluesky", post.id)] == [
        "published", "removed", "restored",
    ]  # fmt: skip


def test_the_same_answer_is_served_until_next_update(
    api: Api, world: World, clock: DemoClock
) -> None:
    account = world.account("instagram")
    account.populate(3)
    first = api.get("history/instagram")
    account.publish("new", media=[photo()])
    world.rotate()
    clock.advance(minutes=32)
    assert api.get("history/instagram").content == first.content
    clock.advance(minutes=1)
    later = api.get("history/instagram").json()
    assert len(later["posts"]) == 4
    assert later["lastUpdated"] > first.json()["nextUpdate"] > first.json()["lastUpdated"]


def test_the_cache_can_be_switched_off_or_forgotten(api: Api, world: World) -> None:
    account = world.account("threads")
    account.populate(1)
    api.posts("threads")
    account.publish("two")
    assert len(api.posts("threads")) == 1
    world.forget_answers()
    assert len(api.posts("threads")) == 2
    account.cache = None
    world.forget_answers()
    page = api.history("threads")
    assert page["lastUpdated"] == page["nextUpdate"]
    account.publish("three")
    assert len(api.posts("threads")) == 3


def test_stories_expire_by_themselves(api: Api, world: World, clock: DemoClock) -> None:
    for platform in ("facebook", "instagram", "snapchat"):
        account = world.account(platform)
        story = account.publish(kind="story", media=[photo()])
        assert story.expires_at == clock.now() + timedelta(days=1)
        assert len(api.posts(platform)) == 1
    assert len(api.posts("instagram", dataType="stories")) == 1
    assert api.posts("instagram", dataType="posts") == []
    clock.advance(hours=24)
    for platform in ("facebook", "instagram", "snapchat"):
        assert api.posts(platform) == []


def test_facebook_can_be_asked_for_days_and_for_the_page_alone(
    api: Api, world: World, clock: DemoClock
) -> None:
    account = world.account("facebook")
    days = [clock.now() - timedelta(days=k) for k in range(5)]
    posts = [account.publish(f"day {k}", at=at, visitor=k == 2) for k, at in enumerate(days)]
    since, until = (days[k].strftime("%Y-%m-%d") for k in (3, 1))
    found = [record["id"] for record in api.posts("facebook", since=since, until=until)]
    assert found == [post.id for post in posts[1:4]]
    assert len(api.posts("facebook", pagePublished="true")) == 4


def test_skip_analytics_gives_ids_alone(api: Api, world: World) -> None:
    world.account("facebook").populate(2)
    for record in api.posts("facebook", skipAnalytics="true"):
        assert set(record) == {"id"}


def test_youtube_positions_are_places_among_what_is_shown(api: Api, world: World) -> None:
    account = world.account("youtube")
    account.populate(6)
    account.posts()[1].remove()
    assert [record["position"] for record in api.walk("youtube", limit=2)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("empty_as", "code"), [("flat", 221), ("nested", 221)])
def test_an_account_without_posts_may_answer_221(
    api: Api, world: World, empty_as: str, code: int
) -> None:
    account = world.account("threads")
    assert api.posts("threads") == []
    account.empty_as = "nested" if empty_as == "nested" else "flat"
    body = api.get("history/threads").json()
    assert (body["history"] if empty_as == "nested" else body)["code"] == code
