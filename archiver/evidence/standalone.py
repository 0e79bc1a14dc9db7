"""Checks an archive, or a copy of one, with nothing but Python's standard library.

    python standalone.py ARCHIVE [CHECKPOINT | KEY | CERTIFICATE | ROOTS]...
    python standalone.py CERTIFICATE [KEY]

ARCHIVE is the folder with archive.db, or an export with its folder proofs. A CHECKPOINT is a file
with the text of a checkpoint that was kept elsewhere, a KEY one with a public key, as archiver key
prints it. ROOTS are root certificates of time stamp authorities, in PEM, from the authorities
themselves: with them, and with the program openssl, the time stamps of checkpoints are checked.
Of the CERTIFICATE of a deletion alone, the signature is checked, by KEY if that is given.
Needs nothing else of archiver: copy this file wherever you like. It checks, as
docs/evidence-format.md says: the chain of the ledger, its tree and the signature at every
checkpoint, every row against its own hash and against the ledger, and every file against its hash.
Of an export, it checks every file against the manifest, and media files against the rows too.

It reads only. It ends with 0 where everything is as it was written, with 1 where something is not,
and with 2 where there is no archive. It holds the keys of all rows in memory, about 1 GB for ten
million.
"""

import base64
import hashlib
import json
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROOFS = "proofs"
MANIFEST = "manifest-sha256.txt"
MEDIA = ("media/", "NATIVES/")  # where exports have media files as they are
NOT_COMMITTED = {"ledger", "ledger_rows", "checkpoints"}
SALT, HASH = 16, 32
UNKNOWN = bytes(HASH)
Row = dict[str, Any]
Newest = dict[tuple[str, tuple[Any, ...]], tuple[int, str, bytes, bytes]]
"""By table and key: the entry that is the newest with it, its change, salt and commitment."""
Erased = dict[int, set[int]]
"""Commitments to rows that were erased: the row of `ledger_rows`, and which of its items."""
Wanted = dict[int, list[tuple[str, bytes, bytes | None]]]
"""What checkpoints promise, by the number of entries: name, root hash and, of rows, `subtrees`."""


def sha256(data: bytes) -> bytes:
    """The SHA-256 of bytes, as bytes."""
    return hashlib.sha256(data).digest()


# signatures: Ed25519 as RFC 8032 has it, and the signed notes of https://c2sp.org/signed-note

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
"""X, Y, Z, T of a point of the curve: x = X/Z, y = Y/Z, x * y = T/Z."""
Keys = list[tuple[int, str, bytes]]
"""Public keys: after how many entries each began, its reason, and its 32 bytes."""


def add_points(one: Point, other: Point) -> Point:
    """The sum of two points (RFC 8032, section 5.1.4)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    """A point, added to itself so many times."""
    result: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add_points(result, point)
        point = add_points(point, point)
        number >>= 1
    return result


def decoded_point(data: bytes) -> Point | None:
    """The point that 32 bytes stand for; None where there is none (RFC 8032, section 5.1.3)."""
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def encoded_point(point: Point) -> bytes:
    """The 32 bytes of a point."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decoded_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def is_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature (64 bytes) of a message is right (RFC 8032, section 5.1.7)."""
    key = decoded_point(public_key) if len(public_key) == HASH else None
    number = int.from_bytes(signature[32:], "little")
    if key is None or len(signature) != 2 * HASH or number >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    minus_key = (P - key[0], key[1], key[2], P - key[3])
    sum_ = add_points(
        times(number, BASE), times(int.from_bytes(digest, "little") % ORDER, minus_key)
    )
    return encoded_point(sum_) == signature[:32]


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes by which a signature names its key."""
    return sha256(name.encode() + b"\n\x01" + public_key)[:4]


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a signed note, and its signatures: the signer's name, key id and signature.

    A note without an empty line is a text without signatures. Raises ValueError.
    """
    text, blank, rest = note.rpartition("\n\n")
    if not blank:
        return note, []
    found = []
    for line in rest.removesuffix("\n").split("\n"):
        dash, name, encoded = line.split(" ")
        signature = base64.b64decode(encoded, validate=True)
        canonical = base64.b64encode(signature).decode() == encoded
        if dash != "\u2014" or len(signature) != 68 or not canonical:
            raise ValueError("no line of a signature")
        found.append((name, signature))
    if not rest.endswith("\n"):
        raise ValueError("its last line has no end")
    return f"{text}\n", found


