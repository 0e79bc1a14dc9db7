"""The Ayrshare client: headers, paging, the shapes of errors, fallbacks, look-ups."""

import asyncio
import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from archiver import (
    AccessRefused,
    ConfigError,
    Identity,
    Page,
    Record,
    Secret,
    SourceDown,
    SourceError,
    Window,
)
from archiver.testing import FakeHttp, FakeKit, Request
from archiver_ayrshare import Ayrshare, accounts
from archiver_ayrshare.bluesky import Bluesky
from archiver_ayrshare.client import AyrshareClient, Settings
from archiver_ayrshare.facebook import Facebook
from archiver_ayrshare.instagram import Instagram
from archiver_ayrshare.linkedin import LinkedIn
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.snapchat import Snapchat
from archiver_ayrshare.twitter import Twitter
from support.ayrshare_contract import account_for, client_for, serve

NEWEST = date(2026, 11, 20)


def walk(
    platform: AyrsharePlatform, client: AyrshareClient, window: Window | None = None, **options: Any
) -> list[Page]:
    async def pages() -> list[Page]:
        account = account_for(platform, **options)
        return [page async for page in platform.pages(client, account, window or Window())]

    return asyncio.run(pages())


def ids(pages: Sequence[Page]) -> list[str]:
    found = (record.data["id"] for page in pages for record in page.records)
    return list(dict.fromkeys(found))


def posts(count: int, per_day: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "id": f"p{number}",
            "post": "Hello",
            "created": f"{NEWEST - timedelta(days=number // per_day)}T12:00:00Z",
        }
        for number in range(count)
    ]


def answering(*answers: tuple[int, Any]) -> tuple[AyrshareClient, FakeHttp]:
    """A server that gives these answers one after the other."""
    rest = list(answers)
    return client_for(lambda _request: rest.pop(0))


def error(code: int) -> dict[str, Any]:
    return {"action": "history", "status": "error", "code": code, "message": "Because."}


def says(message: str) -> dict[str, Any]:
    """An error with a code that means nothing, and this message."""
    return {"action": "request", "status": "error", "code": 1, "message": message}


class TestRequests:
    def test_the_keys_travel_in_headers_and_the_lane_is_no_secret(self) -> None:
        client, http = client_for(serve([]))
        walk(Bluesky(), client, profile_key=Secret("profile-key-1"))
        (request,) = http.requests
        assert request.path == "/history/bluesky"
        assert request.headers == {
            "Authorization": "Bearer key-of-the-operator",
            "Profile-Key": "profile-key-1",
        }
        assert request.params == {"limit": "100"}
        assert "profile-key-1" not in request.lane
        assert len(request.lane) == 12

    def test_without_a_profile_there_is_no_such_header(self) -> None:
        client, http = client_for(serve([]))
        walk(Bluesky(), client)
        assert "Profile-Key" not in http.requests[0].headers
        assert http.requests[0].lane == "primary"

    def test_x_has_two_more_keys_and_only_x(self) -> None:
        client, http = client_for(serve([]))
        walk(Twitter(), client)
        assert http.requests[0].headers["X-Twitter-OAuth1-Api-Key"] == "x-consumer-key"
        assert http.requests[0].headers["X-Twitter-OAuth1-Api-Secret"] == "x-consumer-secret"

    def test_without_the_x_keys_only_x_fails(self) -> None:
        client, http = client_for(serve([]), x_api_secret=None)
        with pytest.raises(AccessRefused, match="x_api_secret") as caught:
            walk(Twitter(), client)
        assert caught.value.code == "x_keys"
        assert http.requests == []
        assert walk(Bluesky(), client)[0].reached_start

    def test_options_become_parameters(self) -> None:
        client, http = client_for(serve([]))
        walk(Facebook(), client, skip_analytics=True, data_type="posts", page_published=True)
        walk(Twitter(), client, user_name="@Google")
        walk(Twitter(), client, user_id="20536157")
        assert [request.params for request in http.requests] == [
            {"limit": "100", "skipAnalytics": "true", "dataType": "posts", "pagePublished": "true"},
            {"limit": "100", "userName": "Google"},
            {"limit": "100", "userId": "20536157"},
        ]

    def test_a_window_saves_requests(self) -> None:
        client, http = client_for(serve(posts(300)))
        window = Window(since="2026-11-01T00:00:00.000Z", limit=20)
        pages = walk(Facebook(), client, window)
        assert http.requests[0].params == {"limit": "20", "since": "2026-11-01"}
        assert not pages[-1].reached_start
        assert "2026-11-01" in (pages[-1].end_reason or "")
        walk(Bluesky(), client, window)
        assert "since" not in http.requests[-1].params


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {"user_name": "Google", "user_id": "1"},
            {"user_name": "Google", "profile_key": Secret("k")},
            {"user_id": "1", "profile_key": Secret("k")},
            {"user_id": "Google"},
            {"user_name": "@"},
        ],
    )
    def test_combinations_that_cannot_be(self, options: Any) -> None:
        with pytest.raises(ConfigError) as caught:
            Twitter().check_options(Twitter().options(**options))
        assert caught.value.hint

    def test_combinations_that_can(self) -> None:
        for options in ({"user_name": "Google"}, {"user_id": "1"}, {"profile_key": Secret("k")}):
            Twitter().check_options(Twitter().options(**options))


