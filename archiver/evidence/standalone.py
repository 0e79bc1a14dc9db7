"""Checks an archive, or a copy of one, with nothing but Python's standard library.

    python standalone.py ARCHIVE [CHECKPOINT]...

ARCHIVE is the folder with archive.db. A CHECKPOINT is a file with the text of a checkpoint that was
kept elsewhere. Needs nothing else of archiver: copy this file wherever you like. It checks, as
docs/evidence-format.md says: the chain of the ledger, its tree at every checkpoint, every row
against its own hash and against the ledger, and every file against its hash.

It reads only. It ends with 0 where everything is as it was written, with 1 where something is not,
and with 2 where there is no archive. It holds the keys of all rows in memory, about 1 GB for ten
million.
"""

import base64
import hashlib
import json
import sqlite3
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

NOT_COMMITTED = {"ledger", "ledger_rows", "checkpoints"}
SALT, HASH = 16, 32
UNKNOWN = bytes(HASH)
Row = dict[str, Any]
Newest = dict[tuple[str, tuple[Any, ...]], tuple[int, str, bytes, bytes]]
"""By table and key: the entry that is the newest with it, its change, salt and commitment."""
Wanted = dict[int, list[tuple[str, bytes]]]
"""What checkpoints promise: their names and root hashes, by the number of entries."""


def sha256(data: bytes) -> bytes:
    """The SHA-256 of bytes, as bytes."""
    return hashlib.sha256(data).digest()


# the Merkle tree of RFC 6962, section 2.1


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(b"\0" + entry)


def add_leaf(subtrees: list[bytes], size: int, leaf: bytes) -> None:
    """Add a leaf to the roots of the complete subtrees of a tree that has `size` leaves."""
    while size & 1:
        leaf = sha256(b"\1" + subtrees.pop() + leaf)
        size >>= 1
    subtrees.append(leaf)


def root_of(subtrees: list[bytes]) -> bytes:
    """The root of a tree, from those of its complete subtrees."""
    if not subtrees:
        return sha256(b"")
    root = subtrees[-1]
    for subtree in reversed(subtrees[:-1]):
        root = sha256(b"\1" + subtree + root)
    return root


# rows


def row_hash(table: str, row: Row) -> bytes | None:
    """The whole hash of a row, as bytes; None where its text is no Unicode, which is damage."""
    columns: Row = {"": table}
    for name, value in row.items():
        if name == "row_sha256" or value is None:
            continue
        if isinstance(value, bytes):
            columns[name] = base64.b64encode(value).decode()
        else:
            columns[name] = repr(value) if isinstance(value, float) else value
    text = json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return sha256(text.encode())
    except UnicodeEncodeError:
        return None


def has_hash(table: str, row: Row, digest: bytes) -> bool:
    """Whether a row has this hash in its column, in full or its first twelve digits."""
    length = 12 if table == "metrics" else 64
    return bool(row["row_sha256"] == digest.hex()[:length])


def rows_of(
    database: sqlite3.Connection, table: str, which: str = "", *parameters: object
) -> Iterator[Row]:
    """Rows of a table, as dicts."""
    cursor = database.execute(f'SELECT * FROM "{table}" {which}', parameters)
    names = [column[0] for column in cursor.description]
    for values in cursor:
        yield dict(zip(names, values, strict=True))


def keys_of(database: sqlite3.Connection, table: str) -> list[str]:
    """The columns of a table's primary key."""
    info = database.execute(f'PRAGMA table_info("{table}")').fetchall()
    return [name for _, name in sorted((row[5], row[1]) for row in info if row[5])]


