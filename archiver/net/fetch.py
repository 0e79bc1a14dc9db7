"""The client for media: it sends no credentials and checks every address, of redirects too."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import anyio
import httpx

from archiver.clock import Clock
from archiver.errors import MediaError, MediaRefused
from archiver.net.encoding import BadEncoding, Chunks, gunzip, is_plain, peek_gzip
from archiver.net.guard import AddressGuard, GuardedBackend, NameCheck
from archiver.net.network import NetworkBackend
from archiver.net.proxy import ProxyRefused, Route
from archiver.net.retry import is_certificate_error, retry_after
from archiver.net.sockets import Sockets
from archiver.net.transport import Transport
from archiver.urls import BadUrl, normalize_url

USER_AGENT = "Mozilla/5.0 (compatible; social-archiver)"
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ALLOWED_HEADERS = frozenset({"range", "if-range"})
_HEADERS = (
    (b"User-Agent", USER_AGENT.encode("ascii")),
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"identity"),
)
_EMPTY_BODY = httpx.ByteStream(b"")
_TIMEOUTS = {"connect": 10.0, "read": 30.0, "write": 30.0, "pool": None, "answer": 60.0}
_MAX_DRAINED = 64 * 1024
_SHORT_LENGTH = re.compile(r"\d{1,9}", re.ASCII)
_DRAIN_SECONDS = 1.0


class ResponseHeaders(Mapping[str, str]):
    """Headers, whose names ignore case. Several values of one name are joined by commas.

    Decoded once; httpx.Headers decodes all of them for each look-up.
    """

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._found: dict[str, str] = {}
        for name, value in raw:
            key, text = name.decode("ascii").lower(), _text(value)
            self._found[key] = f"{self._found[key]}, {text}" if key in self._found else text

    def __getitem__(self, name: str) -> str:
        return self._found[name.lower()]

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping; faster, since no exception is raised for a missing header."""
        return self._found.get(name.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def without(self, *names: str) -> "ResponseHeaders":
        """All but these."""
        return ResponseHeaders((k.encode(), v.encode()) for k, v in self.items() if k not in names)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class MediaStream:
    """One response: its `status`, its `headers` (names ignore case) and its bytes, once.

    `retry_after` is how many seconds the server asks to wait, if it does. Where the body is gzip,
    though that was not asked for, the decoded bytes are given; `headers` are then without encoding
    and length, and `checked_end` is true, since gzip marks where the body ends.
    """

    def __init__(self, status: int, headers: ResponseHeaders, url: str, body: Chunks) -> None:
        self.status = status
        self.headers: Mapping[str, str] = headers
        self.url = url
        self.retry_after: float | None = None
        self.checked_end = "chunked" in headers.get("transfer-encoding", "").lower()
        self._body = body

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes as they come.

        Raises MediaError; its code is `network` where a retry may help.
        """
        try:
            async with aclosing(self._body):
                async for chunk in self._body:
                    yield chunk
        except _NETWORK_ERRORS as error:
            raise _media_error(error) from error


class MediaClient:
    """Fetches from addresses that the guard allows, over a bounded number of connections.

    Where the `route` has a proxy, which resolves names, the guard checks what they resolve to here.
    `transport` replaces the network in tests; the guard then still checks URLs.
    """

    def __init__(
        self,
        guard: AddressGuard,
        clock: Clock,
        *,
        connections: int = 16,
        per_host: int = 8,
        route: Route = Route(),  # noqa: B008 — frozen
        transport: httpx.AsyncBaseTransport | None = None,
        backend: NetworkBackend | None = None,
    ) -> None:
        self._guard = guard
        self._clock = clock
        self._route = route
        self._names = NameCheck(guard) if route.proxy is not None else None
        if backend is None:
            backend = GuardedBackend(guard) if route.proxy is None else Sockets()
        self._transport = transport or Transport(
            connections=connections, per_host=per_host, backend=backend, route=route
        )

    @asynccontextmanager
    async def open(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[MediaStream]:
        """The answer to a GET, after at most five redirects; every hop is checked.

        `headers` may hold `Range` and `If-Range`. Raises MediaRefused for an address that is not
        allowed, MediaError for redirects that cannot be followed, for an unknown encoding and, with
        the code `network`, for what a retry may fix.
        """
        extra = dict(headers or {})
        if unknown := {name.lower() for name in extra} - _ALLOWED_HEADERS:
            raise ValueError(f"the media client sends no {', '.join(sorted(unknown))}")
        response, fields, target = await self._follow(url, extra)
        try:
            stream = await _stream(response, fields, target)
            stream.retry_after = retry_after(fields, self._clock.now())
            yield stream
        finally:
            await _close_response(response, fields)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> "MediaClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _follow(
        self, text: str, extra: Mapping[str, str]
    ) -> tuple[httpx.Response, ResponseHeaders, httpx.URL]:
        url = self._guard.check(text)
        seen = {url}
        while True:
            if self._names is not None:
                await self._names.check(url)
            try:
                response = await self._transport.handle_async_request(_request(url, extra))
            except httpx.HTTPError as error:
                raise self._error(error) from error
            fields = ResponseHeaders(response.headers.raw)
            locations = _locations(response) if response.status_code in _REDIRECTS else set()
            if not locations:
                return response, fields, url
            await _close_response(response, fields)
            url = self._redirect_target(url, locations)
            if url in seen or len(seen) > _MAX_REDIRECTS:
                raise MediaError(
                    "The redirects cannot be followed",
                    why=f"{url.host} redirects in a circle" if url in seen
                    else f"More than {_MAX_REDIRECTS} redirects, the last one to {url.host}",
                    code="redirects",
                )  # fmt: skip
            seen.add(url)

    def _error(self, error: httpx.HTTPError) -> MediaError:
        found = _media_error(error)
        found.hint = self._route.advice(
            certificate=found.code == "certificate", proxy=found.code == "proxy"
        )
        return found

    def _redirect_target(self, url: httpx.URL, locations: Collection[str]) -> httpx.URL:
        if len(locations) > 1:
            why = f"{url.host} sends two different Location headers"
            raise MediaError("The redirects cannot be followed", why=why, code="redirects")
        try:
            target = normalize_url(next(iter(locations)), str(url))
        except BadUrl as error:
            why = f"A redirect is malformed: {error}"
            raise MediaRefused("The address is not allowed", why=why) from None
        return self._guard.check(target, secure=url.scheme == "https")


def _locations(response: httpx.Response) -> set[str]:
    """The values of Location. Bytes that are not UTF-8 are percent-encoded, as browsers do."""
    found = set()
    for name, value in response.headers.raw:
        if name.lower() == b"location":
            try:
                found.add(value.decode())
            except UnicodeDecodeError:
                found.add("".join(chr(b) if b < 0x80 else f"%{b:02X}" for b in value))
    return found


def _request(url: httpx.URL, extra: Mapping[str, str]) -> httpx.Request:
    """A request with headers as bytes and an empty body: httpx is much faster with both."""
    headers = [(b"Host", url.netloc), *_HEADERS]
    headers += [(name.encode("ascii"), value.encode("ascii")) for name, value in extra.items()]
    timeouts = {"timeout": _TIMEOUTS}
    return httpx.Request("GET", url, headers=headers, stream=_EMPTY_BODY, extensions=timeouts)


async def _stream(response: httpx.Response, fields: ResponseHeaders, url: httpx.URL) -> MediaStream:
    """Raises MediaError for an encoding that is not known."""
    body, is_packed = _body(response), False
    try:
        if response.is_success and not is_plain(fields):
            is_packed, body = await peek_gzip(body)
    except _NETWORK_ERRORS as error:
        raise _media_error(error) from None
    if not is_packed:
        return MediaStream(response.status_code, fields, str(url), body)
    decoded = fields.without("content-encoding", "content-length", "accept-ranges")
    stream = MediaStream(response.status_code, decoded, str(url), gunzip(body))
    stream.checked_end = True
    return stream


async def _close_response(response: httpx.Response, fields: ResponseHeaders) -> None:
    """Close a response. A short error page is read first, so that the connection can be reused."""
    try:
        if not response.is_success and _is_short(fields.get("content-length", "")):
            with anyio.move_on_after(_DRAIN_SECONDS):
                async for _ in _body(response):
                    pass
    except httpx.HTTPError:
        pass  # the connection is closed instead
    finally:
        await response.aclose()


def _is_short(length: str) -> bool:
    return bool(_SHORT_LENGTH.fullmatch(length)) and int(length) <= _MAX_DRAINED


def _body(response: httpx.Response) -> Chunks:
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 — an async transport's answer
    return cast("Chunks", aiter(stream))


_NETWORK_ERRORS = (BadEncoding, httpx.HTTPError)


def _media_error(error: Exception) -> MediaError:
    """The MediaError for an error of the network. It never shows a URL."""
    code, why = "network", str(error) or type(error).__name__
    if isinstance(error, BadEncoding):
        code = "encoding"
    elif isinstance(error, httpx.TimeoutException):
        what = {httpx.ConnectTimeout: "connect", httpx.ReadTimeout: "answer"}.get(type(error))
        why = str(error) or f"The server did not {what or 'listen'} in time"
    elif is_certificate_error(error):
        code = "certificate"
    elif isinstance(error, ProxyRefused):
        code = "proxy"
    return MediaError("The file could not be fetched", why=why[:1].upper() + why[1:], code=code)
