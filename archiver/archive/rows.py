"""Rows on their way into the archive: ids given out here, everything written in few statements.

There is one writer, so it can number new rows itself; then whole pages of posts with all that
hangs on them go in with one `executemany` a table.
"""

import sqlite3
from typing import Any

from archiver.archive.schema import ROW_HASHED
from archiver.canonical import row_sha256

_NUL = "\u2400"  # a picture of it: SQLite functions would cut the text there


class Rows:
    """New rows, gathered per table and written in an order that keeps references whole."""

    ORDER = (
        "posts", "sightings", "post_aliases", "relations", "revisions", "attachments",
        "renditions", "events", "metrics",
    )  # fmt: skip

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._gathered: dict[str, list[dict[str, Any]]] = {table: [] for table in self.ORDER}
        self._next_id: dict[str, int] = {}

    def new_id(self, table: str) -> int:
        """The id of a row that is about to be added."""
        if table not in self._next_id:
            query = f"SELECT coalesce(max(id), 0) + 1 FROM {table}"
            self._next_id[table] = self._connection.execute(query).fetchone()[0]
        given = self._next_id[table]
        self._next_id[table] = given + 1
        return given

    def add(self, table: str, **row: Any) -> None:
        """Gather one row; text is made fit for a column, and the row's own hash is added."""
        clean = clean_row(row)
        if table in ROW_HASHED:
            clean["row_sha256"] = row_sha256(table, clean, ROW_HASHED[table])
        self._gathered[table].append(clean)

    def write(self) -> None:
        """Write what was gathered. Ids are given out anew after this."""
        for table in self.ORDER:
            rows = self._gathered[table]
            if rows:
                columns = ", ".join(rows[0])
                values = ", ".join(f":{column}" for column in rows[0])
                # two looks in one millisecond: the later number stands
                verb = "INSERT OR REPLACE" if table == "metrics" else "INSERT"
                statement = f"{verb} INTO {table} ({columns}) VALUES ({values})"
                self._connection.executemany(statement, rows)
                self._gathered[table] = []
        self._next_id.clear()


def update(connection: sqlite3.Connection, table: str, row_id: int, **values: Any) -> None:
    """Change some columns of one row."""
    clean = clean_row(values)
    assignments = ", ".join(f"{column} = :{column}" for column in clean)
    statement = f"UPDATE {table} SET {assignments} WHERE id = :id"
    connection.execute(statement, clean | {"id": row_id})


def clean_row(row: dict[str, Any]) -> dict[str, Any]:
    """The row with text that any column can hold."""
    return {
        column: clean_text(value) if isinstance(value, str) else value
        for column, value in row.items()
    }


def clean_text(text: str) -> str:
    """Well-formed Unicode without NUL. The record keeps what was really sent."""
    if "\x00" in text:
        text = text.replace("\x00", _NUL)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text
