"""Along the cursors of the API: each is followed once, whatever its page holds."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import Page, Window
from archiver.testing import FakeHttp, Request
from archiver_ayrshare.bluesky import Bluesky
from support.ayrshare_contract import account_for, client_for

PAGES = st.lists(st.sampled_from("abcde"), max_size=3, unique=True)
Answers = Mapping[str, tuple[Sequence[str], dict[str, Any]]]


def scan(answers: Answers, cursor: str | None = None) -> tuple[list[Page], FakeHttp]:
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


def ids(pages: Sequence[Page]) -> list[str]:
    return [record.data["id"] for page in pages for record in page.records]


def test_empty_pages_are_gone_through() -> None:
    newest, oldest = [f"n{n}" for n in range(10)], [f"o{n}" for n in range(18)]
    pages, _ = scan(chain([newest, [], [], oldest]))
    assert ids(pages) == [*newest, *oldest]
    assert pages[-1].reached_start


@given(
    st.lists(st.lists(st.sampled_from("abcde"), max_size=3, unique=True), min_size=1, max_size=40)
)
def test_every_page_is_read_whatever_the_others_hold(contents: list[list[str]]) -> None:
    pages, http = scan(chain(contents))
    assert [ids([page]) for page in pages] == contents
    assert len(http.requests) == len(contents)
    assert pages[-1].reached_start


def test_pages_with_known_posts_alone_are_gone_through() -> None:
    pages, _ = scan(chain([["a"], *[["a"]] * 12, ["b"]]))
    assert ids(pages)[-1] == "b"
    assert pages[-1].reached_start


@pytest.mark.parametrize("begin", [None, "c1", "c2"])
def test_a_cursor_that_was_followed_is_the_end(begin: str | None) -> None:
    answers = chain([["a"], ["b"], ["c"]])
    answers["c2"] = (["c"], {"hasMore": True, "next": "c1"})
    pages, http = scan(answers, begin)
    assert len(http.requests) == (3 if begin is None else 2)
    assert not pages[-1].reached_start
    assert "the same cursor twice" in (pages[-1].end_reason or "")


def test_a_source_with_new_cursors_and_nothing_new_is_left_after_a_hundred_pages() -> None:
    pages, http = scan(chain([["a"], *[[]] * 150, ["b"]]))
    assert len(http.requests) == 101
    assert (pages[-1].reached_start, pages[-1].cursor) == (False, "c101"), "tried again from there"
    assert "100 pages in a row" in (pages[-1].end_reason or "")


@pytest.mark.parametrize("flag", [False, "false", 0, "0"])
def test_the_end_is_the_end_in_every_spelling(flag: Any) -> None:
    pages, http = scan({"": (["a"], {"hasMore": flag, "next": "c1"})})
    assert len(http.requests) == 1
    assert pages[-1].reached_start


def test_a_cursor_may_be_a_number() -> None:
    pages, _ = scan({"": (["a"], {"hasMore": True, "next": 7}), "7": (["b"], {"hasMore": False})})
    assert ids(pages) == ["a", "b"]
