"""Legal holds: posts that must be kept for a matter, whatever else says that they should go.

A hold names its posts by a scope, which is evaluated anew each time it is asked: posts that are
saved later are held too. A post is free once every hold on it is released.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archiver.archive.post_scope import PostScope
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, update_row
from archiver.archive.transactions import transaction
from archiver.errors import UsageError


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, as the table has it."""

    id: int
    matter: str
    reason: str
    scope: str
    placed_at: str
    placed_by: str
    released_at: str | None = None
    released_by: str | None = None
    release_reason: str | None = None

    @property
    def posts(self) -> PostScope:
        """The posts that it is on."""
        return PostScope.from_json(self.scope)


def place_hold(
    connection: sqlite3.Connection, matter: str, reason: str, scope: PostScope, who: str, now: str
) -> Hold:
    """Place a hold. Raises UsageError for a scope that restricts nothing, or without a reason."""
    if scope == PostScope():
        raise UsageError(
            "A hold needs to say which posts it is on",
            hint="Give posts, --account, --since, --until or --search; or --all for the archive",
        )
    return _place(connection, matter, reason, scope, who, now)


def place_hold_on_all(
    connection: sqlite3.Connection, matter: str, reason: str, who: str, now: str
) -> Hold:
    """Place a hold on every post, of now and of later."""
    return _place(connection, matter, reason, PostScope(), who, now)


def _place(
    connection: sqlite3.Connection, matter: str, reason: str, scope: PostScope, who: str, now: str
) -> Hold:
    for name, text in (("matter", matter), ("reason", reason)):
        if not text.strip():
            raise UsageError(f"A hold needs a {name}")
    with transaction(connection):
        hold_id = insert(
            connection, "holds", matter=matter.strip(), reason=reason.strip(),
            scope=scope.to_json(), placed_at=now, placed_by=who,
        )  # fmt: skip
    (found,) = holds(connection, hold_id)
    return found


def release_holds(
    connection: sqlite3.Connection, chosen: Iterable[Hold], reason: str, who: str, now: str
) -> None:
    """Release holds that last. Raises UsageError without a reason."""
    if not reason.strip():
        raise UsageError("Releasing a hold needs a reason")
    with transaction(connection):
        for hold in chosen:
            update_row(
                connection, "holds", hold.id, released_at=now, released_by=who,
                release_reason=reason.strip(),
            )  # fmt: skip


def holds(connection: sqlite3.Connection, hold_id: int | None = None) -> list[Hold]:
    """All holds, also those that were released, in the order in which they were placed; or one.

    None where there is no such table: a published copy has none.
    """
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'holds'").fetchone():
        return []
    query = """
        SELECT id, matter, reason, scope, placed_at, placed_by, released_at, released_by,
               release_reason
          FROM holds WHERE ? IS NULL OR id = ? ORDER BY id
    """
    return list(objects(connection.execute(query, (hold_id, hold_id)), Hold))


def lasting_holds(connection: sqlite3.Connection, matter: str | None = None) -> list[Hold]:
    """The holds that last, all or those of a matter."""
    return [
        hold
        for hold in holds(connection)
        if hold.released_at is None and matter in {None, hold.matter}
    ]


def matters_of_posts(
    connection: sqlite3.Connection, post_ids: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """The matters for which each of these posts is held, without those that are free."""
    found: dict[int, list[str]] = {}
    chosen = json.dumps(list(post_ids))
    for hold in lasting_holds(connection):
        condition, values = hold.posts.condition()
        query = f"""
            SELECT id FROM posts WHERE id IN (SELECT value FROM json_each(?)) AND {condition}
        """
        for (post_id,) in connection.execute(query, (chosen, *values)):
            matters = found.setdefault(post_id, [])
            if hold.matter not in matters:
                matters.append(hold.matter)
    return {post_id: tuple(matters) for post_id, matters in found.items()}


def holds_on_post(connection: sqlite3.Connection, post_id: int) -> list[Hold]:
    """The lasting holds that are on a post."""
    return [hold for hold in lasting_holds(connection) if _is_on(connection, hold, post_id)]


def hold_separated(
    connection: sqlite3.Connection, held: Iterable[Hold], post_ids: Sequence[int], now: str
) -> None:
    """Place holds on those of the posts that were one and are no longer in its holds' scopes.

    `held` are the holds that were on the one; in a transaction.
    """
    for hold in held:
        if free := tuple(each for each in post_ids if not _is_on(connection, hold, each)):
            reason = f"{hold.reason} (hold {hold.id}; separated from a post that it was on)"
            scope = PostScope(posts=free)
            _place(connection, hold.matter, reason, scope, hold.placed_by, now)


def _is_on(connection: sqlite3.Connection, hold: Hold, post_id: int) -> bool:
    condition, values = hold.posts.condition()
    query = f"SELECT 1 FROM posts WHERE id = ? AND {condition}"
    return connection.execute(query, (post_id, *values)).fetchone() is not None


def matters_of_account(connection: sqlite3.Connection, account_id: int) -> tuple[str, ...]:
    """The matters for which posts of an account are held, or would be if it had any."""
    found = dict.fromkeys(
        hold.matter for hold in lasting_holds(connection) if _touches(connection, hold, account_id)
    )
    return tuple(found)


def _touches(connection: sqlite3.Connection, hold: Hold, account_id: int) -> bool:
    if hold.posts in {PostScope(), PostScope(accounts=hold.posts.accounts)}:
        return not hold.posts.accounts or account_id in hold.posts.accounts
    condition, values = hold.posts.condition()
    query = f"SELECT 1 FROM posts WHERE account_id = ? AND {condition} LIMIT 1"
    return connection.execute(query, (account_id, *values)).fetchone() is not None


def held_condition(connection: sqlite3.Connection, matter: str) -> tuple[str, list[object]]:
    """The condition on posts that are held for a matter, and its parameters.

    Raises UsageError where no hold of that matter lasts.
    """
    found = lasting_holds(connection, matter)
    if not found:
        known = dict.fromkeys(hold.matter for hold in lasting_holds(connection))
        raise UsageError(
            f"Nothing is held for {matter}",
            hint=f"There are holds for {', '.join(known)}" if known else
            "There are no holds; archiver hold add places one",
        )  # fmt: skip
    conditions, values = [], []
    for hold in found:
        condition, parameters = hold.posts.condition()
        conditions.append(f"({condition})")
        values += parameters
    return f"({' OR '.join(conditions)})", values
