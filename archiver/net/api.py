"""The client for one API: it has credentials, so it talks to one origin and follows no redirect."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast

import anyio
import httpx

from archiver.clock import Clock
from archiver.errors import ConfigError, RateLimited, SourceDown
from archiver.models import RateLimitPolicy, Response, timestamp
from archiver.net.addresses import is_local_name, is_public
from archiver.net.encoding import BadEncoding, gunzip, is_plain, peek_gzip
from archiver.net.proxy import Route
from archiver.net.retry import LONGEST_WAIT, backoff, is_certificate_error, retry_after
from archiver.net.sockets import Sockets
from archiver.net.transport import ProxyRefused, Transport
from archiver.secrets import redact, redact_bytes

OnWait = Callable[[float, str], None]
"""Called before every longer wait, with its seconds and the reason in plain words."""

USER_AGENT = "social-archiver"
_CONNECTIONS = 8
_TRIES = 3
_BACKOFF_BASE = 2.0
_LONGEST_PAUSE = 60.0
_WAITS = 2
_LONGEST_WAIT = 900.0
_TRANSIENT = frozenset({408, 425})
_OPENING = 300.0
_DEADLINE = 600.0
_TIMEOUTS = {"connect": 10.0, "read": 120.0, "write": 30.0, "pool": None}
_LARGEST_BODY = 64 * 1024 * 1024  # 5,000 posts of 13 kB each
_SHOWN = 200
_MOST_DIGITS = 12
_KEPT_HEADERS = frozenset({"date", "content-type", "content-length", "etag", "retry-after"})


def api_client(
    source: str,
    base_url: str,
    *,
    clock: Clock,
    on_wait: OnWait | None = None,
    rate_limit: RateLimitPolicy = RateLimitPolicy(),  # noqa: B008 — frozen
    route: Route = Route(),  # noqa: B008 — frozen
    transport: httpx.AsyncBaseTransport | None = None,
) -> "ApiClient":
    """A client for the API below `base_url`; `source` names it in messages and responses.

    The base URL is the operator's word, so no address is refused, but a key is sent in the clear
    only within the operator's own network. `route` is the way out; `transport` replaces the network
    in tests. Raises ConfigError.
    """
    return ApiClient(
        source,
        _base(source, base_url),
        clock=clock,
        on_wait=on_wait,
        rate_limit=rate_limit,
        route=route,
        transport=transport
        or Transport(
            connections=_CONNECTIONS, per_host=_CONNECTIONS, backend=Sockets(), route=route
        ),
    )


@dataclass(slots=True)
class _Lane:
    """The requests that share a rate limit; `open_at`, by the monotonic clock, ends their pause."""

    open_at: float = 0.0


class _Retry(Exception):
    """A try failed that is worth a retry, after `wait` seconds; `error` is what the last raises."""

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
    ) -> None:
        self._source = source
        self._base = base
        self._clock = clock
        self._on_wait = on_wait
        self._rate_limit = rate_limit
        self._route = route
        self._transport = transport
        self._lanes: dict[str, _Lane] = {}

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
    ) -> Response:
        """The answer to one GET below the base URL; see `archiver.hookspecs.Http`.

        Raises SourceDown, for a redirect too, and RateLimited.
        """
        request = self._request(path, params or {}, headers or {})
        limited = self._lanes.setdefault(lane, _Lane())
        waits = 0
        while True:
            await self._wait_for(limited)
            response = await self._answer(request)
            if response.status != 429:
                self._pace(limited, response.headers)
                return response
            waits += 1
            if waits > _WAITS:
                raise RateLimited(
                    f"{self._source} still answers 429 after {_WAITS} waits",
                    why=_excerpt(response.body),
                    hint="Run again later, or less often",
                )
            self._wait_out(limited, response)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> "ApiClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _request(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> httpx.Request:
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
            return httpx.Request("GET", url, headers=fields, extensions=timeout)
        except (httpx.InvalidURL, UnicodeEncodeError):
            raise self._unwritable(path) from None

    def _unwritable(self, path: str) -> SourceDown:
        """What is wrong is not shown: it may be a secret that no header can hold."""
        return SourceDown(
            f"{self._source}: the request for {redact(path)} cannot be written",
            why="A parameter or a header has characters that HTTP does not allow",
            hint="Look for a line break or a typographic character in the secrets",
            code="request",
        )

    async def _wait_for(self, lane: _Lane) -> None:
        """Wait until the lane is open; another request of the lane may close it meanwhile."""
        while (seconds := lane.open_at - self._clock.monotonic()) > 0:
            await self._clock.sleep(seconds)

    def _wait_out(self, lane: _Lane, response: Response) -> None:
        """Close the lane for as long as a 429 says.

        Raises RateLimited where that is too long: asking sooner is of no use.
        """
        asked = retry_after(response.headers, self._clock.now())
        if asked is not None and asked > _LONGEST_WAIT:
            more = " or more" if asked >= LONGEST_WAIT else ""
            raise RateLimited(
                f"{self._source} asks for a pause of {asked / 60:.0f} min{more} (429)",
                why=_excerpt(response.body),
                hint="Run again after that, or less often",
            )
        seconds = self._rate_limit.window if asked is None else max(asked, 1.0)
        self._hold(lane, seconds, f"{self._source} asks for a pause (429)")

    def _pace(self, lane: _Lane, headers: Mapping[str, str]) -> None:
        """Spread what is left of the quota over its window, once nine tenths are used."""
        policy = self._rate_limit
        most = _count(headers, policy.limit)
        left = _count(headers, policy.remaining)
        if left is None and (used := _count(headers, policy.used)) is not None and most:
            left = max(most - used, 0)
        if most and left is not None and left * 10 <= most:
            seconds = policy.window / (left + 1)
            self._hold(lane, seconds, f"{self._source}: the quota is nearly used up")

    def _hold(self, lane: _Lane, seconds: float, why: str) -> None:
        lane.open_at = max(lane.open_at, self._clock.monotonic() + seconds)
        if self._on_wait is not None:
            self._on_wait(seconds, why)

    async def _answer(self, request: httpx.Request) -> Response:
        """One answer, after a few retries. Raises SourceDown after the last."""
        failures = 0
        while True:
            try:
                return await self._try(request)
            except _Retry as trouble:
                failures += 1
                if failures >= _TRIES:
                    raise trouble.error from trouble
                asked = min(trouble.wait or 0.0, _LONGEST_PAUSE)
                await self._clock.sleep(max(asked, backoff(failures, base=_BACKOFF_BASE)))

    async def _try(self, request: httpx.Request) -> Response:
        limit = f"Nothing came for {_OPENING:.0f} s"
        try:
            with anyio.fail_after(_OPENING):  # interim answers can go on for ever
                answer = await self._transport.handle_async_request(request)
            limit = f"It was not complete after {_DEADLINE:.0f} s"
            try:
                with anyio.fail_after(_DEADLINE):  # and so can what gives no bytes
                    body = await self._read(answer)
            finally:
                await answer.aclose()
        except TimeoutError:
            raise _Retry(self._down("answers too slowly", limit)) from None
        except BadEncoding as error:
            raise _Retry(self._down("sent a damaged answer", str(error), "encoding")) from None
        except httpx.LocalProtocolError:
            raise self._unwritable(request.url.path) from None
        except httpx.HTTPError as error:
            down = self._down("cannot be reached", str(error) or type(error).__name__)
            is_certificate = is_certificate_error(error)
            if is_certificate or isinstance(error, ProxyRefused):
                down.code = "certificate" if is_certificate else "proxy"
                down.hint = self._route.advice(certificate=is_certificate, proxy=not is_certificate)
                raise down from error
            raise _Retry(down) from error
        if 300 <= answer.status_code < 400:
            target = redact(answer.headers.get("location", "nowhere")).partition("?")[0][:_SHOWN]
            why = f"It points to {target}"
            raise self._down("redirects, which is not followed", why, "redirect")
        if answer.status_code >= 500 or answer.status_code in _TRANSIENT:
            down = self._down(f"answers {answer.status_code}", _excerpt(body), "server_error")
            raise _Retry(down, retry_after(answer.headers, self._clock.now()))
        return Response(
            source=self._source,
            url=redact(str(request.url)),
            status=answer.status_code,
            headers=self._kept(answer.headers),
            body=redact_bytes(body),
            received_at=timestamp(self._clock.now()) or "",
        )

    def _kept(self, headers: httpx.Headers) -> dict[str, str]:
        policy = self._rate_limit
        names = _KEPT_HEADERS | {policy.limit, policy.used, policy.remaining}
        return {name: redact(value) for name, value in headers.items() if name in names}

    async def _read(self, answer: httpx.Response) -> bytes:
        stream = answer.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 — an async transport's
        body = cast("AsyncGenerator[bytes, None]", aiter(stream))
        is_packed = False
        if not is_plain(answer.headers):
            is_packed, body = await peek_gzip(body)
        pieces: list[bytes] = []
        size = 0
        async with aclosing(gunzip(body) if is_packed else body) as chunks:
            async for chunk in chunks:
                pieces.append(chunk)
                size += len(chunk)
                if size > _LARGEST_BODY:
                    limit = f"It is larger than {_LARGEST_BODY:,} bytes"
                    raise self._down("sent an answer that is too large", limit, "too_large")
        return b"".join(pieces)

    def _down(self, what: str, why: str, code: str | None = None) -> SourceDown:
        return SourceDown(
            f"{self._source} ({self._base.host}) {what}",
            why=redact(why[:1].upper() + why[1:]),
            hint="Try again later; if it lasts, look at base_url and the source's own status page",
            code=code,
        )


def _base(source: str, text: str) -> httpx.URL:
    key = f"[{source}] base_url"
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as error:
        raise ConfigError(f"{key} is not a URL", why=str(error)) from None
    if url.scheme not in {"https", "http"} or not url.host or url.userinfo:
        raise ConfigError(f"{key} must look like https://api.example.com/api")
    if url.query or url.fragment:
        raise ConfigError(f"{key} must not have a query or a fragment")
    if url.scheme == "http" and not _is_local(url.host):
        raise ConfigError(
            f"{key} is http, so anybody on the way could read the key", hint="Use https"
        )
    return url


def _is_local(host: str) -> bool:
    """Whether a host is on the operator's own network, as far as its name tells."""
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return is_local_name(host)


def _count(headers: Mapping[str, str], name: str) -> int | None:
    """The number in a header, if it is one that can be meant."""
    text = headers.get(name, "") if name else ""
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else None


def _excerpt(body: bytes) -> str:
    """The beginning of a body on one line, for a message."""
    text = " ".join(body[:4096].decode(errors="replace").split())
    # what cannot be seen goes first: it could stand between the letters of a secret
    return redact("".join(letter for letter in text if letter.isprintable()))[:_SHOWN]
