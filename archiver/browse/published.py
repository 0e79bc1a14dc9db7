"""A copy of an archive for publication: only what was public, without the program's own data.

The columns to copy are listed, so that a column added to the schema later stays private until
somebody adds it here. Records as received, addresses (they may be signed), responses of the source,
runs, quarantined records and internal tables are left out; so are posts that were not public, and,
unless asked for, removed posts, earlier versions of edited posts, and expired stories.
"""

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from archiver.archive.database import DATABASE, archive_lock, storage_errors
from archiver.archive.facts import APPLICATION_ID
from archiver.archive.public_posts import SHOWN_TO_ALL, expired_condition
from archiver.archive.record_diff import published_paths, text_at
from archiver.archive.schema import model
from archiver.errors import StorageError, UsageError
from archiver.evidence.copy import NAMES_WITHOUT_DATABASE
from archiver.evidence.renewal import Copied, open_immutable, renew_copy
from archiver.human import counted
from archiver.media.folder_store import FolderStore
from archiver.media.store import MediaStore
from archiver.metric_names import COMMON_METRICS

PUBLIC: dict[str, tuple[str, ...]] = {
    "accounts": ("id", "name", "platform", "platform_id", "handle", "title", "url"),
    "posts": (
        "id", "account_id", "platform", "platform_id", "created_at", "text", "title", "url",
        "kind", "visibility", "author", "alt_texts", "search_text", "earlier_text",
        "first_seen_at", "edited_at", "removed_at",
    ),
    "relations": ("id", "post_id", "kind", "platform_id", "url"),
    "revisions": ("id", "post_id", "number", "why", "seen_at", "content_sha256"),
    "attachments": (
        "id", "post_id", "position", "key", "kind", "alt_text", "width", "height", "duration_ms",
        "omitted", "first_revision", "last_revision",
    ),
    "media": (
        "sha256", "path", "size", "content_type", "width", "height", "duration_ms", "lost_at",
    ),
    "renditions": (
        "id", "attachment_id", "role", "content_type", "width", "height", "bitrate", "state",
        "reason_code", "reason", "media_sha256", "published_at",
    ),
    "metrics": ("post_id", "attachment_id", "name", "seen_at", "value"),
}  # fmt: skip
"""Tables and columns that a published copy has, parents before children."""

_SHOWN_NUMBERS = " OR ".join(
    ["name LIKE 'reactions.%'", *(f"name = '{name}'" for name in COMMON_METRICS)]
)
"""Metrics that platforms show to everybody; those shown to the owner only are left out."""

