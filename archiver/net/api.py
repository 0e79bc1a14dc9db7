"""The client for one API. It sends credentials, so it has one origin and follows no redirect.

Only where a server named the address, and nothing secret is sent, is a redirect followed, and each
address is then checked as those of media are.
"""

import json as json_format
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode

import anyio
import httpx
from msgspec import Struct

from archiver.clock import Clock
from archiver.errors import ConfigError, MediaRefused, RateLimited, SourceDown
from archiver.models import QueryParams, RateLimitPolicy, Response, timestamp
from archiver.net.addresses import is_local_name, is_public
from archiver.net.encoding import BadEncoding, Chunks, gunzip, is_plain, peek_gzip
from archiver.net.guard import AddressGuard, GuardedBackend, NameCheck
from archiver.net.proxy import ProxyRefused, Route
from archiver.net.rates import HEADERS as RATE_HEADERS
from archiver.net.rates import Quota, SharedLimits, quota_of
from archiver.net.retry import LONGEST_WAIT, backoff, is_certificate_error, retry_after
from archiver.net.sockets import Sockets
from archiver.net.transport import Transport
from archiver.secrets import redact, redact_bytes
from archiver.urls import BadUrl, normalize_url

OnWait = Callable[[float, str], None]
"""Called before every longer wait, with its seconds and the reason in plain words."""

USER_AGENT = "social-archiver"
_CONNECTIONS = 8
_MAX_TRIES = 3
_BACKOFF_BASE = 2.0
_MAX_RETRY_WAIT = 60.0
_MAX_429_WAITS = 2
_MAX_429_WAIT = 900.0
_TRANSIENT = frozenset({408, 425})
_HEADERS_SECONDS = 300.0
_BODY_SECONDS = 600.0
_TIMEOUTS = {"connect": 10.0, "read": 120.0, "write": 30.0, "pool": None}
_LARGEST_BODY = 64 * 1024 * 1024  # 5,000 posts of 13 kB each
_IN_MEMORY = 16 * 1024 * 1024  # of a body that goes to a file
_EXCERPT_LENGTH = 200
_DOWN = "Try again later; if it lasts, look at the account's settings and the source's status page"
_DISCOVERED_DOWN = "Try again later; if it lasts, look at the account's handle and that server"
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEPT_HEADERS = RATE_HEADERS | {
    "date", "content-type", "content-length", "etag", "last-modified", "link", "retry-after",
}  # fmt: skip


def api_client(
    source: str,
    base_url: str,
    *,
    clock: Clock,
    on_wait: OnWait | None = None,
    rate_limit: RateLimitPolicy = RateLimitPolicy(),  # noqa: B008 — frozen
    route: Route = Route(),  # noqa: B008 — frozen
    guard: AddressGuard | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    shared: SharedLimits | None = None,
) -> "ApiClient":
    """A client for the API below `base_url`; `source` names it in messages and responses.

    Without a `guard`, the base URL comes from the config, so no address is refused; plain http is
    allowed only within a local network, since a key could be read on the way. With one, the address
    comes from a server, and is checked as those of media are. `route` is the proxy, if any;
    `transport` replaces the network in tests; `shared` counts the requests of other programs too.
    Raises ConfigError; SourceDown for an address of a server that is not allowed.
    """
    if transport is None:
        is_guarded = guard is not None and route.proxy is None
        transport = Transport(
            connections=_CONNECTIONS, per_host=_CONNECTIONS, route=route,
            backend=GuardedBackend(guard) if guard is not None and is_guarded else Sockets(),
        )  # fmt: skip
    base = _base(source, base_url) if guard is None else _discovered(source, base_url, guard)
    return ApiClient(
        source, base, clock=clock, on_wait=on_wait, rate_limit=rate_limit, route=route,
        transport=transport, guard=guard, shared=shared,
    )  # fmt: skip


@dataclass(slots=True)
class _Lane:
    """Requests that share a rate limit. `paused_until` is a time of the monotonic clock.

    `asked` of them were made since `since`, the beginning of the window that is counted here.
    `most` are allowed in a window, as the source said at last.
    """

    paused_until: float = 0.0
    since: float = 0.0
    asked: int = 0
    most: int | None = None