def check_rows(database: sqlite3.Connection, table: str, newest: Newest) -> Iterator[str]:
    """Check each row against its hash, and against the newest entry that has its key."""
    key_columns = keys_of(database, table)
    seen = set()
    for row in rows_of(database, table):
        key = tuple(row[name] for name in key_columns)
        name = f"{table} {' / '.join(map(str, key))}"
        seen.add(key)
        digest = row_hash(table, row)
        if digest is None or not has_hash(table, row, digest):
            yield f"{name}: its columns do not match its hash"
            continue
        if table in NOT_COMMITTED:
            continue
        said = newest.get((table, key))
        if said is None and is_own_row(database, table, key):
            continue
        if said is None:
            yield f"{name}: no entry of the ledger has it"
        elif said[1] == "removed":
            yield f"{name}: is there, and entry {said[0]} says that it was removed"
        elif sha256(said[2] + digest) != said[3]:
            yield f"{name}: is not the row that entry {said[0]} says was written"
    for (of_table, key), said in newest.items():
        if of_table == table and said[1] not in {"removed", "hidden"} and key not in seen:
            yield f"{table} {' / '.join(map(str, key))}: is missing, entry {said[0]} says"


def is_own_row(database: sqlite3.Connection, table: str, key: tuple[Any, ...]) -> bool:
    """Whether it is a row that an extract has of its own, so that no entry commits to it."""
    is_own = table == "storage_totals" or (table, key) == ("about", ("extract",))
    return is_own and extract_note(database) is not None


def extract_note(database: sqlite3.Connection) -> str | None:
    """What an extract says of itself; None of a whole archive."""
    found = database.execute("SELECT value FROM about WHERE name = 'extract'").fetchone()
    return str(found[0]) if found else None


# the ledger


def check_part(part: Row, newest: Newest) -> Iterator[str]:
    """Check what a row of `ledger_rows` says of each row, and note it as the newest."""
    entry, table, change, count = (
        part[name] for name in ("entry_id", "table_name", "change", "count")
    )
    try:
        keys = json.loads(zlib.decompress(part["keys"]))
    except (zlib.error, ValueError):
        keys = None
    if not isinstance(keys, list) or len(keys) != count or len(part["salts"]) != SALT * count:
        yield f"entry {entry}: its commitments to {table} cannot be read"
        return
    for number, value in enumerate(keys):
        if value is None:  # a row that an extract lacks
            newest[table, (None,)] = (entry, "hidden", b"", b"")
            continue
        key = tuple(value) if isinstance(value, list) else (value,)
        salt = part["salts"][number * SALT :][:SALT]
        commitment = part["commitments"][number * HASH :][:HASH]
        if change != "added":
            before = (part["before"] or b"")[number * HASH :][:HASH]
            earlier = newest.get((table, key))
            if before != UNKNOWN and (earlier is None or sha256(earlier[2] + before) != earlier[3]):
                yield f"{table} {key}: had been altered when entry {entry} was written"
            if change == "removed" and sha256(salt + before) != commitment:
                yield f"{table} {key}: what entry {entry} says of it is contradictory"
        newest[table, key] = (entry, change, salt, commitment)


def read_checkpoints(
    database: sqlite3.Connection, kept: list[tuple[str, str]], wanted: Wanted
) -> Iterator[str]:
    """Put the roots that checkpoints promise into `wanted`; `kept` are more, with their names."""
    origin = database.execute("SELECT value FROM about WHERE name = 'archive_id'").fetchone()
    rows = database.execute("SELECT note, 'checkpoint ' || id FROM checkpoints ORDER BY id")
    for note, name in [*rows, *kept]:
        try:
            log, count, encoded = note.split("\n")[:3]
            root = base64.b64decode(encoded, validate=True)
            wanted.setdefault(int(count), []).append((name, root))
        except ValueError:
            yield f"{name}: is no checkpoint"
            continue
        if origin is None or log != f"archiver/{origin[0]}":
            yield f"{name}: is of another archive, {log}"


