"""A public set of bad archives: one damage each, and what `archiver verify` must find.

    bad_archives.py GOOD OUT    makes OUT/<name>/ for every damage, from a copy of GOOD

Everything is done to the files below the program: its own code never writes these.
"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from archiver.archive.database import DATABASE, writer
from archiver.archive.rows import insert, key_of
from archiver.archive.schema import ROW_HASHED
from archiver.canonical import row_sha256

Damage = Callable[[Path], str]
"""Damages the archive in a folder, and returns what the finding must name."""


@dataclass(frozen=True)
class Bad:
    """One bad archive. `finding` is what verify says, `exit_code` what it tells the shell.

    With `opens` false the database is beyond reading, and the error itself is the finding.
    """

    name: str
    damage: Damage
    finding: str
    exit_code: int = 7
    opens: bool = True


BAD: list[Bad] = []


def bad(finding: str, **more: Any) -> Callable[[Damage], Damage]:
    """Add a damage to the set, under its function's name."""

    def add(damage: Damage) -> Damage:
        BAD.append(Bad(damage.__name__, damage, finding, **more))
        return damage

    return add


@contextmanager
def raw(archive: Path) -> Iterator[sqlite3.Connection]:
    """The database as any program sees it, with no trigger in the way."""
    connection = sqlite3.connect(archive / DATABASE)
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name NOT LIKE '%fts%'"
    triggers = connection.execute(query).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    for _, sql in triggers:
        connection.execute(sql)
    connection.commit()
    connection.close()


def flip(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit the other way."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def subject(table: str, key: tuple[object, ...]) -> str:
    """How a finding names a row."""
    return f"{table} {' / '.join(map(str, key))}"


# cells


def _first_key(connection: sqlite3.Connection, table: str, where: str) -> tuple[object, ...]:
    query = f"SELECT {', '.join(key_of(table))} FROM {table} WHERE {where} LIMIT 1"
    key: tuple[object, ...] = connection.execute(query).fetchone()
    return key


def _cell(table: str, column: str, number: bool) -> Damage:
    def damage(archive: Path) -> str:
        with raw(archive) as connection:
            key = _first_key(connection, table, f"{column} IS NOT NULL AND {column} <> ''")
            is_it = " AND ".join(f"{name} = ?" for name in key_of(table))
            if number:
                change = f"{column} = {column} + 64"
            else:  # the lowest bit of the first byte
                (text,) = connection.execute(
                    f"SELECT {column} FROM {table} WHERE {is_it}", key
                ).fetchone()
                letters = "".join(f"{byte:02x}" for byte in flip(text.encode(), 0))
                change = f"{column} = CAST(x'{letters}' AS TEXT)"
            connection.execute(f"UPDATE {table} SET {change} WHERE {is_it}", key)
        return subject(table, key)

    return damage


_TEXTS = {
    "about": "value", "runs": "version", "accounts": "handle", "run_accounts": "outcome",
    "responses": "headers", "posts": "text", "sightings": "content_sha256",
    "post_aliases": "row_sha256", "relations": "kind", "revisions": "raw", "attachments": "kind",
    "media": "content_type", "renditions": "url", "events": "what", "metrics": "row_sha256",
    "coverage": "newest", "quarantine": "reason",
}  # fmt: skip
_NUMBERS = {
    "runs": "bytes", "run_accounts": "got", "responses": "status", "posts": "account_id",
    "sightings": "content_version", "relations": "post_id", "revisions": "number",
    "attachments": "position", "media": "size", "renditions": "tries", "events": "run_id",
    "metrics": "value", "coverage": "reached_start", "quarantine": "run_id",
}  # fmt: skip
assert set(_TEXTS) == set(ROW_HASHED)
BAD += [
    Bad(f"text_in_{table}", _cell(table, column, False), "changed_row")
    for table, column in _TEXTS.items()
]
BAD += [
    Bad(f"number_in_{table}", _cell(table, column, True), "changed_row")
    for table, column in _NUMBERS.items()
]


@bad("changed_row")
def byte_in_a_text_on_disk(archive: Path) -> str:
    """In the file itself, where no SQL has been."""
    path = archive / DATABASE
    data = path.read_bytes()
    place = data.rindex("Grüße".encode())
    path.write_bytes(flip(data, place * 8))
    return ""


@bad("changed_row")
def text_that_is_no_unicode(archive: Path) -> str:
    with raw(archive) as connection:
        connection.execute("UPDATE posts SET text = CAST(x'ff' || text AS TEXT) WHERE id = 1")
    return "posts 1"


# rows


@bad("rows")
def deleted_metric(archive: Path) -> str:
    with raw(archive) as connection:
        one = "SELECT post_id, attachment_id, name, seen_at FROM metrics LIMIT 1"
        connection.execute(
            f"DELETE FROM metrics WHERE (post_id, attachment_id, name, seen_at) = ({one})"
        )
    return "metrics"


@bad("rows")
def deleted_event(archive: Path) -> str:
    with raw(archive) as connection:
        connection.execute("DELETE FROM events WHERE id = (SELECT max(id) FROM events)")
    return "events"


@bad("reference")
def deleted_last_revision(archive: Path) -> str:
    with raw(archive) as connection:
        (post_id,) = connection.execute(
            "SELECT post_id FROM revisions WHERE number = 2 LIMIT 1"
        ).fetchone()
        connection.execute(
            "DELETE FROM revisions WHERE post_id = ? AND number = "
            "(SELECT max(number) FROM revisions WHERE post_id = ?)", (post_id, post_id),
        )  # fmt: skip
    return f"posts {post_id}"


@bad("rows")
def event_added_by_hand_with_a_right_hash(archive: Path) -> str:
    row = {"id": 999, "post_id": 1, "run_id": 1, "at": "2026-01-01T00:00:00.000Z", "what": "edited"}
    with raw(archive) as connection:
        connection.execute(
            "INSERT INTO events (id, post_id, run_id, at, what, row_sha256) "
            "VALUES (:id, :post_id, :run_id, :at, :what, :row_sha256)",
            row | {"row_sha256": row_sha256("events", row)},
        )
    return "events"


@bad("rows")
def text_and_hash_altered_by_hand(archive: Path) -> str:
    with raw(archive) as connection:
        cursor = connection.execute("SELECT * FROM posts WHERE id = 1")
        names = [description[0] for description in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True)) | {"text": "We never said so"}
        connection.execute(
            "UPDATE posts SET text = ?, row_sha256 = ? WHERE id = 1",
            (row["text"], row_sha256("posts", row)),
        )
    return "posts"


