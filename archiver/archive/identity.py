"""Which post a record is about: by its id, else by an alias, else by time and wording.

Only where a source does not have the network's ids is a post looked for by its time, wording and
kinds of media; exactly one has to match, and the rule is recorded.
Networks give a post another id when it is edited (X), or write the id of one post in several ways
(Facebook's `PAGE_POST` and `POST`, LinkedIn's shares and posts). What names the content or a file,
and not the post, is kept and never looked up: two posts may share it.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from archiver.archive.edits import kinds_now, newest_edit_with_wording
from archiver.archive.hashed_rows import clean_text
from archiver.archive.wording import is_same_wording, media_kinds, wording_of, wording_sha256
from archiver.models import CONTENT_SCHEMES, Post, Record, timestamp

EARLIER_ID = "earlier_id"
"""The scheme of an id that a post had before."""

GENERATED_ID_PREFIX = "export:"
"""Prefix of an id that was generated here, because its source has none."""

TIME_ID_PREFIX = "export:time:"
"""Prefix of a generated id whose source has neither ids nor words: the time is all it says."""

WORDING_RULE = "time, wording and kinds of media"
"""The rule by which a post is matched where no id is known."""

MEDIA_RULE = "time, and the number of a file"
"""The rule by which a post is matched where a file's number is that of the post, or of its file."""

TIME_RULE = "time within a minute, and kinds of media"
"""The rule by which a post is matched where one of the two sources does not have its words."""

URN_RULE = "time within five seconds and wording, by URNs of two types"
"""The rule by which a post is matched that has ids of several types (LinkedIn)."""

_SAME_TIME = timedelta(seconds=2)
_SAME_URN_TIME = timedelta(seconds=5)
_SAME_MINUTE = timedelta(seconds=60)
_URN = "urn:"
_CONTENT_SCHEMES = ", ".join(f"'{scheme}'" for scheme in sorted(CONTENT_SCHEMES))


class Match(Struct, frozen=True):
    """A record, parsed, and the id under which the archive has, or will have, its post.

    `is_known` says that the archive had the post before; `rule` is the rule that matched it, where
    no id did.
    """

    record: Record
    post: Post
    platform_id: str
    is_known: bool
    rule: str | None = None


def is_generated_id(platform_id: str) -> bool:
    """Whether an id was generated here, in place of the network's own, which is not known."""
    return platform_id.startswith(GENERATED_ID_PREFIX)


def match_posts(
    connection: sqlite3.Connection, account_id: int, source: str,
    entries: Sequence[tuple[Record, Post]],
) -> list[Match]:  # fmt: skip
    """Match each record of a page with its post; in the order in which to save them.

    That is the order of the page; but of several records about one post, one that others name
    as an earlier id comes before them.
    """
    posts = [post for _, post in entries]
    found = _known_ids(connection, account_id, source, [post.platform_id for post in posts])
    found |= _ids_by_alias(connection, account_id, [p for p in posts if p.platform_id not in found])
    published = [p for p in posts if p.kind != "memory"]  # what was not is no post of an API
    by_media = posts_by_media(
        connection, account_id, source, [p for p in published if p.platform_id not in found]
    )
    found |= by_media
    fitting = posts_by_wording(
        connection, account_id, source, [p for p in published if p.platform_id not in found]
    )
    by_time = posts_by_time(
        connection, account_id, source,
        [p for p in published if p.platform_id not in found and p.platform_id not in fitting],
    )  # fmt: skip
    by_urn = posts_by_urn(
        connection, account_id, source, [p for p in posts if p.platform_id not in found]
    )
    targets = _with_aliases_on_page(posts, found | fitting | by_time | by_urn)
    existing = {*found.values(), *fitting.values(), *by_time.values(), *by_urn.values()}
    rules = [
        (by_media, MEDIA_RULE),
        (fitting, WORDING_RULE),
        (by_time, TIME_RULE),
        (by_urn, URN_RULE),
    ]
    matches = [
        Match(record, post, target := targets.get(post.platform_id, post.platform_id),
              is_known=target in existing,
              rule=next((rule for ids, rule in rules if ids.get(post.platform_id) == target), None))
        for record, post in entries
    ]  # fmt: skip
    return _earlier_ids_first(matches)


