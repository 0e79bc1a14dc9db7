"""One page of posts, newest first, whatever was asked for, from indexes alone.

Paging is by keyset: (created_at descending, id ascending), the order in which the indexes on
`created_at` lie, so that a page ten years down costs what the first one costs. Posts without a
time come last. A condition that no index orders by is answered in one of two ways: what few posts
fulfil is looked up and sorted; what many fulfil is met soon by walking down the index.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archiver.archive.search import fold, index_folds
from archiver.browse.filters import Cursor, Filter
from archiver.browse.states import in_state

PAGE = 24
_MOST_MERGED = 100
FEW = 2000
"""Up to so many matches are sorted; more are so dense that walking meets them soon."""

_INDEXED = re.compile(r"\b(created_at|account_id|kind|edited_at|removed_at)\b")
_PAIR = 2  # characters: one less than the search index knows runs of
_LAST = "\U0010ffff"
_SEARCHED = ("text", "title", "alt_texts", "search_text", "earlier_text")


@dataclass(frozen=True, slots=True)
class PostPage:
    """Ids of one page of posts, and the cursors of the pages around it."""

    ids: tuple[int, ...]
    newer: Cursor | None = None
    older: Cursor | None = None
    count: int | None = None  # of all pages together, where it is known without reading them


@dataclass
class _Conditions:
    sql: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    few: list[int] | None = None  # the only posts in question, where they are few

    def add(self, sql: str, *values: object) -> None:
        self.sql.append(sql)
        self.values += values

    def only(self, ids: list[int]) -> None:
        self.few = ids if self.few is None else sorted(set(self.few) & set(ids))


def stretch(
    connection: sqlite3.Connection,
    wanted: Filter,
    *,
    older_than: Cursor | None = None,
    newer_than: Cursor | None = None,
    size: int = PAGE,
) -> PostPage:
    """The page below one cursor, above another, or the first one."""
    conditions = _conditions(connection, wanted)
    accounts = _accounts(connection, wanted)
    if newer_than and not older_than:
        rows = _rows(connection, accounts, conditions, newer_than, size + 1, upward=True)
        has_newer, rows, has_older = len(rows) > size, rows[:size][::-1], True
    else:
        rows = _rows(connection, accounts, conditions, older_than, size + 1, upward=False)
        has_newer, rows, has_older = older_than is not None, rows[:size], len(rows) > size
    return PostPage(
        tuple(row.id for row in rows),
        newer=rows[0] if rows and has_newer else None,
        older=rows[-1] if rows and has_older else None,
        count=_count(connection, accounts, conditions),
    )


def _count(
    connection: sqlite3.Connection, accounts: list[int] | None, conditions: _Conditions
) -> int | None:
    """How many posts fit; None where only reading on would tell."""
    if conditions.few is None:
        return None
    sql, parameters = _query(accounts, conditions, "", [], "")
    count: int = connection.execute(f"SELECT count(*) FROM ({sql})", parameters).fetchone()[0]
    return count


def search_terms(words: str) -> list[str]:
    """What must all occur: words, and "phrases in quotes", folded as texts are compared."""
    found = re.findall(r'"([^"]+)"|(\S+)', words)
    return [fold(term) for pair in found for part in pair if (term := part.strip('"').strip())]


def _accounts(connection: sqlite3.Connection, wanted: Filter) -> list[int] | None:
    """The ids of the accounts in question; None for all."""
    if not wanted.account and not wanted.platform:
        return None
    rows = connection.execute(
        "SELECT id FROM accounts WHERE (:name = '' OR name = :name) "
        "AND (:platform = '' OR platform = :platform)",
        {"name": wanted.account, "platform": wanted.platform},
    )
    return [row[0] for row in rows]


def _conditions(connection: sqlite3.Connection, wanted: Filter) -> _Conditions:
    found = _Conditions()
    if wanted.since:
        found.add("created_at >= ?", wanted.since)
    if wanted.until_before:
        found.add("created_at < ?", wanted.until_before)
    if wanted.kind:
        found.add("kind = ?", wanted.kind)
    if "edited" in wanted.flags:
        found.add("edited_at IS NOT NULL")
    if "removed" in wanted.flags:
        found.add("removed_at IS NOT NULL")
    if "media" in wanted.flags:
        found.add(
            "EXISTS (SELECT 1 FROM attachments JOIN renditions ON attachment_id = attachments.id "
            "WHERE post_id = posts.id AND state = 'stored')"
        )
    if "omitted" in wanted.flags:
        _add_omitted(connection, found)
    if terms := search_terms(wanted.words):
        _add_search(connection, found, terms)
    return found


def _add_omitted(connection: sqlite3.Connection, found: _Conditions) -> None:
    ids = _few(
        connection,
        "SELECT post_id FROM renditions JOIN attachments ON attachments.id = attachment_id "
        f"WHERE {in_state('omitted')}",
    )
    if ids is not None:
        found.only(ids)
    else:
        found.add(
            "EXISTS (SELECT 1 FROM attachments JOIN renditions ON attachment_id = attachments.id "
            "WHERE post_id = posts.id AND state = 'omitted')"
        )


def _add_search(connection: sqlite3.Connection, found: _Conditions, terms: Sequence[str]) -> None:
    """Look terms up where an index knows them; what too many posts have is met by reading."""
    to_read = [term for term in terms if len(term) < _PAIR]
    if long := [term for term in terms if len(term) > _PAIR]:
        question = " ".join('"' + term.replace('"', '""') + '"' for term in long)
        ids = _few(connection, "SELECT rowid FROM posts_fts WHERE posts_fts MATCH ?", question)
        if ids is not None:
            found.only(ids)
        else:
            to_read += long
    for pair in (term for term in terms if len(term) == _PAIR):
        ids = _with_pair(connection, pair)
        if ids is not None:
            found.only(ids)
        else:
            to_read.append(pair)
    if to_read:
        columns = _searched_columns(connection)
        for term in to_read:
            _add_reading(found, term, columns)


def _searched_columns(connection: sqlite3.Connection) -> list[str]:
    """The columns that a search reads: a copy for others may lack some."""
    query = "SELECT name FROM pragma_table_info('posts')"
    return [row[0] for row in connection.execute(query) if row[0] in _SEARCHED]


def _add_reading(found: _Conditions, term: str, columns: Sequence[str]) -> None:
    """Look for a term in the texts themselves; LIKE takes only ASCII in either case."""
    ways = {term} if term.isascii() else {term, term.lower(), term.upper(), term.title()}
    patterns = ["%" + re.sub(r"([\\%_])", r"\\\1", way) + "%" for way in sorted(ways)]
    likes = [f"{column} LIKE ? ESCAPE '\\'" for column in columns for _ in patterns]
    found.add(f"({' OR '.join(likes)})", *patterns * len(columns))


def _with_pair(connection: sqlite3.Connection, pair: str) -> list[int] | None:
    """The posts that have two characters side by side, or None where they are many.

    Most words of Chinese and many of Japanese are that short. The search index knows runs of
    three: those that begin with the two. At the end of a text there is no third.
    """
    begin = index_folds(pair)
    beginning = "SELECT DISTINCT doc FROM posts_fts_terms WHERE term >= ? AND term < ?"
    ids = _few(connection, beginning, begin, begin + _LAST)
    if ids is None:
        return None
    endings = sorted({a + b for a in _cases(pair[0]) for b in _cases(pair[1])})
    marks = ", ".join("?" * len(endings))
    for column in ("text", "title", "alt_texts"):
        sql = f"SELECT id FROM posts WHERE lower(substr({column}, -2)) IN ({marks})"
        ending = _few(connection, f"{sql} AND {column} IS NOT NULL", *endings)
        if ending is None:
            return None
        ids += ending
    return sorted(set(ids)) if len(set(ids)) <= FEW else None


def _cases(one: str) -> set[str]:
    """How a character may stand in what SQLite's lower() gives, which knows ASCII alone."""
    return {one.lower()} if one.isascii() else {one, one.lower(), one.upper()}


