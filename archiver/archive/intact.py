"""Whether a row of a table is as it was written, by its own hash."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from archiver.canonical import row_sha256


def hash_of(table: str, row: Mapping[str, Any]) -> str | None:
    """The hash of a row's columns as they are now; None where their values cannot be hashed."""
    try:
        return row_sha256(table, row)
    except (UnicodeEncodeError, TypeError, OverflowError):
        return None


def is_intact(table: str, row: Mapping[str, Any]) -> bool:
    """Whether a row, with all its columns, matches its own hash."""
    found = hash_of(table, row)
    return found is not None and found == row["row_sha256"]


def accept_invalid_text(connection: sqlite3.Connection) -> None:
    """Read text that is not valid UTF-8 too: its wrong bytes become surrogates."""
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