def check_entry(
    database: sqlite3.Connection, entry_id: int, text: str, previous: str | None, newest: Newest
) -> Iterator[str]:
    """Check an entry against the one before it, and the commitments that are kept for it."""
    try:
        said = json.loads(text)
        named, rows = said["previous"], said["rows"]
    except (ValueError, KeyError, TypeError):
        yield f"entry {entry_id}: cannot be read"
        return
    if named != previous:
        yield f"entry {entry_id}: does not follow the one before it"
    found = []
    for part in rows_of(database, "ledger_rows", "WHERE entry_id = ? ORDER BY id", entry_id):
        digest = sha256(part["commitments"]).hex()
        found.append([part["table_name"], part["change"], part["count"], digest])
        yield from check_part(part, newest)
    if found != rows:
        yield f"entry {entry_id}: its commitments are not those that it names"


def check_ledger(
    database: sqlite3.Connection, kept: list[tuple[str, str]], newest: Newest
) -> Iterator[str]:
    """Check the chain, the commitments, and the tree at each checkpoint."""
    wanted: Wanted = {}
    yield from read_checkpoints(database, kept, wanted)
    previous: str | None = None
    subtrees: list[bytes] = []
    size = 0
    for entry_id, text in database.execute("SELECT id, entry FROM ledger ORDER BY id"):
        if entry_id != size + 1:
            yield f"entry {size + 1}: is missing"
            return
        yield from check_entry(database, entry_id, text, previous, newest)
        leaf = leaf_hash(text.encode("utf-8", "surrogateescape"))
        add_leaf(subtrees, size, leaf)
        previous, size = leaf.hex(), size + 1
        for name, root in wanted.pop(size, ()):
            if root != root_of(subtrees):
                yield f"{name}: is of another ledger: the first {size} entries were altered"
    for entries, names in wanted.items():
        for name, _ in names:
            yield f"{name}: counts {entries} entries, and the ledger has {size}"


# files


def check_files(database: sqlite3.Connection, folder: Path) -> Iterator[str]:
    """Check that each file has the hash in its name; those that are marked as lost are not read."""
    query = "SELECT sha256, path FROM media WHERE lost_at IS NULL ORDER BY sha256"
    for digest, path in database.execute(query):
        if not path.startswith("media/") or ".." in path:
            yield f"{path}: is no path of a media file"
            continue
        found = hashlib.sha256()
        try:
            with (folder / path).open("rb") as file:
                while data := file.read(1 << 20):
                    found.update(data)
        except OSError as error:
            yield f"{path}: {error.strerror}"
            continue
        if found.hexdigest() != digest:
            yield f"{path}: its bytes do not have the hash in its name"


def opened(folder: Path) -> sqlite3.Connection:
    """The database of an archive, to be read."""
    address = f"{(folder / 'archive.db').absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True)


def check(folder: Path, checkpoints: Sequence[str] = ()) -> Iterator[str]:
    """Everything that is wrong with the archive in a folder, one sentence for each."""
    kept = [(Path(path).read_text("utf-8"), str(path)) for path in checkpoints]
    with closing(opened(folder)) as database:
        database.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        database.execute("BEGIN")
        newest: Newest = {}
        yield from check_ledger(database, kept, newest)
        if "hidden" in {said[1] for said in newest.values()} and extract_note(database) is None:
            yield "commitments of the ledger are hidden, though this is no extract"
        for (table,) in database.execute("SELECT name FROM table_checksums").fetchall():
            yield from check_rows(database, table, newest)
        yield from check_files(database, folder)


def main(arguments: Sequence[str]) -> int:
    """Check what the command line names; returns the exit code."""
    if not arguments or not (Path(arguments[0]) / "archive.db").is_file():
        sys.stderr.write(__doc__ or "")
        return 2
    wrong = 0
    with closing(opened(Path(arguments[0]))) as database:
        if note := extract_note(database):
            sys.stdout.write(f"an extract, which shows nothing of rows that it lacks: {note!a}\n")
    for sentence in check(Path(arguments[0]), arguments[1:]):
        wrong += 1
        sys.stdout.write(ascii(sentence)[1:-1] + "\n")
    sys.stdout.write(
        f"{wrong} things are wrong\n" if wrong else "everything is as it was written\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
