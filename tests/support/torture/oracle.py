"""What an archive says, and whether it is true: told without the program's own code.

The logical dump is what two archives of the same world must have in common, whatever happened on
the way: everything published, noticed and stored, by its natural names. Ids of rows, ids of runs
and times of this archive's own doings are left out.
"""

import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from support.torture.patches import ACKS, COUNTED

Dump = dict[str, list[tuple[Any, ...]]]

_POST = "(SELECT platform || ' ' || platform_id FROM posts WHERE posts.id = post_id)"
_ACCOUNT = "(SELECT name FROM accounts WHERE accounts.id = account_id)"
_ATTACHMENT = (
    f"""(SELECT {_POST} || ' ' || key FROM attachments WHERE attachments.id = attachment_id)"""
)
_QUERIES = {
    "accounts": "SELECT name, platform, platform_id, handle, title, url FROM accounts",
    "posts": """SELECT accounts.name, posts.platform, posts.platform_id, created_at, text,
        posts.title, posts.url, kind, visibility, author, alt_texts, edited_at IS NULL,
        removed_at IS NULL, raw FROM posts JOIN accounts ON accounts.id = account_id""",
    "post_sources": f"""SELECT {_POST}, fingerprint, content_version, content_sha256,
        missing_at IS NULL, reader, unmapped FROM post_sources""",
    "post_aliases": f"SELECT {_POST}, scheme, value FROM post_aliases",
    "relations": f"SELECT {_POST}, kind, platform_id, url FROM relations",
    "revisions": f"""SELECT {_POST}, number, source, content_version, content_sha256, raw,
        response_id IS NULL FROM revisions""",
    "attachments": f"""SELECT {_POST}, position, key, kind, platform_id, alt_text, width, height,
        duration_ms, omitted, first_revision, last_revision FROM attachments""",
    "renditions": f"""SELECT {_ATTACHMENT}, role, media_key, url, content_type, width, height,
        bitrate, state, reason_code, reason, media_sha256, tries FROM renditions""",
    "media": """SELECT sha256, path, size, content_type, width, height, duration_ms, lost_at IS NULL
        FROM media""",
    "events": f"""SELECT {_POST}, what, reason, attachment_id IS NULL FROM events""",
    "metrics": f"SELECT {_POST}, name, value FROM metrics",
    "gaps": "SELECT account, stream, since, until, reason FROM gaps",
    "covered": f"""SELECT {_ACCOUNT}, max(newest), min(oldest), max(reached_start),
        max(next IS NOT NULL) FROM coverage WHERE stream = 'posts' GROUP BY account_id""",
    "search": "SELECT rowid, text FROM posts_fts WHERE posts_fts MATCH 'morning' ORDER BY 1",
    "storage_totals": f"SELECT {_ACCOUNT}, files, size FROM storage_totals WHERE files <> 0",
    "quarantine": "SELECT raw FROM quarantine",
    "open_runs": "SELECT count(*) FROM runs WHERE outcome = 'running'",
}


