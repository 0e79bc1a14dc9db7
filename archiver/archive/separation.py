"""Separating two posts that a rule has matched as one.

Only a match by a rule can be undone, not one by an id: the source's record gets a post of its own,
and what it had added to the other one goes with it. From then on both are matched by their ids, and
both are held where the one was.
"""

import sqlite3

from archiver.archive.holds import hold_separated, holds_on_post
from archiver.archive.identity import EARLIER_ID
from archiver.archive.merging import by_precedence, contents_by_source, merged
from archiver.archive.origins import delete_origins
from archiver.archive.parse_context import ParseContext
from archiver.archive.posts import PostWriter
from archiver.archive.queue import NOT_OFFERED
from archiver.archive.rows import delete, insert, update, update_row
from archiver.archive.search import folded_column
from archiver.archive.storage_totals import track_totals
from archiver.archive.transactions import transaction
from archiver.errors import UsageError
from archiver.models import Alias, Post, Record
from archiver.reasons import columns

_OF_SOURCE = "post_id = ? AND source = ?"
_ITS_RENDITIONS = """
    source = ? AND attachment_id IN (SELECT id FROM attachments WHERE post_id = ?)
"""


def matched_record(connection: sqlite3.Connection, post_id: int, source: str) -> tuple[str, str]:
    """The record of a source that a rule has matched with a post, and the rule.

    Raises UsageError where there is no such match to undo.
    """
    query = """
        SELECT coalesce(post_sources.raw, posts.raw), matched_by FROM post_sources
          JOIN posts ON posts.id = post_id WHERE post_id = ? AND source = ?
    """
    row = connection.execute(query, (post_id, source)).fetchone()
    if row is None:
        names = [each.source for each in contents_by_source(connection, post_id)]
        raise UsageError(
            f"{source} has not shown post {post_id}",
            why=f"It was shown by {', '.join(names)}" if names else "There is no post of that id",
        )
    if row[1] is None:
        raise UsageError(
            f"Post {post_id} is the one that {source} shows: its id says so",
            why="Only a match that was made by a rule can be undone",
        )
    raw, rule = row
    return raw, rule


def separate(
    connection: sqlite3.Connection, post_id: int, post: Post, raw: str, context: ParseContext,
    now: str,
) -> int:  # fmt: skip
    """Give the record of a source a post of its own; returns the new post's row id.

    `post` is the record, parsed by the current version of the source's platform.
    """
    source = context.source
    account_id, platform = connection.execute(
        "SELECT account_id, platform FROM posts WHERE id = ?", (post_id,)
    ).fetchone()
    (run_id,) = connection.execute("SELECT max(id) FROM runs").fetchone()
    with transaction(connection):
        held = holds_on_post(connection, post_id)
        _remove_source(connection, post_id, source)
        _show_rest(connection, post_id, post, context, now)
        writer = PostWriter(connection, account_id, platform, run_id, context, now)
        new_id = writer.add_separate(Record(raw, None), post)
        for each, other in ((post_id, new_id), (new_id, post_id)):
            insert(
                connection, "events", post_id=each, run_id=run_id, at=now, what="separated",
                source=source, reason_code="separated", reason=f"it is not post {other}",
            )  # fmt: skip
        hold_separated(connection, held, (post_id, new_id), now)
    return new_id


def _remove_source(connection: sqlite3.Connection, post_id: int, source: str) -> None:
    """Remove what a source added to a post; its revisions stay, as evidence of the match."""
    query = f"SELECT media_sha256 FROM renditions WHERE {_ITS_RENDITIONS}"
    hashes = [digest for (digest,) in connection.execute(query, (source, post_id)) if digest]
    with track_totals(connection, hashes):
        delete_origins(connection, _ITS_RENDITIONS, (source, post_id))
        delete(connection, "renditions", _ITS_RENDITIONS, (source, post_id))
    delete(
        connection, "attachment_sources",
        "source = ? AND attachment_id IN (SELECT id FROM attachments WHERE post_id = ?)",
        (source, post_id),
    )  # fmt: skip
    delete(
        connection, "attachments",
        f"{_OF_SOURCE} AND id NOT IN (SELECT attachment_id FROM events "
        "WHERE attachment_id IS NOT NULL) AND id NOT IN (SELECT attachment_id FROM renditions) "
        "AND id NOT IN (SELECT attachment_id FROM attachment_sources)",
        (post_id, source),
    )  # fmt: skip
    update(
        connection, "renditions",
        "state = 'skipped' AND reason_code = 'other_source' AND attachment_id IN "
        "(SELECT id FROM attachments WHERE post_id = ?)", (post_id,),
        state="pending", **columns(None),
    )  # fmt: skip
    update(
        connection, "renditions",
        "state = 'skipped' AND reason_code = 'given_elsewhere' AND attachment_id IN "
        "(SELECT id FROM attachments WHERE post_id = ?)", (post_id,),
        state="not_offered", **columns(NOT_OFFERED),
    )  # fmt: skip


def _show_rest(
    connection: sqlite3.Connection, post_id: int, post: Post, context: ParseContext, now: str
) -> None:
    """Restore a post to the content of its other sources, under the id that they have for it."""
    every = by_precedence(contents_by_source(connection, post_id), context.ranks)
    rest = [each for each in every if each.source != context.source]
    values = merged(rest)
    texts = (values["title"], values["text"], *(values["alt_texts"] or "").splitlines())
    values |= {"search_text": folded_column(texts), "last_seen_at": now}
    first = (post_id, rest[0].source)
    if rest[0].raw is not None:
        values["raw"] = rest[0].raw
    query = f"""
        SELECT platform_id, record_id FROM posts JOIN post_sources ON post_id = id
         WHERE {_OF_SOURCE}
    """
    current_id, own_id = connection.execute(query, first).fetchone()
    if current_id == post.platform_id:
        values["platform_id"] = own_id
    delete(connection, "post_sources", _OF_SOURCE, (post_id, context.source))
    update(connection, "post_sources", _OF_SOURCE, first, raw=None)
    if len(rest) == 1:  # a single source again: its content is in `posts` alone
        update(connection, "post_sources", _OF_SOURCE, first, said=None)
    for alias in (*post.aliases, Alias(EARLIER_ID, post.platform_id), Alias(EARLIER_ID, own_id)):
        where = "post_id = ? AND scheme = ? AND value = ?"
        delete(connection, "post_aliases", where, (post_id, alias.scheme, alias.value))
    update_row(connection, "posts", post_id, **values)