class TestPaging:
    def test_the_cursor_is_followed_with_limit_and_filters(self) -> None:
        client, http = client_for(serve(posts(250)))
        pages = walk(Instagram(), client, data_type="posts")
        assert ids(pages) == [f"p{number}" for number in range(250)]
        assert [request.params.get("next") for request in http.requests] == [None, "MTAw", "MjAw"]
        assert {request.params["dataType"] for request in http.requests} == {"posts"}
        assert {request.params["limit"] for request in http.requests} == {"100"}
        assert pages[-1].reached_start

    def test_without_paging_the_newest_500_are_all_there_is(self) -> None:
        client, http = client_for(serve(posts(800), paged=False))
        pages = walk(Bluesky(), client)
        assert [request.params["limit"] for request in http.requests] == ["100", "500"]
        assert len(ids(pages)) == 500
        assert not pages[-1].reached_start
        assert "500 posts" in (pages[-1].end_reason or "")

    def test_an_enterprise_plan_sees_more(self) -> None:
        client, _ = client_for(serve(posts(800), paged=False), limit_max=1000)
        pages = walk(Bluesky(), client)
        assert len(ids(pages)) == 800
        assert pages[-1].reached_start

    def test_a_short_first_answer_without_paging_is_no_proof(self) -> None:
        client, _ = client_for(serve(posts(30), paged=False))
        first, second = walk(Bluesky(), client)
        assert (first.reached_start, first.cursor) == (False, "limit:500")
        assert second.reached_start

    def test_our_cursors_can_be_gone_on_from(self) -> None:
        client, http = client_for(serve(posts(30), paged=False))
        (page,) = walk(Bluesky(), client, Window(cursor="limit:500"))
        assert http.requests[0].params == {"limit": "500"}
        assert page.reached_start

    def test_facebook_goes_on_by_date(self) -> None:
        history = posts(1200, per_day=3)
        pages, http = self._dated(history)
        assert ids(pages) == [record["id"] for record in history]
        assert pages[-1].reached_start
        assert all("since" not in request.params for request in http.requests)
        onward = next(page.cursor for page in pages if (page.cursor or "").startswith("until:"))
        again, _ = self._dated(history, Window(cursor=onward))
        assert set(ids(again)) >= set(ids(pages[2:]))

    def test_a_day_with_more_posts_than_a_window_is_asked_for_whole(self) -> None:
        history = [
            *posts(600, per_day=6),
            *(dict(p, id=f"busy-{p['id']}") for p in posts(300, 300)),
        ]
        for record in history[600:]:
            record["created"] = "2026-08-01T12:00:00Z"
        history += [{"id": "first", "created": "2026-07-01T12:00:00Z"}]
        pages, http = self._dated(history)
        assert ids(pages) == [record["id"] for record in history]
        assert "500" in [request.params["limit"] for request in http.requests[2:]]

    def test_a_day_with_more_posts_than_there_are_at_once_is_said(self) -> None:
        history = [dict(record, created="2026-08-01T12:00:00Z") for record in posts(700)]
        pages, _ = self._dated(history)
        assert not pages[-1].reached_start
        assert "2026-08-01" in (pages[-1].end_reason or "")

    def _dated(
        self, history: Sequence[dict[str, Any]], window: Window | None = None
    ) -> tuple[list[Page], FakeHttp]:
        def answer(request: Request) -> tuple[int, Any]:
            until = request.params.get("until", "9999")
            held = [record for record in history if record["created"][:10] <= until]
            return 200, {"status": "success", "posts": held[: int(request.params["limit"])]}

        client, http = client_for(answer)
        return walk(Facebook(), client, window), http

    def test_a_source_that_repeats_itself_is_left(self) -> None:
        body = {
            "status": "success",
            "posts": posts(2),
            "meta": {"pagination": {"hasMore": True, "next": "same", "limit": 100}},
        }
        client, http = client_for(lambda _request: (200, body))
        pages = walk(Bluesky(), client)
        assert len(http.requests) == 2
        assert "repeats itself" in (pages[-1].end_reason or "")
        assert not pages[-1].reached_start

    def test_stories_alone_say_nothing_about_the_first_post(self) -> None:
        client, _ = client_for(serve(posts(3)))
        (page,) = walk(Instagram(), client, data_type="stories")
        assert (page.reached_start, page.end_reason) == (False, "only stories were asked for")

    def test_the_source_says_how_fresh_it_is(self) -> None:
        body = {"status": "success", "posts": [], "lastUpdated": "2022-11-14T16:04:51.994Z",
                "nextUpdate": "2022-11-14T16:37:21.994Z"}  # fmt: skip
        client, _ = answering((200, body))
        (page,) = walk(Bluesky(), client)
        assert page.updated_at == "2022-11-14T16:04:51.994Z"
        assert page.fresh_until == "2022-11-14T16:37:21.994Z"
        assert page.response
        assert page.response.status == 200


