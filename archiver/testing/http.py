"""A fake `Http` without a network, which answers from a function, and a kit with it."""

import asyncio
import dataclasses
import io
import json as json_format
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, BinaryIO
from urllib.parse import urlencode

from archiver.errors import RateLimited, SourceDown
from archiver.models import QueryParams, RateLimitPolicy, Response, Trust
from archiver.secrets import Secret

Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
"""A status, a body (bytes, or a value to be written as JSON), and headers, if there are any."""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One request that a platform made. `body` is that of a POST."""

    path: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]
    lane: str
    method: str = "GET"
    body: bytes = b""
    base_url: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class FakeFile:
    """The answer to `FakeHttp.get_file`."""

    response: Response
    file: BinaryIO
    size: int


class FakeHttp:
    """An `Http` that answers from a function, `request -> (status, body)`, and keeps the requests.

    The body is bytes, or a value to be written as JSON; headers may follow it. As the real one
    does, it raises RateLimited for 429 and SourceDown for 5xx and redirects.
    """

    def __init__(self, answer: Callable[[Request], Answer], base_url: str = "") -> None:
        self.requests: list[Request] = []
        self._answer = answer
        self._base_url = base_url

    async def get(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
    ) -> Response:
        """The answer to one GET."""
        return await self._ask(Request(path, dict(params or {}), dict(headers or {}), lane))

    async def post(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        lane: str = "",
    ) -> Response:
        """The answer to one POST."""
        body = content or b""
        if json is not None:
            body = json_format.dumps(json).encode()
        elif form is not None:
            body = urlencode(form).encode()
        return await self._ask(
            Request(path, dict(params or {}), dict(headers or {}), lane, "POST", body)
        )

    @asynccontextmanager
    async def get_file(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
        max_size: int = 4_000_000_000,
    ) -> AsyncIterator[FakeFile]:
        """The answer to one GET, as a file."""
        whole = await self.get(path, params=params, headers=headers, lane=lane)
        if len(whole.body) > max_size:
            raise SourceDown("The answer is too large", code="too_large")
        empty = dataclasses.replace(whole, body=b"")
        yield FakeFile(empty, io.BytesIO(whole.body), len(whole.body))

    async def _ask(self, request: Request) -> Response:
        request = dataclasses.replace(request, base_url=self._base_url)
        self.requests.append(request)
        await asyncio.sleep(0)
        status, body, *more = self._answer(request)
        if status == 429:
            raise RateLimited("Too many requests")
        if status >= 500 or 300 <= status < 400:
            raise SourceDown(f"The server answered {status}")
        return Response(
            source="test",
            url=f"{self._base_url or 'https://api.example'}/{request.path.lstrip('/')}",
            status=status,
            headers=more[0] if more else {},
            body=body if isinstance(body, bytes) else json_format.dumps(body).encode(),
            received_at="2026-11-23T20:49:00.000Z",
        )


class FakeTokens:
    """The `Tokens` of an account with this token, which cannot be renewed, or with none."""

    def __init__(self, token: str | None) -> None:
        self.user = None if token is None else "user"
        self._token = None if token is None else Secret(token, verbatim=True)

    async def current(self) -> Secret | None:
        """The token."""
        return self._token

    async def renewed(self) -> None:
        """There is no other one."""


class FakeKit:
    """A `Kit` with fake servers: one `FakeHttp` for all, or one for each base URL.

    `token` is that of the account's login, `txt` are the TXT records of names in DNS; where it is
    None, DNS does not answer. `opened` are the base URLs that were asked for, with whether they
    were configured or discovered. A base URL that has no server cannot be reached.
    """

    def __init__(
        self,
        servers: FakeHttp | Mapping[str, Callable[[Request], Answer]],
        token: str | None = None,
        txt: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.tokens = FakeTokens(token)
        self._txt = txt
        self.opened: list[tuple[str, Trust]] = []
        self._servers = servers
        self._open: dict[str, FakeHttp] = {}

    def http(
        self,
        base_url: str,
        rates: RateLimitPolicy = RateLimitPolicy(),  # noqa: B008, ARG002 — frozen; the contract's
        trust: Trust = "configured",
    ) -> FakeHttp:
        """The server of this base URL."""
        self.opened.append((base_url, trust))
        if isinstance(self._servers, FakeHttp):
            return self._servers
        if base_url not in self._open:
            answer = self._servers.get(base_url, _unreachable)
            self._open[base_url] = FakeHttp(answer, base_url)
        return self._open[base_url]

    async def txt_records(self, name: str) -> Sequence[str]:
        """The TXT records of this name."""
        await asyncio.sleep(0)
        if self._txt is None:
            raise SourceDown(f"{name} cannot be looked up")
        return self._txt.get(name, ())

    @property
    def requests(self) -> list[Request]:
        """All requests that were made, to whichever server, by server."""
        if isinstance(self._servers, FakeHttp):
            return self._servers.requests
        return [request for http in self._open.values() for request in http.requests]


def _unreachable(request: Request) -> Answer:
    raise SourceDown(f"{request.base_url} cannot be reached")
