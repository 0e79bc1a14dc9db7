"""Along the cursors of the API: each is followed once, whatever its page holds."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import AccessRefused, Page, SourceDown, Window
from archiver.testing import FakeHttp, Request
from archiver_ayrshare.bluesky import Bluesky
from archiver_ayrshare.facebook import Facebook
from archiver_ayrshare.instagram import Instagram
from support.ayrshare_contract import account_for, client_for, serve
from support.ayrshare_pages import answering, api_error, ids, posts, scan

PAGES = st.lists(st.sampled_from("abcde"), max_size=3, unique=True)
Answers = Mapping[str, tuple[Sequence[str], dict[str, Any]]]


def scan_of(answers: Answers, cursor: str | None = None) -> tuple[list[Page], FakeHttp]:
    """A scan of a source that has a page, and a word on paging, for each cursor ("" at first)."""

    def answer(request: Request) -> tuple[int, Any]:
        ids, pagination = answers[request.params.get("next", "")]
        posts = [{"id": name, "post": "Hello", "created": "2026-05-01"} for name in ids]
        return 200, {"status": "success", "posts": posts, "meta": {"pagination": pagination}}

    async def pages() -> list[Page]:
        found = Bluesky().pages(client, account_for(Bluesky()), Window(cursor=cursor))
        return [page async for page in found]

    client, http = client_for(answer)
    return asyncio.run(pages()), http


def chain(pages: Sequence[Sequence[str]]) -> dict[str, tuple[Sequence[str], dict[str, Any]]]:
    """Pages in a row, each with the cursor of the next."""
    last = len(pages) - 1
    return {
        "" if index == 0 else f"c{index}": (
            ids,
            {"hasMore": False} if index == last else {"hasMore": True, "next": f"c{index + 1}"},
        )
        for index, ids in enumerate(pages)
    }


def all_ids(pages: Sequence[Page]) -> list[str]:
    return [record.data["id"] for page in pages for record in page.records]


def test_empty_pages_are_gone_through() -> None:
    newest, oldest = [f"n{n}" for n in range(10)], [f"o{n}" for n in range(18)]
    pages, _ = scan_of(chain([newest, [], [], oldest]))
    assert all_ids(pages) == [*newest, *oldest]
    assert pages[-1].reached_start


@given(
    st.lists(st.lists(st.sampled_from("abcde"), max_size=3, unique=True), min_size=1, max_size=40)
)
def test_every_page_is_read_whatever_the_others_hold(contents: list[list[str]]) -> None:
    pages, http = scan_of(chain(contents))
    assert [ids([page]) for page in pages] == contents
    assert len(http.requests) == len(contents)
    assert pages[-1].reached_start


def test_pages_with_known_posts_alone_are_gone_through() -> None:
    pages, _ = scan_of(chain([["a"], *[["a"]] * 12, ["b"]]))
    assert all_ids(pages)[-1] == "b"
    assert pages[-1].reached_start


@pytest.mark.parametrize("begin", [None, "c1", "c2"])
def test_a_cursor_that_was_followed_is_the_end(begin: str | None) -> None:
    answers = chain([["a"], ["b"], ["c"]])
    answers["c2"] = (["c"], {"hasMore": True, "next": "c1"})
    pages, http = scan_of(answers, begin)
    assert len(http.requests) == (3 if begin is None else 2)
    assert not pages[-1].reached_start
    assert "the same cursor twice" in (pages[-1].end_reason or "")


def test_a_source_with_new_cursors_and_nothing_new_is_left_after_a_hundred_pages() -> None:
    pages, http = scan_of(chain([["a"], *[[]] * 150, ["b"]]))
    assert len(http.requests) == 101
    assert (pages[-1].reached_start, pages[-1].cursor) == (False, "c101"), "tried again from there"
    assert "100 pages in a row" in (pages[-1].end_reason or "")


@pytest.mark.parametrize("flag", [False, "false", 0, "0"])
def test_the_end_is_the_end_in_every_spelling(flag: Any) -> None:
    pages, http = scan_of({"": (["a"], {"hasMore": flag, "next": "c1"})})
    assert len(http.requests) == 1
    assert pages[-1].reached_start


def test_a_cursor_may_be_a_number() -> None:
    pages, _ = scan_of(
        {"": (["a"], {"hasMore": True, "next": 7}), "7": (["b"], {"hasMore": False})}
    )
    assert all_ids(pages) == ["a", "b"]


def test_the_cursor_is_followed_with_limit_and_filters() -> None:
    client, http = client_for(serve(posts(250)))
    pages = scan(Instagram(), client, data_type="posts")
    assert ids(pages) == [f"p{number}" for number in range(250)]
    assert [request.params.get("next") for request in http.requests] == [None, "MTAw", "MjAw"]
    assert {request.params["dataType"] for request in http.requests} == {"posts"}
    assert {request.params["limit"] for request in http.requests} == {"100"}
    assert pages[-1].reached_start


def test_without_paging_the_newest_500_are_all_there_is() -> None:
    client, http = client_for(serve(posts(800), paged=False))
    pages = scan(Bluesky(), client)
    assert [request.params["limit"] for request in http.requests] == ["100", "500"]
    assert len(ids(pages)) == 500
    assert not pages[-1].reached_start
    assert "500 posts" in (pages[-1].end_reason or "")


def test_an_enterprise_plan_sees_more() -> None:
    client, _ = client_for(serve(posts(800), paged=False), limit_max=1000)
    pages = scan(Bluesky(), client)
    assert len(ids(pages)) == 800
    assert pages[-1].reached_start


def test_a_short_first_answer_without_paging_is_no_proof() -> None:
    client, _ = client_for(serve(posts(30), paged=False))
    first, second = scan(Bluesky(), client)
    assert (first.reached_start, first.cursor) == (False, "limit:500")
    assert second.reached_start


def test_our_cursors_can_be_gone_on_from() -> None:
    client, http = client_for(serve(posts(30), paged=False))
    (page,) = scan(Bluesky(), client, Window(cursor="limit:500"))
    assert http.requests[0].params == {"limit": "500"}
    assert page.reached_start


def test_facebook_goes_on_by_date() -> None:
    history = posts(1200, per_day=3)
    pages, http = _dated(history)
    assert ids(pages) == [record["id"] for record in history]
    assert pages[-1].reached_start
    assert all("since" not in request.params for request in http.requests)
    onward = next(page.cursor for page in pages if (page.cursor or "").startswith("until:"))
    again, _ = _dated(history, Window(cursor=onward))
    assert set(ids(again)) >= set(ids(pages[2:]))


def test_a_day_with_more_posts_than_a_window_is_asked_for_whole() -> None:
    history = [
        *posts(600, per_day=6),
        *(dict(p, id=f"busy-{p['id']}") for p in posts(300, 300)),
    ]
    for record in history[600:]:
        record["created"] = "2026-08-01T12:00:00Z"
    history += [{"id": "first", "created": "2026-07-01T12:00:00Z"}]
    pages, http = _dated(history)
    assert ids(pages) == [record["id"] for record in history]
    assert "500" in [request.params["limit"] for request in http.requests[2:]]


def test_a_day_with_more_posts_than_there_are_at_once_is_said() -> None:
    history = [dict(record, created="2026-08-01T12:00:00Z") for record in posts(700)]
    pages, _ = _dated(history)
    assert not pages[-1].reached_start
    assert "2026-08-01" in (pages[-1].end_reason or "")


def _dated(
    history: Sequence[dict[str, Any]], window: Window | None = None
) -> tuple[list[Page], FakeHttp]:
    def answer(request: Request) -> tuple[int, Any]:
        until = request.params.get("until", "9999")
        held = [record for record in history if record["created"][:10] <= until]
        return 200, {"status": "success", "posts": held[: int(request.params["limit"])]}

    client, http = client_for(answer)
    return scan(Facebook(), client, window), http


def test_a_source_that_repeats_itself_is_left() -> None:
    body = {
        "status": "success",
        "posts": posts(2),
        "meta": {"pagination": {"hasMore": True, "next": "same", "limit": 100}},
    }
    client, http = client_for(lambda _request: (200, body))
    pages = scan(Bluesky(), client)
    assert len(http.requests) == 2
    assert "repeats itself" in (pages[-1].end_reason or "")
    assert not pages[-1].reached_start


def test_stories_alone_say_nothing_about_the_first_post() -> None:
    client, _ = client_for(serve(posts(3)))
    (page,) = scan(Instagram(), client, data_type="stories")
    assert (page.reached_start, page.end_reason) == (False, "only stories were asked for")


def test_the_source_says_how_fresh_it_is() -> None:
    body = {"status": "success", "posts": [], "lastUpdated": "2022-11-14T16:04:51.994Z",
            "nextUpdate": "2022-11-14T16:37:21.994Z"}  # fmt: skip
    client, _ = answering((200, body))
    (page,) = scan(Bluesky(), client)
    assert page.updated_at == "2022-11-14T16:04:51.994Z"
    assert page.fresh_until == "2022-11-14T16:37:21.994Z"
    assert page.response
    assert page.response.status == 200


def test_a_high_limit_that_fails_becomes_100() -> None:
    def answer(request: Request) -> tuple[int, Any]:
        if request.params["limit"] == "500":
            return 504, b"Gateway Timeout"
        return serve(posts(300), paged=False)(request)

    client, http = client_for(answer)
    pages = scan(Bluesky(), client)
    assert [request.params["limit"] for request in http.requests] == ["100", "500", "100"]
    assert "500 posts" in pages[-1].notes[0]
    assert "500" in (pages[-1].end_reason or "")
    assert not pages[-1].reached_start


def test_analytics_that_fail_are_left_out() -> None:
    def answer(request: Request) -> tuple[int, Any]:
        if "skipAnalytics" not in request.params:
            return 500, b"Internal Server Error"
        return 200, {"status": "success", "posts": [{"id": "1"}]}

    client, http = client_for(answer)
    pages = scan(Instagram(), client)
    assert [tuple(request.params.values()) for request in http.requests] == [
        ("100",), ("100", "true"), ("500",), ("100",), ("100", "true")
    ]  # fmt: skip
    assert "without analytics" in pages[0].notes[0]
    assert Instagram().read(pages[0].records[0].data, account_for(Instagram())).id_only


def test_other_platforms_have_no_analytics_to_leave_out() -> None:
    client, http = client_for(lambda _request: (500, b"Internal Server Error"))
    with pytest.raises(SourceDown):
        scan(Bluesky(), client)
    assert len(http.requests) == 1


def test_refusals_are_not_asked_again() -> None:
    client, http = client_for(lambda _request: (403, api_error(1)))
    with pytest.raises(AccessRefused):
        scan(Instagram(), client)
    assert len(http.requests) == 1
