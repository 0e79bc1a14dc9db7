"""Writing rows: the only module that writes tables whose rows have a hash.

Every row has a hash of its columns, and every table a row count and a sum of hashes in
`table_checksums`, which are updated in the same transaction: so an altered value, a lost row and a
row added outside archiver are all detected.
There is one writer, so it can assign ids itself; then a whole page of posts with everything that
refers to them is written with one `executemany` per table.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from operator import itemgetter
from typing import Any

from archiver.archive.row_objects import column_names
from archiver.archive.transactions import transaction
from archiver.canonical import row_sha256

CHECKSUM_DIGITS = 12
"""How many hex digits of each row's hash are summed in `table_checksums`."""
CHECKSUM_MASK = (1 << 62) - 1
"""Keeps the sum within what SQLite can add without overflow."""

_NUL = "\u2400"  # a picture of it: SQLite functions would cut the text there

_KEYS = {
    "about": ("name",),
    "attachment_sources": ("attachment_id", "source", "key"),
    "media": ("sha256",),
    "metrics": ("post_id", "attachment_id", "name", "seen_at"),
    "post_aliases": ("post_id", "scheme", "value"),
    "post_sources": ("post_id", "source"),
}
"""The primary keys of tables without a rowid."""

_WITHOUT_ID = {*_KEYS, "run_accounts", "storage_totals"}
"""Tables whose rows have no `id` of their own."""

Parameters = Sequence[object] | Mapping[str, object]


class Rows:
    """New rows, collected per table and written in an order that satisfies foreign keys."""

    ORDER = (
        "posts", "post_sources", "post_aliases", "relations", "revisions", "attachments",
        "attachment_sources", "renditions", "events", "metrics",
    )  # fmt: skip

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._collected: dict[str, list[dict[str, Any]]] = {table: [] for table in self.ORDER}
        self._next_id: dict[str, int] = {}

    def new_id(self, table: str) -> int:
        """The id of a row that is about to be added."""
        given = self._next_id.get(table) or _new_id(self._connection, table)
        self._next_id[table] = given + 1
        return given

    def add(self, table: str, **row: Any) -> None:
        """Collect one row; its text is cleaned, and its hash added."""
        if table not in _WITHOUT_ID and "id" not in row:
            row["id"] = self.new_id(table)
        self._collected[table].append(with_hash(table, row))

    def write(self) -> None:
        """Write the collected rows. `new_id` then reads the next ids from the tables again."""
        with transaction(self._connection):
            for table in self.ORDER:
                if rows := self._collected[table]:
                    _write(self._connection, table, rows)
                    self._collected[table] = []
        self._next_id.clear()


def insert(connection: sqlite3.Connection, table: str, /, **row: Any) -> int:
    """Add one row; columns that are not given are NULL. Returns its id, if it has one."""
    return _insert(connection, "INSERT", table, row)


def insert_new(connection: sqlite3.Connection, table: str, /, **row: Any) -> bool:
    """Add one row, unless it is there already; returns whether it was added."""
    return bool(_insert(connection, "INSERT OR IGNORE", table, row))


def insert_all(
    connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]], /
) -> None:
    """Add rows that all have the same columns, their key among them."""
    if rows:
        with transaction(connection):
            _write(connection, table, [with_hash(table, row) for row in rows])


def _write(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    values = map(itemgetter(*rows[0]), rows)  # faster than a lookup of each value by its name
    connection.executemany(_insert_statement(table, rows[0]), values)
    if table == "posts":
        _add_to_search(connection, [row["id"] for row in rows])
    _update_checksum(connection, table, added=[row["row_sha256"] for row in rows])


def _insert(connection: sqlite3.Connection, verb: str, table: str, row: dict[str, Any]) -> int:
    with transaction(connection):
        if table not in _WITHOUT_ID and "id" not in row:
            row["id"] = _new_id(connection, table)
        clean = with_hash(table, row)
        values = tuple(clean.values())
        if not connection.execute(_insert_statement(table, clean, verb), values).rowcount:
            return 0
        if table == "posts":
            _add_to_search(connection, [clean["id"]])
        _update_checksum(connection, table, added=[clean["row_sha256"]])
    return int(row.get("id", 1))


def _add_to_search(connection: sqlite3.Connection, post_ids: Sequence[int]) -> None:
    """Add new posts to the search index, all by one statement: FTS5 writes a segment after each.

    Triggers do the same for posts that change or are deleted.
    """
    columns = "text, title, alt_texts, search_text, earlier_text"
    connection.execute(
        f"INSERT INTO posts_fts (rowid, {columns}) SELECT id, {columns} FROM posts "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(post_ids),),
    )


