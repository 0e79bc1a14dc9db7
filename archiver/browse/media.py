"""The media routes: files by their hash, and small pictures of them."""

import asyncio
from typing import Any
from urllib.parse import unquote

from archiver.archive.media_files import SHA256, ArchivedFile, find_media
from archiver.browse.frame import archive_of, ask
from archiver.browse.guard import TILE_TAG
from archiver.browse.thumbs import SIZES
from archiver.export.file_names import is_file_name
from archiver.media.serving import (
    CACHE_FOREVER,
    SANDBOX_CSP,
    Send,
    etag_matches,
    send_answer,
    send_error,
    send_file,
)

_ABSENT = "The archive has no such file"
_TILE = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 120" width="160" height="120">
<rect width="160" height="120" fill="#8a939c"/>
<path d="M66 40v40l34-20z" fill="#fff" fill-opacity=".85"/></svg>
"""
"""What is shown where no picture can be made: neutral, and the same for all."""


async def media(datasette: Any, request: Any, send: Send) -> None:
    """A file, by its hash. A name behind the hash is what browsers save it as."""
    if not await _may_ask(request, send):
        return
    archive = await archive_of(datasette, request)
    row = await _row(datasette, request)
    name = unquote(request.url_vars.get("name") or "") or None
    if row is None or (name and not is_file_name(name, row.path)):
        await send_error(send, 404, _ABSENT)
        return
    await send_file(
        request.method, request.headers, request.receive, send, archive.store, row, name
    )  # fmt: skip


async def thumb(datasette: Any, request: Any, send: Send) -> None:
    """A thumbnail of a file, or a placeholder where none can be made."""
    if not await _may_ask(request, send):
        return
    archive = await archive_of(datasette, request)
    size = request.url_vars["size"]
    row = await _row(datasette, request)
    if row is None or size not in SIZES:
        await send_error(send, 404, _ABSENT)
        return
    path = await asyncio.to_thread(archive.thumbs.get, row, size)
    body = await asyncio.to_thread(path.read_bytes) if path else None
    if body is None:
        await answer_bytes(
            request, send, _TILE, "image/svg+xml", etag=TILE_TAG, cache="no-store"
        )  # fmt: skip
    else:
        await answer_bytes(request, send, body, "image/webp", etag=f'"{row.sha256[:32]}-{size}"')


async def _may_ask(request: Any, send: Send) -> bool:
    if request.method in {"GET", "HEAD"}:
        return True
    await send_error(send, 405, "Only GET and HEAD", {"allow": "GET, HEAD"})
    return False


async def _row(datasette: Any, request: Any) -> ArchivedFile | None:
    sha256 = request.url_vars["sha256"]
    if not SHA256.fullmatch(sha256):
        return None
    archive = await archive_of(datasette, request)
    return await ask(datasette, archive, lambda connection: find_media(connection, sha256))


async def answer_bytes(
    request: Any,
    send: Send,
    body: bytes,
    content_type: str,
    *,
    etag: str,
    cache: str = CACHE_FOREVER,
) -> None:
    """Send something small that we made ourselves."""
    headers = {
        "content-type": content_type, "etag": etag, "cache-control": cache,
        "x-content-type-options": "nosniff", "content-security-policy": SANDBOX_CSP,
        "cross-origin-resource-policy": "same-origin",
    }  # fmt: skip
    if etag_matches(request.headers.get("if-none-match"), etag):
        await send_answer(send, 304, headers)
        return
    await send_answer(send, 200, headers, body, method=request.method)
