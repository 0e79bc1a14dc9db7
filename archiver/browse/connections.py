"""Closing what Datasette opens: it leaves its connections to the garbage collector."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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