def _few(connection: sqlite3.Connection, sql: str, *values: object) -> list[int] | None:
    """All ids that a query finds, or None where they are many."""
    rows = connection.execute(f"{sql} LIMIT {FEW + 1}", values).fetchall()
    return [row[0] for row in rows] if len(rows) <= FEW else None


def _rows(
    connection: sqlite3.Connection,
    accounts: list[int] | None,
    conditions: _Conditions,
    start: Cursor | None,
    count: int,
    *,
    upward: bool,
) -> list[Cursor]:
    """So many places from the start on, in walking order."""
    rows: list[Cursor] = []
    for bounds, values in _segments(start, upward=upward):
        if len(rows) < count:
            order = "created_at ASC, id DESC" if upward else "created_at DESC, id ASC"
            tail = f"ORDER BY {order} LIMIT {count - len(rows)}"
            sql, parameters = _query(accounts, conditions, bounds, values, tail)
            found = connection.execute(sql, parameters)
            rows += [Cursor(row[1] or "", row[0]) for row in found]
    return rows


def _segments(start: Cursor | None, *, upward: bool) -> Iterator[tuple[str, list[object]]]:
    """What to walk through, one after another: posts with a time above, those without below."""
    if start is None:
        yield "", []
    elif upward:
        if not start.created_at:
            yield "created_at IS NULL AND id < ?", [start.id]
            yield "created_at IS NOT NULL", []
        else:
            yield (
                "created_at >= ? AND (created_at > ? OR id < ?)",
                [start.created_at, start.created_at, start.id],
            )
    else:
        if start.created_at:
            yield (
                "created_at <= ? AND (created_at < ? OR id > ?)",
                [start.created_at, start.created_at, start.id],
            )
        yield "created_at IS NULL AND id > ?", [start.id if not start.created_at else 0]


