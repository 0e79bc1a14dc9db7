"""One page of posts, newest or oldest first, for any filter, with the help of indexes.

Paging is by keyset: (created_at descending, id ascending), the order of the indexes on
`created_at`, so a page ten years back costs as much as the first one. Posts without a time count
as the oldest. A condition that has no index in that order is applied in one of two ways: if few
posts match, their ids are looked up and sorted; if many match, reading down the index finds enough
of them soon.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from archiver.archive.search import SEARCHED, containing, index_folds, match_all, search_terms
from archiver.browse.filters import Cursor, Filter
from archiver.browse.likes import LikeRanking
from archiver.browse.states import in_state

PAGE = 24
_MOST_MERGED = 100
MAX_SORTED = 2000
"""Up to this many matches are looked up and sorted; more are found soon by reading the index."""

_INDEXED = re.compile(r"\b(created_at|account_id|kind|edited_at|removed_at)\b")
_PAIR = 2  # characters: one less than the trigrams of the search index
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class PostPage:
    """Ids of one page of posts, and the cursors of the pages around it."""

    ids: tuple[int, ...]
    newer: Cursor | None = None
    older: Cursor | None = None
    count: int | None = None  # posts on all pages, where it is known without reading them


@dataclass
class _Conditions:
    sql: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    candidates: list[int] | None = None  # the only posts that can match; None: all

    def add(self, sql: str, *values: object) -> None:
        self.sql.append(sql)
        self.values += values

    def restrict_to(self, ids: list[int]) -> None:
        known = self.candidates
        self.candidates = ids if known is None else sorted(set(known) & set(ids))


def post_page(
    connection: sqlite3.Connection,
    wanted: Filter,
    *,
    older_than: Cursor | None = None,
    newer_than: Cursor | None = None,
    size: int = PAGE,
    ranking: LikeRanking | None = None,
) -> PostPage:
    """The page of posts beside a cursor, in the order of the filter; without one, the first.

    With a `ranking`, in the order of that: the most liked count as the newest.
    """
    accounts = _accounts(connection, wanted)
    conditions = _conditions(connection, wanted)
    upwards = wanted.oldest_first and ranking is None
    every: list[Cursor] | None = None
    if ranking:
        conditions = _matched_once(connection, accounts, conditions)
        few = _few_matches(connection, accounts, conditions)
        ranking = ranking if few is None else ranking.only(few)
    elif conditions.candidates is not None:
        every = _every_match(connection, accounts, conditions)

    def rows(start: Cursor | None, count: int, *, towards_newer: bool) -> list[Cursor]:
        if ranking:
            return _ranked_rows(
                connection, accounts, conditions, ranking, start, count, upwards=towards_newer
            )
        if every is not None:
            return _beside(every, start, count, towards_newer=towards_newer)
        return _rows(connection, accounts, conditions, start, count, towards_newer=towards_newer)

    ahead, back = (newer_than, older_than) if upwards else (older_than, newer_than)
    if back and not ahead:
        found = rows(back, size + 1, towards_newer=not upwards)
        has_before, has_after = len(found) > size, bool(rows(back, 1, towards_newer=upwards))
        found = found[:size][::-1]
    else:
        found = rows(ahead, size + 1, towards_newer=upwards)
        has_before = bool(ahead and rows(ahead, 1, towards_newer=not upwards))
        found, has_after = found[:size], len(found) > size
    before = found[0] if found and has_before else None
    after = found[-1] if found and has_after else None
    newer, older = (after, before) if upwards else (before, after)
    count = _count(connection, accounts, conditions) if every is None else len(every)
    return PostPage(tuple(row.id for row in found), newer, older, count)


def _every_match(
    connection: sqlite3.Connection, accounts: list[int] | None, conditions: _Conditions
) -> list[Cursor]:
    """All posts that match, the newest first, where few can: so the database is asked once."""
    sql, values = _query(accounts, conditions, "", [], "")
    found = sorted(connection.execute(sql, values).fetchall(), key=itemgetter(0))
    found.sort(key=lambda row: row[1] or "", reverse=True)  # posts without a time are the oldest
    return [Cursor(row[1] or "", row[0]) for row in found]


def _beside(
    every: Sequence[Cursor], start: Cursor | None, count: int, *, towards_newer: bool
) -> list[Cursor]:
    """The next `count` posts from the start on, in the direction of reading; see `_rows`."""
    if start is None:
        return list(every[::-1] if towards_newer else every)[:count]
    if towards_newer:
        return [one for one in reversed(every) if _is_newer(one, start)][:count]
    return [one for one in every if _is_newer(start, one)][:count]


def _is_newer(one: Cursor, other: Cursor) -> bool:
    """Whether a post stands before another where the newest are first."""
    return one.key > other.key or (one.key == other.key and one.id < other.id)


def _matched_once(
    connection: sqlite3.Connection, accounts: list[int] | None, conditions: _Conditions
) -> _Conditions:
    """The conditions; where few posts can match, those that do, so that nothing is asked twice."""
    if conditions.candidates is None or not conditions.sql:
        return conditions
    sql, values = _query(accounts, conditions, "", [], "")
    matching = sorted(row[0] for row in connection.execute(sql, values))
    return _Conditions(candidates=matching)


def grouped_matches(connection: sqlite3.Connection, wanted: Filter) -> list[sqlite3.Row] | None:
    """Account id, kind, month and number of the posts with these words, flags and dates.

    Account, platform and kind are left out. None where more than MAX_SORTED posts match the words
    or flags, so that all would have to be read.
    """
    conditions = _conditions(connection, wanted.but(account="", platform="", kind=""))
    if conditions.candidates is None:
        return None
    where = ["posts.id IN (SELECT value FROM json_each(?))", *conditions.sql]
    return connection.execute(
        "SELECT account_id, kind, substr(coalesce(created_at, ''), 1, 7), count(*) FROM posts "
        f"WHERE {' AND '.join(where)} GROUP BY 1, 2, 3",
        (json.dumps(conditions.candidates), *conditions.values),
    ).fetchall()


def _count(
    connection: sqlite3.Connection, accounts: list[int] | None, conditions: _Conditions
) -> int | None:
    """How many posts match; None where that would need reading all pages."""
    if conditions.candidates is None:
        return None
    sql, parameters = _query(accounts, conditions, "", [], "")
    count: int = connection.execute(f"SELECT count(*) FROM ({sql})", parameters).fetchone()[0]
    return count


def _few_matches(
    connection: sqlite3.Connection, accounts: list[int] | None, conditions: _Conditions
) -> list[int] | None:
    """The ids of all posts that match; None where they are more than MAX_SORTED."""
    sql, values = _query(accounts, conditions, "", [], f"LIMIT {MAX_SORTED + 1}")
    return _limited_ids(connection, f"SELECT id FROM ({sql})", *values)


def _ranked_rows(
    connection: sqlite3.Connection,
    accounts: list[int] | None,
    conditions: _Conditions,
    ranking: LikeRanking,
    start: Cursor | None,
    count: int,
    *,
    upwards: bool,
) -> list[Cursor]:
    """The next `count` posts that match, in the order of likes, as cursors."""
    found: list[Cursor] = []
    for chunk in ranking.chunks(start, upwards=upwards):
        sql, values = _look_up(accounts, list(chunk), conditions.sql, conditions.values, "")
        matching = {row[0] for row in connection.execute(sql, values)}
        found += [ranking.cursor(post) for post in chunk if post in matching]
        if len(found) >= count:
            break
    return found[:count]


def _accounts(connection: sqlite3.Connection, wanted: Filter) -> list[int] | None:
    """The ids of the accounts that match the filter; None for all.

    For a kind, all are named: an index has the posts of each account and kind in order.
    """
    if not (wanted.account or wanted.platform or wanted.kind):
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
    for flag, column in (("edited", "edited_at"), ("removed", "removed_at")):
        if flag in wanted.flags:
            _add_flag(connection, found, f"{column} IS NOT NULL")
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


def _add_flag(connection: sqlite3.Connection, found: _Conditions, condition: str) -> None:
    """A condition that has a partial index, which is not in the order of accounts or kinds."""
    ids = _limited_ids(connection, f"SELECT id FROM posts WHERE {condition}")
    if ids is not None:
        found.restrict_to(ids)
    else:
        found.add(condition)


def _add_omitted(connection: sqlite3.Connection, found: _Conditions) -> None:
    ids = _limited_ids(
        connection,
        "SELECT post_id FROM renditions JOIN attachments ON attachments.id = attachment_id "
        f"WHERE {in_state('omitted')}",
    )
    if ids is not None:
        found.restrict_to(ids)
    else:
        found.add(
            "EXISTS (SELECT 1 FROM attachments JOIN renditions ON attachment_id = attachments.id "
            "WHERE post_id = posts.id AND state = 'omitted')"
        )


def _add_search(connection: sqlite3.Connection, found: _Conditions, terms: Sequence[str]) -> None:
    """Use the search index for terms that few posts have, and read the texts for the others."""
    unindexed = [term for term in terms if len(term) < _PAIR]
    if long := [term for term in terms if len(term) > _PAIR]:
        sql = "SELECT rowid FROM posts_fts WHERE posts_fts MATCH ?"
        ids = _limited_ids(connection, sql, match_all(long))
        if ids is not None:
            found.restrict_to(ids)
        else:
            unindexed += long
    for pair in (term for term in terms if len(term) == _PAIR):
        ids = _ids_with_pair(connection, pair)
        if ids is not None:
            found.restrict_to(ids)
        else:
            unindexed.append(pair)
    if unindexed:
        columns = _searched_columns(connection)
        for term in unindexed:
            sql, patterns = containing(term, columns)
            found.add(sql, *patterns)


def _searched_columns(connection: sqlite3.Connection) -> list[str]:
    """The columns that a search reads; a published copy may lack some."""
    query = "SELECT name FROM pragma_table_info('posts')"
    return [row[0] for row in connection.execute(query) if row[0] in SEARCHED]


def _ids_with_pair(connection: sqlite3.Connection, pair: str) -> list[int] | None:
    """The ids of posts that contain two adjacent characters; None if there are many.

    Most Chinese words and many Japanese ones are that short. The search index has trigrams, so this
    finds those that begin with the pair, and separately texts that end with it.
    """
    begin = index_folds(pair)
    beginning = "SELECT DISTINCT doc FROM posts_fts_terms WHERE term >= ? AND term < ?"
    ids = _limited_ids(connection, beginning, begin, begin + _LAST)
    if ids is None:
        return None
    endings = sorted({a + b for a in _cases(pair[0]) for b in _cases(pair[1])})
    marks = ", ".join("?" * len(endings))
    for column in ("text", "title", "alt_texts"):
        sql = f"SELECT id FROM posts WHERE lower(substr({column}, -2)) IN ({marks})"
        ending = _limited_ids(connection, f"{sql} AND {column} IS NOT NULL", *endings)
        if ending is None:
            return None
        ids += ending
    return sorted(set(ids)) if len(set(ids)) <= MAX_SORTED else None


def _cases(one: str) -> set[str]:
    """The forms of a character in the result of SQLite's lower(), which changes ASCII only."""
    return {one.lower()} if one.isascii() else {one, one.lower(), one.upper()}


