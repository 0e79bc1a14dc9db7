"""Middleware around Datasette: which host names are served, and the security headers.

The host check, and headers on Datasette's own pages, are on only under `archiver browse`. With a
plain `datasette archive.db` only the cache headers of files are set here.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from archiver.media.serving import CACHE_FOREVER

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

TILE_TAG = '"tile"'
"""The entity tag of the placeholder for a thumbnail; not cached, since one may be made later."""

_FILES = re.compile(r"/-/(media/[0-9a-f]{64}|thumb/[sml]/[0-9a-f]{64}|archiver/[0-9a-f]{12}/)")
_TABLES_POLICY = (
    b"default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; media-src 'self'; connect-src 'self'; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'"
)
_SAFE = {b"x-content-type-options": b"nosniff", b"referrer-policy": b"no-referrer"}


def guarded(app: App, hosts: frozenset[str] | None) -> App:
    """Wrap the application. With `hosts`, only requests to these host names are served.

    This stops DNS rebinding: a web page elsewhere could have its own name resolve to 127.0.0.1 and
    read what is served there, but its requests carry that name in their Host header.
    """

    async def wrapper(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if hosts is not None and _host(scope) not in hosts:
            await _refuse(send)
            return
        is_file = _FILES.search(scope["path"]) is not None

        async def with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _headers(message, is_file, hosts is not None)}
            await send(message)

        await app(scope, receive, with_headers)

    return wrapper


def _headers(message: dict[str, Any], is_file: bool, strict: bool) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower(), value) for name, value in message["headers"]]
    names = {name for name, _ in headers}
    is_immutable = is_file and b"etag" in names and (b"etag", TILE_TAG.encode()) not in headers
    if is_immutable and message["status"] in {200, 206, 304}:
        # these never change; Datasette forbids caching whenever there is a cookie
        headers = [(name, value) for name, value in headers if name != b"cache-control"]
        headers.append((b"cache-control", CACHE_FOREVER.encode()))
    if strict:
        if b"content-security-policy" not in names:
            headers.append((b"content-security-policy", _TABLES_POLICY))
        headers += [(name, value) for name, value in _SAFE.items() if name not in names]
    return headers


def _host(scope: dict[str, Any]) -> str:
    """The host name in the Host header, without its port."""
    value = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return re.sub(r":\d+$", "", value.decode("latin-1")).lower()


async def _refuse(send: Any) -> None:
    body = (
        b"This archive is served only to this machine, under the names localhost and 127.0.0.1.\n"
    )
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": body})
