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

from archiver.archive.hashed_rows import (
    WITHOUT_ID,
    clean_row,
    declared_key,
    hash_rows,
    insert_statement,
    key_of,
    update_checksum,
    with_hash,
    write_rows,
)
from archiver.archive.ledger import ChangedRow, RowKey, note_added, note_changed, note_removed
from archiver.archive.row_objects import column_names, mappings
from archiver.archive.transactions import transaction
from archiver.canonical import row_digest, shortened

_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
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
        """Collect one row; `write` cleans its text and adds its hash."""
        if table not in WITHOUT_ID and "id" not in row:
            row["id"] = self.new_id(table)
        self._collected[table].append(row)

    def write(self) -> None:
        """Write the collected rows. `new_id` then reads the next ids from the tables again."""
        with transaction(self._connection):
            for table in self.ORDER:
                if rows := self._collected[table]:
                    _add(self._connection, table, rows)
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
            _add(connection, table, list(map(dict, rows)))


def _add(connection: sqlite3.Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    digests = hash_rows(table, rows)
    write_rows(connection, table, rows)
    if table == "posts":
        _add_to_search(connection, [row["id"] for row in rows])
    note_added(connection, table, rows, digests)


def _insert(connection: sqlite3.Connection, verb: str, table: str, row: dict[str, Any]) -> int:
    with transaction(connection):
        if table not in WITHOUT_ID and "id" not in row:
            row["id"] = _new_id(connection, table)
        clean = with_hash(table, row)
        values = tuple(clean.values())
        if not connection.execute(insert_statement(table, clean, verb), values).rowcount:
            return 0
        if table == "posts":
            _add_to_search(connection, [clean["id"]])
        update_checksum(connection, table, added=[clean["row_sha256"]])
        note_added(connection, table, [clean])
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
    noted: list[ChangedRow] = []
    for found in rows:
        before = dict(zip(names, found[len(key) :], strict=True))
        old = before["row_sha256"]
        digest = row_digest(table, before)
        is_intact = old == shortened(table, digest)
        row = {**before, **values(before)}
        new = old
        if is_intact:
            new_digest = row_digest(table, row)
            new = shortened(table, new_digest)
            removed.append(old)
            added.append(new)
            noted.append(ChangedRow(before, row, digest, new_digest))
        changed.append((*(row[column] for column in columns), new, *found[: len(key)]))
    if changed:
        assignments = ", ".join(f"{column} = ?" for column in (*columns, "row_sha256"))
        condition = " AND ".join(f"{column} = ?" for column in key)
        with transaction(connection):
            connection.executemany(f"UPDATE {table} SET {assignments} WHERE {condition}", changed)
            update_checksum(connection, table, removed=removed, added=added)
            note_changed(connection, table, noted)
    return len(changed)


def update_row(connection: sqlite3.Connection, table: str, row_id: int, /, **values: Any) -> None:
    """Change some columns of one row, as `update` does."""
    update(connection, table, "id = ?", (row_id,), **values)


def delete(
    connection: sqlite3.Connection, table: str, where: str, parameters: Parameters, /
) -> int:
    """Delete the rows that match `where`; returns how many they were."""
    query = f"SELECT * FROM {table} WHERE {where}"
    with transaction(connection):
        removed = list(mappings(connection.execute(query, parameters)))
        connection.execute(f"DELETE FROM {table} WHERE {where}", parameters)
        update_checksum(connection, table, removed=[row["row_sha256"] for row in removed])
        note_removed(connection, table, removed)
    return len(removed)


def erase_rows(
    connection: sqlite3.Connection, table: str, where: str, parameters: Parameters, /
) -> list[RowKey]:
    """Erase the rows that match `where`, and return their keys; in a transaction.

    The ledger does not note it: an entry would commit to what is erased. The caller has its earlier
    commitments blanked, see `blanking`. Triggers that forbid it do not apply.
    """
    query = f"SELECT * FROM {table} WHERE {where}"
    erased = list(mappings(connection.execute(query, parameters)))
    if not erased:
        return []
    keeping = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\\_keep'"
    with _without_triggers(connection, table, f"{keeping} ESCAPE '\\' AND tbl_name = ?"):
        connection.execute(f"DELETE FROM {table} WHERE {where}", parameters)
    update_checksum(connection, table, removed=[row["row_sha256"] for row in erased])
    return list(map(itemgetter(*declared_key(table)), erased))


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
            connection.executemany(insert_statement(table, rows[0]), values)


def replace_all_rows(
    connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Replace all rows of a table that is computed from others; `rows` have their hashes."""
    with transaction(connection):
        note_removed(
            connection, table, list(mappings(connection.execute(f"SELECT * FROM {table}")))
        )
        connection.execute(f"DELETE FROM {table}")
        connection.execute(f"UPDATE table_checksums SET rows = 0, sum = 0 WHERE name = '{table}'")
        if rows:
            write_rows(connection, table, rows)
            note_added(connection, table, rows)


def restore_checksum(connection: sqlite3.Connection, table: str, rows: int, total: int) -> None:
    """Write the checksum of a table whose row in `table_checksums` is missing."""
    connection.execute("INSERT INTO table_checksums VALUES (?, ?, ?)", (table, rows, total))


@contextmanager
def _without_triggers(
    connection: sqlite3.Connection, table: str, query: str = _TRIGGERS
) -> Iterator[None]:
    triggers = connection.execute(query, (table,)).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        connection.execute(sql)


def _new_id(connection: sqlite3.Connection, table: str) -> int:
    new: int = connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0]
    return new
