"""Media of an archive over HTTP, by hash alone."""

import logging
from collections.abc import Mapping
from pathlib import Path

from anyio import to_thread
from starlette.types import Receive, Send

from archiver.archive.database import reader
from archiver.archive.media_files import ArchivedFile, find_media
from archiver.errors import StorageError
from archiver.media.serving import send_error, send_file
from archiver.media.store import MediaStore

log = logging.getLogger(__name__)


async def answer_with_file(
    method: str, headers: Mapping[str, str], receive: Receive, send: Send, directory: Path,
    store: MediaStore, sha256: str,
) -> None:  # fmt: skip
    """Answer a GET or HEAD with the file of that hash, if the archive in the folder holds it.

    `store` has its files.
    """
    try:
        file = await to_thread.run_sync(_find, directory, sha256)
    except StorageError as error:
        log.warning("A file could not be given out: %s", error)
        await send_error(send, 503, "The archive cannot be read just now")
        return
    if file is None:
        await send_error(send, 404, "There is no such file here")
        return
    await send_file(method, headers, receive, send, store, file)


def _find(directory: Path, sha256: str) -> ArchivedFile | None:
    with reader(directory) as connection:
        return find_media(connection, sha256)