_SETTINGS = (
    ("default_allow_sql", "off"), ("allow_download", "off"), ("sql_time_limit_ms", "1000"),
    ("max_csv_mb", "50"),
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """The result. `left_out` lists what was not copied, with counts and reasons."""

    folder: Path
    posts: int
    files: int
    bytes: int
    left_out: tuple[str, ...]
    serve: str  # a command line


def publish(
    database: Path, folder: Path, *, with_removed: bool = False, store: MediaStore | None = None
) -> Published:
    """Make the copy in a new or empty folder, or in place of an earlier one.

    `store` has the media, if they are not beside the database.
    The files are copied, never linked: what a server does to them must not reach the archive.
    Raises UsageError, StorageError, ArchiveLocked where another program makes it just now.
    """
    source = store or FolderStore(database.parent)
    _make_room(database, folder)
    copied = Copied()
    content = _PublicPart(database, with_removed=with_removed)
    try:
        with archive_lock(folder, database=False), storage_errors(folder):
            renew_copy(content, source, folder, copied)
            size = _remove_unwanted(folder)
    except sqlite3.Error as error:
        raise StorageError(f"The copy in {folder} could not be made", why=str(error)) from error
    left_out = [*content.left_out, *_absent(copied)]
    files = copied.files + copied.unchanged
    return Published(
        folder, content.posts, files, size, tuple(left_out), _serve_command(folder / DATABASE)
    )


class _PublicPart:
    """The public part of an archive, as the content of a copy."""

    reads_back = True  # nothing else does, and a server may have changed them

    def __init__(self, database: Path, *, with_removed: bool) -> None:
        self._database = database
        self._with_removed = with_removed
        self.left_out: list[str] = []
        self.posts = 0

    def make(self, new: Path) -> None:
        """The public columns of the public posts, as they stand now."""
        with closing(_create(new)) as connection:
            own = f"{self._database.resolve().as_uri()}?mode=ro"
            connection.execute("ATTACH ? AS own", (own,))
            self.left_out += _copy(connection, with_removed=self._with_removed)
            connection.execute("DETACH own")
            self.posts = connection.execute("SELECT count(*) FROM posts").fetchone()[0]
            connection.execute("VACUUM")

    def check(self, connection: sqlite3.Connection, new: Path, copied: Copied) -> bool:  # noqa: ARG002 — of the protocol
        """It was made a moment ago, so there is nothing to check."""
        return True


def _remove_unwanted(folder: Path) -> int:
    """Delete files that the copy no longer names; the size in bytes of those that stay."""
    store = FolderStore(folder)
    with closing(open_immutable(folder / DATABASE)) as connection:
        wanted = {path for (path,) in connection.execute("SELECT path FROM media")}
    size = 0
    for file in store.list():
        if file.path in wanted:
            size += file.size
        else:
            store.delete(file.path)
    return size


def _absent(copied: Copied) -> Iterator[str]:
    if count := len(copied.damage) + len(copied.unreadable):
        yield f"{counted(count, 'file')} that cannot be read: see archiver verify"


def _make_room(database: Path, folder: Path) -> None:
    """Make the folder. Refuse one that holds anything but an earlier copy."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.resolve() == database.parent.resolve():
        raise UsageError(
            "The copy cannot be made in the archive itself",
            kept="Nothing was changed",
            hint="Name another folder",
        )
    known = {DATABASE, "cache"} | NAMES_WITHOUT_DATABASE
    strange = sorted(path.name for path in folder.iterdir() if path.name not in known)
    if strange or ((folder / DATABASE).exists() and not _is_copy(folder / DATABASE)):
        raise UsageError(
            f"{folder} has something in it that is not a published copy",
            why=f"It has {', '.join(strange[:3]) or DATABASE}",
            kept="Nothing was changed",
            hint="Name a new folder",
        )


def _is_copy(database: Path) -> bool:
    """Whether it is a copy made here: an archive without records has nothing to lose."""
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as found:
        columns = {row[0] for row in found.execute("SELECT name FROM pragma_table_info('posts')")}
    return bool(columns) and "raw" not in columns


def _create(path: Path) -> sqlite3.Connection:
    """An empty copy: the same tables, with the public columns alone."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}", uri=True, isolation_level=None)
    try:
        _create_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _create_tables(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA foreign_keys = OFF")
    whole = model()
    for table, columns in PUBLIC.items():
        connection.execute(_table_sql(whole, table, columns))
    for sql in _index_sql(whole):
        connection.execute(sql)
    for name in ("posts_fts", "posts_fts_terms", "timeline", "latest_metrics"):
        found = whole.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,))
        connection.execute(found.fetchone()[0])
    connection.execute("ALTER TABLE revisions ADD COLUMN text TEXT")
    connection.execute(_MISSING)


