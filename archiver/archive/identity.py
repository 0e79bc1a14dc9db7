"""Which post a record is about: one of that id, else one that an alias names.

Networks give a post another id when it is edited (X), or write the id of one post in several ways
(Facebook's `PAGE_POST` and `POST`, LinkedIn's shares and posts). What names the content or a file,
and not the post, is kept and never asked: two posts may share it.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from archiver.archive.rows import clean_text
from archiver.models import CONTENT_SCHEMES, Post, Record

EARLIER_ID = "earlier_id"
"""The scheme of an id that a post had before."""

_NOT_ASKED = ", ".join(f"'{scheme}'" for scheme in sorted(CONTENT_SCHEMES))


@dataclass(frozen=True, slots=True)
class Match:
    """A record, read, and the id under which the archive has, or will have, its post.

    `is_known` says that the archive had the post before.
    """

    record: Record
    post: Post
    platform_id: str
    is_known: bool


def match_posts(
    connection: sqlite3.Connection, account_id: int, entries: Sequence[tuple[Record, Post]]
) -> list[Match]:
    """Say of each record of a page which post it is about, in the order in which to save them.

    That is the order of the page; but of several records about one post, one that others name
    as an earlier id comes before them.
    """
    posts = [post for _, post in entries]
    known = _known_ids(connection, account_id, [post.platform_id for post in posts])
    named = _named_ids(connection, account_id, [p for p in posts if p.platform_id not in known])
    targets = _with_named_on_page(posts, {name: name for name in known} | named)
    existing = known | set(named.values())
    matches = [
        Match(record, post, target := targets.get(post.platform_id, post.platform_id),
              is_known=target in existing)
        for record, post in entries
    ]  # fmt: skip
    return _earlier_first(matches)


def asked_values(post: Post) -> list[str]:
    """The other ids of a post by which it may be known."""
    return [
        clean_text(alias.value)
        for alias in post.aliases
        if alias.scheme not in CONTENT_SCHEMES and alias.value != post.platform_id
    ]


def _known_ids(
    connection: sqlite3.Connection, account_id: int, platform_ids: Sequence[str]
) -> set[str]:
    query = """
        SELECT platform_id FROM posts
         WHERE account_id = ? AND platform_id IN (SELECT value FROM json_each(?))
    """
    clean = {clean_text(platform_id): platform_id for platform_id in platform_ids}
    rows = connection.execute(query, (account_id, json.dumps(list(clean))))
    return {clean[row[0]] for row in rows}


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
