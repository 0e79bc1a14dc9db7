"""Which posts are meant: by account, date, words and number, as conditions of one SQL query."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from archiver.archive.search import SEARCHED, containing, match_all, search_terms
from archiver.errors import UsageError


@dataclass(frozen=True, slots=True)
class PostScope:
    """All posts that match each field; an empty field does not restrict.

    `accounts` and `posts` are row ids. `since` is inclusive and `until` is not; both are in UTC, as
    `posts.created_at` is. A post without a date is in no range. `words` are searched for in earlier
    versions too.
    """

    accounts: tuple[int, ...] = ()
    since: str = ""
    until: str = ""
    words: str = ""
    posts: tuple[int, ...] = ()

    def condition(self) -> tuple[str, list[object]]:
        """The condition on rows of `posts`, and its parameters."""
        where: list[str] = []
        values: list[object] = []
        for column, chosen in (("account_id", self.accounts), ("posts.id", self.posts)):
            if chosen:
                where.append(f"{column} IN (SELECT value FROM json_each(?))")
                values.append(json.dumps(chosen))
        if self.since:
            where.append("created_at >= ?")
            values.append(self.since)
        if self.until:
            where.append("created_at < ?")
            values.append(self.until)
        terms = search_terms(self.words)
        if long := [term for term in terms if len(term) > 2]:  # the index has trigrams
            where.append("posts.id IN (SELECT rowid FROM posts_fts WHERE posts_fts MATCH ?)")
            values.append(match_all(long))
        for term in terms:
            if term not in long:
                sql, patterns = containing(term, SEARCHED)
                where.append(sql)
                values += patterns
        return " AND ".join(where) or "TRUE", values

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
        """The ids of the posts, oldest first."""
        yield from post_ids(connection, *self.condition())

    def to_json(self) -> str:
        """The scope as a column has it, without empty fields."""
        fields = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "PostScope":
        """The scope that a column has. Raises ValueError, TypeError for anything else."""
        fields = json.loads(text)
        for name in ("accounts", "posts"):
            fields[name] = tuple(fields.get(name, ()))
        return cls(**fields)

    def in_words(self, connection: sqlite3.Connection) -> str:
        """The scope for people, such as `acme, from 2026-01-01`."""
        names = dict(connection.execute("SELECT id, name FROM accounts"))
        parts = [", ".join(str(names.get(each, each)) for each in self.accounts) or "all accounts"]
        if self.posts:
            word = "post" if len(self.posts) == 1 else "posts"
            parts = [f"{word} {', '.join(map(str, self.posts))}"]
        if self.since:
            parts.append(f"from {_without_midnight(self.since)}")
        if self.until:
            parts.append(f"before {_without_midnight(self.until)}")
        if self.words:
            parts.append(f"with “{self.words}”")
        return ", ".join(parts)


def post_ids(
    connection: sqlite3.Connection, condition: str, values: Sequence[object]
) -> Iterator[int]:
    """The ids of the posts of a condition, oldest first."""
    query = f"SELECT id FROM posts WHERE {condition} ORDER BY created_at, id"
    for (post_id,) in connection.execute(query, values):
        yield post_id


def account_ids(connection: sqlite3.Connection, names: Sequence[str]) -> tuple[int, ...]:
    """The ids of accounts by their labels. Raises UsageError for one that the archive has not."""
    known = dict(connection.execute("SELECT name, id FROM accounts"))
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"The archive has no account {unknown[0]}",
            hint=f"It has {', '.join(sorted(known)) or 'none'}",
        )
    return tuple(known[name] for name in names)


def _without_midnight(moment: str) -> str:
    return moment.removesuffix("T00:00:00.000Z")
