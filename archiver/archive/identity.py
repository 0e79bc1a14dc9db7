"""Which post a record is about: one of that id, else one that an alias names, else one that fits.

Only where a source has no ids of the network is a post looked for by its time, wording and kinds of
media, and only where exactly one fits is it taken for the same; the rule is noted.
Networks give a post another id when it is edited (X), or write the id of one post in several ways
(Facebook's `PAGE_POST` and `POST`, LinkedIn's shares and posts). What names the content or a file,
and not the post, is kept and never asked: two posts may share it.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from archiver.archive.edits import kinds_now
from archiver.archive.rows import clean_text
from archiver.archive.wording import media_kinds, wording_of
from archiver.models import CONTENT_SCHEMES, Post, Record, timestamp

EARLIER_ID = "earlier_id"
"""The scheme of an id that a post had before."""

MADE = "export:"
"""Begins an id that was made here, because its source has none."""

WORDING_RULE = "time, wording and kinds of media"
"""The rule by which a post is known where no id tells."""

_SAME_TIME = timedelta(seconds=2)
_NOT_ASKED = ", ".join(f"'{scheme}'" for scheme in sorted(CONTENT_SCHEMES))


@dataclass(frozen=True, slots=True)
class Match:
    """A record, read, and the id under which the archive has, or will have, its post.

    `is_known` says that the archive had the post before; `rule` is what told that it is this one,
    where no id did.
    """

    record: Record
    post: Post
    platform_id: str
    is_known: bool
    rule: str | None = None


def is_made(platform_id: str) -> bool:
    """Whether an id stands in for one of the network, which the source does not tell."""
    return platform_id.startswith(MADE)


def match_posts(
    connection: sqlite3.Connection, account_id: int, source: str,
    entries: Sequence[tuple[Record, Post]],
) -> list[Match]:  # fmt: skip
    """Say of each record of a page which post it is about, in the order in which to save them.

    That is the order of the page; but of several records about one post, one that others name
    as an earlier id comes before them.
    """
    posts = [post for _, post in entries]
    found = _known_ids(connection, account_id, source, [post.platform_id for post in posts])
    found |= _named_ids(connection, account_id, [p for p in posts if p.platform_id not in found])
    fitting = fitting_posts(
        connection, account_id, source, [p for p in posts if p.platform_id not in found]
    )
    targets = _with_named_on_page(posts, found | fitting)
    existing = set(found.values()) | set(fitting.values())
    matches = [
        Match(record, post, target := targets.get(post.platform_id, post.platform_id),
              is_known=target in existing,
              rule=WORDING_RULE if fitting.get(post.platform_id) == target else None)
        for record, post in entries
    ]  # fmt: skip
    return _earlier_first(matches)


def fitting_posts(
    connection: sqlite3.Connection, account_id: int, source: str, posts: Sequence[Post]
) -> dict[str, str]:
    """The archived posts that these are by time, wording and kinds of media, where no id tells.

    One of the two has an id that was made here. Where two fit one, on either side, none does.
    """
    if not _has_made(connection, account_id):  # then only a made id of a page can be meant
        posts = [post for post in posts if is_made(post.platform_id)]
    candidates: dict[str, list[str]] = {}
    for post in posts:
        wording = wording_of(post.title, post.text)
        candidates[post.platform_id] = [
            platform_id
            for post_id, platform_id, title, text in _near(connection, account_id, source, post)
            if wording_of(title, text) == wording
            and kinds_now(connection, post_id) == media_kinds(a.kind for a in post.attachments)
        ]
    times = Counter(platform_id for found in candidates.values() for platform_id in found)
    return {
        own: found[0]
        for own, found in candidates.items()
        if len(found) == 1 and times[found[0]] == 1
    }


def _has_made(connection: sqlite3.Connection, account_id: int) -> bool:
    """Whether a post of the account has an id that was made here."""
    query = "SELECT 1 FROM posts WHERE account_id = ? AND platform_id BETWEEN ? AND ? LIMIT 1"
    parameters = (account_id, MADE, MADE + "\U0010ffff")
    return connection.execute(query, parameters).fetchone() is not None


def _near(
    connection: sqlite3.Connection, account_id: int, source: str, post: Post
) -> list[tuple[int, str, str | None, str | None]]:
    """Posts of about the same time that this source has not shown yet."""
    if post.created_at is None:
        return []
    at = datetime.fromisoformat(post.created_at)
    query = """
        SELECT id, platform_id, title, text FROM posts
         WHERE account_id = ? AND created_at BETWEEN ? AND ?
           AND (? OR platform_id LIKE ? || '%')
           AND NOT EXISTS (SELECT 1 FROM post_sources WHERE post_id = posts.id AND source = ?)
    """
    try:
        bounds = (at - _SAME_TIME, at + _SAME_TIME)
    except OverflowError:  # the first or the last moment that there is
        bounds = (at, at)
    parameters = (account_id, *map(timestamp, bounds), is_made(post.platform_id), MADE, source)
    return connection.execute(query, parameters).fetchall()


def asked_values(post: Post) -> list[str]:
    """The other ids of a post by which it may be known."""
    return [
        clean_text(alias.value)
        for alias in post.aliases
        if alias.scheme not in CONTENT_SCHEMES and alias.value != post.platform_id
    ]


def _known_ids(
    connection: sqlite3.Connection, account_id: int, source: str, platform_ids: Sequence[str]
) -> dict[str, str]:
    """The archived posts of these ids, by the ids: those that this source calls so come first.

    CROSS JOIN keeps SQLite from going through all posts of the account for each id.
    """
    query = """
        SELECT platform_id, platform_id FROM posts
         WHERE account_id = :account AND platform_id IN (SELECT value FROM json_each(:ids))
         UNION ALL
        SELECT record_id, platform_id FROM post_sources CROSS JOIN posts ON posts.id = post_id
         WHERE account_id = :account AND source = :source
           AND record_id IN (SELECT value FROM json_each(:ids))
    """
    clean = {clean_text(platform_id): platform_id for platform_id in platform_ids}
    parameters = {"account": account_id, "source": source, "ids": json.dumps(list(clean))}
    return {clean[own]: target for own, target in connection.execute(query, parameters)}


def _named_ids(
    connection: sqlite3.Connection, account_id: int, posts: Sequence[Post]
) -> dict[str, str]:
    """The ids of archived posts that aliases name, for posts whose own id is not in the archive."""
    names = [(post.platform_id, scheme, value) for post in posts for scheme, value in _names(post)]
    query = f"""
        WITH names AS (
            SELECT json_extract(value, '$[0]') AS post, json_extract(value, '$[1]') AS scheme,
                   json_extract(value, '$[2]') AS name
              FROM json_each(:names))
        SELECT post, platform_id FROM names
          JOIN posts ON posts.account_id = :account AND platform_id = name
         UNION ALL
        SELECT post, platform_id FROM names
         CROSS JOIN post_aliases ON post_aliases.value = name
          AND (post_aliases.scheme = names.scheme OR names.scheme = '')
          AND post_aliases.scheme NOT IN ({_NOT_ASKED})
          JOIN posts ON posts.id = post_id AND posts.account_id = :account
    """
    if not names:
        return {}
    rows = connection.execute(query, {"names": json.dumps(names), "account": account_id})
    found: dict[str, str] = {}
    for post, platform_id in rows:
        found.setdefault(post, platform_id)
    return found


def _names(post: Post) -> Iterator[tuple[str, str]]:
    """All ids of a post, each with its scheme, which is empty for its own."""
    yield "", clean_text(post.platform_id)
    for alias in post.aliases:
        if alias.scheme not in CONTENT_SCHEMES:
            yield alias.scheme, clean_text(alias.value)


def _with_named_on_page(posts: Sequence[Post], targets: dict[str, str]) -> dict[str, str]:
    """The same, and where to put a record that is new but named by another one of its page."""
    on_page = {post.platform_id for post in posts}
    for post in posts:
        own = _end_of(targets, post.platform_id)
        for value in asked_values(post):
            if value in on_page and value not in targets:
                targets[value] = own
    return {post.platform_id: _end_of(targets, post.platform_id) for post in posts}


def _end_of(targets: dict[str, str], platform_id: str) -> str:
    while (target := targets.get(platform_id, platform_id)) != platform_id:
        platform_id = target
    return platform_id


def _earlier_first(matches: Sequence[Match]) -> list[Match]:
    groups: dict[str, list[Match]] = {}
    for match in matches:
        groups.setdefault(match.platform_id, []).append(match)
    ordered: list[Match] = []
    for group in groups.values():
        named = Counter(value for match in group for value in set(asked_values(match.post)))
        ordered += sorted(group, key=lambda match: -named[match.post.platform_id])
    return ordered


def is_shown_elsewhere(
    connection: sqlite3.Connection, account_id: int, post_id: int, platform_id: str,
    shown: Container[str],
) -> bool:  # fmt: skip
    """Whether a scan showed this post under another of its ids; `shown` are the scan's ids."""
    query = f"""
        SELECT value FROM post_aliases WHERE post_id = :post AND scheme NOT IN ({_NOT_ASKED})
         UNION ALL
        SELECT platform_id FROM post_aliases JOIN posts ON posts.id = post_id
         WHERE value = :id AND account_id = :account AND scheme NOT IN ({_NOT_ASKED})
           AND post_id <> :post
    """
    rows = connection.execute(query, {"post": post_id, "id": platform_id, "account": account_id})
    return any(row[0] in shown for row in rows)
