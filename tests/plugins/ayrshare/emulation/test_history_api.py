"""The API is as strict as the documented one: what is wrong is refused, and with the right code."""

from typing import Any

import pytest

from archiver_ayrshare.demo.world import PlanName, World
from support.demo.asking import Api

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def linked(world: World) -> None:
    for platform in ("instagram", "facebook", "twitter", "bluesky", "pinterest"):
        world.account(platform).populate(3)


@pytest.mark.parametrize("authorization", [None, "", "demo-api-key", "Bearer", "Bearer wrong"])
def test_a_missing_or_wrong_key_is_401(api: Api, authorization: str | None) -> None:
    for path in ("history/instagram", "user", "profiles"):
        assert api.get(path, Authorization=authorization).status_code == 401


def test_an_unknown_profile_key_is_403_and_an_empty_one_is_the_primary_profile(api: Api) -> None:
    assert api.get("history/instagram", Profile_Key="nobody").status_code == 403
    assert api.get("history/instagram", Profile_Key="").status_code == 200


def test_a_profile_has_accounts_of_its_own(api: Api, world: World) -> None:
    other = world.add_profile("other-key", "Other").account("instagram")
    mine = other.populate(1)[0]
    answer = api.get("history/instagram", Profile_Key="other-key").json()
    assert [record["id"] for record in answer["posts"]] == [mine.id]


@pytest.mark.parametrize(
    ("platform", "params"),
    [
        ("instagram", {"limit": "0"}),
        ("instagram", {"limit": "501"}),
        ("instagram", {"limit": "ten"}),
        ("instagram", {"limit": "1.0"}),
        ("instagram", {"limit": "-1"}),
        ("instagram", {"limit": ""}),
        ("instagram", {"lastDays": "7"}),
        ("instagram", {"since": "2026-01-01"}),
        ("instagram", {"pagePublished": "true"}),
        ("instagram", {"dataType": "reels"}),
        ("instagram", {"skipAnalytics": "yes"}),
        ("instagram", {"userName": "google"}),
        ("instagram", {"next": "bm9uc2Vuc2U="}),
        ("instagram", {"next": ""}),
        ("bluesky", {"dataType": "posts"}),
        ("bluesky", {"skipAnalytics": "true"}),
        ("facebook", {"since": "yesterday"}),
        ("twitter", {"userId": "google"}),
        ("twitter", {"userName": "not a handle"}),
        ("twitter", {"userId": "1", "userName": "google"}),
    ],
)
def test_a_parameter_that_is_not_as_documented_is_400(
    api: Api, platform: str, params: dict[str, str]
) -> None:
    answer = api.get(f"history/{platform}", params)
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
    assert answer.json()["code"] == 400


@pytest.mark.parametrize(
    ("platform", "params"),
    [
        ("instagram", {"limit": "500", "source": "pypi"}),
        ("instagram", {"skipAnalytics": "True", "dataType": "posts"}),
        ("facebook", {"since": "2026-01-01", "until": "2026-03-02T10:00:00Z"}),
        ("facebook", {"pagePublished": "true", "dataType": "stories"}),
    ],
)
def test_what_is_documented_is_accepted(api: Api, platform: str, params: dict[str, Any]) -> None:
    assert api.get(f"history/{platform}", params).status_code == 200


def test_a_parameter_sent_twice_is_400(api: Api) -> None:
    assert api.get("history/instagram?limit=1&limit=2").status_code == 400


@pytest.mark.parametrize("slot", ["gmb", "Instagram", "x", "12345", ""])
def test_what_is_no_platform_is_looked_up_as_a_post_and_not_found(api: Api, slot: str) -> None:
    answer = api.get(f"history/{slot}")
    assert (answer.status_code, answer.json()["code"]) == (400, 221)


def test_x_needs_its_two_keys(api: Api, world: World) -> None:
    answer = api.get("history/twitter", X_Twitter_OAuth1_Api_Secret=None)
    assert answer.status_code == 419
    assert answer.json()["action"] == "x_credentials_required"
    assert answer.json()["message"].endswith("Missing: X-Twitter-OAuth1-Api-Secret")
    wrong = api.get("history/twitter", X_Twitter_OAuth1_Api_Key="another")
    assert (wrong.status_code, wrong.json()["code"]) == (400, 272)
    without = {"X_Twitter_OAuth1_Api_Key": None, "X_Twitter_OAuth1_Api_Secret": None}
    assert api.get("history/instagram", **without).status_code == 200