def _query(
    accounts: list[int] | None,
    conditions: _Conditions,
    bounds: str,
    values: list[object],
    tail: str,
) -> tuple[str, list[object]]:
    """One query over one segment; over several accounts, the pages of each are merged."""
    where = [*([bounds] if bounds else []), *conditions.sql]
    parameters = [*values, *conditions.values]
    if conditions.few is not None:
        return _look_up(accounts, conditions.few, where, parameters, tail)
    if accounts is None:
        return _branch(where, tail), parameters
    if not accounts:
        return _branch(["0"], ""), []
    if len(accounts) > _MOST_MERGED:
        where.append("+account_id IN (SELECT value FROM json_each(?))")
        return _branch(where, tail), [*parameters, json.dumps(accounts)]
    branch = _branch(["account_id = ?", *where], tail)
    union = " UNION ALL ".join(f"SELECT * FROM ({branch})" for _ in accounts)
    merged = [value for account in accounts for value in (account, *parameters)]
    return f"SELECT id, created_at FROM ({union}) {tail}", merged


def _look_up(
    accounts: list[int] | None,
    few: list[int],
    where: list[str],
    parameters: list[object],
    tail: str,
) -> tuple[str, list[object]]:
    """Few posts, by their ids; the plus keeps the planner from walking an index instead."""
    where = [*where, "posts.id IN (SELECT value FROM json_each(?))"]
    parameters = [*parameters, json.dumps(few)]
    if accounts is not None:
        where.append("account_id IN (SELECT value FROM json_each(?))")
        parameters.append(json.dumps(accounts))
    plain = [
        re.sub(r"\b(created_at|account_id|kind|edited_at|removed_at)\b", r"+\1", part)
        for part in where
    ]
    return _branch(plain, tail.replace("created_at", "+created_at")), parameters


def _branch(where: list[str], tail: str) -> str:
    condition = f"WHERE {' AND '.join(where)} " if where else ""
    return f"SELECT id, created_at FROM posts {condition}{tail}"