def signers(note: str, keys: Sequence[bytes]) -> tuple[list[bytes], bool]:
    """Those of the keys that signed a note, and whether all of its signatures are theirs.

    Raises ValueError where it is no note.
    """
    text, signatures = split_note(note)
    found = []
    for name, signature in signatures:
        for key in keys:
            if key_id(name, key) == signature[:4] and is_signature(
                key, text.encode(), signature[4:]
            ):
                found.append(key)
                break
    return found, len(found) == len(signatures)


def is_public_key(text: str) -> bool:
    """Whether a text is a public key, as `archiver key` prints it."""
    parts = text.strip().split("+", 2)
    try:
        return len(parts) == 3 and base64.b64decode(parts[2], validate=True)[:1] == b"\x01"
    except ValueError:
        return False


def key_after(keys: Keys, size: int) -> bytes | None:
    """The key that signs a checkpoint of so many entries."""
    return next((key for since, _, key in reversed(keys) if since < size), None)


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


def erased_items(database: sqlite3.Connection) -> Erased:
    """The commitments to rows that were erased, as the table `erasures` says."""
    found: Erased = {}
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'erasures'").fetchone():
        query = "SELECT blanked FROM erasures WHERE blanked IS NOT NULL"
        for (text,) in database.execute(query):
            for part, items in json.loads(text):
                found.setdefault(part, set()).update(items)
    return found


def check_part(part: Row, newest: Newest, erased: Erased) -> Iterator[str]:
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
        salt = part["salts"][number * SALT :][:SALT]
        commitment = part["commitments"][number * HASH :][:HASH]
        before = (part["before"] or b"")[number * HASH :][:HASH]
        if value is None:  # a row that was erased, or one that an extract lacks
            if number not in erased.get(part["id"], ()):
                newest[table, (None,)] = (entry, "hidden", b"", b"")
            if any(salt + before):
                yield f"entry {entry}: its commitments to {table} hide a row, but not its salt"
            continue
        key = tuple(value) if isinstance(value, list) else (value,)
        if change != "added":
            earlier = newest.get((table, key))
            if before != UNKNOWN and (earlier is None or sha256(earlier[2] + before) != earlier[3]):
                yield f"{table} {key}: had been altered when entry {entry} was written"
            if change == "removed" and sha256(salt + before) != commitment:
                yield f"{table} {key}: what entry {entry} says of it is contradictory"
        newest[table, key] = (entry, change, salt, commitment)


def read_keys(
    database: sqlite3.Connection, log: str, given: list[tuple[str, str]], keys: Keys
) -> Iterator[str]:
    """Check the record of each key that signs checkpoints, and put the keys into `keys`.

    `given` are public keys as text, with their names; each should be among them.
    """
    before: list[bytes] = []
    for row in rows_of(database, "signing_keys", "ORDER BY id"):
        name = f"signing_keys {row['id']}"
        values = (log, row["since"], row["reason"], row["public_key"], row["at"])
        text = "".join(f"{value}\n" for value in ("key of checkpoints", *values))
        try:
            key = base64.b64decode(row["public_key"], validate=True)
            found, is_all = signers(row["note"], [*before, key])
            is_right = split_note(row["note"])[0] == text and is_all
        except ValueError:
            yield f"{name}: cannot be read"
            continue
        expected = [*before, key] if row["reason"] == "rotated" else [key]
        if (row["reason"] == "first") != (not before) or not is_right or found != expected:
            yield f"{name}: is not signed as it says"
        before = [key]
        keys.append((row["since"], row["reason"], key))
    for text, name in given:
        if base64.b64decode(text.strip().split("+", 2)[2])[1:] not in [key for *_, key in keys]:
            yield f"{name}: is a key that the archive does not have on record"