@bad("reference")
def orphan(archive: Path) -> str:
    with raw(archive) as connection:
        connection.execute("DELETE FROM accounts WHERE id = 1")
    return "posts"


@bad("rows")
def lost_tally(archive: Path) -> str:
    with raw(archive) as connection:
        connection.execute("DELETE FROM tallies WHERE name = 'posts'")
    return "posts"


@bad("search_index")
def search_index_without_a_post(archive: Path) -> str:
    with raw(archive) as connection:
        connection.execute(
            "INSERT INTO posts_fts (posts_fts, rowid, text, title, alt_texts) "
            "SELECT 'delete', id, text, title, alt_texts FROM posts WHERE text <> '' LIMIT 1"
        )
    return "posts_fts"


# the file of the database


def _write(archive: Path, change: Callable[[bytes], bytes]) -> str:
    path = archive / DATABASE
    path.write_bytes(change(path.read_bytes()))
    return ""


@bad("database")
def index_that_disagrees(archive: Path) -> str:
    with raw(archive) as connection:
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'posts_created'"
        ).fetchone()
    path = archive / DATABASE
    data = path.read_bytes()
    start = (page - 1) * page_size
    place = data.index(b"20", start, start + page_size) + 2
    path.write_bytes(flip(data, place * 8))
    return ""


@bad("database")
def page_of_noise(archive: Path) -> str:
    with raw(archive) as connection:
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'events'"
        ).fetchone()
    start = (page - 1) * page_size
    noise = bytes(i * 37 % 251 for i in range(page_size))
    return _write(archive, lambda data: data[:start] + noise + data[start + page_size :])


@bad("", opens=False)
def truncated_by_a_page(archive: Path) -> str:
    return _write(archive, lambda data: data[:-8192])


@bad("", opens=False)
def truncated_to_half_a_page(archive: Path) -> str:
    return _write(archive, lambda data: data[:4096])


@bad("", opens=False)
def truncated_to_nothing(archive: Path) -> str:
    return _write(archive, lambda _: b"")


@bad("", opens=False)
def zeroed_header(archive: Path) -> str:
    return _write(archive, lambda data: bytes(100) + data[100:])


@bad("", opens=False)
def another_file_in_its_place(archive: Path) -> str:
    return _write(archive, lambda _: b"<!DOCTYPE html>" * 1000)


