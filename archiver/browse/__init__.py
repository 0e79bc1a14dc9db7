"""A Datasette plugin that shows an archive the way people want to see it.

Its pages stand beside Datasette's own, below `/NAME/-/`, where NAME is the database's name in
Datasette; where an archive is all that is served, its home is the first page. It needs nothing but
the archive: `datasette archive.db` is enough where this package is installed.
"""

import re
from typing import Any

from datasette import hookimpl

from archiver.browse import errors, guard, metadata
from archiver.browse.archives import all_archives, archive_named, sole_archive
from archiver.browse.cells import cell
from archiver.browse.frame import asset_path
from archiver.browse.routes import ROUTES

_OURS = re.compile(r"/|/[^/]+/-/.*")
_PLACES = (
    ("home", "Home"), ("timeline", "Timeline"), ("gallery", "Gallery"), ("missing", "Missing"),
    ("runs", "Runs"),
)  # fmt: skip

CONFIG = "archiver"
"""The plugin's name in Datasette's configuration."""


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    """Our pages; the first page only where an archive is all there is."""
    first = [(r"/$", ROUTES[r"/(?P<database>[^/.]+)/-/home$"])] if sole_archive(datasette) else []
    return [*first, *ROUTES.items()]


@hookimpl
def prepare_connection(conn: Any, database: str, datasette: Any) -> None:
    """Nothing that an archive says of itself is trusted."""
    if archive_named(datasette, database):
        metadata.harden(conn)


@hookimpl
def get_metadata(datasette: Any) -> dict[str, Any]:
    """Labels, descriptions and units of every archive's tables."""
    return {
        "databases": {found.name: metadata.describe(found) for found in all_archives(datasette)}
    }


@hookimpl
def canned_queries(datasette: Any, database: str) -> dict[str, Any]:
    """The questions that people ask."""
    archive = archive_named(datasette, database)
    return metadata.questions(archive) if archive else {}


@hookimpl
def render_cell(value: Any, column: str, table: str | None, database: str, datasette: Any) -> Any:
    """Pictures, links and JSON in Datasette's own tables."""
    return cell(datasette, value, column, table, database)


@hookimpl
def menu_links(datasette: Any, request: Any) -> list[dict[str, str]]:
    """The way to our pages from Datasette's own; ours have a bar."""
    path = "/" + request.path.removeprefix(datasette.setting("base_url")) if request else ""
    if sole_archive(datasette) and _OURS.fullmatch(path):
        return []
    return [
        {
            "href": f"{datasette.urls.database(found.name)}/-/{place}",
            "label": label if len(all_archives(datasette)) == 1 else f"{label} of {found.name}",
        }
        for found in all_archives(datasette)
        for place, label in _PLACES
        if place != "runs" or found.has("coverage")
    ]


@hookimpl
def extra_css_urls(database: str | None, view_name: str | None, datasette: Any) -> list[str]:
    """Our looks: for our own pages, and a little for Datasette's."""
    if view_name == "archiver":
        return [asset_path("archiver.css")]
    alone = sole_archive(datasette) is not None
    if alone or (database and archive_named(datasette, database)):
        return [asset_path("tables.css")]
    return []


@hookimpl
def extra_js_urls(database: str | None, view_name: str | None, datasette: Any) -> list[str]:
    """What Datasette's own pages lack for those who hear them."""
    has_looks = extra_css_urls(database, view_name, datasette) == [asset_path("tables.css")]
    return [asset_path("tables.js")] if has_looks else []


@hookimpl
def asgi_wrapper(datasette: Any) -> Any:
    """Headers for files, and the guard that `archiver browse` asks for."""
    config = datasette.plugin_config(CONFIG) or {}
    hosts = config.get("hosts")
    return lambda app: guard.guarded(app, frozenset(hosts) if hosts is not None else None)


@hookimpl
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Any:
    """Errors at an archive's addresses, in our own frame."""
    return errors.error_page(datasette, request, exception)
