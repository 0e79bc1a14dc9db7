"""One known post is fetched again: by its id, or among the newest."""

import asyncio
import json
from typing import Any

import pytest

from archiver import Record
from archiver.testing import Request
from archiver_ayrshare.bluesky import Bluesky
from archiver_ayrshare.client import AyrshareClient
from archiver_ayrshare.linkedin import LinkedIn
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.twitter import Twitter
from support.ayrshare_contract import account_for, client_for, serve
from support.ayrshare_pages import api_error, posts

RECORD = {"id": "urn:li:share:1", "post": "x"}


def refetch(
    platform: AyrsharePlatform, client: AyrshareClient, *wanted: str, **options: Any
) -> list[Record | None]:
    async def all_of_them() -> list[Record | None]:
        account = account_for(platform, **options)
        return [await platform.refetch(client, account, one) for one in wanted]

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    "body",
    [
        RECORD,
        {"status": "success", "posts": [RECORD]},
        {"history": [{"id": "other"}, RECORD]},
        {"linkedin": RECORD},
        {"status": "success", "post": RECORD},
    ],
)
def test_the_answer_of_a_lookup_by_id_may_have_any_shape(body: Any) -> None:
    client, http = client_for(lambda _request: (200, body))
    (record,) = refetch(LinkedIn(), client, "urn:li:share:1")
    assert record
    assert record.data == RECORD
    assert json.loads(record.raw) == RECORD
    assert http.requests[0].path == "/history/urn%3Ali%3Ashare%3A1"
    assert http.requests[0].params == {"searchPlatformId": "true", "platform": "linkedin"}


def test_a_plan_without_it_is_asked_once() -> None:
    def answer(request: Request) -> tuple[int, Any]:
        if "searchPlatformId" in request.params:
            return 403, api_error(1)
        return serve([{"id": "a"}, {"id": "b"}])(request)

    client, http = client_for(answer)
    found = refetch(LinkedIn(), client, "a", "b", "c")
    assert [record and record.data for record in found] == [{"id": "a"}, {"id": "b"}, None]
    assert [request.path for request in http.requests] == ["/history/a", "/history/linkedin"]


def test_for_the_same_post_the_page_is_requested_again() -> None:
    client, http = client_for(serve(posts(3)))
    refetch(Bluesky(), client, "p0", "p1", "p2")
    assert len(http.requests) == 1
    refetch(Bluesky(), client, "p0", "p1")
    assert len(http.requests) == 2


def test_a_post_below_the_newest_hundred_is_looked_for_further_down() -> None:
    client, http = client_for(serve(posts(300, 1), paged=False))
    found = refetch(Bluesky(), client, "p5", "p250", "p299", "gone")
    assert [record and record.data["id"] for record in found] == ["p5", "p250", "p299", None]
    assert [request.params["limit"] for request in http.requests] == ["100", "500"]


def test_somebody_elses_posts_cannot_be_looked_up() -> None:
    client, http = client_for(serve(posts(3)))
    (record,) = refetch(Twitter(), client, "p1", user_name="Google")
    assert record
    assert record.data["id"] == "p1"
    assert http.requests[0].params == {"limit": "100", "userName": "Google"}
