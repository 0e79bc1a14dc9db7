"""One flipped bit, anywhere in what is kept: always found, and put back in a row by its hash."""

import random
import sqlite3
import struct
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.rows import key_of
from archiver.archive.schema import ROW_HASHED
from archiver.evidence.files import Scope
from archiver.evidence.repair import repair
from archiver.evidence.verify import verify
from bad_archives import flip, raw, subject
from damage import contents

NOW = "2026-11-23T00:00:00.000Z"
SEEDS = range(6)

Key = tuple[object, ...]


def flipped(chance: random.Random, value: Any) -> tuple[str, Any]:
    """An SQL expression and its parameter: the value with one bit the other way."""
    if isinstance(value, int):
        bits = int.from_bytes(flip(value.to_bytes(8, "little", signed=True), chance.randrange(64)),
            "little", signed=True)  # fmt: skip
        return "?", bits
    if isinstance(value, float):
        data = flip(struct.pack("<d", value), chance.randrange(52))
        return "?", struct.unpack("<d", data)[0]
    data = value if isinstance(value, bytes) else value.encode()
    data = flip(data, chance.randrange(8 * len(data)))
    return ("?" if isinstance(value, bytes) else "CAST(? AS TEXT)"), data


def flip_every_row(
    connection: sqlite3.Connection, chance: random.Random, *, keys: bool
) -> dict[str, set[Key]]:
    """Flip one bit in one cell of every row; returns the keys of what was flipped."""
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    done: dict[str, set[Key]] = {table: set() for table in ROW_HASHED}
    for table in ROW_HASHED:
        key_columns = key_of(table)
        query = f"SELECT {', '.join(key_columns)}, * FROM {table}"
        cursor = connection.execute(query)
        columns = [description[0] for description in cursor.description]
        for found in cursor.fetchall():
            key, row = found[: len(key_columns)], dict(zip(columns, found, strict=True))
            cells = [
                column
                for column in columns[len(key_columns) :]
                if row[column] not in {None, ""}
                and (keys or (column not in key_columns and column not in {"id", "post_id"}))
            ]
            column = chance.choice(cells)
            expression, value = flipped(chance, row[column])
            is_it = " AND ".join(f"{name} = ?" for name in key_columns)
            change = f"UPDATE {table} SET {column} = {expression} WHERE {is_it} RETURNING "
            try:
                (new_key,) = connection.execute(
                    change + ", ".join(key_columns), (value, *key)
                ).fetchall()
            except sqlite3.IntegrityError:  # two rows would have become one
                continue
            done[table].add(new_key)
    return done


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flipped_bit_in_any_cell_of_any_row_is_found(archive: Path, seed: int) -> None:
    with raw(archive) as connection:
        done = flip_every_row(connection, random.Random(seed), keys=True)
    result = verify(archive, Scope(), NOW)
    found = {str(row) for row in result.bad_rows}
    expected = {subject(table, key) for table, keys in done.items() for key in keys}
    assert len(expected) > 200
    assert expected - found == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_with_a_flipped_bit_are_put_back_exactly(
    archive: Path, good_archive: Path, seed: int
) -> None:
    with raw(archive) as connection:
        done = flip_every_row(connection, random.Random(seed), keys=False)
    found = verify(archive, Scope(), NOW)

    repaired = repair(archive, found, NOW)

    assert [f for f in found.findings if f.what == "database"] == []
    assert repaired.rows == sum(map(len, done.values()))
    assert verify(archive, Scope(), NOW).damage == []
    assert contents(archive) == contents(good_archive)


def test_what_no_single_bit_explains_is_named_and_left_alone(archive: Path) -> None:
    with raw(archive) as connection:
        connection.execute("UPDATE posts SET text = 'something else' WHERE id = 1")
    found = verify(archive, Scope(), NOW)

    repaired = repair(archive, found, NOW)

    assert repaired.rows == 0
    after = verify(archive, Scope(), NOW)
    assert [str(row) for row in after.bad_rows] == ["posts 1"]


def test_a_damaged_record_is_taken_from_its_revision(archive: Path) -> None:
    with raw(archive) as connection:
        connection.execute("UPDATE posts SET raw = '{}' WHERE id = 1")

    repaired = repair(archive, verify(archive, Scope(), NOW), NOW)

    assert repaired.rows == 1
    assert verify(archive, Scope(), NOW).damage == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flipped_bit_in_any_file_is_found(archive: Path, seed: int) -> None:
    chance = random.Random(seed)
    files = sorted(path for path in (archive / "media").rglob("*") if path.is_file())
    for path in files:
        data = path.read_bytes()
        path.write_bytes(flip(data, chance.randrange(8 * len(data))))
    result = verify(archive, Scope(), NOW)
    found = {f.subject for f in result.findings if f.what == "changed_file"}
    assert found == {path.relative_to(archive).as_posix() for path in files}