class TestErrors:
    @pytest.mark.parametrize(
        "body",
        [
            error(221),
            {"history": error(221)},
            {"status": "error", "errors": [error(221)], "postIds": []},
        ],
    )
    def test_221_is_an_empty_history(self, body: Any) -> None:
        client, _ = answering((400, body))
        (page,) = walk(Bluesky(), client)
        assert (page.records, page.reached_start, page.partial) == ((), True, False)

    @pytest.mark.parametrize(
        ("status", "body", "code"),
        [
            (400, error(156), "not_linked"),
            (400, {"status": "error", "errors": [error(161)]}, "not_linked"),
            (400, {"history": error(272)}, "not_linked"),
            (200, error(156), "not_linked"),
            (419, error(419), "x_keys"),
            (401, error(102), "credentials"),
            (402, error(1), "plan"),
            (403, b"<html>Forbidden</html>", "plan"),
            (403, error(102), "credentials"),
            (400, error(102), "credentials"),
            (403, says("API Key not valid."), "credentials"),
            (403, {"history": says("Invalid api-key provided")}, "credentials"),
            (403, {"status": "error", "errors": [says("Missing API key")]}, "credentials"),
            (403, says("Profile Key not valid."), "profile_key"),
            (401, says("The profile key has expired"), "profile_key"),
            (403, says("This profile is suspended."), "plan"),
            (403, says("The API key of your plan may not read this"), "plan"),
            (403, says("Your X API key is not valid"), "plan"),
        ],
    )
    def test_refusals_say_what_to_do(self, status: Any, body: Any, code: Any) -> None:
        client, _ = answering((status, body))
        with pytest.raises(AccessRefused) as caught:
            walk(Bluesky(), client)
        assert caught.value.code == code
        assert caught.value.hint

    def test_a_refused_key_is_named_with_where_it_was_read_from_and_asked_with_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ACME_PROFILE", "profile-key-1")
        client, http = client_for(lambda _request: (403, says("Profile Key not valid.")))
        for platform in (Bluesky(), Facebook()):
            with pytest.raises(AccessRefused, match="does not accept the profile key") as caught:
                walk(platform, client, profile_key=Secret("env:ACME_PROFILE"))
            assert "the environment variable ACME_PROFILE" in (caught.value.hint or "")
        assert len(http.requests) == 1

    def test_other_errors_quote_the_source(self) -> None:
        client, _ = answering((400, error(187)))
        with pytest.raises(SourceError, match='code 187: "Because') as caught:
            walk(Bluesky(), client)
        assert caught.value.code == "187"

    @pytest.mark.parametrize("body", [b"<html>", b"", {"status": "success"}, {"posts": None}])
    def test_what_is_not_documented_is_a_source_that_is_down(self, body: Any) -> None:
        client, _ = answering((200, body))
        with pytest.raises(SourceDown):
            walk(Bluesky(), client)

    def test_good_posts_in_a_400_are_kept(self) -> None:
        bad = {"id": "x", "action": "analytics", "status": "error", "code": 187, "message": "No."}
        body = {"status": "error", "posts": [*posts(2), bad]}
        client, _ = client_for(lambda _request: (400, body))
        pages = walk(Bluesky(), client)
        assert ids(pages) == ["p0", "p1"]
        assert all(page.partial for page in pages)
        assert "1 post of bluesky" in pages[0].notes[0]
        assert not pages[-1].reached_start

    def test_partial_is_partial(self) -> None:
        client, _ = client_for(lambda _request: (200, {"status": "partial", "posts": posts(2)}))
        pages = walk(Bluesky(), client)
        assert pages[0].partial
        assert not pages[-1].reached_start

    def test_a_code_beside_success_is_no_error(self) -> None:
        client, _ = client_for(
            lambda _request: (200, {"status": "success", "code": 200, "posts": []})
        )
        (page,) = walk(Bluesky(), client)
        assert (page.reached_start, page.partial) == (True, False)

    def test_errors_beside_good_posts_make_the_answer_partial(self) -> None:
        body = {"status": "success", "posts": posts(1), "errors": [error(187)]}
        client, _ = client_for(lambda _request: (200, body))
        page = walk(Bluesky(), client)[0]
        assert page.partial
        assert "incomplete" in page.notes[0]

    def test_an_old_answer_may_be_a_bare_list(self) -> None:
        client, _ = client_for(lambda _request: (200, posts(2)))
        assert ids(walk(Bluesky(), client)) == ["p0", "p1"]

    def test_the_state_of_a_linkedin_post_is_not_an_error(self) -> None:
        record = {"id": "urn:li:share:1", "post": "x", "status": "PUBLISHED"}
        client, _ = client_for(serve([record]))
        (page,) = walk(LinkedIn(), client)
        assert ids([page]) == ["urn:li:share:1"]
        assert not page.partial


