"""`archiver browse`: Datasette with one archive, served on this machine only."""

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.plugins import DEFAULT_PLUGINS, pm

import archiver.browse as ours
from archiver.archive.database import DATABASE
from archiver.browse import thumbs
from archiver.browse.archives import all_archives, use_store
from archiver.browse.connections import closing_connections, own_connection
from archiver.errors import StorageError
from archiver.media.store import MediaStore
from archiver.webserver import listen, origin_of, running, wait_until_interrupted

HOST = "127.0.0.1"
PORT = 8001
HOSTS = ["127.0.0.1", "localhost", "[::1]"]

SETTINGS = {
    "default_allow_sql": True,  # the local user's own data
    "allow_download": False,  # a copy made while a run writes may be inconsistent
    "sql_time_limit_ms": 5000,
    "max_csv_mb": 0,
    "default_cache_ttl": 0,
    "default_page_size": 50,  # each row has twenty cells to print
    "template_debug": False,
    "trace_debug": False,
}


def find_database(path: Path) -> Path:
    """The database of an archive; `path` is its folder or the file. Raises StorageError."""
    database = path if path.is_file() else path / DATABASE
    if not database.is_file():
        raise StorageError(
            f"There is no archive in {path}",
            hint="Make one with archiver backup, or name the folder that holds archive.db",
            code="no_archive",
        )
    return database


def make_datasette(
    database: Path, *, other_plugins: bool = False, store: MediaStore | None = None
) -> Any:
    """Datasette with one archive, given as a file: of a folder, Datasette would run its plugins.

    Without `other_plugins`, other installed plugins of Datasette are not loaded. `store` has the
    media, if they are not in the folder.
    """
    if not any(plugin is ours for plugin in pm.get_plugins()):
        pm.register(ours, ours.__name__)
    if not other_plugins:
        for plugin in list(pm.get_plugins()):
            if plugin is not ours and plugin.__name__ not in DEFAULT_PLUGINS:
                pm.unregister(plugin)
    immutable = _is_immutable(database)
    datasette = Datasette(
        [] if immutable else [str(database)],
        immutables=[str(database)] if immutable else [],
        settings=SETTINGS,
        metadata={"plugins": {ours.CONFIG: {"hosts": HOSTS}}},
    )
    if store is not None:
        use_store(datasette, store)
    return datasette


def _is_immutable(database: Path) -> bool:
    """Whether nobody can write to the folder, so that SQLite may open the file without locks.

    From a read-only folder, a database in WAL mode can only be read that way.
    """
    log = database.with_name(database.name + "-wal")
    if os.access(database.parent, os.W_OK):
        return False
    return not (log.exists() and log.stat().st_size)


def serve(datasette: Any, port: int, ready: Callable[[str], None]) -> None:
    """Serve until interrupted. Port 0 chooses a free port. Raises UsageError if it is taken."""
    listener = listen(HOST, port)
    try:
        with (
            closing_connections(datasette),
            running(datasette.app(), [listener], lifespan=True) as thread,
        ):
            threading.Thread(target=_warm_up, args=(datasette,), daemon=True).start()
            url = f"{origin_of(listener)}/"
            threading.Thread(target=ready, args=(url,), daemon=True).start()
            wait_until_interrupted(thread)
    finally:
        thumbs.stop()


def _warm_up(datasette: Any) -> None:
    """Count what the first page shows, before it is opened: it takes a second per million posts."""
    for archive in all_archives(datasette):
        path = Path(datasette.databases[archive.name].path).resolve()
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection,
        ):
            archive.tally.posts(connection)
            archive.tally.files(connection)
            archive.totals.get(connection, partial(own_connection, datasette, archive.name))
