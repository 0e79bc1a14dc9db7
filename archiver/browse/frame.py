"""What all our pages share: Datasette's base template, the navigation, and security headers.

Only our own script may run on our pages. The inline script of Datasette's base template is removed:
it closes every open `<details>` at the next click.
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
from archiver.browse.months import NAMES

Found = TypeVar("Found")

TIME_LIMIT_MS = 5000
"""Time limit of the queries of a page; beyond it, an error page says so."""

ASSETS = {
    "archiver.css": (
        "pages/base.css",
        "pages/frame.css",
        "pages/filters.css",
        "pages/navigation.css",
        "pages/home.css",
        "pages/cards.css",
        "pages/lists.css",
        "pages/viewer.css",
        "pages/tables.css",
        "pages/charts.css",
        "pages/post.css",
        "pages/paper.css",
    ),
    "archiver.js": (
        "pages/store.js",
        "pages/keys.js",
        "pages/menu.js",
        "pages/times.js",
        "pages/strips.js",
        "pages/viewer.js",
        "pages/more.js",
        "pages/kept.js",
    ),
    "tables.css": ("pages/base.css", "pages/frame.css", "tables.css"),
    "tables.js": ("tables.js",),
}
"""Our style sheets and scripts, and the files that each is put together from, in this order.

A page asks for one of each: a style sheet of our own pages, or a small one of Datasette's.
"""

COUNTING_MS = 120_000
"""Time limit of the first page, which counts the whole archive once."""


class TookTooLongError(DatasetteError):  # type: ignore[misc] # it has no types
    """A query that took longer than its time limit."""

    def __init__(self) -> None:
        super().__init__("This took too long, and was stopped.", status=503)


async def archive_of(datasette: Any, request: Any) -> Archive:
    """The archive that the URL names, if the visitor may see it. Raises NotFound, Forbidden."""
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
    query: Callable[[sqlite3.Connection], Found],
    time_limit_ms: int = TIME_LIMIT_MS,
) -> Found:
    """Run a query in one of Datasette's threads, within the time limit, on one snapshot.

    Raises TookTooLongError.
    """

    def within_limit(connection: sqlite3.Connection) -> Found:
        with sqlite_timelimit(connection, time_limit_ms):
            connection.execute("BEGIN")  # one snapshot, while a run may write
            try:
                return query(connection)
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
    *,
    loads_more: bool = False,
) -> Any:
    """The response with one of our pages; one that `loads_more` may ask this server for others."""
    base = datasette.urls.database(archive.name) + "/-"
    wanted = context.get("wanted", Filter())
    html = await datasette.render_template(
        f"archiver/{template}.html",
        {
            "fmt": text, "archive": archive, "base": base, "tables": base.removesuffix("/-"),
            "asset": lambda name: datasette.urls.path(asset_path(name)),
            "here": template, "wanted": wanted, "everything": Filter(), "names": NAMES,
            "posts": _macros(datasette.jinja_env, "_posts"),
            "paper": _macros(datasette.jinja_env, "_paper"), **context,
        },
        request=request,
        view_name="archiver",
    )  # fmt: skip
    # Datasette's base template names no language
    html = html.replace("<html>", '<html lang="en">', 1)
    html = html.replace(_inline_script(datasette.jinja_env), "", 1)
    return Response.html(html, status=status, headers=safe_headers(loads_more=loads_more))


def safe_headers(*, loads_more: bool = False) -> dict[str, str]:
    """Headers of our pages: no resources of other servers, nothing inline, no framing.

    A script may ask for nothing, but for the next page of a list: from this server.
    """
    connects = "'self'" if loads_more else "'none'"
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"media-src 'self'; connect-src {connects}; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "private, no-cache",
    }


@cache
def _macros(environment: Any, name: str) -> Any:
    """The macros of a template, for use in another, which cannot import them as quick as this.

    Datasette's environment makes every macro a coroutine; pages of posts call thousands.
    """
    plain = environment.overlay(enable_async=False)
    return plain.get_template(f"archiver/{name}.html").module


@cache
def _inline_script(environment: Any) -> str:
    """The inline script of Datasette's base template."""
    source: str = environment.loader.get_source(environment, "_close_open_menus.html")[0]
    return source.strip()


@cache
def asset(name: str) -> bytes:
    """The content of one of our style sheets or scripts."""
    folder = resources.files("archiver.browse") / "assets"
    strict = b'"use strict";\n' if name.endswith(".js") else b""
    return strict + b"".join((folder / part).read_bytes() for part in ASSETS[name])


def asset_type(name: str) -> str:
    """The content type of one of our style sheets or scripts."""
    kind = "css" if name.endswith(".css") else "javascript"
    return f"text/{kind}; charset=utf-8"


@cache
def asset_path(name: str) -> str:
    """The path of an asset; it changes with its content, so that browsers may cache it."""
    return f"/-/archiver/{hashlib.sha256(asset(name)).hexdigest()[:12]}/{name}"
