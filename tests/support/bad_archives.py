"""A public set of bad archives: one damage each, and what `archiver verify` must find.

    bad_archives.py OUT    makes OUT/<name>/archive for every damage, and OUT/good/archive

Everything is done to the files below the program: its own code never writes these.
"""

import shutil
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from sqlite3 import Connection

import support.bad_files
import support.bad_schemas  # noqa: F401 — as above
from archiver.archive.database import DATABASE, writer
from archiver.archive.facts import ROW_HASHED
from archiver.archive.hashed_rows import key_of
from archiver.archive.rows import insert
from archiver.canonical import row_sha256
from support.damage import BAD, Bad, Damage, bad, flip, raw, subject
from support.good_archive import make_good_archive

__all__ = ["BAD", "Bad", "flip", "raw", "subject"]

# cells


def _first_key(connection: Connection, table: str, where: str) -> tuple[object, ...]:
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
    "about": "value", "environments": "versions", "runs": "version", "accounts": "handle",
    "account_profiles": "handle",
    "account_pictures": "url", "attachment_sources": "row_sha256", "run_accounts": "outcome",
    "responses": "headers", "posts": "text", "post_sources": "content_sha256",
    "post_aliases": "row_sha256", "relations": "kind", "revisions": "raw", "attachments": "kind",
    "media": "content_type", "renditions": "url", "media_origins": "how", "resolutions": "resolver",
    "events": "what",
    "metrics": "row_sha256",
    "coverage": "newest", "storage_totals": "row_sha256", "quarantine": "reason", "care": "what",
    "actions": "actor",
    "holds": "matter", "signing_keys": "note", "restores": "known_from",
    "erasures": "basis", "tombstones": "commitment", "response_cuts": "at",
    "ledger": "entry", "ledger_rows": "change", "checkpoints": "root", "time_stamps": "authority",
    "packages": "layout", "package_parts": "name", "package_posts": "row_sha256",
}  # fmt: skip
_NUMBERS = {
    "runs": "bytes", "account_profiles": "account_id", "account_pictures": "account_id",
    "run_accounts": "got", "responses": "status",
    "posts": "account_id",
    "post_sources": "content_version", "relations": "post_id", "revisions": "number",
    "attachments": "position", "media": "size", "renditions": "tries",
    "media_origins": "rendition_id", "resolutions": "run_id", "events": "run_id",
    "metrics": "value", "coverage": "reached_start", "storage_totals": "size",
    "quarantine": "run_id", "packages": "run_id", "package_parts": "size",
    "package_posts": "package_id",
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
        connection.execute("DELETE FROM table_checksums WHERE name = 'posts'")
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


if __name__ == "__main__":
    out = Path(sys.argv[1])
    (out / "good").mkdir(parents=True)
    good = make_good_archive(out / "good")
    for one in BAD:
        place = Path(shutil.copytree(good, out / one.name / "archive", symlinks=True))
        named = one.damage(place)
        print(f"{one.name}: {one.finding or 'cannot be opened'} {named}")  # noqa: T201 — a script
