"""Which posts of the archive belong together: replies, quotes, reposts, in both directions.

A relation names the other post by its id on the platform. It is looked up among all accounts of the
same platform, by that id and by the other ids under which a post is known.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from archiver.models import CONTENT_SCHEMES

_GLIMPSE = 280  # characters


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The beginning of another post, for a link to it."""

    id: int
    account: str
    platform: str
    kind: str
    created_at: str | None
    removed_at: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Related:
    """A post that this one answers, quotes, reposts or shares."""

    kind: str
    platform_id: str | None
    url: str | None
    glimpse: Glimpse | None  # None where the archive does not have it


@dataclass(frozen=True, slots=True)
class Answers:
    """How many posts of the archive refer to this one."""

    replies: int = 0
    quotes: int = 0
    shares: int = 0


def related(
    connection: sqlite3.Connection, posts: Sequence[int]
) -> defaultdict[int, list[Related]]:
    """The posts that these ones refer to, by post id."""
    rows = connection.execute(_REFERRED, (json.dumps(list(posts)),)).fetchall()
    known = [_known(connection, row) for row in rows]
    shown = glimpses(connection, [found for found in known if found])
    found: defaultdict[int, list[Related]] = defaultdict(list)
    for row, other in zip(rows, known, strict=True):
        found[row["post_id"]].append(
            Related(row["kind"], row["platform_id"], row["url"], shown.get(other or 0))
        )
    return found


def answers(connection: sqlite3.Connection, posts: Sequence[int]) -> dict[int, Answers]:
    """How many posts refer to each of these; those that nobody refers to are left out."""
    counts: defaultdict[int, dict[str, int]] = defaultdict(dict)
    sql = (
        f"SELECT own, relation, count(DISTINCT other) FROM ({_referring(connection)}) GROUP BY 1, 2"
    )
    for own, kind, count in connection.execute(sql, (json.dumps(list(posts)),)):
        counts[own][kind] = count
    return {
        own: Answers(
            found.get("reply_to", 0),
            found.get("quotes", 0),
            found.get("reposts", 0) + found.get("shares", 0),
        )
        for own, found in counts.items()
    }


def referring(
    connection: sqlite3.Connection, posts: Sequence[int], kinds: Sequence[str], limit: int
) -> list[tuple[int, int]]:
    """Ids of posts and of those that refer to them in one of these ways, oldest first."""
    sql = (
        f"SELECT DISTINCT own, other FROM ({_referring(connection)}) JOIN posts ON id = other "
        "WHERE relation IN (SELECT value FROM json_each(?)) ORDER BY created_at, other LIMIT ?"
    )
    values = (json.dumps(list(posts)), json.dumps(list(kinds)), limit)
    return [(own, other) for own, other in connection.execute(sql, values)]


def glimpses(connection: sqlite3.Connection, posts: Sequence[int]) -> dict[int, Glimpse]:
    """The beginnings of these posts, by post id."""
    rows = connection.execute(_GLIMPSES, (json.dumps(sorted(set(posts))),))
    return {row["id"]: Glimpse(**dict(row)) for row in rows}


def _known(connection: sqlite3.Connection, row: sqlite3.Row) -> int | None:
    """The id of the post that a relation names; None where the archive does not have it."""
    values = {
        "id": row["platform_id"], "post": row["post_id"], "platform": row["platform"],
        "account": row["account_id"],
    }  # fmt: skip
    if row["platform_id"] is None:
        return None
    found = connection.execute(_BY_ID, values).fetchone()
    if found is None and _has_aliases(connection):
        found = connection.execute(_BY_ALIAS, values).fetchone()
    return found[0] if found else None


def _referring(connection: sqlite3.Connection) -> str:
    """A query of the pairs of a post (`own`) and another one that refers to it (`other`)."""
    aliases = _ALIASES if _has_aliases(connection) else ""
    return _REFERRING.format(aliases=aliases)


def _has_aliases(connection: sqlite3.Connection) -> bool:
    """Whether it is more than a published copy, which has no aliases."""
    query = "SELECT 1 FROM sqlite_master WHERE name = 'post_aliases'"
    return connection.execute(query).fetchone() is not None


_REFERRING = """
    SELECT own.id AS own, posts.id AS other, relations.kind AS relation
      FROM json_each(?) AS chosen
     CROSS JOIN posts AS own ON own.id = chosen.value
     CROSS JOIN relations ON relations.platform_id IN (SELECT own.platform_id {aliases})
     CROSS JOIN posts ON posts.id = relations.post_id
     WHERE posts.platform = own.platform AND posts.id <> own.id
"""
_CONTENT = ", ".join(f"'{scheme}'" for scheme in sorted(CONTENT_SCHEMES))
_ALIASES = f"""
    UNION SELECT value FROM post_aliases WHERE post_id = own.id AND scheme NOT IN ({_CONTENT})
"""
_GLIMPSES = f"""
    SELECT posts.id, accounts.name AS account, posts.platform, kind, created_at, removed_at,
           substr(coalesce(nullif(text, ''), posts.title), 1, {_GLIMPSE}) AS text
      FROM posts JOIN accounts ON accounts.id = account_id
     WHERE posts.id IN (SELECT value FROM json_each(?))
"""
_REFERRED = """
    SELECT relations.post_id, relations.kind, relations.platform_id, relations.url, own.platform,
           own.account_id
      FROM relations JOIN posts AS own ON own.id = relations.post_id
     WHERE relations.post_id IN (SELECT value FROM json_each(?)) ORDER BY relations.id
"""
_BY_ID = """
    SELECT id FROM posts WHERE platform_id = :id AND id <> :post
       AND account_id IN (SELECT id FROM accounts WHERE platform = :platform)
     ORDER BY account_id <> :account, id LIMIT 1
"""
_BY_ALIAS = f"""
    SELECT posts.id FROM post_aliases JOIN posts ON posts.id = post_id
     WHERE value = :id AND scheme NOT IN ({_CONTENT}) AND platform = :platform AND posts.id <> :post
     ORDER BY account_id <> :account, posts.id LIMIT 1
"""
