"""The posts of an archive that are wanted: by account, date and words."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.archive.search import SEARCHED, containing, match_all, search_terms
from archiver.errors import UsageError


@dataclass(frozen=True, slots=True)
class ArchiveSelection:
    """All posts that match, oldest first; an empty field does not restrict.

    `since` is inclusive and `until` is not; both are in UTC, as `posts.created_at` is.
    """

    accounts: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    words: str = ""

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
        """Their ids. Raises UsageError for an account that the archive does not have."""
        where, values = self._conditions(connection)
        condition = f"WHERE {' AND '.join(where)} " if where else ""
        query = f"SELECT id FROM posts {condition}ORDER BY created_at, id"
        for (post_id,) in connection.execute(query, values):
            yield post_id

    def _conditions(self, connection: sqlite3.Connection) -> tuple[list[str], list[object]]:
        where: list[str] = []
        values: list[object] = []
        if self.accounts:
            where.append("account_id IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(self._account_ids(connection)))
        if self.since:
            where.append("created_at >= ?")
            values.append(self.since)
        if self.until:
            where.append("created_at < ?")
            values.append(self.until)
        terms = search_terms(self.words)
        if long := [term for term in terms if len(term) > 2]:  # the index has trigrams
            where.append("id IN (SELECT rowid FROM posts_fts WHERE posts_fts MATCH ?)")
            values.append(match_all(long))
        for term in terms:
            if term not in long:
                sql, patterns = containing(term, SEARCHED)
                where.append(sql)
                values += patterns
        return where, values

    def _account_ids(self, connection: sqlite3.Connection) -> list[int]:
        known = dict(connection.execute("SELECT name, id FROM accounts"))
        if unknown := [name for name in self.accounts if name not in known]:
            raise UsageError(
                f"The archive has no account {unknown[0]}",
                hint=f"It has {', '.join(sorted(known)) or 'none'}",
            )
        return [known[name] for name in self.accounts]

    def __str__(self) -> str:
        """The selection in words."""
        parts = [", ".join(self.accounts) or "all accounts"]
        if self.since:
            parts.append(f"from {self.since}")
        if self.until:
            parts.append(f"before {self.until}")
        if self.words:
            parts.append(f"with “{self.words}”")
        return ", ".join(parts)
