"""Datasette's own pages of an archive: our frame around them, and columns for programs hidden.

Hidden are exact records and hashes of rows, which make every row pages long. Datasette hides a
column where the address says `_nocol`, so an address that chooses no columns is completed before
Datasette sees it; `_all_columns=1` shows all.

Facets read a whole table each, and Datasette tries others to suggest. Of a large table they would
run out of time anyway, so they are computed only when asked for, and offered as links. The rows of
a large table, and those of the list of tables, are counted once for each state of the file.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette.utils import tilde_decode
from datasette.utils.asgi import NotFound, Response

from archiver.browse.archives import Archive, all_archives, archive_named, sole_archive
from archiver.browse.frame import archive_of, ask
from archiver.browse.metadata import facets_of

FOR_PROGRAMS = (
    "raw", "body", "row_sha256", "raw_sha256", "record_sha256", "unsigned_sha256", "fingerprint",
    "reader", "content_version", "search_text", "earlier_text", "headers", "asked",
    "unmapped_paths",
)  # fmt: skip
"""Columns that say nothing to people who read a table."""

ALL = "_all_columns"
_CHOOSING = frozenset({"_col", "_nocol", ALL})
_TABLE = re.compile(r"/([^/.]+)/([^/.]+)")
_OWN_PAGE = "archiver"  # the name of the view of our own pages


@dataclass(frozen=True)
class TableFrame:
    """What the templates of Datasette's pages are given."""

    archive: Archive
    base: str  # the URL path of our pages
    tables: str  # and that of the archive's tables
    hidden: tuple[str, ...] = ()
    all_columns: str = ""  # links of the same page
    fewer_columns: str = ""
    post: int | None = None  # the post of the row that is shown
    facets: tuple[tuple[str, str], ...] = ()  # columns to sum up by, with the links for it
    template: str = "archiver/_tables_base.html"


async def template_variables(
    datasette: Any, request: Any, database: str | None, table: str | None, view_name: str | None
) -> dict[str, Any]:
    """The frame of a page; an empty one where it is none of an archive, or one of our own."""
    name = database or (request.url_vars.get("database") if request else None)
    archive = archive_named(datasette, name) if name else sole_archive(datasette)
    if archive is None or request is None or view_name == _OWN_PAGE:
        return {"table_frame": {}}
    tables = datasette.urls.database(archive.name)
    hidden: tuple[str, ...] = ()
    facets: tuple[tuple[str, str], ...] = ()
    all_columns = fewer_columns = ""
    if table and view_name == "table":
        for_programs = _hidden_columns(archive, table)
        pairs = parse_qsl(request.query_string, keep_blank_values=True)
        chosen = {value for key, value in pairs if key == "_nocol"}
        hidden = tuple(column for column in for_programs if column in chosen)
        others = [pair for pair in pairs if pair[0] not in {"_nocol", ALL, *_COSTLY}]
        if table in archive.large:
            facets = tuple(_facet_links(archive, table, pairs))
        if hidden:
            all_columns = f"?{urlencode([*others, (ALL, '1')])}"
        elif for_programs and any(key == ALL for key, _ in pairs):
            fewer_columns = f"?{urlencode(others)}"
    post = await _post_of_row(datasette, request, archive, table) if view_name == "row" else None
    frame = TableFrame(
        archive, f"{tables}/-", tables, hidden, all_columns, fewer_columns, post, facets
    )
    if view_name == "table" and table in archive.large and _is_whole(request.args):
        count = await _count(datasette, archive, table)
        return {"table_frame": frame, "filtered_table_rows_count": count}
    return {"table_frame": frame}