@contextmanager
def _opened(directory: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        yield connection


def dump(directory: Path) -> Dump:
    """The logical dump of an archive, with what lies in its media folder."""
    found: Dump = {}
    with _opened(directory) as connection:
        for name, query in _QUERIES.items():
            found[name] = sorted(connection.execute(query).fetchall(), key=repr)
        found["search"] = [(len(found["search"]),)]
    found["files"] = sorted((path, size) for path, size, _ in _files(directory))
    return found


def state(directory: Path) -> tuple[str, dict[str, int]]:
    """A name for everything here that a later run may go by, and how much there is.

    Equal names, equal futures. Looks at a copy: opening a database changes its files.
    """
    found: list[object] = []
    counts = dict.fromkeys(COUNTED, 0)
    with tempfile.TemporaryDirectory(dir=directory.parent) as folder:
        for path in directory.glob("archive.db*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, folder)
        found.append(sorted(path.name for path in Path(folder).iterdir()))
        if (Path(folder) / "archive.db").exists():
            try:
                with _opened(Path(folder)) as connection:
                    found += _rows_that_matter(connection, counts)
            except sqlite3.DatabaseError as error:
                found.append(str(error))
    found.append([(path, digest) for path, _, digest in _files(directory)])
    found += [sorted(path.name for path in directory.glob("*")), len([*directory.glob("tmp/*")])]
    found.append(sorted(path.name for path in directory.glob("media/*")))
    return hashlib.sha256(repr(found).encode()).hexdigest(), counts


def _rows_that_matter(connection: sqlite3.Connection, counts: dict[str, int]) -> Iterator[object]:
    """Rows by which the next run goes; fills in the counts."""
    yield connection.execute("PRAGMA integrity_check").fetchall()
    yield connection.execute("PRAGMA application_id").fetchall()
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    yield sorted(tables)
    for name, query in (_QUERIES | _GONE_BY).items():
        if name in tables:
            yield sorted(connection.execute(query).fetchall(), key=repr)
    for name in tables.intersection(COUNTED):
        counts[name] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]


_GONE_BY = {
    "coverage": "SELECT account_id, stream, newest, oldest, reached_start, next FROM coverage "
    "WHERE stream = 'posts'",
    "run_accounts": "SELECT name, outcome, fresh_until IS NULL, full, complete FROM run_accounts",
    "runs": "SELECT outcome FROM runs",
    "table_checksums": "SELECT name, rows FROM table_checksums "
    "WHERE name NOT IN ('ledger', 'ledger_rows', 'checkpoints')",
}


def difference(ours: Dump, reference: Dump) -> str:
    """Where two dumps differ, in few words; empty where they do not."""
    words = []
    for name in reference:
        missing = [row for row in reference[name] if row not in ours[name]]
        more = [row for row in ours[name] if row not in reference[name]]
        if ours[name] != reference[name]:
            words.append(
                f"{name}: {len(missing)} missing, {len(more)} more; {missing[:1]} {more[:1]}"
            )
    return "; ".join(words)


def lies(directory: Path) -> list[str]:
    """Files that do not have the bytes of their name, and rows whose file is not as they say.

    Needs no archive to be there. A file in `media/` has been given its name for good, so its
    bytes must be right at every moment, even while no row refers to it.
    """
    found = []
    held = {path: (size, digest) for path, size, digest in _files(directory)}
    for path, (_, digest) in held.items():
        if Path(path).name.partition(".")[0] != digest:
            found.append(f"{path} has other bytes than its name says")
    try:
        rows = _media_rows(directory)
    except sqlite3.DatabaseError as error:
        return [*found, f"the database cannot be read: {error}"]
    for sha256, path, size in rows:
        if held.get(path) != (size, sha256):
            found.append(f"{path} is said to be stored, and is {held.get(path, 'not there')}")
    return found


def _media_rows(directory: Path) -> list[tuple[str, str, int]]:
    if not (directory / "archive.db").exists():
        return []
    try:
        with _opened(directory) as connection:
            return connection.execute("SELECT sha256, path, size FROM media").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise


def _files(directory: Path) -> Iterator[tuple[str, int, str]]:
    for path in sorted(directory.glob("media/*/*")):
        data = path.read_bytes()
        yield str(path.relative_to(directory)), len(data), hashlib.sha256(data).hexdigest()


def acknowledged(notes: Path) -> dict[str, int]:
    """What a run had acknowledged when it ended, by its own notes."""
    path = notes / ACKS
    lines = path.read_text().splitlines() if path.exists() else []
    return json.loads(lines[-1]) if lines else dict.fromkeys(COUNTED, 0)


def losses(held: dict[str, int], promised: dict[str, int]) -> list[str]:
    """What was acknowledged and is not there."""
    return [
        f"{promised[table]} {table} were acknowledged, {held[table]} are there"
        for table in COUNTED
        if held[table] < promised[table]
    ]
