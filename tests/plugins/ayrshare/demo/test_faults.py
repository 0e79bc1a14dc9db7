"""What a test orders to go wrong goes wrong, so often as it was ordered, and where."""

from datetime import timedelta

import httpx
import pytest

from archiver.clock import DemoClock
from archiver_ayrshare.demo.specs import photo, video
from archiver_ayrshare.demo.world import World
from support.demo.asking import Api


@pytest.fixture(autouse=True)
def posts(world: World) -> None:
    for platform in ("instagram", "threads"):
        world.account(platform).populate(6)


@pytest.fixture
def url(api: Api, world: World) -> str:
    address: str = world.account("instagram").posts()[0].media[0].files[0].path
    return world.url(world.files[address])


def test_a_failure_strikes_one_platform_as_often_as_it_was_ordered(api: Api, world: World) -> None:
    world.fail("instagram", status=503, times=2)
    assert api.get("history/threads").status_code == 200
    statuses = [api.get("history/instagram").status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


def test_a_failure_can_be_for_ever_for_all_and_forgotten(api: Api, world: World) -> None:
    world.fail(status=500, times=None)
    for path in ("history/instagram", "history/threads", "user", "profiles"):
        assert api.get(path).status_code == 500
    world.faults.clear()
    assert api.get("user").status_code == 200


def test_a_failure_can_wait_for_its_request(api: Api, world: World) -> None:
    world.fail("threads", status=502, when=lambda query: query.after is not None)
    page = api.history("threads", limit=2)
    cursor = page["meta"]["pagination"]["next"]
    assert api.get("history/threads", {"limit": 2, "next": cursor}).status_code == 502
    assert len(api.posts("threads", limit=2, next=cursor)) == 2


def test_a_wrong_request_is_refused_before_anything_else_fails(api: Api, world: World) -> None:
    world.fail("threads", status=500)
    assert api.get("history/threads", {"limit": "none"}).status_code == 400
    assert api.get("history/threads").status_code == 500


def test_an_answer_can_be_anything(api: Api, world: World) -> None:
    world.fail("threads", status=200, raw="<html>Down for maintenance</html>")
    assert api.get("history/threads").text == "<html>Down for maintenance</html>"
    world.fail("threads", status=400, body={"status": "error", "errors": [{"code": 161}]})
    assert api.get("history/threads").json()["errors"] == [{"code": 161}]
    world.answer_not_found("threads", nested=True)
    assert api.get("history/threads").json()["history"]["code"] == 221


def test_429_comes_with_and_without_retry_after(api: Api, world: World) -> None:
    world.limit_rate("threads")
    world.limit_rate("threads", retry_after=17)
    first, second = api.get("history/threads"), api.get("history/threads")
    assert (first.status_code, second.status_code) == (429, 429)
    assert "retry-after" not in first.headers
    assert second.headers["retry-after"] == "17"


def test_the_rate_is_counted_per_profile_and_can_be_limited(
    api: Api, world: World, clock: DemoClock
) -> None:
    world.rate_limit_max = 2
    world.add_profile("other", "Other").account("threads")
    statuses = [api.get("history/threads").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    other = api.get("history/threads", Profile_Key="other")
    assert (other.status_code, other.headers["x-ratelimit-count"]) == (200, "1")
    clock.advance(minutes=5)
    assert api.get("history/threads").status_code == 200


def test_a_partial_answer_says_so_and_lacks_posts(api: Api, world: World) -> None:
    world.answer_partial("threads")
    page = api.history("threads")
    assert (page["status"], len(page["posts"]), page["errors"][0]["code"]) == ("partial", 3, 187)
    assert len(api.posts("threads")) == 6


def test_an_empty_answer_is_a_success_without_posts(api: Api, world: World) -> None:
    world.answer_empty("threads")
    page = api.history("threads")
    assert (page["status"], page["posts"]) == ("success", [])
    assert len(api.posts("threads")) == 6


def test_a_400_can_carry_good_posts(api: Api, world: World) -> None:
    world.bad_records("instagram", posts=2)
    answer = api.get("history/instagram")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (400, "error")
    assert [post.get("code") for post in body["posts"]] == [187, 187, None, None, None, None]
    assert body["posts"][0]["id"] == world.account("instagram").posts()[0].id


def test_a_high_limit_can_be_too_much_unless_analytics_are_skipped(api: Api, world: World) -> None:
    world.account("instagram").limit_fails_above = 100
    assert api.get("history/instagram", {"limit": 101}).status_code == 500
    assert api.get("history/instagram", {"limit": 100}).status_code == 200
    assert len(api.posts("instagram", limit=101, skipAnalytics="true")) == 6


def test_media_can_be_cut_off(api: Api, world: World, url: str) -> None:
    world.media_fault(cut=100)
    with pytest.raises(httpx.RemoteProtocolError):
        api.media(url)
    assert world.media_requests[-1].sent == 100
    assert api.media(url).status_code == 200


def test_media_can_be_a_web_page_or_other_bytes(api: Api, world: World, url: str) -> None:
    world.media_fault(html=True)
    page = api.media(url)
    assert page.headers["content-type"].startswith("text/html")
    assert page.content.startswith(b"<!doctype html>")
    world.media_fault(body=b"")
    assert (api.media(url).content, world.media_requests[-1].status) == (b"", 200)


def test_media_can_have_a_wrong_type_status_or_address(api: Api, world: World, url: str) -> None:
    world.media_fault(content_type="text/plain")
    assert api.media(url).headers["content-type"] == "text/plain"
    world.media_fault(status=503, headers={"retry-after": "3"})
    answer = api.media(url)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    world.media_fault(location="http://127.0.0.9/elsewhere")
    answer = api.media(url)
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.9/elsewhere")


def test_media_can_deny_parts_validators_and_lengths(api: Api, world: World, url: str) -> None:
    etag = api.media(url).headers["etag"]
    world.media_fault(no_range=True)
    assert api.media(url, Range="bytes=5-").status_code == 200
    world.media_fault(no_etag=True)
    assert "etag" not in api.media(url).headers
    world.media_fault(etag='"new"')
    assert api.media(url, Range="bytes=5-", If_Range=etag).status_code == 200
    world.media_fault(no_length=True)
    answer = api.media(url)
    assert "content-length" not in answer.headers
    assert answer.content == api.media(url).content


def test_a_media_fault_strikes_what_it_is_meant_for(api: Api, world: World) -> None:
    film = world.account("instagram").publish(media=[video()]).record()
    world.media_fault(".mp4", status=500, times=None)
    assert api.media(film["thumbnailUrl"]).status_code == 200
    assert [api.media(film["mediaUrl"]).status_code for _ in range(2)] == [500, 500]
    world.faults.clear()
    world.media_fault(lambda request: "range" in request.headers, status=500)
    assert api.media(film["mediaUrl"]).status_code == 200
    assert api.media(film["mediaUrl"], Range="bytes=1-").status_code == 500


def test_the_world_can_be_changed_between_two_requests(
    api: Api, world: World, clock: DemoClock
) -> None:
    account = world.account("instagram")
    account.cache = timedelta(minutes=1)
    for k in range(5):
        clock.advance(minutes=2)
        account.publish(f"post {k}", media=[photo()])
        assert api.posts("instagram")[0]["post"] == f"post {k}"