def _table_sql(whole: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> str:
    """The table's statement with these columns, their types, keys and references."""
    infos = {row[1]: row for row in whole.execute(f"PRAGMA table_info({table})")}
    parts = []
    for column in columns:
        _, _, kind, not_null, default, _ = infos[column]
        part = f"{column} {kind}"
        part += " NOT NULL" if not_null else ""
        parts.append(part + (f" DEFAULT {default}" if default is not None else ""))
    key = [row[1] for row in sorted(infos.values(), key=lambda row: row[5]) if row[5]]
    parts.append(f"PRIMARY KEY ({', '.join(key)})")
    parts += [
        f"FOREIGN KEY ({row[3]}) REFERENCES {row[2]}({row[4]})"
        for row in whole.execute(f"PRAGMA foreign_key_list({table})")
        if row[3] in columns and row[2] in PUBLIC
    ]
    sql = whole.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    without = ", WITHOUT ROWID" if "WITHOUT ROWID" in sql else ""
    return f"CREATE TABLE {table} ({', '.join(parts)}) STRICT{without}"


def _index_sql(whole: sqlite3.Connection) -> Iterator[str]:
    """The statements of all indexes that need public columns alone."""
    rows = whole.execute(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, table, sql in rows:
        used = {row[0] for row in whole.execute("SELECT name FROM pragma_index_info(?)", (name,))}
        if table in PUBLIC and used - {None} <= set(PUBLIC[table]):  # None is an expression
            yield sql
    yield "CREATE INDEX attachments_post ON attachments(post_id, position)"
    yield "CREATE INDEX renditions_attachment ON renditions(attachment_id)"
    yield "CREATE INDEX revisions_post ON revisions(post_id, number)"
    yield "CREATE INDEX posts_platform_id ON posts(account_id, platform_id)"


_MISSING = """
CREATE VIEW missing_media AS
    -- Every missing file, and why.
    SELECT accounts.name AS account, posts.platform, posts.created_at, posts.id AS post_id,
           attachments.position, attachments.kind, renditions.role, renditions.state,
           renditions.reason_code, renditions.reason
      FROM renditions
      JOIN attachments ON attachments.id = renditions.attachment_id
      JOIN posts ON posts.id = attachments.post_id
      JOIN accounts ON accounts.id = posts.account_id
     WHERE renditions.state IN ('pending', 'omitted', 'not_offered', 'gone', 'failed', 'refused')
     ORDER BY posts.created_at DESC
"""


def _copy(connection: sqlite3.Connection, *, with_removed: bool) -> Iterator[str]:
    """Copy what is public in one transaction; yields what is left out."""
    connection.execute("BEGIN")
    public = SHOWN_TO_ALL
    standing = "1" if with_removed else "removed_at IS NULL"
    lasting = "1" if with_removed else f"NOT ({expired_condition()})"
    hidden = connection.execute(f"SELECT count(*) FROM own.posts WHERE NOT {public}").fetchone()[0]
    removed = connection.execute(
        f"SELECT count(*) FROM own.posts WHERE {public} AND NOT ({standing})"
    ).fetchone()[0]
    expired = connection.execute(
        f"SELECT count(*) FROM own.posts WHERE {public} AND ({standing}) AND NOT ({lasting})"
    ).fetchone()[0]
    newest = "1" if with_removed else (
        "(number = (SELECT max(number) FROM own.revisions AS other "
        "WHERE other.post_id = revisions.post_id))"
    )  # fmt: skip
    attached = "1" if with_removed else (
        "(last_revision IS NULL OR last_revision = (SELECT max(number) FROM own.revisions "
        "WHERE revisions.post_id = attachments.post_id))"
    )  # fmt: skip
    conditions = {
        "posts": f"{public} AND {standing} AND {lasting}",
        "relations": "post_id IN (SELECT id FROM main.posts)",
        "revisions": f"post_id IN (SELECT id FROM main.posts) AND {newest}",
        "attachments": f"post_id IN (SELECT id FROM main.posts) AND {attached}",
        "renditions": "attachment_id IN (SELECT id FROM main.attachments)",
        "media": (
            "sha256 IN (SELECT media_sha256 FROM own.renditions "
            "WHERE state = 'stored' AND attachment_id IN (SELECT id FROM main.attachments))"
        ),
        "metrics": (
            f"post_id IN (SELECT id FROM main.posts) AND ({_SHOWN_NUMBERS}) AND (attachment_id = 0 "
            "OR attachment_id IN (SELECT id FROM main.attachments))"
        ),
    }
    for table, columns in PUBLIC.items():
        names = ", ".join(columns)
        connection.execute(
            f"INSERT INTO main.{table} ({names}) SELECT {names} FROM own.{table} "
            f"WHERE {conditions.get(table, '1')}"
        )
    if with_removed:
        _texts(connection)
    else:
        connection.execute("UPDATE main.posts SET edited_at = NULL, earlier_text = NULL")
    connection.execute("INSERT INTO posts_fts(posts_fts) VALUES ('rebuild')")
    connection.execute("COMMIT")
    if hidden:
        yield f"{counted(hidden, 'post')} not public"
    if removed:
        yield f"{counted(removed, 'removed post')} (kept by --with-removed)"
    if expired:
        yield f"{counted(expired, 'expired story', 'expired stories')} (kept by --with-removed)"


def _texts(connection: sqlite3.Connection) -> None:
    """Fill in the text of each version of edited posts, read from the archive's records."""
    edited = connection.execute(
        "SELECT id, text FROM main.posts WHERE id IN "
        "(SELECT post_id FROM main.revisions WHERE number > 1)"
    ).fetchall()
    for post_id, text in edited:
        rows = connection.execute(
            "SELECT id, raw FROM own.revisions WHERE post_id = ? ORDER BY number DESC", (post_id,)
        ).fetchall()
        path = next(iter(sorted(published_paths(rows[0][1], [text]))), None)
        connection.executemany(
            "UPDATE main.revisions SET text = ? WHERE id = ?",
            [(text_at(raw, path), revision) for revision, raw in rows],
        )


def _serve_command(database: Path) -> str:
    settings = " ".join(f"--setting {name} {value}" for name, value in _SETTINGS)
    # loads no other installed plugin: it might allow what is disabled here
    program = "env DATASETTE_LOAD_PLUGINS=social-archiver datasette serve"
    return f"{program} -i {shlex.quote(str(database))} --host 127.0.0.1 {settings}"