def posts_by_media(
    connection: sqlite3.Connection, account_id: int, source: str, posts: Sequence[Post]
) -> dict[str, str]:
    """The archived posts of the same time that a file shares its number with, whatever their words.

    One of the two has a generated id. Exports of Meta name files by the number of what was
    published: of the post where it has one file, else of each of its files. Where several match, on
    either side, none is taken.
    """
    if not _has_generated_ids(connection, account_id):  # then only posts of the page may have one
        posts = [post for post in posts if is_generated_id(post.platform_id)]
    candidates: dict[str, list[str]] = {}
    for post in posts:
        files = {a.platform_id for a in post.attachments if a.platform_id and a.kind != "link"}
        names = {post.platform_id, *lookup_ids(post)}
        candidates[post.platform_id] = [
            platform_id
            for post_id, platform_id, *_ in _posts_of_same_time(
                connection, account_id, source, post, _SAME_TIME, GENERATED_ID_PREFIX
            )
            if _shares_number(connection, post_id, platform_id, files, names)
        ]
    return _only_pairs(candidates)


def _shares_number(
    connection: sqlite3.Connection, post_id: int, platform_id: str, files: Container[str],
    names: Container[str],
) -> bool:  # fmt: skip
    """Whether an archived post has one of these files, is named as one, or has one named so."""
    query = """
        SELECT platform_id, 1 FROM attachments
         WHERE post_id = :post AND platform_id NOT NULL AND kind <> 'link'
         UNION ALL SELECT value, 0 FROM post_aliases WHERE post_id = :post
    """
    rows = [(platform_id, 0), *connection.execute(query, {"post": post_id})]
    return any(value in files or (is_file and value in names) for value, is_file in rows)


def posts_by_wording(
    connection: sqlite3.Connection, account_id: int, source: str, posts: Sequence[Post]
) -> dict[str, str]:
    """The archived posts that these posts match by time, wording and kinds of media.

    One of the two has a generated id. Where several match, on either side, none is taken. An export
    may be older than an edit: an earlier wording of a post is one of its wordings.
    """
    if not _has_generated_ids(connection, account_id):  # then only posts of the page may have one
        posts = [post for post in posts if is_generated_id(post.platform_id)]
    candidates: dict[str, list[str]] = {}
    for post in posts:
        wording = wording_of(post.title, post.text)
        candidates[post.platform_id] = [
            platform_id
            for post_id, platform_id, title, text in _posts_of_same_time(
                connection, account_id, source, post, _SAME_TIME, GENERATED_ID_PREFIX
            )
            if newest_edit_with_wording(connection, post_id, wording_sha256(post)) is not None
            or (
                is_same_wording(wording_of(title, text), wording)
                and kinds_now(connection, post_id) == media_kinds(a.kind for a in post.attachments)
            )
        ]
    return _only_pairs(candidates)


def posts_by_time(
    connection: sqlite3.Connection, account_id: int, source: str, posts: Sequence[Post]
) -> dict[str, str]:
    """The archived posts that these posts match by time within a minute and kinds of media.

    One of the two has an id that was made of its time, since its source does not have its words.
    Where several match, on either side, none is taken.
    """
    if not _has_generated_ids(connection, account_id, TIME_ID_PREFIX):
        posts = [post for post in posts if post.platform_id.startswith(TIME_ID_PREFIX)]
    return _only_pairs(
        {
            post.platform_id: [
                platform_id
                for post_id, platform_id, *_ in _posts_of_same_time(
                    connection, account_id, source, post, _SAME_MINUTE, TIME_ID_PREFIX
                )
                if set(kinds_now(connection, post_id))
                == set(media_kinds(a.kind for a in post.attachments))
            ]
            for post in posts
        }
    )


def posts_by_urn(
    connection: sqlite3.Connection, account_id: int, source: str, posts: Sequence[Post]
) -> dict[str, str]:
    """The archived posts that these posts match by time within five seconds and wording.

    LinkedIn gives one post a URN of each of several types, made within a second, and a source may
    know one of them only. Two ids of one type are two posts. Where several match, on either side,
    none is taken.
    """
    candidates: dict[str, list[str]] = {}
    urns = [post for post in posts if post.platform_id.startswith(_URN)]
    query = "SELECT 1 FROM packages WHERE account_id = ? LIMIT 1"
    if not urns or connection.execute(query, (account_id,)).fetchone() is None:
        return {}  # an API names all of its URNs as aliases
    for post in urns:
        own = post.platform_id.rpartition(":")[0] + ":"
        wording = wording_of(post.title, post.text)
        found = _posts_of_same_time(connection, account_id, source, post, _SAME_URN_TIME, _URN)
        candidates[post.platform_id] = [
            platform_id
            for _, platform_id, title, text in found
            if platform_id.startswith(_URN)
            and not platform_id.startswith(own)
            and is_same_wording(wording_of(title, text), wording)
        ]
    return _only_pairs(candidates)


