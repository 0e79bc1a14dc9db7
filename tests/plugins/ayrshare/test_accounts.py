"""Who an account is, by what the API says of its profile."""

import asyncio
from typing import Any

import pytest

from archiver import AccessRefused, Identity, Secret
from archiver.testing import FakeHttp, FakeKit
from archiver_ayrshare import Ayrshare, accounts
from archiver_ayrshare.bluesky import Bluesky
from archiver_ayrshare.client import AyrshareClient, Settings
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.snapchat import Snapchat
from archiver_ayrshare.twitter import Twitter
from support.ayrshare_contract import account_for, client_for, serve
from support.ayrshare_pages import api_error, scan

USER = {
    "activeSocialAccounts": ["bluesky", "youtube", "gmb", "tiktok"],
    "displayNames": [
        {"platform": "bluesky", "id": "did:plc:1", "displayName": "Me", "username": "me.example",
         "profileUrl": "https://bsky.app/profile/me.example"},
        {"platform": "youtube", "id": "g-1", "channelId": "UC1", "channelTitle": "My channel",
         "displayName": "A person"},
        {"platform": "gmb", "displayName": "Shop"},
        "not an object",
    ],
}  # fmt: skip


def identify(platform: AyrsharePlatform, client: AyrshareClient, **options: Any) -> Identity | None:
    return asyncio.run(platform.identify(client, account_for(platform, **options)))


def test_the_account_and_its_names() -> None:
    client, http = client_for(lambda _request: (200, USER))
    found = identify(Bluesky(), client)
    assert found
    assert (found.platform_id, found.handle, found.title) == ("did:plc:1", "me.example", "Me")
    assert found.url == "https://bsky.app/profile/me.example"
    assert http.requests[0].path == "/user"


def test_a_profile_is_asked_once() -> None:
    client, http = client_for(lambda _request: (200, USER))

    async def both() -> None:
        bluesky = Bluesky()
        account = account_for(bluesky)
        await asyncio.gather(*(bluesky.identify(client, account) for _ in range(5)))
        other = account_for(bluesky, profile_key=Secret("profile-key-2"))
        await bluesky.identify(client, other)

    asyncio.run(both())
    assert [request.lane == "primary" for request in http.requests] == [True, False]


def test_an_account_that_is_not_linked() -> None:
    client, _ = client_for(lambda _request: (200, USER))
    with pytest.raises(AccessRefused, match="not linked to this profile") as caught:
        identify(Snapchat(), client)
    assert caught.value.code == "not_linked"


def test_where_the_api_does_not_say() -> None:
    client, _ = client_for(lambda _request: (200, {"title": "Primary Profile"}))
    assert identify(Snapchat(), client) is None


def test_an_id_needs_no_request() -> None:
    client, http = client_for(lambda _request: (500, b""))
    by_id = identify(Twitter(), client, user_id="20536157")
    assert by_id == Identity("twitter", "20536157")
    assert http.requests == []


@pytest.mark.parametrize(
    ("authors", "expected"),
    [(["7", "7", "8"], "7"), ([None, 7], "7"), ([None], "@google"), ([], "@google")],
)
def test_the_id_of_a_handle_comes_from_the_page_that_is_read_anyway(
    authors: list[object], expected: str
) -> None:
    found = [{"id": f"p{n}", "authorId": author} for n, author in enumerate(authors)]
    client, http = client_for(serve(found))
    identity = identify(Twitter(), client, user_name="@Google")
    assert identity == Identity("twitter", expected, handle="Google")

    (page,) = scan(Twitter(), client, user_name="@Google")

    assert len(page.records) == len(found)
    assert len(http.requests) == 1
    assert any("user_id" in note for note in page.notes) == (authors == [None])
    scan(Twitter(), client, user_name="@Google")
    assert len(http.requests) == 2, "a page that was given out once is not kept"


def test_what_can_be_read_with_a_key() -> None:
    http = FakeHttp(lambda _request: (200, USER))
    settings = Settings(api_key=Secret("key-of-the-operator"))
    found = asyncio.run(Ayrshare().discover(settings, FakeKit(http)))
    assert [(i.platform, i.platform_id) for i in found] == [
        ("bluesky", "did:plc:1"), ("tiktok", ""), ("youtube", "UC1")
    ]  # fmt: skip
    assert len(accounts.PLATFORMS) == 10


def test_a_wrong_key_is_said() -> None:
    client, _ = client_for(lambda _request: (401, api_error(1)))
    with pytest.raises(AccessRefused) as caught:
        identify(Bluesky(), client)
    assert caught.value.code == "credentials"
