"""`GET /user` and `GET /profiles`: what is linked, and what is left out where it is not known."""

import json
from dataclasses import replace

from archiver_ayrshare.emulation.profiles import LinkedAccount, Profile, profiles_body

CREATED = "2026-03-01T00:00:00Z"
ACCOUNT = LinkedAccount(
    "bluesky", "did:plc:1", "Acme", "acme.example", "https://bsky.app/x", CREATED
)
PROFILE = Profile("Primary Profile", CREATED, [ACCOUNT])


def test_a_linked_account_has_its_names_and_ids() -> None:
    assert ACCOUNT.displayed() == {
        "platform": "bluesky", "id": "did:plc:1", "displayName": "Acme",
        "username": "acme.example", "profileUrl": "https://bsky.app/x", "created": CREATED,
    }  # fmt: skip


def test_what_is_not_known_is_left_out() -> None:
    entry = replace(ACCOUNT, id=None, handle=None, url=None).displayed()
    assert entry.keys() == {"platform", "displayName", "created"}


def test_a_channel_of_youtube_has_an_id_of_its_own() -> None:
    entry = replace(ACCOUNT, platform="youtube").displayed()
    assert (entry["channelId"], entry["channelTitle"]) == ("did:plc:1", "Acme")


def test_details_of_a_platform_are_added() -> None:
    assert replace(ACCOUNT, details={"type": "corporate"}).displayed()["type"] == "corporate"


def test_a_profile_lists_its_accounts_twice() -> None:
    user = PROFILE.user(email="a@example.com")
    assert user["activeSocialAccounts"] == ["bluesky"]
    assert [entry["platform"] for entry in user["displayNames"]] == ["bluesky"]
    assert user["created"] == {"_seconds": 1772323200, "_nanoseconds": 0, "utc": CREATED}
    assert user["email"] == "a@example.com"
    json.dumps(user)


def test_with_nothing_linked_there_is_no_such_list() -> None:
    assert "activeSocialAccounts" not in replace(PROFILE, accounts=[]).user()
    assert "activeSocialAccounts" not in replace(PROFILE, accounts=[]).listed()


def test_a_profile_whose_time_is_not_known_has_none() -> None:
    profile = replace(PROFILE, created=None)
    assert "created" not in profile.user()
    assert "createdUTC" not in profile.listed()


def test_a_suspended_profile_says_so() -> None:
    assert PROFILE.listed()["status"] == "active"
    assert "suspended" not in PROFILE.listed()
    listed = replace(PROFILE, suspended=True).listed()
    assert (listed["status"], listed["suspended"]) == ("suspended", True)


def test_an_id_of_a_profile_is_given_or_made_of_its_title() -> None:
    assert replace(PROFILE, ref_id="abc").listed()["refId"] == "abc"
    made = PROFILE.listed()["refId"]
    assert len(made) == 40
    assert made == PROFILE.user()["refId"]
    assert made != replace(PROFILE, title="Another").listed()["refId"]


def test_profiles_come_in_one_page() -> None:
    body = profiles_body([PROFILE, PROFILE], "2026-03-02", "2026-03-03")
    assert (body["count"], len(body["profiles"])) == (2, 2)
    assert body["pagination"]["hasMore"] is False
    assert (body["lastUpdated"], body["nextUpdate"]) == ("2026-03-02", "2026-03-03")
