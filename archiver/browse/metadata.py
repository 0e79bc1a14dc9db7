"""Datasette's descriptions of an archive's tables, taken from the comments of the schema.

Common questions are canned queries; each is offered only where the tables that it needs exist.
"""

import re
import sqlite3
from copy import deepcopy
from functools import cache
from typing import Any

from archiver.archive.schema import model
from archiver.browse.archives import Archive

_TABLE = re.compile(r"CREATE (?:TABLE|VIEW) (\w+) (?:\(|AS)\n\s*-- (.+)")
_COLUMN = re.compile(r"^    (\w+) [A-Z].*?--\s*(.+)$")

UNITS = {"bitrate": "bit/s", "duration_ms": "ms"}

_TABLES: dict[str, dict[str, Any]] = {
    "accounts": {"label_column": "name", "sort": "name"},
    "posts": {
        "label_column": "text", "sort_desc": "created_at",
        "facets": ["platform", "account_id", "kind"],
    },
    "timeline": {"facets": ["platform", "account", "kind"]},
    "missing_media": {"facets": ["state", "reason_code", "platform", "role"]},
    "runs": {"sort_desc": "id", "facets": ["outcome"]},
    "run_accounts": {"sort_desc": "run_id", "facets": ["name", "outcome", "error_code"]},
    "events": {"sort_desc": "id", "facets": ["what", "reason_code"]},
    "revisions": {"sort_desc": "id"},
    "attachments": {"facets": ["kind", "omitted"]},
    "renditions": {"facets": ["state", "role", "reason_code"]},
    "media": {"facets": ["content_type"], "sort_desc": "size"},
    "responses": {"sort_desc": "id", "facets": ["account_id", "status"]},
    "coverage": {"facets": ["account_id", "stream"]},
    **{
        name: {"hidden": True}
        for name in ("about", "storage_totals", "post_sources", "table_checksums", "ledger_rows")
    },
    "_sqlite_migrations": {"hidden": True},
}  # fmt: skip

_NOT_INDEXED = frozenset({"size"})
"""Columns that a large table is not sorted by until somebody asks: all rows would be read."""

_QUERIES: dict[str, dict[str, Any]] = {
    "most_liked": {
        "title": "Which posts have the most likes?",
        "needs": {"latest_metrics", "posts"},
        "sql": """SELECT posts.id AS post_id, posts.platform, posts.created_at, value AS likes,
       substr(coalesce(posts.title, posts.text), 1, 120) AS text
  FROM latest_metrics JOIN posts ON posts.id = post_id
 WHERE name = 'likes' AND attachment_id = 0
 ORDER BY value DESC LIMIT 100""",
    },
    "edited_posts": {
        "title": "What was edited, and when?",
        "needs": {"revisions", "posts"},
        "sql": """SELECT posts.id AS post_id, posts.platform, number AS revision, seen_at,
       substr(coalesce(posts.title, posts.text), 1, 120) AS text_now
  FROM revisions JOIN posts ON posts.id = post_id
 WHERE number > 1 AND why = 'edited' ORDER BY seen_at DESC LIMIT 500""",
    },
    "removed_posts": {
        "title": "Which posts were removed?",
        "needs": {"posts"},
        "sql": """SELECT id AS post_id, platform, created_at, removed_at,
       substr(coalesce(title, text), 1, 120) AS text
  FROM posts WHERE removed_at IS NOT NULL ORDER BY removed_at DESC LIMIT 500""",
    },
    "omitted_media": {
        "title": "Which files do the platforms omit?",
        "needs": {"missing_media"},
        "sql": """SELECT post_id, account, platform, created_at, kind, reason
  FROM missing_media WHERE state = 'omitted' LIMIT 500""",
    },
    "posts_per_month": {
        "title": "How much was published each month?",
        "needs": {"posts", "accounts"},
        "sql": """SELECT substr(created_at, 1, 7) AS month, accounts.name AS account,
       count(*) AS posts
  FROM posts JOIN accounts ON accounts.id = account_id
 GROUP BY month, account ORDER BY month DESC, account""",
    },
    "metrics_over_time": {
        "title": "How did a post's metrics change?",
        "needs": {"metrics"},
        "params": ["post_id"],
        "sql": """SELECT name, seen_at, value FROM metrics
 WHERE post_id = :post_id AND attachment_id = 0 ORDER BY name, seen_at""",
    },
    "search": {
        "title": "Which posts contain …?",
        "description": "At least three characters. The timeline's search takes shorter ones too.",
        "needs": {"posts_fts", "posts"},
        "params": ["words"],
        "sql": """SELECT posts.id AS post_id, posts.platform, posts.created_at,
       snippet(posts_fts, -1, '«', '»', '…', 30) AS found
  FROM posts_fts JOIN posts ON posts.id = posts_fts.rowid
 WHERE posts_fts MATCH '"' || replace(:words, '"', '""') || '"'
 ORDER BY rank LIMIT 100""",
    },
    "duplicate_files": {
        "title": "Which files were published more than once?",
        "needs": {"renditions", "attachments", "media"},
        "sql": """SELECT media_sha256, count(DISTINCT post_id) AS posts, min(post_id) AS post_id
  FROM renditions JOIN attachments ON attachments.id = attachment_id
 WHERE media_sha256 IS NOT NULL
 GROUP BY media_sha256 HAVING posts > 1 ORDER BY posts DESC LIMIT 100""",
    },
    "largest_files": {
        "title": "Which files are the largest?",
        "needs": {"media"},
        "sql": "SELECT sha256, size, content_type, width, height, duration_ms, stored_at\n"
        "  FROM media ORDER BY size DESC LIMIT 100",
    },
    "failed_accounts": {
        "title": "Which accounts failed, and why?",
        "needs": {"run_accounts"},
        "sql": """SELECT run_id, name, finished_at, outcome, error_code, message FROM run_accounts
 WHERE outcome NOT IN ('done', 'fresh', 'running') ORDER BY run_id DESC LIMIT 200""",
    },
}  # fmt: skip


