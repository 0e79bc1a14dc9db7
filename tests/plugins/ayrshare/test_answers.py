"""Answers of the API: a history, an empty one, or an error that says what to do."""

from typing import Any

import pytest

from archiver import AccessRefused, Secret, SourceDown, SourceError
from archiver_ayrshare.bluesky import Bluesky
from archiver_ayrshare.facebook import Facebook
from archiver_ayrshare.linkedin import LinkedIn
from support.ayrshare_contract import client_for, serve
from support.ayrshare_pages import answering, api_error, error_saying, ids, posts, scan


@pytest.mark.parametrize(
    "body",
    [
        api_error(221),
        {"history": api_error(221)},
        {"status": "error", "errors": [api_error(221)], "postIds": []},
    ],
)
def test_221_is_an_empty_history(body: Any) -> None:
    client, _ = answering((400, body))
    (page,) = scan(Bluesky(), client)
    assert (page.records, page.reached_start, page.partial) == ((), True, False)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, api_error(156), "not_linked"),
        (400, {"status": "error", "errors": [api_error(161)]}, "not_linked"),
        (400, {"history": api_error(272)}, "not_linked"),
        (200, api_error(156), "not_linked"),
        (419, api_error(419), "x_keys"),
        (401, api_error(102), "credentials"),
        (402, api_error(1), "plan"),
        (403, b"<html>Forbidden</html>", "plan"),
        (403, api_error(102), "credentials"),
        (400, api_error(102), "credentials"),
        (403, error_saying("API Key not valid."), "credentials"),
        (403, {"history": error_saying("Invalid api-key provided")}, "credentials"),
        (403, {"status": "error", "errors": [error_saying("Missing API key")]}, "credentials"),
        (403, error_saying("Profile Key not valid."), "profile_key"),
        (401, error_saying("The profile key has expired"), "profile_key"),
        (403, error_saying("This profile is suspended."), "plan"),
        (403, error_saying("The API key of your plan may not read this"), "plan"),
        (403, error_saying("Your X API key is not valid"), "plan"),
    ],
)
def test_refusals_say_what_to_do(status: Any, body: Any, code: Any) -> None:
    client, _ = answering((status, body))
    with pytest.raises(AccessRefused) as caught:
        scan(Bluesky(), client)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_refused_key_is_named_with_where_it_was_read_from_and_asked_with_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACME_PROFILE", "profile-key-1")
    client, http = client_for(lambda _request: (403, error_saying("Profile Key not valid.")))
    for platform in (Bluesky(), Facebook()):
        with pytest.raises(AccessRefused, match="does not accept the profile key") as caught:
            scan(platform, client, profile_key=Secret("env:ACME_PROFILE"))
        assert "the environment variable ACME_PROFILE" in (caught.value.hint or "")
    assert len(http.requests) == 1


def test_other_errors_quote_the_source() -> None:
    client, _ = answering((400, api_error(187)))
    with pytest.raises(SourceError, match='code 187: "Because') as caught:
        scan(Bluesky(), client)
    assert caught.value.code == "187"


@pytest.mark.parametrize("body", [b"<html>", b"", {"status": "success"}, {"posts": None}])
def test_what_is_not_documented_is_a_source_that_is_down(body: Any) -> None:
    client, _ = answering((200, body))
    with pytest.raises(SourceDown):
        scan(Bluesky(), client)


def test_good_posts_in_a_400_are_kept() -> None:
    bad = {"id": "x", "action": "analytics", "status": "error", "code": 187, "message": "No."}
    body = {"status": "error", "posts": [*posts(2), bad]}
    client, _ = client_for(lambda _request: (400, body))
    pages = scan(Bluesky(), client)
    assert ids(pages) == ["p0", "p1"]
    assert all(page.partial for page in pages)
    assert "1 post of bluesky" in pages[0].notes[0]
    assert not pages[-1].reached_start


def test_partial_is_partial() -> None:
    client, _ = client_for(lambda _request: (200, {"status": "partial", "posts": posts(2)}))
    pages = scan(Bluesky(), client)
    assert pages[0].partial
    assert not pages[-1].reached_start


def test_a_code_beside_success_is_no_error() -> None:
    client, _ = client_for(lambda _request: (200, {"status": "success", "code": 200, "posts": []}))
    (page,) = scan(Bluesky(), client)
    assert (page.reached_start, page.partial) == (True, False)


def test_errors_beside_good_posts_make_the_answer_partial() -> None:
    body = {"status": "success", "posts": posts(1), "errors": [api_error(187)]}
    client, _ = client_for(lambda _request: (200, body))
    page = scan(Bluesky(), client)[0]
    assert page.partial
    assert "incomplete" in page.notes[0]


def test_an_old_answer_may_be_a_bare_list() -> None:
    client, _ = client_for(lambda _request: (200, posts(2)))
    assert ids(scan(Bluesky(), client)) == ["p0", "p1"]


def test_the_state_of_a_linkedin_post_is_not_an_error() -> None:
    record = {"id": "urn:li:share:1", "post": "x", "status": "PUBLISHED"}
    client, _ = client_for(serve([record]))
    (page,) = scan(LinkedIn(), client)
    assert ids([page]) == ["urn:li:share:1"]
    assert not page.partial