def _only_pairs(candidates: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The one candidate of each post, where no other post has it too."""
    times = Counter(platform_id for found in candidates.values() for platform_id in found)
    return {
        own: found[0]
        for own, found in candidates.items()
        if len(found) == 1 and times[found[0]] == 1
    }


def _has_generated_ids(
    connection: sqlite3.Connection, account_id: int, prefix: str = GENERATED_ID_PREFIX
) -> bool:
    """Whether a post of the account has a generated id."""
    query = "SELECT 1 FROM posts WHERE account_id = ? AND platform_id BETWEEN ? AND ? LIMIT 1"
    parameters = (account_id, prefix, prefix + "\U0010ffff")
    return connection.execute(query, parameters).fetchone() is not None


def _posts_of_same_time(
    connection: sqlite3.Connection, account_id: int, source: str, post: Post, slack: timedelta,
    prefix: str,
) -> list[tuple[int, str, str | None, str | None]]:  # fmt: skip
    """Posts of about the same time that this source has not shown yet.

    They have an id with that prefix, unless the id of `post` itself has it.
    """
    if post.created_at is None:
        return []
    at = datetime.fromisoformat(post.created_at)
    query = """
        SELECT id, platform_id, title, text FROM posts
         WHERE account_id = ? AND created_at BETWEEN ? AND ? AND kind <> 'memory'
           AND (? OR platform_id LIKE ? || '%')
           AND NOT EXISTS (SELECT 1 FROM post_sources WHERE post_id = posts.id AND source = ?)
    """
    try:
        bounds = (at - slack, at + slack)
    except OverflowError:  # the first or the last moment that Python can express
        bounds = (at, at)
    parameters = (
        account_id,
        *map(timestamp, bounds),
        post.platform_id.startswith(prefix),
        prefix,
        source,
    )
    return connection.execute(query, parameters).fetchall()


def lookup_ids(post: Post) -> list[str]:
    """The other ids of a post, by which it may be in the archive."""
    return [
        clean_text(alias.value)
        for alias in post.aliases
        if alias.scheme not in CONTENT_SCHEMES and alias.value != post.platform_id
    ]


def _known_ids(
    connection: sqlite3.Connection, account_id: int, source: str, platform_ids: Sequence[str]
) -> dict[str, str]:
    """The archived posts of these ids; where an id is that of two, the one it has for this source.

    CROSS JOIN keeps SQLite from scanning all posts of the account for each id.
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


def _ids_by_alias(
    connection: sqlite3.Connection, account_id: int, posts: Sequence[Post]
) -> dict[str, str]:
    """The archived posts that are found by alias, for posts whose own id is not in the archive."""
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
          AND post_aliases.scheme NOT IN ({_CONTENT_SCHEMES})
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
    """All ids of a post, each with its scheme; that of its own id is empty."""
    yield "", clean_text(post.platform_id)
    for alias in post.aliases:
        if alias.scheme not in CONTENT_SCHEMES:
            yield alias.scheme, clean_text(alias.value)


def _with_aliases_on_page(posts: Sequence[Post], targets: dict[str, str]) -> dict[str, str]:
    """The targets, with those of new records whose id is an alias of another record of the page."""
    on_page = {post.platform_id for post in posts}
    for post in posts:
        own = _final_target(targets, post.platform_id)
        for value in lookup_ids(post):
            if value in on_page and value not in targets:
                targets[value] = own
    return {post.platform_id: _final_target(targets, post.platform_id) for post in posts}


def _final_target(targets: dict[str, str], platform_id: str) -> str:
    while (target := targets.get(platform_id, platform_id)) != platform_id:
        platform_id = target
    return platform_id


def _earlier_ids_first(matches: Sequence[Match]) -> list[Match]:
    groups: dict[str, list[Match]] = {}
    for match in matches:
        groups.setdefault(match.platform_id, []).append(match)
    ordered: list[Match] = []
    for group in groups.values():
        if len(group) == 1:
            ordered += group
            continue
        named = Counter(value for match in group for value in set(lookup_ids(match.post)))
        ordered += sorted(group, key=lambda match: -named[match.post.platform_id])
    return ordered


def is_shown_elsewhere(
    connection: sqlite3.Connection, account_id: int, post_id: int, platform_id: str,
    shown: Container[str],
) -> bool:  # fmt: skip
    """Whether a scan showed this post under another of its ids; `shown` are the scan's ids."""
    query = f"""
        SELECT value FROM post_aliases WHERE post_id = :post AND scheme NOT IN ({_CONTENT_SCHEMES})
         UNION ALL
        SELECT platform_id FROM post_aliases JOIN posts ON posts.id = post_id
         WHERE value = :id AND account_id = :account AND scheme NOT IN ({_CONTENT_SCHEMES})
           AND post_id <> :post
    """
    rows = connection.execute(query, {"post": post_id, "id": platform_id, "account": account_id})
    return any(row[0] in shown for row in rows)