@bad("", opens=False)
def another_application(archive: Path) -> str:
    with raw(archive) as connection:
        connection.execute("PRAGMA application_id = 1")
    return ""


@bad("", opens=False, exit_code=6)
def newer_schema(archive: Path) -> str:
    with raw(archive) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations SELECT NULL, migration_set, 'm999_later', applied_at "
            "FROM _sqlite_migrations LIMIT 1"
        )
    return ""


@bad("", opens=False, exit_code=6)
def database_that_is_a_link(archive: Path) -> str:
    (archive / DATABASE).rename(archive / "elsewhere.db")
    (archive / DATABASE).symlink_to("elsewhere.db")
    return ""


@bad("leftover", exit_code=0)
def lost_log(archive: Path) -> str:
    """The log was not copied with the database: what was in it is lost, its files are not."""
    away = archive.with_name("away")
    with writer(archive) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        data = b"\xff\xd8\xff the newest picture"
        name = sha256(data).hexdigest()
        path = f"media/{name[:2]}/{name}.jpg"
        (archive / path).parent.mkdir(exist_ok=True)
        (archive / path).write_bytes(data)
        insert(
            connection, "media", sha256=name, path=path, size=len(data),
            content_type="image/jpeg", stored_at="2026-01-01T00:00:00.000Z",
        )  # fmt: skip
        shutil.copyfile(archive / DATABASE, away)
    away.replace(archive / DATABASE)
    return path


# files


def _a_file(archive: Path, number: int = 0) -> Path:
    connection = sqlite3.connect(archive / DATABASE)
    rows = connection.execute("SELECT path FROM media ORDER BY size DESC").fetchall()
    connection.close()
    return archive / str(rows[number][0])


def _file(archive: Path, change: Callable[[bytes], bytes]) -> str:
    path = _a_file(archive)
    path.write_bytes(change(path.read_bytes()))
    return path.relative_to(archive).as_posix()


@bad("changed_file")
def file_with_a_flipped_bit(archive: Path) -> str:
    return _file(archive, lambda data: flip(data, len(data) * 4))


@bad("changed_file")
def file_cut_short(archive: Path) -> str:
    return _file(archive, lambda data: data[:-1])


@bad("changed_file")
def file_with_a_tail(archive: Path) -> str:
    return _file(archive, lambda data: data + b"\0")


@bad("changed_file")
def file_of_zeros(archive: Path) -> str:
    return _file(archive, lambda data: bytes(len(data)))


@bad("changed_file")
def empty_file(archive: Path) -> str:
    return _file(archive, lambda _: b"")


@bad("changed_file")
def swapped_files(archive: Path) -> str:
    first, second = _a_file(archive), _a_file(archive, 1)
    aside = archive / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    return second.relative_to(archive).as_posix()


@bad("missing_file")
def deleted_file(archive: Path) -> str:
    path = _a_file(archive)
    path.unlink()
    return path.relative_to(archive).as_posix()


@bad("changed_file")
def link_to_the_right_bytes(archive: Path) -> str:
    path = _a_file(archive)
    path.rename(archive.parent / "outside")
    path.symlink_to(archive.parent / "outside")
    return path.relative_to(archive).as_posix()


@bad("changed_file")
def pipe_in_place_of_a_file(archive: Path) -> str:
    path = _a_file(archive)
    path.unlink()
    os.mkfifo(path)
    return path.relative_to(archive).as_posix()


@bad("changed_file")
def folder_in_place_of_a_file(archive: Path) -> str:
    path = _a_file(archive)
    path.unlink()
    path.mkdir()
    return path.relative_to(archive).as_posix()


@bad("leftover", exit_code=0)
def file_of_nobody(archive: Path) -> str:
    path = archive / "media/ab" / f"{'ab' * 32}.jpg"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"whose?")
    return path.relative_to(archive).as_posix()


@bad("leftover", exit_code=0)
def unfinished_download(archive: Path) -> str:
    (archive / "tmp").mkdir(exist_ok=True)
    (archive / "tmp/0123.part").write_bytes(b"half of")
    return "tmp/0123.part"


if __name__ == "__main__":
    good, out = map(Path, sys.argv[1:])
    for one in BAD:
        place = Path(shutil.copytree(good, out / one.name / "archive", symlinks=True))
        print(f"{one.name}: {one.finding or 'cannot be opened'} {one.damage(place)}")  # noqa: T201