def _facet_links(
    archive: Archive, table: str, pairs: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Columns to sum up by, with the links for it; none where that is asked for already."""
    if any(_asks_for_facet(key) for key, _ in pairs):
        return
    own = {("_nocol", column) for column in _hidden_columns(archive, table)}
    kept = [pair for pair in pairs if pair not in own and pair[0] not in _COSTLY]
    for column in facets_of(archive, table):
        yield column, f"?{urlencode([*kept, ('_facet', column)])}"


async def _count(datasette: Any, archive: Archive, table: str) -> int | None:
    """How many rows a table has; None where that takes too long to count."""

    def question(connection: sqlite3.Connection) -> int | None:
        return archive.tally.rows(connection, table)

    return await ask(datasette, archive, question)


def keep_table_counts(datasette: Any) -> None:
    """Have Datasette's list of tables show kept counts; it would count all rows for each page.

    The search index of a large archive is left out: it has a row for each trigram of each post.
    """
    for archive in all_archives(datasette):
        datasette.databases[archive.name].table_counts = partial(_counts, datasette, archive)


async def _counts(
    datasette: Any, archive: Archive, limit: int = 0,  # noqa: ARG001 — as Datasette calls it
) -> dict[str, int | None]:  # fmt: skip
    """How many rows each table has, in place of Datasette's own method."""
    names: list[str] = await datasette.databases[archive.name].table_names()
    left_out = "posts_fts" if "posts" in archive.large else "\0"
    return {
        name: None if name.startswith(left_out) else await _count(datasette, archive, name)
        for name in names
    }


def completed(datasette: Any, scope: dict[str, Any]) -> dict[str, Any]:
    """The scope of a request for a table, completed by what its address does not say.

    That is which columns to hide, and what to leave out of a large table: facets, and counting it.
    Addresses of JSON and CSV end in an extension, and are left alone.
    """
    prefix: str = datasette.setting("base_url").rstrip("/")
    found = _TABLE.fullmatch(scope["path"].removeprefix(prefix))
    archive = archive_named(datasette, tilde_decode(found[1])) if found else None
    if found is None or archive is None:
        return scope
    table, query = tilde_decode(found[2]), scope.get("query_string", b"")
    parts = [part for part in query.split(b"&") if part]
    names = {name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)}
    added: list[tuple[str, str]] = []
    if not names & _CHOOSING:
        added += [("_nocol", column) for column in _hidden_columns(archive, table)]
    if table in archive.large:  # the links of a page have what was added to its own address
        left_out = {"_nosuggest"}
        left_out |= set() if any(_asks_for_facet(name) for name in names) else {"_nofacet"}
        left_out |= {"_nocount"} if _is_whole(names) else set()
        parts = [part for part in parts if part.partition(b"=")[0].decode("latin-1") not in _COSTLY]
        added += [(name, "1") for name in sorted(left_out)]
    if added:
        parts.append(urlencode(added).encode())
    return {**scope, "query_string": b"&".join(parts)}


_COSTLY = frozenset({"_nofacet", "_nosuggest", "_nocount"})
"""What tells Datasette to compute no facets, to suggest none, and not to count."""


def _is_whole(names: Iterable[str]) -> bool:
    """Whether a request with these parameters is about all rows of a table."""
    return all(
        name.startswith("_") and not name.startswith(("_where", "_search", "_through", "_filter"))
        for name in names
    )


def _asks_for_facet(name: str) -> bool:
    return name == "_facet" or (name.startswith("_facet_") and name != "_facet_size")


def _hidden_columns(archive: Archive, table: str) -> tuple[str, ...]:
    return tuple(column for column in FOR_PROGRAMS if archive.has(table, column))


async def _post_of_row(
    datasette: Any, request: Any, archive: Archive, table: str | None
) -> int | None:
    """The id of the post that a row is about; None where it is about none."""
    key = tilde_decode(request.url_vars.get("pks", ""))
    if table is None or not key.isdecimal() or not archive.has(table, "id"):
        return None
    if table == "posts":
        return int(key)
    if archive.has(table, "post_id"):
        query = f"SELECT post_id FROM {table} WHERE id = ?"
    elif archive.has(table, "attachment_id"):
        query = (
            "SELECT attachments.post_id FROM attachments "
            f"JOIN {table} ON attachment_id = attachments.id WHERE {table}.id = ?"
        )
    else:
        return None
    return await _number(datasette, archive, query, int(key))


async def post_of_attachment(datasette: Any, request: Any) -> Any:
    """Leads from an attachment to its post."""
    archive = await archive_of(datasette, request)
    query = "SELECT post_id FROM attachments WHERE id = ?"
    post = await _number(datasette, archive, query, int(request.url_vars["attachment"]))
    if post is None:
        raise NotFound("There is no attachment of that number")
    return Response.redirect(f"{datasette.urls.database(archive.name)}/-/post/{post}")


async def _number(datasette: Any, archive: Archive, query: str, key: int) -> int | None:
    """The number that a query finds; None where it finds none."""

    def question(connection: sqlite3.Connection) -> Sequence[Any] | None:
        row: Sequence[Any] | None = connection.execute(query, (key,)).fetchone()
        return row

    row = await ask(datasette, archive, question)
    return row[0] if row else None