SAYS_NOTHING_OF = frozenset({"allow", "allow_sql", "plugins", "queries", "tables"})
"""What Datasette asks for hundreds of times for a page of tables: who may see each of them.

By `tables` it asks for permissions and sizes of facets only.
"""


class DatabaseMetadata(dict[str, Any]):
    """The metadata of one database. Datasette copies it hundreds of times for a page of tables.

    So a copy, though a deep one, copies no texts, and is made without the module `copy`.
    """

    def __deepcopy__(self, _memo: object) -> "DatabaseMetadata":
        tables = {
            name: {key: dict(part) if isinstance(part, dict) else part for key, part in own.items()}
            for name, own in self["tables"].items()
        }
        return DatabaseMetadata(self, tables=tables)


def describe(archive: Archive) -> DatabaseMetadata:
    """The metadata of one archive's database; a copy, since Datasette merges into it."""
    return deepcopy(_described(archive))


@cache
def _described(archive: Archive) -> DatabaseMetadata:
    tables = {name: _table(archive, name) for name in archive.columns}
    return DatabaseMetadata(
        title="Social media archive",
        tables={name: about for name, about in tables.items() if about},
    )


def facets_of(archive: Archive, table: str) -> list[str]:
    """The columns by which a table or view is best summed up."""
    found: list[str] = _described(archive)["tables"].get(table, {}).get("facets", [])
    return found


def _table(archive: Archive, name: str) -> dict[str, Any]:
    about = dict(_TABLES.get(name, {}))
    if name in archive.large and about.get("sort_desc") in _NOT_INDEXED:
        del about["sort_desc"]
    description, columns = comments().get(name, ("", {}))
    here = archive.columns[name]
    if description:
        about["description"] = description
    if kept := {column: text for column, text in columns.items() if column in here}:
        about["columns"] = kept
    if units := {column: unit for column, unit in UNITS.items() if column in here}:
        about["units"] = units
    if "facets" in about:
        about["facets"] = [facet for facet in about["facets"] if facet in here]
    return about


@cache
def comments() -> dict[str, tuple[str, dict[str, str]]]:
    """The comments of the schema: of each table and view, and of their columns."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for (statement,) in model().execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
        head = _TABLE.search(statement)
        if head:
            lines = (_COLUMN.match(line) for line in statement.splitlines())
            found[head[1]] = (head[2], {line[1]: line[2] for line in lines if line})
    return found


def canned_queries(archive: Archive) -> dict[str, dict[str, Any]]:
    """The canned queries whose tables this archive has."""
    found = {}
    for name, query in _QUERIES.items():
        if all(archive.has(table) for table in query["needs"]):
            found[name] = {key: value for key, value in query.items() if key != "needs"}
    return found


def harden(connection: sqlite3.Connection) -> None:
    """Settings for a connection that only reads, from a file that may come from a stranger."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA cache_size = -65536")  # 64 MB each, for archives of millions
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # no other file, whatever the SQL says
