"""Metrics of posts come from the AppView, in batches, and reposts have none."""

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from archiver.errors import SourceDown
from archiver.testing import FakeHttp
from archiver.testing.http import Answer, Request
from archiver_bluesky.counts import count
from archiver_bluesky.records import POST, REPOST

URIS = [f"at://did:plc:a/{POST}/{number:03}" for number in range(60)]


def counted(http: FakeHttp, uris: list[str]) -> list[Mapping[str, Any]]:
    async def run() -> list[Mapping[str, Any]]:
        return [batch async for batch in count(http, uris)]

    return anyio.run(run)


def answer(request: Request) -> Answer:
    posts = [
        {"uri": uri, "likeCount": 3, "repostCount": 0, "replyCount": "many"}
        for uri in request.params["uris"]
    ]
    return 200, {"posts": [*posts, {"uri": 5}, None]}


def test_posts_are_counted_in_batches_and_odd_numbers_left_out() -> None:
    http = FakeHttp(answer)
    found = {uri: metrics for batch in counted(http, URIS) for uri, metrics in batch.items()}
    assert found.keys() == set(URIS)
    assert [(each.name, each.value) for each in found[URIS[0]]] == [("likes", 3), ("reposts", 0)]
    assert len(http.requests) > 1


def test_reposts_are_not_asked_for() -> None:
    http = FakeHttp(answer)
    assert [dict(batch) for batch in counted(http, [f"at://did:plc:a/{REPOST}/1"])] in ([], [{}])
    assert http.requests == []


def test_an_appview_that_refuses_is_an_error_of_the_source() -> None:
    with pytest.raises(SourceDown, match="The AppView answers 400"):
        counted(FakeHttp(lambda _: (400, b"")), URIS[:1])
