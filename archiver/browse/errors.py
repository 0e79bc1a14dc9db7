"""Error pages in our own layout, with links to our pages."""

from typing import Any
from urllib.parse import unquote

from datasette.utils.asgi import Base400, NotFound
from datasette.views.base import DatasetteError

from archiver.browse.archives import Archive, all_archives, sole_archive
from archiver.browse.frame import page

_HEADINGS = {403: "Not allowed", 404: "Not found", 503: "This took too long"}
_INTERRUPTED = "The query took longer than its time limit, and was stopped."


async def no_such_page() -> Any:
    """Any other path below those of an archive's pages. Raises NotFound."""
    raise NotFound("There is no such page")


async def error_page(datasette: Any, request: Any, exception: Exception) -> Any:
    """The page of an error below an archive's path; None leaves it to Datasette."""
    archive = _archive_at(datasette, request.path)
    if archive is None or request.path.endswith((".json", ".csv")):
        return None
    if isinstance(exception, DatasetteError):
        status, heading = exception.status, exception.title
        # the only message of Datasette that is HTML contains a script
        error = _INTERRUPTED if exception.message_is_html else exception.message
    elif isinstance(exception, Base400):
        status, heading, error = exception.status, None, str(exception)
    else:
        return None  # a bug: Datasette shows it, and logs it to the terminal
    if status == 404 and _database_in(datasette, request.path) is None:
        error = f"There is no page at {request.path}"  # Datasette would speak of a database
    heading = heading or _HEADINGS.get(status, f"Error {status}")
    context = {"heading": heading, "error": error}
    return await page(datasette, request, archive, "error", context, status=status)


def _database_in(datasette: Any, path: str) -> Any:
    """The database that the first part of a path names; None where there is none."""
    base: str = datasette.setting("base_url")
    name = unquote(path.removeprefix(base.rstrip("/")).strip("/").split("/")[0])
    return datasette.databases.get(name)


def _archive_at(datasette: Any, path: str) -> Archive | None:
    """The archive whose path this is; else the only one that is served, if there is only one."""
    for found in all_archives(datasette):
        address = datasette.urls.database(found.name)
        if path == address or path.startswith(address + "/"):
            return found
    return sole_archive(datasette)
