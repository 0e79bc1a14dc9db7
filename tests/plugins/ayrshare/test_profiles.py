"""The list of profiles: all of them or a plain error, whatever the API answers."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from archiver import AccessRefused, SourceDown, SourceProfile
from archiver_ayrshare import profiles
from support.ayrshare_contract import client_for

ACME = {"status": "active", "title": "Acme", "refId": "r1",
        "activeSocialAccounts": ["twitter", "gmb", "facebook"]}  # fmt: skip


def page(*entries: Any, **paging: Any) -> dict[str, Any]:
    return {"profiles": list(entries), "count": len(entries), "pagination": paging}


def listed(*pages: Any, status: int = 200) -> Sequence[SourceProfile]:
    """What is read from these pages, the last of which is the answer to all further requests."""
    left = list(pages)
    client, _ = client_for(lambda _request: (status, left.pop(0) if len(left) > 1 else left[0]))
    return asyncio.run(profiles.listed(client))


def test_profiles_have_what_can_be_read() -> None:
    assert listed(page(ACME)) == [SourceProfile("r1", "Acme", ("facebook", "twitter"))]


def test_pages_are_read_to_their_end_and_each_profile_once() -> None:
    other = {"title": "Other", "refId": "r2", "suspended": True}
    found = listed(page(ACME, hasMore=True, nextCursor="c1"), page(ACME, other, hasMore=False))
    assert [(each.ref, each.suspended) for each in found] == [("r1", False), ("r2", True)]


def test_the_key_is_sent_in_a_header_and_no_profile_is_named() -> None:
    client, http = client_for(lambda request: (
        (200, page(ACME)) if "cursor" in request.params
        else (200, page(hasMore=True, nextCursor="a b"))
    ))  # fmt: skip
    asyncio.run(profiles.listed(client))
    assert [request.params for request in http.requests] == [{}, {"cursor": "a b"}]
    assert all(request.path == "/profiles" for request in http.requests)
    assert all("Profile-Key" not in request.headers for request in http.requests)


@pytest.mark.parametrize(
    "entry",
    [None, 7, "text", [], {}, {"refId": {}, "title": []}, {"refId": " ", "title": None},
     {"refId": None, "activeSocialAccounts": {"a": 1}}, {"activeSocialAccounts": [[], None, 1]}],
)  # fmt: skip
def test_an_entry_of_another_shape_is_a_profile_without_an_id(entry: Any) -> None:
    assert listed(page(entry)) == [SourceProfile("", "")]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "no list"),
        ([], "no list"),
        ({"profiles": {"0": ACME}}, "no list"),
        (page(ACME, hasMore=True), "how to get"),
        (page(ACME, hasMore=True, nextCursor={}), "how to get"),
        (page(ACME, hasMore=True, nextCursor="again"), "how to get"),
    ],
)
def test_a_list_that_is_none_or_has_no_end_is_refused(answer: Any, why: str) -> None:
    with pytest.raises(SourceDown) as failure:
        listed(answer)
    assert why in str(failure.value.why)


def test_a_list_that_never_ends_is_given_up() -> None:
    numbers = iter(range(10_000))
    client, _ = client_for(
        lambda _request: (200, page(hasMore=True, nextCursor=str(next(numbers))))
    )
    with pytest.raises(SourceDown) as failure:
        asyncio.run(profiles.listed(client))
    assert "has not ended" in str(failure.value.why)


def test_a_refused_key_is_named_by_its_reference() -> None:
    refused = {"status": "error", "code": 102, "message": "API Key not valid"}
    with pytest.raises(AccessRefused) as failure:
        listed(refused, status=401)
    assert "key-of-the-operator" not in str(failure.value)