class ApiFile(Struct, frozen=True):
    """An `archiver.hookspecs.FileResponse`; see there."""

    response: Response
    file: BinaryIO
    size: int


class _Sink(Struct, frozen=True):
    """Where a body goes: `file`, of at most `max_size` bytes; None for memory."""

    file: BinaryIO | None
    max_size: int


class _Retry(Exception):
    """A request failed and may be retried, after `wait` seconds; the last one raises `error`."""

    def __init__(self, error: SourceDown, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class ApiClient:
    """An `archiver.hookspecs.Http`; see there."""

    def __init__(
        self,
        source: str,
        base: httpx.URL,
        *,
        clock: Clock,
        on_wait: OnWait | None,
        rate_limit: RateLimitPolicy,
        route: Route,
        transport: httpx.AsyncBaseTransport,
        guard: AddressGuard | None = None,
        shared: SharedLimits | None = None,
    ) -> None:
        self._source = source
        self._base = base
        self._clock = clock
        self._on_wait = on_wait
        self._rate_limit = rate_limit
        self._route = route
        self._transport = transport
        self._guard = guard
        self._shared = shared
        self._names = NameCheck(guard) if guard is not None and route.proxy is not None else None
        self._lanes: dict[str, _Lane] = {}

    async def get(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
    ) -> Response:
        """The answer to one GET below the base URL; see `archiver.hookspecs.Http`.

        Raises SourceDown, for a redirect too, and RateLimited.
        """
        request = self._request("GET", path, params or {}, headers or {})
        return await self._ask(request, lane, _in_memory(), may_follow=not headers)

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
        max_size: int = _LARGEST_BODY,
    ) -> Response:
        """The answer to one POST below the base URL; see `archiver.hookspecs.Http`.

        Raises SourceDown, for a redirect and for an answer of more than `max_size` bytes too, and
        RateLimited.
        """
        kind, body = "application/octet-stream", content or b""
        if json is not None:
            kind, body = "application/json", json_format.dumps(json).encode()
        elif form is not None:
            kind, body = "application/x-www-form-urlencoded", urlencode(form).encode()
        fields = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
        request = self._request("POST", path, params or {}, fields, body)
        return await self._ask(request, lane, _Sink(None, max_size))

    @asynccontextmanager
    async def get_file(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
        max_size: int = 4_000_000_000,
    ) -> AsyncIterator[ApiFile]:
        """The answer to one GET whose body goes to a file; see `archiver.hookspecs.Http`.

        Raises SourceDown, for a redirect too, and RateLimited.
        """
        request = self._request("GET", path, params or {}, headers or {})
        with SpooledTemporaryFile(max_size=_IN_MEMORY, prefix="archiver-") as spooled:
            file = cast("BinaryIO", spooled)
            response = await self._ask(request, lane, _Sink(file, max_size), may_follow=not headers)
            size = file.tell()
            file.seek(0)
            yield ApiFile(response, file, size)

    async def _ask(
        self, request: httpx.Request, lane: str, sink: _Sink, *, may_follow: bool = False
    ) -> Response:
        """The answer to a request, after as many waits as its lane demands."""
        limited = self._lanes.setdefault(lane, _Lane())
        waits = 0
        while True:
            await self._wait_for(limited)
            await self._reserve(lane, limited)
            self._count(limited)
            answer = await self._request_with_retries(request, sink, may_follow=may_follow)
            if answer.status != 429:
                self._throttle(limited, answer.headers)
                return answer
            waits += 1
            if waits > _MAX_429_WAITS:
                raise RateLimited(
                    f"{self._source} still answers 429 after {_MAX_429_WAITS} waits",
                    why=_excerpt(_beginning(answer, sink)),
                    hint="Run again later, or less often",
                )
            await self._pause_after_429(lane, answer, sink)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> "ApiClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _request(
        self, method: str, path: str, params: QueryParams, headers: Mapping[str, str],
        body: bytes = b"",
    ) -> httpx.Request:  # fmt: skip
        try:
            url = self._base.copy_with(path=f"{self._base.path.rstrip('/')}/{path.lstrip('/')}")
            if params:
                url = url.copy_merge_params(params)
            fields = {
                "Host": url.netloc.decode("ascii"),
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                **headers,
            }
            timeout = {"timeout": _TIMEOUTS}
            stream = httpx.ByteStream(body)
            return httpx.Request(method, url, headers=fields, stream=stream, extensions=timeout)
        except (httpx.InvalidURL, UnicodeEncodeError):
            raise self._invalid_request(path) from None

    def _invalid_request(self, path: str) -> SourceDown:
        """The error of an invalid request. Its text is not shown: it may contain a secret."""
        return SourceDown(
            f"{self._source}: the request for {redact(path)} is not valid HTTP",
            why="A parameter or a header has characters that HTTP does not allow",
            hint="Look for a line break or a typographic character in the secrets",
            code="request",
        )

    async def _wait_for(self, lane: _Lane) -> None:
        """Wait while the lane is paused; another request of the lane may prolong that."""
        while (seconds := lane.paused_until - self._clock.monotonic()) > 0:
            await self._clock.sleep(seconds)

    async def _reserve(self, lane: str, limited: _Lane) -> None:
        """Reserve a request among all programs that share the limit, and wait until it may be made.

        Raises RateLimited where that is too long for one run.
        """
        if self._shared is None:
            return
        policy = self._rate_limit
        most = limited.most if policy.requests is None else policy.requests
        seconds = await self._shared.reserve(self._key(lane), most, policy.window, _MAX_429_WAIT)
        if seconds > _MAX_429_WAIT:
            raise RateLimited(
                f"{self._source}: the requests of the next {seconds / 60:.0f} min are taken",
                why="Other workers use the same limit",
                hint="It is tried again later",
            )
        if seconds > 0:
            if self._on_wait is not None:
                self._on_wait(seconds, f"{self._source}: other workers use the same limit")
            await self._clock.sleep(seconds)

    def _key(self, lane: str) -> str:
        """What names a limit: the source, its server, and the lane."""
        return f"{self._source} {self._base.host} {lane}".rstrip()

    def _count(self, lane: _Lane) -> None:
        """Count a request, and slow its lane down where the source does not say its limit."""
        policy, now = self._rate_limit, self._clock.monotonic()
        if policy.requests is None:
            return
        if not lane.asked or now - lane.since >= policy.window:
            lane.since, lane.asked = now, 0
        lane.asked += 1
        rest = lane.since + policy.window - now
        self._slow_down(lane, Quota(max(policy.requests - lane.asked, 0), policy.requests, rest))

    async def _pause_after_429(self, lane: str, answer: Response, sink: _Sink) -> None:
        """Pause the lane for as long as a 429 asks, for all programs that share its limit.

        Raises RateLimited where that is too long for one run.
        """
        asked = retry_after(answer.headers, self._clock.now())
        if asked is None:
            quota = quota_of(answer.headers, self._rate_limit, self._clock.now())
            asked = quota.reset if quota else None
        seconds = self._rate_limit.window if asked is None else max(asked, 1.0)
        if self._shared is not None:
            await self._shared.pause(self._key(lane), min(seconds, LONGEST_WAIT))
        if asked is not None and asked > _MAX_429_WAIT:
            more = " or more" if asked >= LONGEST_WAIT else ""
            raise RateLimited(
                f"{self._source} asks for a pause of {min(asked, LONGEST_WAIT) / 60:.0f} min{more} "
                "(429)",
                why=_excerpt(_beginning(answer, sink)),
                hint="Run again after that, or less often",
            )
        self._pause(self._lanes[lane], seconds, f"{self._source} asks for a pause (429)")

    def _throttle(self, lane: _Lane, headers: Mapping[str, str]) -> None:
        """Slow down as an answer says."""
        quota = quota_of(headers, self._rate_limit, self._clock.now())
        if quota is not None:
            lane.most = quota.most or lane.most
            self._slow_down(lane, quota)

    def _slow_down(self, lane: _Lane, quota: Quota) -> None:
        """Spread what is left of a quota over the time to its reset, once nine tenths are used."""
        if quota.is_low:
            rest = self._rate_limit.window if quota.reset is None else quota.reset
            seconds = min(rest / (quota.left + 1), _MAX_429_WAIT)
            self._pause(lane, seconds, f"{self._source}: the quota is nearly used up")

    def _pause(self, lane: _Lane, seconds: float, why: str) -> None:
        lane.paused_until = max(lane.paused_until, self._clock.monotonic() + seconds)
        if self._on_wait is not None:
            self._on_wait(seconds, why)

    async def _request_with_retries(
        self, request: httpx.Request, sink: _Sink, *, may_follow: bool
    ) -> Response:
        """One response, with retries. Raises SourceDown after the last."""
        failures = 0
        most = _MAX_TRIES if request.method == "GET" else 1
        while True:
            try:
                return await self._try(request, sink, may_follow=may_follow)
            except _Retry as retry:
                failures += 1
                if failures >= most:
                    raise retry.error from retry
                asked = min(retry.wait or 0.0, _MAX_RETRY_WAIT)
                await self._clock.sleep(max(asked, backoff(failures, base=_BACKOFF_BASE)))

    async def _try(self, request: httpx.Request, sink: _Sink, *, may_follow: bool) -> Response:
        limit = f"Nothing came for {_HEADERS_SECONDS:.0f} s"
        try:
            async with AsyncExitStack() as stack:
                # a server could send interim responses for ever
                with anyio.fail_after(_HEADERS_SECONDS):
                    answer, request = await self._follow(request, may_follow=may_follow)
                stack.push_async_callback(answer.aclose)
                limit = f"It was not complete after {_BODY_SECONDS:.0f} s"
                # … and compressed data that decodes to nothing
                with anyio.fail_after(_BODY_SECONDS):
                    body = await self._read(answer, sink)
        except TimeoutError:
            raise _Retry(self._source_down("answers too slowly", limit)) from None
        except BadEncoding as error:
            raise _Retry(
                self._source_down("sent a damaged answer", str(error), "encoding")
            ) from None
        except MediaRefused as error:
            raise self._not_allowed(error) from None
        except httpx.LocalProtocolError:
            raise self._invalid_request(request.url.path) from None
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if 300 <= answer.status_code < 400:
            target = redact(answer.headers.get("location", "nowhere")).partition("?")[0][
                :_EXCERPT_LENGTH
            ]
            why = f"It points to {target}"
            raise self._source_down("redirects, which is not followed", why, "redirect")
        response = Response(
            source=self._source,
            url=redact(str(request.url)),
            status=answer.status_code,
            headers=self._kept_headers(answer.headers),
            body=redact_bytes(body),
            received_at=timestamp(self._clock.now()) or "",
        )
        if response.status >= 500 or response.status in _TRANSIENT:
            excerpt = _excerpt(_beginning(response, sink))
            down = self._source_down(f"answers {response.status}", excerpt, "server_error")
            raise _Retry(down, retry_after(answer.headers, self._clock.now()))
        return response

    async def _follow(
        self, request: httpx.Request, *, may_follow: bool
    ) -> tuple[httpx.Response, httpx.Request]:
        """An answer, and the request that it is for: the last one, where redirects are followed."""
        seen = {request.url}
        while True:
            if self._names is not None:
                await self._names.check(request.url)
            answer = await self._transport.handle_async_request(request)
            location = answer.headers.get("location")
            is_redirect = answer.status_code in _REDIRECTS and location is not None
            if self._guard is None or not may_follow or not is_redirect:
                return answer, request
            await answer.aclose()
            url = self._next(request.url, location)
            if url in seen or len(seen) > _MOST_REDIRECTS:
                raise self._source_down(
                    "redirects for ever", f"The last one was to {url.host}", "redirect"
                )
            seen.add(url)
            headers = {**request.headers, "Host": url.netloc.decode("ascii")}
            extensions = request.extensions
            request = httpx.Request("GET", url, headers=headers, extensions=extensions)

    def _next(self, url: httpx.URL, location: str) -> httpx.URL:
        """Where a redirect leads to. Raises MediaRefused, SourceDown."""
        assert self._guard is not None  # noqa: S101 — redirects are followed with a guard only
        try:
            target = normalize_url(location, str(url))
        except BadUrl as error:
            raise self._source_down("redirects to no address", str(error), "redirect") from None
        return self._guard.check(target, secure=url.scheme == "https")

    def _unreachable(self, error: httpx.HTTPError) -> Exception:
        """What to raise for an error of the connection: a retry, if that may help."""
        down = self._source_down("cannot be reached", str(error) or type(error).__name__)
        is_certificate = is_certificate_error(error)
        if is_certificate or isinstance(error, ProxyRefused):
            down.code = "certificate" if is_certificate else "proxy"
            down.hint = self._route.advice(certificate=is_certificate, proxy=not is_certificate)
            return down
        return _Retry(down)

    def _not_allowed(self, error: MediaRefused) -> SourceDown:
        return _refused(self._source, str(self._base.host), error)

    def _kept_headers(self, headers: httpx.Headers) -> dict[str, str]:
        policy = self._rate_limit
        names = _KEPT_HEADERS | {policy.limit, policy.used, policy.remaining, policy.reset}
        return {name: redact(value) for name, value in headers.items() if name in names}

    async def _read(self, answer: httpx.Response, sink: _Sink) -> bytes:
        """The body; empty where it goes to a file."""
        stream = answer.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 — an async transport's
        body = cast("Chunks", aiter(stream))
        is_packed = False
        if not is_plain(answer.headers):
            is_packed, body = await peek_gzip(body)
        pieces: list[bytes] = []
        size = 0
        if sink.file is not None:
            sink.file.seek(0)
            sink.file.truncate()
        async with aclosing(gunzip(body) if is_packed else body) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > sink.max_size:
                    limit = f"It is larger than {sink.max_size:,} bytes"
                    raise self._source_down("sent an answer that is too large", limit, "too_large")
                if sink.file is None:
                    pieces.append(chunk)
                else:
                    sink.file.write(chunk)
        return b"".join(pieces)

    def _source_down(self, what: str, why: str, code: str | None = None) -> SourceDown:
        return SourceDown(
            f"{self._source} ({self._base.host}) {what}",
            why=redact(why[:1].upper() + why[1:]),
            hint=_DOWN if self._guard is None else _DISCOVERED_DOWN,
            code=code,
        )