def test_an_account_of_somebody_else_is_read_by_name_or_number(api: Api, world: World) -> None:
    google = world.foreign_account("Google", "20536157")
    post = google.publish("Doodle of the day")
    for params in ({"userName": "google"}, {"userId": "20536157"}):
        (record,) = api.posts("twitter", **params)
        assert record["id"] == post.id
        assert "nonPublicMetrics" not in record
    world.add_profile("key", "Someone")
    together = api.get("history/twitter", {"userName": "Google"}, Profile_Key="key")
    assert together.status_code == 400
    assert api.get("history/twitter", {"userName": "nobody"}).json()["code"] == 221


@pytest.mark.parametrize(("plan", "status"), [("free", 402), ("basic", 403), ("business", 200)])
def test_the_plan_decides(api: Api, world: World, plan: PlanName, status: int) -> None:
    world.plan = plan
    assert api.get("history/instagram").status_code == status


def test_enterprise_may_ask_for_more_at_once(api: Api, world: World) -> None:
    world.plan = "enterprise"
    assert api.get("history/instagram", {"limit": 2000}).status_code == 200


def test_a_suspended_profile_is_403(api: Api, world: World) -> None:
    world.primary.suspended = True
    assert api.get("history/instagram").status_code == 403


def test_what_is_not_linked_is_156_and_lost_authorization_161_or_272(
    api: Api, world: World
) -> None:
    assert api.get("history/youtube").json()["code"] == 156
    world.account("instagram").linked = False
    assert api.get("history/instagram").json()["code"] == 156
    for platform, code in (("facebook", 161), ("twitter", 272)):
        world.account(platform).authorized = False
        answer = api.get(f"history/{platform}")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


def test_only_get_is_allowed_and_only_what_there_is(api: Api) -> None:
    url = api.server.base_url
    assert api.client.post(f"{url}/history/instagram").status_code == 405
    assert api.client.delete(f"{url}/user").status_code == 405
    assert api.get("posts").status_code == 404
    assert api.get("user/me").status_code == 404


def test_a_post_is_found_by_its_own_id(api: Api, world: World) -> None:
    post = world.account("instagram").posts()[0]
    path, params = f"history/{post.id}", {"searchPlatformId": "true", "platform": "instagram"}
    (record,) = api.get(path, params).json()["posts"]
    assert record["id"] == post.id
    world.single_as = "record"
    assert api.get(path, params).json()["id"] == post.id
    post.remove()
    assert api.get(path, params).json()["code"] == 221
    assert api.get(path, {**params, "platform": "pinterest"}).status_code == 400
    assert api.get(path, {**params, "searchPlatformId": "false"}).status_code == 400
    world.plan = "premium"
    assert api.get(path, params).status_code == 403


def test_user_lists_what_is_linked(api: Api, world: World) -> None:
    user = api.get("user", {"instagramDetails": "true"}).json()
    assert set(user["activeSocialAccounts"]) == set(world.primary.accounts)
    names = {name["platform"]: name for name in user["displayNames"]}
    assert names["instagram"]["id"] == world.account("instagram").platform_id
    world.add_profile("empty", "Empty")
    assert "activeSocialAccounts" not in api.get("user", Profile_Key="empty").json()
    assert api.get("user", {"what": "1"}).status_code == 400


def test_profiles_are_listed_without_their_keys_and_without_the_primary_one(
    api: Api, world: World
) -> None:
    world.add_profile("secret-key", "Acme").account("threads")
    answer = api.get("profiles")
    (profile,) = answer.json()["profiles"]
    assert (profile["title"], profile["activeSocialAccounts"]) == ("Acme", ["threads"])
    assert "secret-key" not in answer.text
    assert api.get("profiles", {"title": "Nobody"}).json()["profiles"] == []


def test_profiles_come_in_pages_by_a_cursor(api: Api, world: World) -> None:
    for name in ("one", "two", "three"):
        world.add_profile(f"key-{name}", name)
    first = api.get("profiles", {"limit": 2}).json()
    assert (first["count"], first["pagination"]["hasMore"]) == (2, True)
    rest = api.get("profiles", {"limit": 2, "cursor": first["pagination"]["nextCursor"]}).json()
    assert [profile["title"] for profile in rest["profiles"]] == ["three"]
    assert rest["pagination"] == {"hasMore": False, "limit": 2}
    assert api.get("profiles", {"cursor": "made up"}).status_code == 400


def test_every_request_is_written_down(api: Api, world: World) -> None:
    api.history("instagram", limit=2)
    api.get("history/gmb")
    first, second = world.api_requests
    assert (first.platform, first.status, first.params) == ("instagram", 200, {"limit": "2"})
    assert first.headers["authorization"] == "Bearer demo-api-key"
    assert second.status == 400
    world.clear_logs()
    assert world.api_requests == []
