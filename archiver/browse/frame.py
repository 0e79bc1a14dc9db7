"""What every page has in common: Datasette's frame, the navigation, and headers that keep it safe.

Nothing on our pages may run but our own script. The one that Datasette's frame has inline is taken
out: it closes whatever was unfolded at the next click.
"""

import hashlib
import sqlite3
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from datasette.utils import sqlite_timelimit
from datasette.utils.asgi import Forbidden, NotFound, Response
from datasette.views.base import DatasetteError

from archiver.browse import text
from archiver.browse.archives import Archive, archive_named, sole_archive
from archiver.browse.filters import Filter

Found = TypeVar("Found")

PATIENCE_MS = 5000
"""A page that needs longer is given up, with a sentence instead."""

ASSETS = {
    "archiver.css": "text/css; charset=utf-8",
    "tables.css": "text/css; charset=utf-8",
    "archiver.js": "text/javascript; charset=utf-8",
    "tables.js": "text/javascript; charset=utf-8",
}

COUNTING_MS = 120_000
"""The first page counts the whole archive once; that must come to an end."""


class TookTooLongError(DatasetteError):  # type: ignore[misc] # it has no types
    """A question that no index could answer in time."""

    def __init__(self) -> None:
        super().__init__("This took too long, and was given up.", status=503)


async def archive_of(datasette: Any, request: Any) -> Archive:
    """The archive that the address names, if the visitor may see it."""
    name = request.url_vars.get("database")
    archive = archive_named(datasette, name) if name else sole_archive(datasette)
    if archive is None:
        raise NotFound("There is no archive of that name")
    for action, resource in (("view-instance", None), ("view-database", archive.name)):
        if not await datasette.permission_allowed(request.actor, action, resource, default=True):
            raise Forbidden(action)
    return archive


async def ask(
    datasette: Any,
    archive: Archive,
    question: Callable[[sqlite3.Connection], Found],
    patience_ms: int = PATIENCE_MS,
) -> Found:
    """Run a question in one of Datasette's threads, within the time limit, on one snapshot."""

    def within_limit(connection: sqlite3.Connection) -> Found:
        with sqlite_timelimit(connection, patience_ms):
            connection.execute("BEGIN")  # a run that writes meanwhile changes nothing halfway
            try:
                return question(connection)
            except sqlite3.OperationalError as error:
                if "interrupted" in str(error):
                    raise TookTooLongError from error
                raise
            finally:
                connection.rollback()

    found: Found = await datasette.databases[archive.name].execute_fn(within_limit)
    return found


async def page(
    datasette: Any,
    request: Any,
    archive: Archive,
    template: str,
    context: dict[str, Any],
    status: int = 200,
) -> Any:
    """A page of ours, as a response."""
    base = datasette.urls.database(archive.name) + "/-"
    wanted = context.get("wanted", Filter())
    html = await datasette.render_template(
        f"archiver/{template}.html",
        {
            "say": text, "archive": archive, "base": base, "tables": base.removesuffix("/-"),
            "asset": lambda name: datasette.urls.path(asset_path(name)),
            "here": template, "wanted": wanted, "everything": Filter(), **context,
        },
        request=request,
        view_name="archiver",
    )  # fmt: skip
    html = html.replace("<html>", '<html lang="en">', 1)  # Datasette's frame names no language
    html = html.replace(_inline_script(datasette.jinja_env), "", 1)
    return Response.html(html, status=status, headers=safe_headers())


def safe_headers() -> dict[str, str]:
    """Headers of our pages: nothing from elsewhere, nothing inline, nobody's frame."""
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "media-src 'self'; connect-src 'none'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "private, no-cache",
    }


@cache
def _inline_script(environment: Any) -> str:
    """The script that Datasette's frame has inline."""
    source: str = environment.loader.get_source(environment, "_close_open_menus.html")[0]
    return source.strip()


@cache
def asset(name: str) -> bytes:
    """A file of ours for browsers."""
    return (resources.files("archiver.browse") / "assets" / name).read_bytes()


@cache
def asset_path(name: str) -> str:
    """Its address, which changes with its content."""
    return f"/-/archiver/{hashlib.sha256(asset(name)).hexdigest()[:12]}/{name}"
