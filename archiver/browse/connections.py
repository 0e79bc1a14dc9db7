"""Connections: closing those that Datasette opens, and some of our own.

Datasette leaves its connections to the garbage collector.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from archiver.browse.metadata import harden


@contextmanager
def closing_connections(datasette: Any) -> Iterator[None]:
    """At the end, wait for the queries that run, and close every connection that was opened."""
    opened: list[sqlite3.Connection] = []
    for database in datasette.databases.values():
        database.connect = _remembering(database, opened)
    try:
        yield
    finally:
        if datasette.executor is not None:
            datasette.executor.shutdown(cancel_futures=True)
        for connection in opened:
            connection.close()


def _remembering(database: Any, opened: list[sqlite3.Connection]) -> Any:
    connect = database.connect
    is_private = database.is_memory and not database.memory_name

    def remembering(write: bool = False) -> sqlite3.Connection:
        connection: sqlite3.Connection
        if is_private:  # as Datasette does it, but so that another thread may close it
            connection = sqlite3.connect(":memory:", check_same_thread=False)
        else:
            connection = connect(write)
        opened.append(connection)
        return connection

    return remembering


@contextmanager
def own_connection(datasette: Any, name: str) -> Iterator[sqlite3.Connection]:
    """A connection for work that must not hold up the pages; any thread may use it, one at a time.

    Raises sqlite3.Error.
    """
    database = datasette.databases[name]
    mode = "mode=ro" if database.is_mutable else "immutable=1"
    address = f"{Path(database.path).resolve().as_uri()}?{mode}"
    with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
        connection.row_factory = sqlite3.Row
        harden(connection)
        yield connection
