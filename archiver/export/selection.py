"""The posts of an archive that are wanted: by account, date and words."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.archive.holds import held_condition
from archiver.archive.post_scope import PostScope, account_ids, post_ids
from archiver.archive.public_posts import public_condition


@dataclass(frozen=True, slots=True)
class ArchiveSelection:
    """All posts that match, oldest first; an empty field does not restrict.

    `since` is inclusive and `until` is not; both are in UTC, as `posts.created_at` is. `matter` is
    that of a legal hold: only what is held for it. `only_public` restricts to what is known to be
    public now, see `public_posts`. `as_of` is a moment in UTC: only what was published by then; the
    snapshot has these posts as they were then.
    """

    accounts: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    words: str = ""
    matter: str = ""
    only_public: bool = False
    kinds: tuple[str, ...] = ()
    as_of: str = ""

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
        """Their ids. Raises UsageError for an account or a matter that is not there."""
        accounts = account_ids(connection, self.accounts)
        condition, values = PostScope(accounts, self.since, self.until, self.words).condition()
        if self.matter:
            held, parameters = held_condition(connection, self.matter)
            condition, values = f"{condition} AND {held}", values + parameters
        if self.only_public:
            condition = f"{condition} AND {public_condition()}"
        if self.kinds:
            condition = f"{condition} AND kind IN (SELECT value FROM json_each(?))"
            values = [*values, json.dumps(self.kinds)]
        if self.as_of:
            condition = f"{condition} AND coalesce(created_at, first_seen_at) <= ?"
            values = [*values, self.as_of]
        yield from post_ids(connection, condition, values)

    def __str__(self) -> str:
        """The selection in words."""
        parts = [", ".join(self.accounts) or "all accounts"]
        if self.since:
            parts.append(f"from {self.since}")
        if self.until:
            parts.append(f"before {self.until}")
        if self.words:
            parts.append(f"with “{self.words}”")
        if self.matter:
            parts.append(f"held for {self.matter}")
        if self.kinds:
            parts.append(f"of kind {' or '.join(self.kinds)}")
        if self.as_of:
            parts.append(f"as of {self.as_of}")
        if self.only_public:
            parts.append("only what is public")
        return ", ".join(parts)