def _limited_ids(connection: sqlite3.Connection, sql: str, *values: object) -> list[int] | None:
    """All ids that a query finds; None if there are more than MAX_SORTED."""
    rows = connection.execute(f"{sql} LIMIT {MAX_SORTED + 1}", values).fetchall()
    return [row[0] for row in rows] if len(rows) <= MAX_SORTED else None


def _rows(
    connection: sqlite3.Connection,
    accounts: list[int] | None,
    conditions: _Conditions,
    start: Cursor | None,
    count: int,
    *,
    towards_newer: bool,
) -> list[Cursor]:
    """The next `count` posts from the start on, in the direction of reading, as cursors."""
    rows: list[Cursor] = []
    for bounds, values in ranges(start, towards_newer=towards_newer):
        if len(rows) < count:
            order = "created_at ASC, id DESC" if towards_newer else "created_at DESC, id ASC"
            tail = f"ORDER BY {order} LIMIT {count - len(rows)}"
            sql, parameters = _query(accounts, conditions, bounds, values, tail)
            found = connection.execute(sql, parameters)
            rows += [Cursor(row[1] or "", row[0]) for row in found]
    return rows


def ranges(
    start: Cursor | None, *, towards_newer: bool = False, column: str = "created_at"
) -> Iterator[tuple[str, list[object]]]:
    """Conditions of the index ranges to read, in order: rows with a time, then those without."""
    if start is None:
        yield "", []
    elif towards_newer:
        if not start.key:
            yield f"{column} IS NULL AND id < ?", [start.id]
            yield f"{column} IS NOT NULL", []
        else:
            yield (
                f"{column} >= ? AND ({column} > ? OR id < ?)",
                [start.key, start.key, start.id],
            )
    else:
        if start.key:
            yield (
                f"{column} <= ? AND ({column} < ? OR id > ?)",
                [start.key, start.key, start.id],
            )
        yield f"{column} IS NULL AND id > ?", [start.id if not start.key else 0]


def _query(
    accounts: list[int] | None,
    conditions: _Conditions,
    bounds: str,
    values: list[object],
    tail: str,
) -> tuple[str, list[object]]:
    """A query over one range; for several accounts, their pages are merged."""
    where = [*([bounds] if bounds else []), *conditions.sql]
    parameters = [*values, *conditions.values]
    if conditions.candidates is not None:
        return _look_up(accounts, conditions.candidates, where, parameters, tail)
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
    candidates: list[int],
    where: list[str],
    parameters: list[object],
    tail: str,
) -> tuple[str, list[object]]:
    """A query of posts by id; the unary plus keeps the planner from using another index."""
    where = [*where, "posts.id IN (SELECT value FROM json_each(?))"]
    parameters = [*parameters, json.dumps(candidates)]
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