class TestFallbacks:
    def test_a_high_limit_that_fails_becomes_100(self) -> None:
        def answer(request: Request) -> tuple[int, Any]:
            if request.params["limit"] == "500":
                return 504, b"Gateway Timeout"
            return serve(posts(300), paged=False)(request)

        client, http = client_for(answer)
        pages = walk(Bluesky(), client)
        assert [request.params["limit"] for request in http.requests] == ["100", "500", "100"]
        assert "500 posts" in pages[-1].notes[0]
        assert "500" in (pages[-1].end_reason or "")
        assert not pages[-1].reached_start

    def test_analytics_that_fail_are_left_out(self) -> None:
        def answer(request: Request) -> tuple[int, Any]:
            if "skipAnalytics" not in request.params:
                return 500, b"Internal Server Error"
            return 200, {"status": "success", "posts": [{"id": "1"}]}

        client, http = client_for(answer)
        pages = walk(Instagram(), client)
        assert [tuple(request.params.values()) for request in http.requests] == [
            ("100",), ("100", "true"), ("500",), ("100",), ("100", "true")
        ]  # fmt: skip
        assert "without analytics" in pages[0].notes[0]
        assert Instagram().read(pages[0].records[0].data, account_for(Instagram())).id_only

    def test_other_platforms_have_no_analytics_to_leave_out(self) -> None:
        client, http = client_for(lambda _request: (500, b"Internal Server Error"))
        with pytest.raises(SourceDown):
            walk(Bluesky(), client)
        assert len(http.requests) == 1

    def test_refusals_are_not_asked_again(self) -> None:
        client, http = client_for(lambda _request: (403, error(1)))
        with pytest.raises(AccessRefused):
            walk(Instagram(), client)
        assert len(http.requests) == 1


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


