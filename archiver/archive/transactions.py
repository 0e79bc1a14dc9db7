"""Transactions, which may be nested."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from archiver.archive.ledger import ledger_entry


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction around the block; inside another one it is a part of that (a dry run).

    Its entry in the ledger is written before the COMMIT. A COMMIT that fails is rolled back: else
    the next transaction would join the open one.
    """
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        with ledger_entry(connection) as write:
            yield
            write()
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def rolled_back(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction around the block that is rolled back at its end: a dry run."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
