"""Requests are passed to the API, or answered with a file, whatever becomes of the archive."""

import hashlib
import json
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from archiver.archive.database import writer
from archiver.serve.addresses import PARAMETER
from archiver.serve.app import application
from archiver.serve.histories import Serving
from archiver.served_records import ApiAnswer, ApiRequest

Answer = Callable[[ApiRequest, Any], ApiAnswer]


def ask(
    serving: Serving, path: str = "/api/history", query: bytes = b"", method: str = "GET",
    host: bytes = b"here:1",
) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query, "scheme": "http",
        "headers": [(b"Host", host), (b"Authorization", b"Bearer t")], "server": ("127.0.0.1", 80),
    }  # fmt: skip
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError

    anyio.run(application(serving), scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with writer(tmp_path / "archive"):
        return tmp_path / "archive"


def test_a_request_has_its_path_below_the_api_and_its_parameters(directory: Path) -> None:
    asked: list[ApiRequest] = []

    def answer(request: ApiRequest, _: Any) -> ApiAnswer:
        asked.append(request)
        return ApiAnswer(200, b"{}", {"x": "y"})

    status, headers, body = ask(Serving(directory, "t", answer), query=b"a=1&a=2&b=")
    assert (status, body, headers["x"], headers["cache-control"]) == (200, b"{}", "y", "no-store")
    (request,) = asked
    assert (request.method, request.path) == ("GET", "history")
    assert request.params == (("a", "1"), ("a", "2"), ("b", ""))
    assert request.headers["authorization"] == "Bearer t"


def test_what_is_not_below_the_api_has_an_empty_path(directory: Path) -> None:
    serving = Serving(directory, "t", lambda request, _: ApiAnswer(404, request.path.encode()))
    assert ask(serving, "/elsewhere")[2] == b""


def test_an_archive_that_cannot_be_read_is_said_and_not_a_bug(tmp_path: Path) -> None:
    serving = Serving(tmp_path / "nothing", "t", lambda *_: ApiAnswer(200, b""))
    status, _, body = ask(serving)
    assert (status, json.loads(body)["status"]) == (503, "error")


def test_a_hash_in_the_address_asks_for_a_file_only_where_files_are_served(
    directory: Path,
) -> None:
    query = f"{PARAMETER}={hashlib.sha256(b'').hexdigest()}".encode()
    serving = Serving(directory, "t", lambda *_: ApiAnswer(418, b""), media=True)
    assert ask(serving, "/a.jpg", query)[0] == 404
    assert ask(serving, "/a.jpg", query, method="POST")[0] == 418
    assert ask(Serving(directory, "t", serving.answer), "/a.jpg", query)[0] == 418