def update(
    connection: sqlite3.Connection, table: str, where: str, parameters: Parameters, /, **values: Any
) -> int:
    """Change some columns of the rows that match `where`; returns how many they are.

    A row that does not match its hash keeps that hash, which the new columns do not match either:
    writing to a damaged row must not make it look intact.
    """
    clean = clean_row(values)
    return _update(connection, table, where, parameters, tuple(clean), lambda _: clean)


def update_rows(
    connection: sqlite3.Connection, table: str, values: Mapping[int, Mapping[str, Any]], /
) -> None:
    """Change the same columns of many rows, as `update` does; `values` are by the rows' ids."""
    if not values:
        return
    columns = tuple(next(iter(values.values())))
    clean = {row_id: clean_row(row) for row_id, row in values.items()}
    where = "id IN (SELECT value FROM json_each(?))"
    wanted = (json.dumps(list(clean)),)
    _update(connection, table, where, wanted, columns, lambda row: clean[row["id"]])


def _update(
    connection: sqlite3.Connection, table: str, where: str, parameters: Parameters,
    columns: tuple[str, ...], values: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> int:  # fmt: skip
    key = key_of(table)
    query = f"SELECT {', '.join(key)}, * FROM {table} WHERE {where}"
    # damaged text ends the reading halfway: a statement left open would keep the file open too
    with closing(connection.execute(query, parameters)) as cursor:
        names = column_names(cursor)[len(key) :]
        rows = cursor.fetchall()
    changed, removed, added = [], [], []
    for found in rows:
        row = dict(zip(names, found[len(key) :], strict=True))
        old = row["row_sha256"]
        is_intact = old == row_sha256(table, row)
        row |= values(row)
        new = row_sha256(table, row) if is_intact else old
        changed.append((*(row[column] for column in columns), new, *found[: len(key)]))
        if is_intact:
            removed.append(old)
            added.append(new)
    if changed:
        assignments = ", ".join(f"{column} = ?" for column in (*columns, "row_sha256"))
        condition = " AND ".join(f"{column} = ?" for column in key)
        with transaction(connection):
            connection.executemany(f"UPDATE {table} SET {assignments} WHERE {condition}", changed)
            _update_checksum(connection, table, removed=removed, added=added)
    return len(changed)


def update_row(connection: sqlite3.Connection, table: str, row_id: int, /, **values: Any) -> None:
    """Change some columns of one row, as `update` does."""
    update(connection, table, "id = ?", (row_id,), **values)


def delete(
    connection: sqlite3.Connection, table: str, where: str, parameters: Parameters, /
) -> int:
    """Delete the rows that match `where`; returns how many they were."""
    query = f"SELECT row_sha256 FROM {table} WHERE {where}"
    with transaction(connection):
        removed = [row[0] for row in connection.execute(query, parameters)]
        connection.execute(f"DELETE FROM {table} WHERE {where}", parameters)
        _update_checksum(connection, table, removed=removed)
    return len(removed)


def key_of(table: str) -> tuple[str, ...]:
    """The key columns of a table."""
    return _KEYS.get(table, ("rowid",))


def key_condition(table: str, key: Sequence[object]) -> tuple[str, list[object]]:
    """The condition for a row's key, and its parameters, also where the key is invalid UTF-8."""
    conditions: list[str] = []
    parameters: list[object] = []
    for column, value in zip(key_of(table), key, strict=True):
        if isinstance(value, str):
            conditions.append(f"{column} = CAST(? AS TEXT)")
            parameters.append(value.encode("utf-8", "surrogateescape"))
        else:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    return " AND ".join(conditions), parameters


def write_original(
    connection: sqlite3.Connection, table: str, key: Sequence[object], row: Mapping[str, Any], /
) -> None:
    """Write the original content of a damaged row, which its hash proves; in a transaction.

    Triggers that forbid changes do not apply: the row is restored, not changed.
    """
    assignments = ", ".join(f"{column} = ?" for column in row)
    condition, found = key_condition(table, key)
    change = f"UPDATE {table} SET {assignments} WHERE {condition}"
    with _without_triggers(connection, table):
        connection.execute(change, (*row.values(), *found))


def replace_rows(
    connection: sqlite3.Connection, table: str, removed: Iterable[Sequence[object]],
    rows: Sequence[Mapping[str, Any]], /,
) -> None:  # fmt: skip
    """Delete and add rows so that a table matches its unchanged checksum; in a transaction.

    The rows of the keys `removed` are deleted, and `rows` added as they were written first. No
    trigger stops it, and foreign keys are checked only at the end.
    """
    connection.execute("PRAGMA defer_foreign_keys = ON")
    with _without_triggers(connection, table):
        for key in removed:
            condition, found = key_condition(table, key)
            connection.execute(f"DELETE FROM {table} WHERE {condition}", found)
        if rows:
            values = map(itemgetter(*rows[0]), rows)
            connection.executemany(_insert_statement(table, rows[0]), values)


def replace_all_rows(
    connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Replace all rows of a table that is computed from others; `rows` have their hashes."""
    with transaction(connection):
        connection.execute(f"DELETE FROM {table}")
        connection.execute(f"UPDATE table_checksums SET rows = 0, sum = 0 WHERE name = '{table}'")
        if rows:
            _write(connection, table, rows)


def restore_checksum(connection: sqlite3.Connection, table: str, rows: int, total: int) -> None:
    """Write the checksum of a table whose row in `table_checksums` is missing."""
    connection.execute("INSERT INTO table_checksums VALUES (?, ?, ?)", (table, rows, total))


@contextmanager
def _without_triggers(connection: sqlite3.Connection, table: str) -> Iterator[None]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
    triggers = connection.execute(query, (table,)).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        connection.execute(sql)


def checksum_of(hashes: Iterable[str]) -> int:
    """The checksum of rows with these hashes, as in `table_checksums`."""
    return sum(map(_number, hashes)) & CHECKSUM_MASK


def _number(digest: str) -> int:
    try:
        return int(digest[:CHECKSUM_DIGITS], 16)
    except ValueError:  # a damaged hash; whoever checks its row will say so
        return 0


def _update_checksum(
    connection: sqlite3.Connection, table: str, *, removed: Sequence[str] = (),
    added: Sequence[str] = (),
) -> None:  # fmt: skip
    moved = (checksum_of(added) - checksum_of(removed)) & CHECKSUM_MASK
    connection.execute(
        f"UPDATE table_checksums SET rows = rows + ?, sum = (sum + ?) & {CHECKSUM_MASK} "
        "WHERE name = ?",
        (len(added) - len(removed), moved, table),
    )


def _new_id(connection: sqlite3.Connection, table: str) -> int:
    new: int = connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0]
    return new


def with_hash(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it is written: cleaned, and with its hash."""
    clean = clean_row(row)
    clean["row_sha256"] = row_sha256(table, clean)
    return clean


def _insert_statement(table: str, row: Mapping[str, Any], verb: str = "INSERT") -> str:
    return f"{verb} INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"


def clean_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with values as columns have them: well-formed text, and booleans as 0 and 1."""
    clean = dict(row)
    for column, value in row.items():
        if value is None:
            continue
        if isinstance(value, str):
            if "\x00" in value or not value.isascii():
                clean[column] = clean_text(value)
        elif value is True or value is False:
            clean[column] = int(value)
    return clean


def clean_text(text: str) -> str:
    """Well-formed Unicode without NUL. The raw record keeps the original text."""
    if "\x00" in text:
        text = text.replace("\x00", _NUL)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text
