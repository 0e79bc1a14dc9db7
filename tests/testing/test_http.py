"""A server that a test writes down answers as the real client does."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from archiver.errors import RateLimited, SourceDown
from archiver.testing import FakeHttp, FakeKit
from archiver.testing.http import Answer, Request

Ask = Callable[[FakeHttp], Awaitable[Any]]


def ask(answer: Callable[[Request], Answer], question: Ask) -> tuple[Any, list[Request]]:
    http = FakeHttp(answer, "https://api.example")

    async def run() -> Any:
        return await question(http)

    return anyio.run(run), http.requests


def test_a_value_is_answered_as_json_and_the_request_is_kept() -> None:
    response, requests = ask(
        lambda _: (200, {"a": 1}, {"x": "y"}),
        lambda http: http.get("/posts", params={"n": "1"}, headers={"h": "v"}, lane="one"),
    )
    assert (response.status, json.loads(response.body), response.headers) == (
        200, {"a": 1}, {"x": "y"}
    )  # fmt: skip
    assert response.url == "https://api.example/posts"
    assert requests == [
        Request("/posts", {"n": "1"}, {"h": "v"}, "one", base_url="https://api.example")
    ]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"json": {"a": 1}}, b'{"a": 1}'), ({"form": {"a": "b c"}}, b"a=b+c"),
        ({"content": b"raw"}, b"raw"), ({}, b""),
    ],
)  # fmt: skip
def test_a_post_has_the_body_that_was_given(body: dict[str, Any], sent: bytes) -> None:
    _, (request,) = ask(lambda _: (200, b""), lambda http: http.post("token", **body))
    assert (request.method, request.body) == ("POST", sent)


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, RateLimited), (500, SourceDown), (503, SourceDown), (302, SourceDown)],
)
def test_an_answer_that_the_client_does_not_pass_on_is_an_error(
    status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(lambda _: (status, b""), lambda http: http.get("posts"))


def test_a_file_is_read_from_its_beginning_and_refused_where_it_is_too_large() -> None:
    async def read(http: FakeHttp) -> bytes:
        async with http.get_file("all.car", max_size=3) as answer:
            assert (answer.size, answer.response.body) == (3, b"")
            return answer.file.read()

    assert ask(lambda _: (200, b"abc"), read)[0] == b"abc"
    with pytest.raises(SourceDown, match="too large"):
        ask(lambda _: (200, b"abcd"), read)


def test_a_kit_has_a_server_for_each_address_and_none_for_others() -> None:
    kit = FakeKit({"https://a.example": lambda _: (200, b"a")}, token="secret")
    assert kit.http("https://a.example") is kit.http("https://a.example", trust="discovered")
    assert [trust for _, trust in kit.opened] == ["configured", "discovered"]

    async def reach(base_url: str) -> bytes:
        return (await kit.http(base_url).get("x")).body

    assert anyio.run(reach, "https://a.example") == b"a"
    with pytest.raises(SourceDown, match=r"b\.example cannot be reached"):
        anyio.run(reach, "https://b.example")
    assert [request.base_url for request in kit.requests] == [
        "https://a.example", "https://b.example"
    ]  # fmt: skip
