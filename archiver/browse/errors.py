"""Errors in the frame of our own pages, with the ways that lead on."""

from typing import Any

from datasette.utils.asgi import Base400, NotFound
from datasette.views.base import DatasetteError

from archiver.browse.archives import Archive, all_archives, sole_archive
from archiver.browse.frame import page

_HEADINGS = {403: "Not allowed", 404: "Not found", 503: "This took too long"}
_INTERRUPTED = "The question took longer than it may here, and was given up."


async def nothing() -> Any:
    """Whatever else is asked for below an archive's pages."""
    raise NotFound("There is no such page")


async def error_page(datasette: Any, request: Any, exception: Exception) -> Any:
    """The page of an error at an archive's address; None leaves it to Datasette."""
    archive = _archive_at(datasette, request.path)
    if archive is None or request.path.endswith((".json", ".csv")):
        return None
    if isinstance(exception, DatasetteError):
        status, heading = exception.status, exception.title
        # the one message of Datasette's that is markup brings a script
        error = _INTERRUPTED if exception.message_is_html else exception.message
    elif isinstance(exception, Base400):
        status, heading, error = exception.status, None, str(exception)
    else:
        return None  # a bug is shown, and told on the terminal, as Datasette does it
    heading = heading or _HEADINGS.get(status, f"Error {status}")
    context = {"heading": heading, "error": error}
    return await page(datasette, request, archive, "error", context, status=status)


def _archive_at(datasette: Any, path: str) -> Archive | None:
    """The archive that an address belongs to; the only one, where there is no other."""
    for found in all_archives(datasette):
        address = datasette.urls.database(found.name)
        if path == address or path.startswith(address + "/"):
            return found
    return sole_archive(datasette)
