"""Datasette's own pages of an archive: our frame around them, and columns for programs hidden.

Hidden are exact records and hashes of rows, which make every row pages long. Datasette hides a
column where the address says `_nocol`, so an address that chooses no columns is completed before
Datasette sees it; `_all_columns=1` shows all.
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette.utils import tilde_decode
from datasette.utils.asgi import NotFound, Response

from archiver.browse.archives import Archive, archive_named, sole_archive
from archiver.browse.frame import archive_of, ask

FOR_PROGRAMS = (
    "raw", "body", "row_sha256", "raw_sha256", "record_sha256", "fingerprint", "reader",
    "content_version", "search_text", "earlier_text", "headers", "asked", "unmapped_paths",
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
    all_columns = fewer_columns = ""
    if table and view_name == "table":
        for_programs = _hidden_columns(archive, table)
        pairs = parse_qsl(request.query_string, keep_blank_values=True)
        chosen = {value for key, value in pairs if key == "_nocol"}
        hidden = tuple(column for column in for_programs if column in chosen)
        others = [pair for pair in pairs if pair[0] not in {"_nocol", ALL}]
        if hidden:
            all_columns = f"?{urlencode([*others, (ALL, '1')])}"
        elif for_programs and any(key == ALL for key, _ in pairs):
            fewer_columns = f"?{urlencode(others)}"
    post = await _post_of_row(datasette, request, archive, table) if view_name == "row" else None
    frame = TableFrame(archive, f"{tables}/-", tables, hidden, all_columns, fewer_columns, post)
    return {"table_frame": frame}


def completed(datasette: Any, scope: dict[str, Any]) -> dict[str, Any]:
    """The scope of a request, with the columns to hide where it is a table whose address has none.

    Addresses of JSON and CSV end in an extension, and are left alone.
    """
    prefix: str = datasette.setting("base_url").rstrip("/")
    found = _TABLE.fullmatch(scope["path"].removeprefix(prefix))
    if found is None:
        return scope
    query: bytes = scope.get("query_string", b"")
    names = {name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)}
    archive = archive_named(datasette, tilde_decode(found[1]))
    if archive is None or names & _CHOOSING:
        return scope
    columns = _hidden_columns(archive, tilde_decode(found[2]))
    if not columns:
        return scope
    added = urlencode([("_nocol", column) for column in columns]).encode()
    return {**scope, "query_string": b"&".join(part for part in (query, added) if part)}


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
