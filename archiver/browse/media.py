"""The media route: files by their hash, from the store, so that nothing in them can do harm.

Only hashes that are rows of the `media` table are answered. The path is put together from the
hash and an extension that the row names; what the request says never reaches the disk, and no
link is followed below the archive's folder.
"""

import asyncio
import os
import re
import sqlite3
import stat
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from archiver.browse.ranges import ByteRange, UnsatisfiableError, byte_range, matches

Send = Callable[[dict[str, Any]], Awaitable[None]]

SHA256 = re.compile(r"[0-9a-f]{64}")
FOREVER = "private, max-age=31536000, immutable"
SANDBOX = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; sandbox"
)
TILE_TAG = '"tile"'
"""The entity tag of the tile in place of a picture, which may come to be after all."""

_STORED = re.compile(r"media/([0-9a-f]{2})/([0-9a-f]{64})(\.[a-z0-9]{1,8})?")
_INLINE = re.compile(r"(image|video|audio)/(?!svg)[a-z0-9.+-]+")
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A row of the media table."""

    sha256: str
    path: str
    content_type: str
    width: int | None = None
    height: int | None = None

    @property
    def is_inline(self) -> bool:
        """Whether a browser may show it: only what our own inspection found to be media."""
        return _INLINE.fullmatch(self.content_type) is not None

    @property
    def etag(self) -> str:
        """The bytes' own hash: it never changes."""
        return f'"{self.sha256}"'


def held(connection: sqlite3.Connection, sha256: str) -> HeldFile | None:
    """The row of a hash; None where the archive has no such file."""
    if not SHA256.fullmatch(sha256):
        return None
    row = connection.execute("SELECT * FROM media WHERE sha256 = ?", (sha256,)).fetchone()
    if row is None or ("lost_at" in row.keys() and row["lost_at"]):  # noqa: SIM118 — not a dict
        return None
    return HeldFile(row["sha256"], row["path"], row["content_type"], row["width"], row["height"])


def open_held(folder: Path, row: HeldFile) -> BinaryIO | None:
    """Open the file of a row; None where it is not there, or is no plain file under its own hash.

    A database from elsewhere may say anything of paths: only `media/ab/abcd….ext` is believed,
    and symbolic links, pipes and devices in its place are not followed, opened or waited for.
    """
    found = _STORED.fullmatch(row.path)
    if not found or found[2] != row.sha256 or found[1] != row.sha256[:2]:
        return None
    try:
        descriptor = _open_below(folder, ["media", found[1], row.path.rpartition("/")[2]])
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def _open_below(folder: Path, names: list[str]) -> int:
    """Open a file step by step, following no link on the way. Raises OSError."""
    no_follow = getattr(os, "O_NOFOLLOW", 0)
    if os.open not in os.supports_dir_fd:
        path = folder.joinpath(*names)
        if any(step.is_symlink() for step in (path, *path.parents[: len(names) - 1])):
            raise OSError("a link in the store")
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in names[:-1]:
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | no_follow, dir_fd=here)
            os.close(here)
            here = below
        return os.open(names[-1], os.O_RDONLY | no_follow | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)


async def answer(request: Any, send: Send, row: HeldFile, folder: Path) -> None:
    """Send the file, or the part of it that was asked for."""
    headers = request.headers
    if matches(headers.get("if-none-match"), row.etag):
        await _start(send, 304, _headers(row))
        await _end(send)
        return
    file = await asyncio.to_thread(open_held, folder, row)
    if file is None:
        await refuse(send, 404, "This file is in the database, but not in the folder")
        return
    with file:
        size = os.fstat(file.fileno()).st_size
        asked = headers.get("range") if _range_holds(headers, row) else None
        try:
            part = byte_range(size, asked)
        except UnsatisfiableError:
            await refuse(send, 416, "No such range", {"content-range": f"bytes */{size}"})
            return
        more = {"content-length": str(part.length if part else size)}
        if part:
            more["content-range"] = f"bytes {part.start}-{part.end - 1}/{size}"
        await _start(send, 206 if part else 200, _headers(row) | more)
        if request.method == "HEAD":
            await _end(send)
            return
        await _stream(request, send, file, part or ByteRange(0, size))


def _range_holds(headers: Any, row: HeldFile) -> bool:
    """Whether a Range counts: an If-Range that names another version asks for the whole file."""
    condition = headers.get("if-range")
    return condition is None or condition.strip() == row.etag


def _headers(row: HeldFile) -> dict[str, str]:
    """The headers of every answer about a file."""
    shown = {"content-type": row.content_type if row.is_inline else "application/octet-stream"}
    if not row.is_inline:
        shown["content-disposition"] = f'attachment; filename="{row.path.rpartition("/")[2]}"'
    return shown | {
        "etag": row.etag,
        "accept-ranges": "bytes",
        "cache-control": FOREVER,
        "x-content-type-options": "nosniff",
        "content-security-policy": SANDBOX,
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
    }


async def refuse(send: Send, status: int, why: str, headers: dict[str, str] | None = None) -> None:
    """Answer with a status and a sentence."""
    body = f"{why}.\n".encode()
    await _start(
        send, status,
        {
            "content-type": "text/plain; charset=utf-8", "content-length": str(len(body)),
            "cache-control": "no-store", "x-content-type-options": "nosniff",
            "content-security-policy": SANDBOX, **(headers or {}),
        },
    )  # fmt: skip
    await send({"type": "http.response.body", "body": body})


async def _stream(request: Any, send: Send, file: BinaryIO, part: ByteRange) -> None:
    """Send a part of the file, for as long as somebody listens."""
    listener = asyncio.ensure_future(_gone(request.receive))
    try:
        file.seek(part.start)
        left = part.length
        while left and not listener.done():
            chunk = await asyncio.to_thread(file.read, min(_CHUNK, left))
            if not chunk:
                return  # the file was cut short meanwhile, as the client sees by the length
            left -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await _end(send)
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


async def _gone(receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b""})


async def answer_bytes(
    request: Any, send: Send, body: bytes, content_type: str, *, etag: str, cache: str = FOREVER
) -> None:
    """Send something small that we made ourselves."""
    headers = {
        "content-type": content_type, "etag": etag, "cache-control": cache,
        "x-content-type-options": "nosniff", "content-security-policy": SANDBOX,
        "cross-origin-resource-policy": "same-origin",
    }  # fmt: skip
    if matches(request.headers.get("if-none-match"), etag):
        await _start(send, 304, headers)
        await _end(send)
        return
    await _start(send, 200, headers | {"content-length": str(len(body))})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