def note_problem(note: str, keys: Keys, size: int) -> str | None:
    """What is wrong with the signatures of a checkpoint; None for one without a signature."""
    try:
        if not split_note(note)[1]:
            return None
        key = key_after(keys, size)
        found, is_all = signers(note, [key] if key else [])
    except ValueError:
        return "its signatures cannot be read"
    return None if found and is_all else "is not signed by the key of then"


def lost_ranges(database: sqlite3.Connection) -> list[tuple[int, int]]:
    """What was lost when copies were put back: beyond how many entries, up to how many."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'restores'").fetchone():
        return []
    return database.execute("SELECT kept_size, lost_size FROM restores").fetchall()


def read_checkpoints(
    database: sqlite3.Connection, kept: list[tuple[str, str]], log: str, keys: Keys, wanted: Wanted
) -> Iterator[str]:
    """Put the roots that checkpoints promise into `wanted`; `kept` are more, with their names."""
    columns = "note, 'checkpoint ' || id, size, root, subtrees"
    rows = database.execute(f"SELECT {columns} FROM checkpoints ORDER BY id")
    lost = lost_ranges(database)
    others = {note for note, _ in kept}
    for note, name, *own in [*rows, *kept]:
        try:
            text = split_note(note)[0]
            found, count, encoded = text.split("\n")[:3]
            size, root = int(count), base64.b64decode(encoded, validate=True)
        except ValueError:
            yield f"{name}: is no checkpoint"
            continue
        if found != log:
            yield f"{name}: is of another archive, {found}"
        elif text != f"{log}\n{size}\n{base64.b64encode(root).decode()}\n":
            yield f"{name}: is no checkpoint"
        elif own and own[:2] != [size, root.hex()]:
            yield f"{name}: its columns do not say what its text says"
        elif problem := note_problem(note, keys, size):
            yield f"{name}: {problem}"
        elif note not in others or not any(first < size <= last for first, last in lost):
            wanted.setdefault(size, []).append((name, root, own[2] if own else None))


def check_entry(
    database: sqlite3.Connection,
    entry_id: int,
    text: str,
    previous: str | None,
    newest: Newest,
    erased: Erased,
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
        yield from check_part(part, newest, erased)
    if found != rows:
        yield f"entry {entry_id}: its commitments are not those that it names"


def check_ledger(
    database: sqlite3.Connection, kept: list[tuple[str, str]], newest: Newest, keys: Keys
) -> Iterator[str]:
    """Check the chain, the commitments, and the tree at each checkpoint."""
    wanted: Wanted = {}
    query = "SELECT value FROM about WHERE name = 'archive_id'"
    (archive,) = database.execute(query).fetchone() or ("unknown",)
    log = f"archiver/{archive}"
    public = [one for one in kept if is_public_key(one[0])]
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'signing_keys'").fetchone():
        yield from read_keys(database, log, public, keys)
    notes = [one for one in kept if one not in public]
    yield from read_checkpoints(database, notes, log, keys, wanted)
    previous: str | None = None
    subtrees: list[bytes] = []
    size = 0
    erased = erased_items(database)
    for entry_id, text in database.execute("SELECT id, entry FROM ledger ORDER BY id"):
        if entry_id != size + 1:
            yield f"entry {size + 1}: is missing"
            return
        yield from check_entry(database, entry_id, text, previous, newest, erased)
        leaf = leaf_hash(text.encode("utf-8", "surrogateescape"))
        add_leaf(subtrees, size, leaf)
        previous, size = leaf.hex(), size + 1
        for name, root, own in wanted.pop(size, ()):
            if root != root_of(subtrees):
                yield f"{name}: is of another ledger: the first {size} entries were altered"
            elif own is not None and own != b"".join(subtrees):
                yield f"{name}: the next one would be of another ledger: its subtrees were altered"
    for entries, names in wanted.items():
        for name, *_ in names:
            yield f"{name}: counts {entries} entries, and the ledger has {size}"


# time stamps, by openssl


PEM = "-----BEGIN CERTIFICATE-----"
MONTHS = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
]  # fmt: skip


def count_time_stamps(database: sqlite3.Connection) -> int:
    """How many time stamps there are."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'time_stamps'").fetchone():
        return 0
    (count,) = database.execute("SELECT count(*) FROM time_stamps").fetchone()
    return int(count)


