"""Whether a row of a table is as it was written, by the hash that it carries."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from archiver.canonical import row_sha256


def hash_of(table: str, row: Mapping[str, Any]) -> str | None:
    """The hash of a row's columns as they stand; None where they cannot have one."""
    try:
        return row_sha256(table, row)
    except (UnicodeEncodeError, TypeError, OverflowError):
        return None


def is_intact(table: str, row: Mapping[str, Any]) -> bool:
    """Whether a row, read whole, is what its own hash says."""
    found = hash_of(table, row)
    return found is not None and found == row["row_sha256"]


def tolerate(connection: sqlite3.Connection) -> None:
    """Let text that is no longer Unicode be read: what is wrong in it shows as surrogates."""
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
