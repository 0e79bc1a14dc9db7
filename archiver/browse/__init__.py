"""A Datasette plugin with pages for an archive: timeline, gallery, post, missing files, runs.

They are below `/NAME/-/`, where NAME is the database's name in Datasette, beside Datasette's own
pages. Where Datasette serves nothing but one archive, its home page is the first page. Where this
package is installed, `datasette archive.db` is enough: no configuration is needed.
"""

from typing import Any

from datasette import hookimpl

from archiver.browse import errors, guard, metadata, table_frame
from archiver.browse.archives import all_archives, archive_named, sole_archive
from archiver.browse.cells import cell
from archiver.browse.frame import asset_path
from archiver.browse.routes import ROUTES

_MENU = (
    ("home", "Home"), ("timeline", "Timeline"), ("gallery", "Gallery"), ("numbers", "Numbers"),
    ("missing", "Missing"), ("runs", "Runs"),
)  # fmt: skip

CONFIG = "archiver"
"""The plugin's name in Datasette's configuration."""


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    """Our pages, and `/` where Datasette serves only one archive."""
    first = [(r"/$", ROUTES[r"/(?P<database>[^/.]+)/-/home$"])] if sole_archive(datasette) else []
    return [*first, *ROUTES.items()]


@hookimpl
def startup(datasette: Any) -> None:
    """Counts of tables that are kept, since Datasette would count every row for each page."""
    table_frame.keep_table_counts(datasette)


@hookimpl
def prepare_connection(conn: Any, database: str, datasette: Any) -> None:
    """Restrict connections to an archive: its schema is not trusted."""
    if archive_named(datasette, database):
        metadata.harden(conn)


@hookimpl
def get_metadata(datasette: Any, key: str | None) -> dict[str, Any]:
    """Labels, descriptions and units of every archive's tables."""
    if key in metadata.SAYS_NOTHING_OF:
        return {}
    return {
        "databases": {found.name: metadata.describe(found) for found in all_archives(datasette)}
    }


@hookimpl
def canned_queries(datasette: Any, database: str) -> dict[str, Any]:
    """Queries that answer common questions."""
    archive = archive_named(datasette, database)
    return metadata.canned_queries(archive) if archive else {}


@hookimpl
def render_cell(
    row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any
) -> Any:
    """Thumbnails, links and JSON in Datasette's own tables."""
    return cell(datasette, row, value, column, table, database)


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    """Links to the pages of each archive; of a single one, every page has them in its bar."""
    if sole_archive(datasette):
        return []
    return [
        {
            "href": f"{datasette.urls.database(found.name)}/-/{place}",
            "label": label if len(all_archives(datasette)) == 1 else f"{label} of {found.name}",
        }
        for found in all_archives(datasette)
        for place, label in _MENU
        if place != "runs" or found.has("coverage")
    ]


@hookimpl
def extra_template_vars(
    database: str | None, table: str | None, view_name: str | None, request: Any, datasette: Any
) -> Any:
    """Our frame for Datasette's own pages of an archive."""
    return lambda: table_frame.template_variables(datasette, request, database, table, view_name)


@hookimpl
def extra_css_urls(database: str | None, view_name: str | None, datasette: Any) -> list[str]:
    """Our style sheets: one for our pages, a small one for Datasette's pages of an archive."""
    if view_name == "archiver":
        return [asset_path("archiver.css")]
    alone = sole_archive(datasette) is not None
    if alone or (database and archive_named(datasette, database)):
        return [asset_path("tables.css")]
    return []


@hookimpl
def extra_js_urls(database: str | None, view_name: str | None, datasette: Any) -> list[str]:
    """A script that adds what screen readers need to Datasette's own pages."""
    is_of_archive = extra_css_urls(database, view_name, datasette) == [asset_path("tables.css")]
    return [asset_path("tables.js")] if is_of_archive else []


@hookimpl
def asgi_wrapper(datasette: Any) -> Any:
    """Cache headers, the request guard where `archiver browse` has it, and columns to hide."""
    config = datasette.plugin_config(CONFIG) or {}
    hosts = config.get("hosts")

    def wrapped(app: guard.App) -> guard.App:
        async def with_columns(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope = table_frame.completed(datasette, scope)
            await app(scope, receive, send)

        return guard.guarded(with_columns, frozenset(hosts) if hosts is not None else None)

    return wrapped


@hookimpl
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Any:
    """Error pages below an archive's path, with our layout."""
    return errors.error_page(datasette, request, exception)
