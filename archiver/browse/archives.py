"""Which of Datasette's databases are archives, and what their pages need to know about them.

An archive is recognised by its application id and its tables, so `datasette archive.db` needs no
configuration. A published copy lacks some tables and columns of the archive that it was made from:
pages call `has` before they query one of those.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from archiver.archive.facts import APPLICATION_ID
from archiver.browse.metric_totals import KeptTotals
from archiver.browse.tally import Tally
from archiver.browse.thumbs import Thumbs
from archiver.media.folder_store import FolderStore
from archiver.media.store import MediaStore

MANY_ROWS = 50_000
"""Of a table with more rows, Datasette's pages choose nothing to sum up by themselves."""

_READ_BY_VIEWS = {
    "timeline": "posts", "missing_media": "renditions", "latest_metrics": "metrics",
}  # fmt: skip
"""The largest table that a view reads."""

NEEDED = ("accounts", "posts", "attachments", "renditions", "media")


@dataclass(frozen=True, eq=False)  # compared by identity, so that it can be a key
class Archive:
    """One archive among Datasette's databases."""

    name: str  # the database's name in Datasette
    store: MediaStore
    columns: Mapping[str, frozenset[str]]  # of each table and view
    thumbs: Thumbs
    large: frozenset[str] = frozenset()  # tables and views of more than MANY_ROWS rows
    tally: Tally = field(default_factory=Tally)
    totals: KeptTotals = field(default_factory=KeptTotals)

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether the table exists, and the column in it."""
        found = self.columns.get(table)
        return found is not None and (column is None or column in found)


_stores: "WeakKeyDictionary[Any, MediaStore]" = WeakKeyDictionary()
_known: "WeakKeyDictionary[Any, dict[str, Archive | None]]" = WeakKeyDictionary()


def use_store(datasette: Any, store: MediaStore) -> None:
    """Read the media of Datasette's one archive from there, and not from its folder."""
    _stores[datasette] = store
    _known.pop(datasette, None)  # while it is made, Datasette asks for its archives already


def archive_named(datasette: Any, name: str) -> Archive | None:
    """The archive of that name; None where the database is something else."""
    known = _known.setdefault(datasette, {})
    if name not in known:
        database = datasette.databases.get(name)
        if database is None:
            return None
        path = None if database.is_memory else database.path
        store = _stores.get(datasette)
        known[name] = _examine(name, Path(path), database.is_mutable, store) if path else None
    return known[name]


def all_archives(datasette: Any) -> list[Archive]:
    """All archives among the databases."""
    names = [name for name in datasette.databases if name != "_internal"]
    return [found for name in names if (found := archive_named(datasette, name))]


def sole_archive(datasette: Any) -> Archive | None:
    """The archive, if Datasette serves nothing else, else None."""
    others = [name for name in datasette.databases if name not in {"_internal", "_memory"}]
    found = all_archives(datasette)
    return found[0] if len(found) == len(others) == 1 else None


def _examine(name: str, path: Path, mutable: bool, store: MediaStore | None) -> Archive | None:
    mode = "mode=ro" if mutable else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)) as connection:
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                return None
            columns = dict(_columns(connection))
            large = frozenset(_large(connection, columns))
    except sqlite3.Error:
        return None
    if not all(table in columns for table in NEEDED):
        return None
    folder = path.resolve().parent
    store = store or FolderStore(folder)
    return Archive(name, store, columns, Thumbs(store, folder / "cache" / "thumbs"), large)


def _large(connection: sqlite3.Connection, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in _READ_BY_VIEWS and not name.startswith("posts_fts"):
            table = '"' + name.replace('"', '""') + '"'
            query = f"SELECT 1 FROM {table} LIMIT 1 OFFSET {MANY_ROWS}"
            if _is_table(connection, name) and connection.execute(query).fetchone():
                yield name
                yield from (view for view, read in _READ_BY_VIEWS.items() if read == name)


def _is_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (name,)).fetchone() is not None


def _columns(connection: sqlite3.Connection) -> Iterator[tuple[str, frozenset[str]]]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    for (name,) in names.fetchall():
        try:
            rows = connection.execute("SELECT name FROM pragma_table_xinfo(?)", (name,)).fetchall()
        except sqlite3.OperationalError:  # a view of a table that does not exist
            continue
        yield name, frozenset(column for (column,) in rows)
