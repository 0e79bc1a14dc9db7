"""The same thing published on several networks: found by its files, or by its text.

Two posts of different accounts are the same where they were published within an hour and share a
file or say the same. Links, punctuation and case do not count, and a network that cuts long texts
has the beginning of the text. What is the same as the same is one group, whatever page it is found
from: groups that would be large, and hours in which too much was published, are left apart.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from archiver.archive.row_objects import objects
from archiver.archive.search import fold
from archiver.human import parse_time
from archiver.models import EXPIRING_KINDS, timestamp

_APART = timedelta(hours=1)
_MOST_POSTS = 12  # of one group
_MOST_NEAR = 400  # posts of two hours, to compare with
_MOST_USES = 50  # posts with one file: beyond, it is a logo or the like
_SHORTEST_TEXT = 12  # letters and digits; a shorter text says nothing of its own
_SHORTEST_BEGINNING = 40
_COMPARED_FIRST = 24

_EXPIRING = ", ".join(f"'{kind}'" for kind in sorted(EXPIRING_KINDS))
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Published:
    """What is compared of a post."""

    id: int
    account_id: int
    created_at: str
    text: str

    @property
    def beginning(self) -> str:
        return _beginning(self.text[:200])


def cross_posts(connection: sqlite3.Connection, posts: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The group of each of these posts that has one, newest first, by post id."""
    if connection.execute("SELECT count(*) < 2 FROM accounts").fetchone()[0]:
        return {}
    found: dict[int, tuple[int, ...]] = {}
    for post in posts:
        if post in found:
            continue
        group = _group(connection, post)
        if len(group) > 1:
            found |= dict.fromkeys(group, group)
    return {post: group for post, group in found.items() if post in set(posts)}


def comparable(text: str) -> str:
    """The letters and digits of a text, folded, without those of addresses."""
    return _NO_WORD.sub("", fold(_ADDRESS.sub("", text)))


@lru_cache(4096)  # the hours of the posts of a page overlap
def _beginning(text: str) -> str:
    return comparable(text)[:_COMPARED_FIRST]


def are_same(one: str, other: str) -> bool:
    """Whether two texts say the same, or one of them is the beginning of the other."""
    short, long = sorted((comparable(one), comparable(other)), key=len)
    if short == long:
        return len(short) >= _SHORTEST_TEXT
    return len(short) >= _SHORTEST_BEGINNING and long.startswith(short)


def _group(connection: sqlite3.Connection, post: int) -> tuple[int, ...]:
    """All posts that are the same as this one, itself included; alone where they are too many."""
    first = next(_published(connection, "id = ?", post), None)
    if first is None:
        return (post,)
    members, waiting = {first.id: first}, [first]
    while waiting:
        same = _same_as(connection, waiting.pop())
        if same is None:
            return (post,)
        new = [other for other in same if other.id not in members]
        members |= {other.id: other for other in new}
        waiting += new
        if len(members) > _MOST_POSTS:
            return (post,)
    ordered = sorted(members.values(), key=lambda one: one.id)
    ordered.sort(key=lambda one: one.created_at, reverse=True)
    return tuple(one.id for one in ordered)


def _same_as(connection: sqlite3.Connection, post: _Published) -> list[_Published] | None:
    """The posts of other accounts within the hour that are the same; None: too many to compare."""
    moment = parse_time(post.created_at)
    try:
        bounds = [timestamp(moment + by) for by in (-_APART, _APART)] if moment else []
    except OverflowError:
        return []
    near = list(_near(connection, bounds))
    if len(near) > _MOST_NEAR:
        return None
    others = [other for other in near if other.account_id != post.account_id]
    with_file = _with_a_file_of(connection, post.id) if others else frozenset()
    beginning = post.beginning
    return [
        other for other in others
        if other.id in with_file
        or (_may_agree(beginning, other.beginning) and are_same(post.text, other.text))
    ]  # fmt: skip


def _may_agree(one: str, other: str) -> bool:
    """Whether two beginnings leave it open that the texts say the same."""
    return one == other or one.startswith(other) or other.startswith(one)


def _near(connection: sqlite3.Connection, bounds: Sequence[str | None]) -> Iterator[_Published]:
    if len(bounds) != 2 or None in bounds:
        return iter(())
    return _published(
        connection, f"created_at BETWEEN ? AND ? LIMIT {_MOST_NEAR + 1}", *bounds
    )  # fmt: skip


def _published(
    connection: sqlite3.Connection, condition: str, *values: object
) -> Iterator[_Published]:
    """Posts with a time; a video says in its title what others say in their text."""
    return objects(
        connection.execute(
            "SELECT id, account_id, created_at, "
            f"coalesce(iif(length(text) >= {_SHORTEST_TEXT}, text, title), text, '') AS text "
            "FROM posts WHERE created_at IS NOT NULL "
            f"AND kind NOT IN ({_EXPIRING}) AND {condition}",
            values,
        ),
        _Published,
    )


def _with_a_file_of(connection: sqlite3.Connection, post: int) -> frozenset[int]:
    """The posts that share a file with this one; stills do not count."""
    own = connection.execute(
        "SELECT DISTINCT media_sha256 FROM attachments JOIN renditions "
        f"ON attachment_id = attachments.id WHERE post_id = ? AND {_IS_OWN}",
        (post,),
    ).fetchall()
    return frozenset(_users(connection, [row[0] for row in own]))


def _users(connection: sqlite3.Connection, hashes: Iterable[str]) -> Iterator[int]:
    for sha256 in hashes:
        rows = connection.execute(
            "SELECT DISTINCT post_id FROM renditions JOIN attachments "
            f"ON attachment_id = attachments.id WHERE media_sha256 = ? AND {_IS_OWN} "
            f"LIMIT {_MOST_USES + 1}",
            (sha256,),
        ).fetchall()
        if len(rows) <= _MOST_USES:
            yield from (row[0] for row in rows)


_IS_OWN = "state = 'stored' AND role IN ('original', 'variant') AND media_sha256 IS NOT NULL"
"""The files of the post itself, by which it can be known again."""