def _base(source: str, text: str) -> httpx.URL:
    """A base URL from the config, in which a source may have several, each by a name of its own."""
    # what stands before an @ or behind a ? may be a secret
    shown = "" if "@" in text else f' "{redact(text.partition("?")[0])[:_EXCERPT_LENGTH]}"'
    where = f"{source}: the address{shown} in the config"
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as error:
        raise ConfigError(f"{where} is not a URL", why=str(error)) from None
    if url.scheme not in {"https", "http"} or not url.host or url.userinfo:
        raise ConfigError(f"{where} must look like https://api.example.com/api")
    if url.query or url.fragment:
        raise ConfigError(f"{where} must not have a query or a fragment")
    if url.scheme == "http" and not _is_local_host(url.host):
        raise ConfigError(f"{where} is http, so the key could be read on the way", hint="Use https")
    return url


def _is_local_host(host: str) -> bool:
    """Whether a host is in a local network, by its address or its name."""
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return is_local_name(host)


def _discovered(source: str, text: str, guard: AddressGuard) -> httpx.URL:
    """A base URL that a server named. Raises SourceDown."""
    try:
        url = guard.check(text)
    except MediaRefused as error:
        raise _refused(source, redact(text)[:_EXCERPT_LENGTH], error) from None
    return url.copy_with(query=None)


def _refused(source: str, where: str, error: MediaRefused) -> SourceDown:
    return SourceDown(
        f"{source}: {where} is not an address that may be asked",
        why=error.why,
        hint=error.hint,
        code="address",
    )


def _in_memory() -> _Sink:
    return _Sink(None, _LARGEST_BODY)


def _beginning(answer: Response, sink: _Sink) -> bytes:
    """The first bytes of a body, wherever it went."""
    if sink.file is None:
        return answer.body
    sink.file.seek(0)
    return sink.file.read(4096)


def _excerpt(body: bytes) -> str:
    """The beginning of a body on one line, for a message."""
    text = " ".join(body[:4096].decode(errors="replace").split())
    # invisible characters are removed first: they could split a secret that is to be masked
    return redact("".join(letter for letter in text if letter.isprintable()))[:_EXCERPT_LENGTH]