def check_time_stamps(database: sqlite3.Connection, roots: Sequence[str]) -> Iterator[str]:
    """Check the tokens of checkpoints, as of the times that they say; `roots` are texts in PEM."""
    if not count_time_stamps(database):
        return
    notes = dict(database.execute("SELECT id, note FROM checkpoints"))
    with TemporaryDirectory(prefix="verify-") as folder:
        Path(folder, "roots.pem").write_text("\n".join(roots), "utf-8")
        for row in rows_of(database, "time_stamps", "ORDER BY id"):
            name = f"time stamp {row['id']}"
            note = str(notes.get(row["checkpoint_id"], ""))
            Path(folder, "note").write_bytes(note.encode("utf-8", "surrogateescape"))
            Path(folder, "token").write_bytes(row["token"])
            Path(folder, "chain.pem").write_text(row["chain"], "utf-8", "surrogateescape")
            try:
                if problem := token_problem(folder, row["stamped_at"]):
                    yield f"{name}: {problem}"
            except OSError as error:
                yield f"{name}: openssl cannot be run: {error.strerror}"
                return


def token_problem(folder: str, stamped_at: str) -> str | None:
    """What is wrong with the token in a folder; None where it holds. Raises OSError."""
    moment = datetime.strptime(stamped_at[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    command = ["openssl", "ts", "-verify", "-data", "note", "-in", "token", "-CAfile", "roots.pem"]
    if Path(folder, "chain.pem").stat().st_size:
        command += ["-untrusted", "chain.pem"]
    command += ["-attime", str(int(moment.timestamp()))]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return f"openssl says: {said[0] if said else 'no'}"
    command = ["openssl", "ts", "-reply", "-in", "token", "-text"]
    text = subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout.decode()
    for line in text.splitlines():
        if line.startswith("Time stamp: "):
            month, day, clock, year = line.split(": ", 1)[1].split()[:4]
            said_at = f"{year}-{MONTHS.index(month) + 1:02}-{int(day):02}T{clock.split('.')[0]}"
            return None if said_at == stamped_at[:19] else f"says {said_at}"
    return "says no time"


# files


def check_files(database: sqlite3.Connection, folder: Path) -> Iterator[str]:
    """Check that each file has the hash in its name; those that are marked as lost are not read."""
    query = "SELECT sha256, path FROM media WHERE lost_at IS NULL ORDER BY sha256"
    for digest, path in database.execute(query):
        if not path.startswith("media/") or ".." in path:
            yield f"{path}: is no path of a media file"
            continue
        try:
            found = file_hash(folder / path)
        except OSError as error:
            yield f"{path}: {error.strerror}"
            continue
        if found != digest:
            yield f"{path}: its bytes do not have the hash in its name"


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, in hex. Raises OSError."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            found.update(data)
    return found.hexdigest()


def check_export(database: sqlite3.Connection, folder: Path) -> Iterator[str]:
    """Check each file of an export against its manifest, and media files against the rows."""
    query = "SELECT sha256 FROM media"
    known = {digest for (digest,) in database.execute(query)}
    try:
        lines = (folder / MANIFEST).read_bytes().decode().split("\n")
    except (OSError, ValueError):
        yield f"{MANIFEST}: cannot be read"
        return
    named = {MANIFEST}
    for line in filter(None, lines):
        digest, _, name = line.partition("  ")
        named.add(name)
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield f"{name}: is outside of the export"
            continue
        try:
            found = file_hash(folder / name)
        except OSError as error:
            yield f"{name}: {error.strerror}"
            continue
        if found != digest:
            yield f"{name}: its bytes do not have the hash in {MANIFEST}"
        elif name.startswith(MEDIA) and digest not in known:
            yield f"{name}: is no file that the rows have"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (name := path.relative_to(folder).as_posix()) not in named:
            yield f"{name}: is not in {MANIFEST}"


def database_of(folder: Path) -> Path:
    """The database of an archive or an export, which may have it among its proofs."""
    own = folder / "archive.db"
    return own if own.is_file() else folder / PROOFS / "archive.db"


def opened(folder: Path) -> sqlite3.Connection:
    """The database of an archive or an export, to be read."""
    address = f"{database_of(folder).absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True)


def check(folder: Path, checkpoints: Sequence[str] = ()) -> Iterator[str]:
    """Everything that is wrong with the archive in a folder, one sentence for each."""
    papers = [(Path(path).read_text("utf-8"), str(path)) for path in checkpoints]
    roots = [text for text, _ in papers if PEM in text]
    kept = [paper for paper in papers if not paper[0].startswith("{") and PEM not in paper[0]]
    with closing(opened(folder)) as database:
        database.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        keys: Keys = []
        yield from unless_unreadable(check_database(database, kept, keys), "archive.db")
        if roots:
            yield from unless_unreadable(check_time_stamps(database, roots), "time stamps")
        is_archive = database_of(folder).parent == folder
        files = (check_files if is_archive else check_export)(database, folder)
        yield from unless_unreadable(files, "files")
        for text, name in papers:
            if text.startswith("{"):
                yield from check_certificate(database, text, name, keys)


def check_database(
    database: sqlite3.Connection, kept: list[tuple[str, str]], keys: Keys
) -> Iterator[str]:
    """Check the ledger and every row; puts the public keys on record into `keys`."""
    database.execute("BEGIN")
    newest: Newest = {}
    yield from unless_unreadable(check_ledger(database, kept, newest, keys), "the ledger")
    if "hidden" in {said[1] for said in newest.values()} and extract_note(database) is None:
        yield "commitments of the ledger are hidden, though this is no extract"
    for (table,) in database.execute("SELECT name FROM table_checksums").fetchall():
        yield from unless_unreadable(check_rows(database, table, newest), table)


def unless_unreadable(found: Iterator[str], name: str) -> Iterator[str]:
    """What is found; or, where damage leaves nothing to be read, that."""
    try:
        yield from found
    except (sqlite3.DatabaseError, ArithmeticError, AttributeError, LookupError, TypeError,
            ValueError) as error:  # fmt: skip
        yield f"{name}: cannot be read: {error}"


SEAL = {"signed_by", "signature"}


def certificate_problem(text: str, key: bytes | None) -> str | None:
    """What is wrong with the signature of a certificate, by this key or the one that it names."""
    try:
        said = json.loads(text)
        named = base64.b64decode(said["signed_by"].split("+", 2)[2], validate=True)
        signature = base64.b64decode(said["signature"], validate=True)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "has no signature that can be read"
    if named[:1] != b"\x01" or key not in {None, named[1:]}:
        return "is signed by another key than this one"
    signer = f"{said.get('archive')}+{key_id(str(said.get('archive')), named[1:]).hex()}"
    if not said["signed_by"].startswith(f"{signer}+") or text.strip() != canonical(said):
        return "is not as it was written"
    unsigned = {name: value for name, value in said.items() if name not in SEAL}
    if not is_signature(named[1:], canonical(unsigned).encode(), signature):
        return "is not as it was signed"
    return None


def canonical(value: object) -> str:
    """The JSON of a value that is signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def check_certificate(
    database: sqlite3.Connection, text: str, name: str, keys: Keys
) -> Iterator[str]:
    """Check the certificate of a deletion against the erasure that the ledger commits to."""
    try:
        said = json.loads(text)
        number = int(said["id"])
        parts = [(part["ledger_row"], set(part["items"])) for part in said["commitments"]]
        size = int(said["checkpoint_after"]["size"])
    except (ValueError, KeyError, TypeError):
        yield f"{name}: is no certificate"
        return
    query = "SELECT certificate FROM erasures WHERE id = ? AND state = 'done'"
    found = database.execute(query, (number,)).fetchone()
    if found is None or found[0] != text.strip():
        yield f"{name}: is not the certificate that the archive has of erasure {number}"
        return
    erased = erased_items(database)
    if any(items - erased.get(part, set()) for part, items in parts):
        yield f"{name}: names commitments that are not those of the erasure"
    key = key_after(keys, size)
    if SEAL & set(said) and (key is None or certificate_problem(text, key)):
        yield f"{name}: is not signed by the key of then"


def check_certificate_alone(path: str, keys: Sequence[str]) -> int:
    """Check the signature of a certificate without the archive; returns the exit code."""
    text = Path(path).read_text("utf-8")
    key = None
    if keys:
        paper = Path(keys[0]).read_text("utf-8")
        if not is_public_key(paper):
            sys.stderr.write(ascii(f"{keys[0]}: is no public key")[1:-1] + "\n")
            return 2
        key = base64.b64decode(paper.strip().split("+", 2)[2])[1:]
    if problem := certificate_problem(text, key):
        sys.stdout.write(ascii(f"{path}: {problem}")[1:-1] + "\n")
        return 1
    sys.stdout.write(ascii(f"as it was signed by {json.loads(text)['signed_by']}")[1:-1] + "\n")
    if key is None:
        sys.stdout.write("compare this key with one that you have from elsewhere\n")
    return 0


def is_certificate(path: Path) -> bool:
    """Whether a file is the certificate of a deletion, by its first character."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(1) == b"{"


def remarks(folder: Path, *papers: Path) -> Iterator[str]:
    """What is to be known of an archive, though it is not wrong."""
    with closing(opened(folder)) as database:
        if note := extract_note(database):
            yield f"an extract, which shows nothing of rows that it lacks: {note}"
        manifest = folder / MANIFEST
        if database_of(folder).parent != folder and manifest.is_file():
            yield (
                f"{MANIFEST} has the SHA-256 {file_hash(manifest)}: compare it with the one that "
                "the archive has on record; it alone covers what is no media file"
            )
        stamps = count_time_stamps(database)
        if stamps and not any(PEM in path.read_text("utf-8") for path in papers):
            yield f"time stamps that were not checked, without roots: {stamps}"


def main(arguments: Sequence[str]) -> int:
    """Check what the command line names; returns the exit code."""
    if arguments and is_certificate(Path(arguments[0])):
        return check_certificate_alone(arguments[0], arguments[1:])
    if not arguments or not database_of(Path(arguments[0])).is_file():
        sys.stderr.write(__doc__ or "")
        return 2
    for path in arguments[1:]:
        try:
            Path(path).read_text("utf-8")
        except (OSError, ValueError) as error:
            sys.stderr.write(ascii(f"{path} cannot be read: {error}")[1:-1] + "\n")
            return 2
    wrong = 0
    for sentence in unless_unreadable(remarks(*map(Path, arguments)), "archive.db"):
        sys.stdout.write(ascii(sentence)[1:-1] + "\n")
    for sentence in check(Path(arguments[0]), arguments[1:]):
        wrong += 1
        sys.stdout.write(ascii(sentence)[1:-1] + "\n")
    counted = "1 thing is wrong" if wrong == 1 else f"{wrong} things are wrong"
    sys.stdout.write(f"{counted}\n" if wrong else "everything is as it was written\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
