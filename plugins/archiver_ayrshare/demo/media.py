"""The media server of a world: real files, signed addresses, ranges, and faults on demand."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from archiver import AsgiReceive, AsgiScope, AsgiSend
from archiver_ayrshare.demo import signing
from archiver_ayrshare.demo.faults import MediaFault, MediaRequest
from archiver_ayrshare.demo.logs import MediaLog
from archiver_ayrshare.demo.posts import WorldFile
from archiver_ayrshare.demo.world import World
from archiver_ayrshare.emulation.wire import headers_of, params_of

_CHUNK = 64 * 1024
_SLOW_CHUNK = 16 * 1024
_WEB_PAGE = b"<!doctype html><title>Sorry</title><p>This content is not available right now.</p>"


@dataclass(slots=True)
class Reply:
    """The status, headers and body of an answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Aborted(Exception):
    """Raised to make the server break off an answer, as a fault asks."""


class MediaServer:
    """An ASGI application over the files of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: AsgiScope, _receive: AsgiReceive, send: AsgiSend) -> None:
        """Answer one request, and log it."""
        headers = headers_of(scope)
        request = MediaRequest(
            scope["method"], headers.get("host", ""), scope["path"], dict(params_of(scope)), headers
        )
        with self._world.lock:
            log = MediaLog(
                self._world.now(), request.method, request.host, request.path, request.params,
                headers,
            )  # fmt: skip
            self._world.media_requests.append(log)
            fault = self._world.faults.take_media(request) or MediaFault()
            reply = self._reply(request, fault)
        log.status = reply.status
        await _send(reply, fault, log, send)

    def _reply(self, request: MediaRequest, fault: MediaFault) -> Reply:
        return _fault_reply(fault) or self._regular_reply(request, fault)

    def _regular_reply(self, request: MediaRequest, fault: MediaFault) -> Reply:
        if request.method != "GET":
            return _text_reply(405, "Only GET.")
        file = self._world.files.get(request.path)
        if file is None:
            return _text_reply(404, "No such file.")
        if not self._is_signed(file, request.params):
            return _text_reply(403, "URL signature mismatch or expired.")
        if file.status != 200:
            return _text_reply(file.status, "It was here once.")
        return self._file(file, request.headers, fault)

    def _is_signed(self, file: WorldFile, params: Mapping[str, str]) -> bool:
        world = self._world
        scheme = file.media.post.account.network.scheme if file.media else "plain"
        return signing.is_valid(
            scheme, file.path, params, now=world.now(), oldest=world.oldest_generation
        )

    def _file(self, file: WorldFile, asked: Mapping[str, str], fault: MediaFault) -> Reply:
        body = fault.body if fault.body is not None else self._world.fixtures.get(file.recipe)
        etag = fault.etag or f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {
            "accept-ranges": "bytes",
            "cache-control": "max-age=1209600",
            "content-type": fault.content_type or file.recipe.content_type,
            "etag": etag,
            **fault.headers,
        }
        if fault.no_etag:
            del headers["etag"]
        reply = Reply(200, body, headers)
        wanted = asked.get("range")
        if wanted and not fault.no_range and asked.get("if-range", etag) == etag:
            _apply_range(reply, wanted)
        return reply


def _fault_reply(fault: MediaFault) -> Reply | None:
    """The reply that a fault sends in place of the file; None where it sends the file."""
    if fault.location is not None:
        return Reply(fault.status or 302, b"", {"location": fault.location})
    if fault.status is not None:
        return _text_reply(fault.status, "Out of order.", fault.headers)
    if fault.html:
        return Reply(200, _WEB_PAGE, {"content-type": "text/html; charset=utf-8"})
    return None


def _apply_range(reply: Reply, wanted: str) -> None:
    """Reduce a reply to one range of bytes; it stays whole for several ranges or an invalid one."""
    size = len(reply.body)
    unit, _, span = wanted.partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not dash or not all(p.isdigit() or not p for p in (first, last)):
        return
    if not (first or last) or (first and last and int(last) < int(first)):
        return
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= size:
        reply.status, reply.body = 416, b""
        reply.headers["content-range"] = f"bytes */{size}"
        return
    reply.status, reply.body = 206, reply.body[start:end]
    reply.headers["content-range"] = f"bytes {start}-{end - 1}/{size}"


def _text_reply(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, text.encode(), {"content-type": "text/plain", **(headers or {})})


async def _send(reply: Reply, fault: MediaFault, log: MediaLog, send: AsgiSend) -> None:
    headers = dict(reply.headers)
    if not fault.no_length:
        headers["content-length"] = str(len(reply.body))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    body = reply.body if fault.cut is None else reply.body[: fault.cut]
    step = _SLOW_CHUNK if fault.delay else _CHUNK
    for start in range(0, len(body), step):
        if fault.delay:
            await asyncio.sleep(fault.delay)
        chunk = body[start : start + step]
        # before it is sent: a client that has the bytes may read the log at once
        log.sent += len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if fault.cut is not None:
        raise Aborted
    await send({"type": "http.response.body", "body": b"", "more_body": False})
