"""Serving an archive to the person at this machine, and to nobody else."""

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.plugins import DEFAULT_PLUGINS, pm

import archiver.browse as ours
from archiver.archive.database import DATABASE
from archiver.browse import thumbs
from archiver.browse.archives import all_archives
from archiver.errors import StorageError
from archiver.webserver import listen, origin_of, running, wait_until_interrupted

HOST = "127.0.0.1"
PORT = 8001
HOSTS = ["127.0.0.1", "localhost", "[::1]"]

SETTINGS = {
    "default_allow_sql": True,  # the local user's own data
    "allow_download": False,  # a copy of a live database is torn; the file is at hand anyway
    "sql_time_limit_ms": 5000,
    "max_csv_mb": 0,
    "default_cache_ttl": 0,
    "template_debug": False,
    "trace_debug": False,
}


def find_database(place: Path) -> Path:
    """The database of an archive, told its folder or its file. Raises StorageError."""
    path = place if place.is_file() else place / DATABASE
    if not path.is_file():
        raise StorageError(
            f"There is no archive in {place}",
            hint="Make one with archiver backup, or name the folder that holds archive.db",
            code="no_archive",
        )
    return path


def make_datasette(database: Path, *, other_plugins: bool = False) -> Any:
    """Datasette over one archive: files are named one by one, so that nothing in its folder runs.

    Without `other_plugins`, what else is installed for Datasette stays out of it.
    """
    if not any(plugin is ours for plugin in pm.get_plugins()):
        pm.register(ours, ours.__name__)
    if not other_plugins:
        for plugin in list(pm.get_plugins()):
            if plugin is not ours and plugin.__name__ not in DEFAULT_PLUGINS:
                pm.unregister(plugin)
    still = _never_changes(database)
    return Datasette(
        [] if still else [str(database)],
        immutables=[str(database)] if still else [],
        settings=SETTINGS,
        metadata={"plugins": {ours.CONFIG: {"hosts": HOSTS}}},
    )


def _never_changes(database: Path) -> bool:
    """Whether the file lies where nobody can write: only then may SQLite skip its locks.

    A database in WAL mode cannot be read any other way from a read-only folder.
    """
    log = database.with_name(database.name + "-wal")
    if os.access(database.parent, os.W_OK):
        return False
    return not (log.exists() and log.stat().st_size)


def serve(datasette: Any, port: int, ready: Callable[[str], None]) -> None:
    """Answer until interrupted. Port 0 takes a free one. Raises UsageError where it is taken."""
    listener = listen(HOST, port)
    try:
        with running(datasette.app(), [listener], lifespan=True) as thread:
            threading.Thread(target=_count, args=(datasette,), daemon=True).start()
            url = f"{origin_of(listener)}/"
            threading.Thread(target=ready, args=(url,), daemon=True).start()
            wait_until_interrupted(thread)
    finally:
        thumbs.stop()


def _count(datasette: Any) -> None:
    """Count what the first page tells before anybody asks; in an archive of millions it is felt."""
    for archive in all_archives(datasette):
        path = Path(datasette.databases[archive.name].path).resolve()
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection,
        ):
            archive.tally.months(connection)
            archive.tally.files(connection)