class TestIdentity:
    def identify(
        self, platform: AyrsharePlatform, client: AyrshareClient, **options: Any
    ) -> Identity | None:
        return asyncio.run(platform.identify(client, account_for(platform, **options)))

    def test_the_account_and_its_names(self) -> None:
        client, http = client_for(lambda _request: (200, USER))
        found = self.identify(Bluesky(), client)
        assert found
        assert (found.platform_id, found.handle, found.title) == ("did:plc:1", "me.example", "Me")
        assert found.url == "https://bsky.app/profile/me.example"
        assert http.requests[0].path == "/user"

    def test_a_profile_is_asked_once(self) -> None:
        client, http = client_for(lambda _request: (200, USER))

        async def both() -> None:
            bluesky = Bluesky()
            account = account_for(bluesky)
            await asyncio.gather(*(bluesky.identify(client, account) for _ in range(5)))
            other = account_for(bluesky, profile_key=Secret("profile-key-2"))
            await bluesky.identify(client, other)

        asyncio.run(both())
        assert [request.lane == "primary" for request in http.requests] == [True, False]

    def test_an_account_that_is_not_linked(self) -> None:
        client, _ = client_for(lambda _request: (200, USER))
        with pytest.raises(AccessRefused, match="not linked to this profile") as caught:
            self.identify(Snapchat(), client)
        assert caught.value.code == "not_linked"

    def test_where_the_api_does_not_say(self) -> None:
        client, _ = client_for(lambda _request: (200, {"title": "Primary Profile"}))
        assert self.identify(Snapchat(), client) is None

    def test_an_id_needs_no_request(self) -> None:
        client, http = client_for(lambda _request: (500, b""))
        by_id = self.identify(Twitter(), client, user_id="20536157")
        assert by_id == Identity("twitter", "20536157")
        assert http.requests == []

    @pytest.mark.parametrize(
        ("authors", "expected"),
        [(["7", "7", "8"], "7"), ([None, 7], "7"), ([None], "@google"), ([], "@google")],
    )
    def test_whom_a_handle_belongs_to_is_told_by_the_page_that_is_read_anyway(
        self, authors: list[object], expected: str
    ) -> None:
        found = [{"id": f"p{n}", "authorId": author} for n, author in enumerate(authors)]
        client, http = client_for(serve(found))
        identity = self.identify(Twitter(), client, user_name="@Google")
        assert identity == Identity("twitter", expected, handle="Google")

        (page,) = walk(Twitter(), client, user_name="@Google")

        assert len(page.records) == len(found)
        assert len(http.requests) == 1
        assert any("user_id" in note for note in page.notes) == (authors == [None])
        walk(Twitter(), client, user_name="@Google")
        assert len(http.requests) == 2, "a page that was given out once is not kept"

    def test_what_can_be_read_with_a_key(self) -> None:
        http = FakeHttp(lambda _request: (200, USER))
        settings = Settings(api_key=Secret("key-of-the-operator"))
        found = asyncio.run(Ayrshare().discover(settings, FakeKit(http)))
        assert [(i.platform, i.platform_id) for i in found] == [
            ("bluesky", "did:plc:1"), ("tiktok", ""), ("youtube", "UC1")
        ]  # fmt: skip
        assert len(accounts.PLATFORMS) == 10

    def test_a_wrong_key_is_said(self) -> None:
        client, _ = client_for(lambda _request: (401, error(1)))
        with pytest.raises(AccessRefused) as caught:
            self.identify(Bluesky(), client)
        assert caught.value.code == "credentials"


RECORD = {"id": "urn:li:share:1", "post": "x"}


class TestRefetch:
    def refetch(
        self, platform: AyrsharePlatform, client: AyrshareClient, *wanted: str, **options: Any
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
    def test_a_look_up_by_id_in_any_shape(self, body: Any) -> None:
        client, http = client_for(lambda _request: (200, body))
        (record,) = self.refetch(LinkedIn(), client, "urn:li:share:1")
        assert record
        assert record.data == RECORD
        assert json.loads(record.raw) == RECORD
        assert http.requests[0].path == "/history/urn%3Ali%3Ashare%3A1"
        assert http.requests[0].params == {"searchPlatformId": "true", "platform": "linkedin"}

    def test_a_plan_without_it_is_asked_once(self) -> None:
        def answer(request: Request) -> tuple[int, Any]:
            if "searchPlatformId" in request.params:
                return 403, error(1)
            return serve([{"id": "a"}, {"id": "b"}])(request)

        client, http = client_for(answer)
        found = self.refetch(LinkedIn(), client, "a", "b", "c")
        assert [record and record.data for record in found] == [{"id": "a"}, {"id": "b"}, None]
        assert [request.path for request in http.requests] == ["/history/a", "/history/linkedin"]

    def test_asked_again_for_the_same_post_the_page_is_had_anew(self) -> None:
        client, http = client_for(serve(posts(3)))
        self.refetch(Bluesky(), client, "p0", "p1", "p2")
        assert len(http.requests) == 1
        self.refetch(Bluesky(), client, "p0", "p1")
        assert len(http.requests) == 2

    def test_a_post_below_the_newest_hundred_is_looked_for_further_down(self) -> None:
        client, http = client_for(serve(posts(300, 1), paged=False))
        found = self.refetch(Bluesky(), client, "p5", "p250", "p299", "gone")
        assert [record and record.data["id"] for record in found] == ["p5", "p250", "p299", None]
        assert [request.params["limit"] for request in http.requests] == ["100", "500"]

    def test_somebody_elses_posts_cannot_be_looked_up(self) -> None:
        client, http = client_for(serve(posts(3)))
        (record,) = self.refetch(Twitter(), client, "p1", user_name="Google")
        assert record
        assert record.data["id"] == "p1"
        assert http.requests[0].params == {"limit": "100", "userName": "Google"}
