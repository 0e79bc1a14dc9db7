"""Media files over HTTP (RFC 9110), for `browse` and for `serve`.

No text of a request is used as a path: a request names a hash, the row of that hash has the path,
and the path must be that of the hash. Types that a browser must not render are sent as downloads.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from io import RawIOBase
from typing import Any, Protocol
from urllib.parse import quote

import anyio
from anyio import to_thread

from archiver.errors import StorageError
from archiver.media.store import ByteRange, MediaStore, hash_in_path

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

CACHE_FOREVER = "private, max-age=31536000, immutable"
SANDBOX_CSP = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; sandbox"
)
_INLINE = re.compile(r"(image|video|audio)/(?!svg)[a-z0-9.+-]+|text/vtt")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)
_CHUNK = 256 * 1024


class ServableFile(Protocol):
    """A file of an archive, as its row describes it."""

    @property
    def sha256(self) -> str:
        """Of its bytes, in hexadecimal."""

    @property
    def path(self) -> str:
        """Where the store has it."""

    @property
    def content_type(self) -> str:
        """The media type that was found in its bytes, whatever the server said."""


class UnsatisfiableError(Exception):
    """Nothing of the file lies in the range: 416."""


def byte_range(size: int, header: str | None) -> ByteRange | None:
    """The part that a Range header names; None for the whole file.

    Several ranges, other units and nonsense are answered with the whole, as the RFC allows.
    Raises UnsatisfiableError.
    """
    found = _RANGE.fullmatch("".join((header or "").split()))
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        if length == 0:
            raise UnsatisfiableError
        return ByteRange(size - length, size)
    start = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if last < start and found[2]:
        return None
    if start >= size:
        raise UnsatisfiableError
    return ByteRange(start, min(last, size - 1) + 1)


def etag_matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names this tag, weak or strong."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags


async def send_file(
    method: str, headers: Mapping[str, str], receive: Receive, send: Send, store: MediaStore,
    file: ServableFile, name: str | None = None,
) -> None:  # fmt: skip
    """Answer a request (GET or HEAD; `headers` in lower case) with a file, or a part of it.

    `name` is what the file is called when it is saved.
    """
    etag = f'"{file.sha256}"'
    if etag_matches(headers.get("if-none-match"), etag):
        await send_answer(send, 304, file_headers(file, name))
        return
    condition = headers.get("if-range")  # where it names another version, the whole file is sent
    wanted = headers.get("range") if condition is None or condition.strip() == etag else None
    try:
        found = await to_thread.run_sync(partial(_open, store, file, wanted))
    except UnsatisfiableError as error:
        more = {"content-range": f"bytes */{error.args[0]}"}
        await send_error(send, 416, "No such range", more)
        return
    if found is None:
        await send_error(send, 404, "This file is in the database, but not in the store")
        return
    stream, size, part = found
    with stream:
        heads = {"content-length": str(part.length if part else size)}
        if part:
            heads["content-range"] = f"bytes {part.start}-{part.end - 1}/{size}"
        await _start(send, 206 if part else 200, file_headers(file, name) | heads)
        if method == "HEAD":
            await _end(send)
            return
        await _stream(receive, send, stream, part.length if part else size)


def _open(
    store: MediaStore, file: ServableFile, wanted: str | None
) -> tuple[RawIOBase, int, ByteRange | None] | None:
    """The stream, the size of the file, and the part asked for; None where it is not there.

    A database from elsewhere may contain any path: only that of the file's own hash is opened.
    Raises UnsatisfiableError with the size.
    """
    if hash_in_path(file.path) != file.sha256:
        return None
    try:
        known = store.stat(file.path)
        if known is None:
            return None
        try:
            part = byte_range(known.size, wanted)
        except UnsatisfiableError as error:
            raise UnsatisfiableError(known.size) from error
        return store.open(file.path, part), known.size, part
    except (OSError, StorageError):
        return None


def file_headers(file: ServableFile, name: str | None = None) -> dict[str, str]:
    """The headers of every answer about a file. `name` is what it is called when it is saved."""
    is_inline = _INLINE.fullmatch(file.content_type) is not None
    shown = {"content-type": file.content_type if is_inline else "application/octet-stream"}
    if name or not is_inline:
        how = "inline" if is_inline else "attachment"
        shown["content-disposition"] = f"{how}; {_filename(name or file.path.rpartition('/')[2])}"
    return shown | {
        "etag": f'"{file.sha256}"',
        "accept-ranges": "bytes",
        "cache-control": CACHE_FOREVER,
        "x-content-type-options": "nosniff",
        "content-security-policy": SANDBOX_CSP,
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
    }


def _filename(name: str) -> str:
    """A name as Content-Disposition has it (RFC 6266): letters beyond ASCII are encoded."""
    if name.isascii() and '"' not in name and "\\" not in name and name.isprintable():
        return f'filename="{name}"'
    return f"filename*=UTF-8''{quote(name, safe='')}"


async def send_error(
    send: Send, status: int, why: str, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with a status and a sentence."""
    heads = {
        "content-type": "text/plain; charset=utf-8", "cache-control": "no-store",
        "x-content-type-options": "nosniff", "content-security-policy": SANDBOX_CSP,
        **(headers or {}),
    }  # fmt: skip
    await send_answer(send, status, heads, f"{why}.\n".encode())


async def send_answer(
    send: Send, status: int, headers: Mapping[str, str], body: bytes | None = None, *,
    method: str = "GET",
) -> None:  # fmt: skip
    """Send an answer whose body, if any, is in memory; for HEAD, its headers only."""
    length = {} if body is None else {"content-length": str(len(body))}
    await _start(send, status, {**headers, **length})
    shown = b"" if body is None or method == "HEAD" else body
    await send({"type": "http.response.body", "body": shown})


async def _stream(receive: Receive, send: Send, stream: RawIOBase, left: int) -> None:
    """Send so many bytes of a stream, for as long as the client listens."""
    async with anyio.create_task_group() as group:
        group.start_soon(_cancel_on_disconnect, receive, group.cancel_scope)
        while left:
            chunk = await to_thread.run_sync(stream.read, min(_CHUNK, left))
            if not chunk:
                break  # the file was truncated meanwhile; the client notices by the length
            left -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        else:
            await _end(send)
        group.cancel_scope.cancel()


async def _cancel_on_disconnect(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b""})
