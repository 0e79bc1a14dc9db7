"""Requests and answers of an ASGI server."""

from collections.abc import MutableMapping
from typing import Any

import anyio
import pytest

from archiver_ayrshare.emulation.wire import headers_of, params_of, respond


def test_names_of_headers_are_lower_case_and_parameters_are_decoded_in_order() -> None:
    scope = {"headers": [(b"Profile-Key", b"K\xe9")], "query_string": b"b=1&a=x%20y&b=&c"}
    assert headers_of(scope) == {"profile-key": "Ké"}
    assert params_of(scope) == [("b", "1"), ("a", "x y"), ("b", ""), ("c", "")]


@pytest.mark.parametrize(("method", "body"), [("GET", b"{}"), ("HEAD", b"")])
def test_an_answer_has_its_length_and_to_head_no_body(method: str, body: bytes) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    anyio.run(respond, {"method": method}, send, 200, {"x": "y"}, b"{}")
    assert sent == [
        {"type": "http.response.start", "status": 200,
         "headers": [(b"x", b"y"), (b"content-length", b"2")]},
        {"type": "http.response.body", "body": body},
    ]  # fmt: skip
