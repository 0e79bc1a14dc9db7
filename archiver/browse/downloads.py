"""A view, or one post, as a file: CSV, JSON, or a ZIP with the media.

The file is made while it is sent, in a thread, from one snapshot on a connection of its own; it
ends when the client goes. Where it cannot be finished the connection is broken off, so that no
client takes a part for the whole. How many run at once is limited, and so is their size where
Datasette's setting `max_csv_mb` says so, as it does for a published copy.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import anyio
from anyio import to_thread
from datasette.utils.asgi import NotFound
from datasette.views.base import DatasetteError

from archiver.browse.archives import Archive
from archiver.browse.connections import own_connection
from archiver.browse.filters import Filter
from archiver.browse.frame import archive_of, ask
from archiver.browse.headings import heading
from archiver.browse.selection import PostSelection, ViewSelection
from archiver.export.csv_table import csv_table
from archiver.export.file_names import plain_name
from archiver.export.heading import ExportHeading, time_now
from archiver.export.json_document import json_document
from archiver.export.snapshot import Selection, Snapshot, open_snapshot
from archiver.export.zip_package import zip_package
from archiver.human import counted
from archiver.media.serving import SANDBOX_CSP, Receive, Send

log = logging.getLogger(__name__)

MOST_ZIPPED = 10_000
"""The most posts in a ZIP: its index is kept in memory, and larger ones are hard to unpack."""

_AT_ONCE = 2
_PIECE = 1 << 16  # bytes sent together, if there are as many

_TYPES = {
    "csv": "text/csv; charset=utf-8", "json": "application/json", "zip": "application/zip",
}  # fmt: skip

_running: "WeakKeyDictionary[Archive, threading.BoundedSemaphore]" = WeakKeyDictionary()


async def download(datasette: Any, request: Any, receive: Receive, send: Send) -> None:
    """The posts of a view, by the filter in the URL."""
    archive = await archive_of(datasette, request)
    wanted = Filter.parse(request.args)
    form = request.url_vars["form"]
    selection = ViewSelection(wanted)
    if form == "zip":
        await _refuse_too_many(datasette, archive, wanted)
    words = heading(wanted)
    name = plain_name(f"{archive.name} {words}")
    await _answer(datasette, request, receive, send, archive, selection, words, name)


async def download_post(datasette: Any, request: Any, receive: Receive, send: Send) -> None:
    """One post with all its files."""
    archive = await archive_of(datasette, request)
    post_id = int(request.url_vars["post"])
    query = "SELECT accounts.name FROM posts JOIN accounts ON accounts.id = account_id"
    row = await ask(
        datasette, archive,
        lambda connection: connection.execute(f"{query} WHERE posts.id = ?", (post_id,)).fetchone(),
    )  # fmt: skip
    if row is None:
        raise NotFound("There is no post of that number")
    words = f"post {post_id} of {row[0]}"
    name = plain_name(f"{archive.name} {words}")
    selection = PostSelection(post_id)
    await _answer(datasette, request, receive, send, archive, selection, words, name)


async def _refuse_too_many(datasette: Any, archive: Archive, wanted: Filter) -> None:
    """Raises DatasetteError where the posts are too many for a ZIP."""
    chosen = ViewSelection(wanted, limit=MOST_ZIPPED + 1)
    count = await ask(datasette, archive, lambda connection: sum(1 for _ in chosen.ids(connection)))
    if count > MOST_ZIPPED:
        raise DatasetteError(
            f"A ZIP holds {MOST_ZIPPED:,} posts at most, and this view has more. Choose an account "
            "or a range of dates; archiver copy makes a copy of the whole archive.",
            title="Too many posts for a ZIP", status=413,
        )  # fmt: skip


async def _answer(
    datasette: Any, request: Any, receive: Receive, send: Send, archive: Archive,
    selection: Selection, words: str, name: str,
) -> None:  # fmt: skip
    form = request.url_vars["form"]
    export_heading = ExportHeading(archive.name, words, time_now())
    headers = {
        "content-type": _TYPES[form], "content-disposition": _attachment(f"{name}.{form}"),
        "cache-control": "no-store", "x-content-type-options": "nosniff",
        "content-security-policy": SANDBOX_CSP, "referrer-policy": "no-referrer",
    }  # fmt: skip
    with _one_of_few(archive):
        pieces = _pieces(
            datasette, archive, selection, partial(_written, form, archive, export_heading, name)
        )
        try:
            first = await to_thread.run_sync(next, pieces, None)  # fails before anything is sent
            await send({
                "type": "http.response.start", "status": 200,
                "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
            })  # fmt: skip
            if request.method == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            limit = datasette.setting("max_csv_mb") * 1_000_000
            await _stream(receive, send, first, pieces, limit)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(pieces.close)


def _written(
    form: str, archive: Archive, export_heading: ExportHeading, name: str, snapshot: Snapshot
) -> Iterator[bytes]:
    if form == "csv":
        return csv_table(snapshot)
    if form == "json":
        return json_document(snapshot, export_heading)
    return zip_package(snapshot, archive.store, export_heading, name)


def _pieces(
    datasette: Any, archive: Archive, selection: Selection,
    written: Callable[[Snapshot], Iterator[bytes]],
) -> Any:  # fmt: skip
    """The file in pieces worth sending: a generator, so that it can be closed."""
    with (
        own_connection(datasette, archive.name) as connection,
        open_snapshot(connection, selection) as snapshot,
    ):
        gathered = bytearray()
        for piece in written(snapshot):
            gathered += piece
            if len(gathered) >= _PIECE:
                yield bytes(gathered)
                gathered.clear()
        yield bytes(gathered)


async def _stream(receive: Receive, send: Send, first: Any, pieces: Any, limit: int) -> None:
    """Send all pieces, for as long as the client listens."""
    async with anyio.create_task_group() as group:
        group.start_soon(_cancel_when_gone, receive, group.cancel_scope)
        piece, sent = first, 0
        while piece is not None:
            sent += len(piece)
            if limit and sent > limit:
                log.warning("An export was broken off at %s bytes: max_csv_mb allows no more", sent)
                break
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            try:
                piece = await to_thread.run_sync(next, pieces, None)
            except Exception:
                log.exception("An export was broken off")
                break
        else:
            await send({"type": "http.response.body", "body": b""})
        group.cancel_scope.cancel()


async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


@contextmanager
def _one_of_few(archive: Archive) -> Iterator[None]:
    """Raises DatasetteError where as many exports run as may at once."""
    slots = _running.setdefault(archive, threading.BoundedSemaphore(_AT_ONCE))
    if not slots.acquire(blocking=False):
        raise DatasetteError(
            f"{counted(_AT_ONCE, 'export')} run already. Try again when one of them has ended.",
            title="Too many exports at once", status=503,
        )  # fmt: skip
    try:
        yield
    finally:
        slots.release()


def _attachment(name: str) -> str:
    """A Content-Disposition with the name in both forms (RFC 6266)."""
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "-")
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
