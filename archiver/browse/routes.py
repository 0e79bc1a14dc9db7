"""Where each page is found."""

import asyncio
import hashlib
from typing import Any

from archiver.browse.errors import nothing
from archiver.browse.frame import ASSETS, archive_of, ask, asset
from archiver.browse.home import home
from archiver.browse.lists import missing, runs
from archiver.browse.media import SHA256, TILE_TAG, HeldFile, answer, answer_bytes, held, refuse
from archiver.browse.post import post
from archiver.browse.thumbs import EDGES
from archiver.browse.timeline import gallery, timeline, viewer

_TILE = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 120" width="160" height="120">
<rect width="160" height="120" fill="#8a939c"/>
<path d="M66 40v40l34-20z" fill="#fff" fill-opacity=".85"/></svg>
"""
"""What is shown where no picture can be made: neutral, and the same for all."""


async def media(datasette: Any, request: Any, send: Any) -> Any:
    """A file, by its hash."""
    if request.method not in {"GET", "HEAD"}:
        return await refuse(send, 405, "Only GET and HEAD", {"allow": "GET, HEAD"})
    archive = await archive_of(datasette, request)
    row = await _row(datasette, request)
    if row is None:
        return await refuse(send, 404, "The archive has no such file")
    return await answer(request, send, row, archive.folder)


async def thumb(datasette: Any, request: Any, send: Any) -> Any:
    """A small picture of a file, or the neutral tile."""
    if request.method not in {"GET", "HEAD"}:
        return await refuse(send, 405, "Only GET and HEAD", {"allow": "GET, HEAD"})
    archive = await archive_of(datasette, request)
    size = request.url_vars["size"]
    row = await _row(datasette, request)
    if row is None or size not in EDGES:
        return await refuse(send, 404, "The archive has no such file")
    path = await asyncio.to_thread(archive.thumbs.get, row, size)
    body = await asyncio.to_thread(path.read_bytes) if path else None
    if body is None:
        return await answer_bytes(
            request, send, _TILE, "image/svg+xml", etag=TILE_TAG, cache="no-store"
        )
    return await answer_bytes(request, send, body, "image/webp", etag=f'"{row.sha256[:32]}-{size}"')


async def _row(datasette: Any, request: Any) -> HeldFile | None:
    sha256 = request.url_vars["sha256"]
    if not SHA256.fullmatch(sha256):
        return None
    archive = await archive_of(datasette, request)
    return await ask(datasette, archive, lambda connection: held(connection, sha256))


async def assets(request: Any, send: Any) -> Any:
    """Our style and script."""
    name = request.url_vars["name"]
    if name not in ASSETS:
        return await refuse(send, 404, "There is no such file")
    etag = f'"{hashlib.sha256(asset(name)).hexdigest()[:32]}"'
    return await answer_bytes(request, send, asset(name), ASSETS[name], etag=etag)


ROUTES: dict[str, Any] = {
    r"/(?P<database>[^/.]+)/-/home$": home,
    r"/(?P<database>[^/.]+)/-/timeline$": timeline,
    r"/(?P<database>[^/.]+)/-/gallery$": gallery,
    r"/(?P<database>[^/.]+)/-/gallery/(?P<attachment>[0-9]{1,18})$": viewer,
    r"/(?P<database>[^/.]+)/-/post/(?P<post>[0-9]{1,18})$": post,
    r"/(?P<database>[^/.]+)/-/missing$": missing,
    r"/(?P<database>[^/.]+)/-/runs$": runs,
    r"/(?P<database>[^/.]+)/-/media/(?P<sha256>[0-9a-f]{64})$": media,
    r"/(?P<database>[^/.]+)/-/thumb/(?P<size>[sm])/(?P<sha256>[0-9a-f]{64})$": thumb,
    r"/(?P<database>[^/.]+)/-(/.*)?$": nothing,
    r"/-/archiver/[0-9a-f]{12}/(?P<name>[a-z.]+)$": assets,
}
"""Addresses below Datasette's base, and who answers them."""
