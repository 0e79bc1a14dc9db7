"""A server that a test writes down: an `Http` without a network."""

import asyncio
import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from archiver.errors import RateLimited, SourceDown
from archiver.models import Response


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One request that a platform made."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    lane: str


class FakeHttp:
    """An `Http` that answers from a function, `request -> (status, body)`, and keeps the requests.

    The body is bytes, or a value to be written as JSON. As the real one does, it raises
    RateLimited for 429 and SourceDown for 5xx.
    """

    def __init__(self, answer: Callable[[Request], tuple[int, Any]]) -> None:
        self.requests: list[Request] = []
        self._answer = answer

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
    ) -> Response:
        """The answer to one GET."""
        request = Request(path, dict(params or {}), dict(headers or {}), lane)
        self.requests.append(request)
        await asyncio.sleep(0)
        status, body = self._answer(request)
        if status == 429:
            raise RateLimited("Too many requests")
        if status >= 500:
            raise SourceDown(f"The server answered {status}")
        return Response(
            source="test",
            url=f"https://api.example{path}",
            status=status,
            headers={},
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            received_at="2026-11-23T20:49:00.000Z",
        )
