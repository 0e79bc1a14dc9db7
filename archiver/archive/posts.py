"""Saving the posts of a page: only what differs is written, and nothing is ever overwritten.

A post that is exactly as it was saved is recognised by its fingerprint, with one SELECT for
the whole page. For the others, this compares part by part.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archiver.archive.attachments import AttachmentWriter, SaveResult
from archiver.archive.identity import EARLIER_ID, Match, asked_values, match_posts
from archiver.archive.post_sources import recognition, unmapped_text
from archiver.archive.queue import WAITS, due_at
from archiver.archive.row_objects import objects
from archiver.archive.rows import Rows, clean_text, delete, insert_new, update, update_row
from archiver.archive.search import earlier_column, folded_column
from archiver.canonical import content_sha256, fingerprint
from archiver.errors import RecordError
from archiver.models import Attachment, Metric, Post, Record
from archiver.reasons import Choice, Reason

_OF_SOURCE = "post_id = ? AND source = ?"
_ID_ONLY = Reason("id_only", "by its id only")


@dataclass(frozen=True, slots=True)
class ParseContext:
    """How posts of one account are read and what of them is wanted.

    `content_version` is the number of the platform's list of content fields; `reread` reads a
    stored record with today's reader; `choose` says for an attachment which renditions to fetch;
    `view` are the account's options that choose what is shown: a post is missed only by scans
    under the options that last showed it. `reader` identifies the code that reads today, where
    that is known.
    """

    source: str
    content_version: int
    reread: Callable[[Mapping[str, Any]], Post]
    choose: Callable[[Attachment], Sequence[Choice]]
    view: str = "{}"
    reader: bytes | None = None


@dataclass(frozen=True, slots=True)
class _StoredPost:
    """What the archive holds of a post that is on the page."""

    id: int
    platform_id: str
    fingerprint: bytes | None
    content_version: int | None
    content_sha256: str | None
    missing_at: str | None
    removed_at: str | None
    view: str | None
    reader: bytes | None
    unmapped: str | None


class _LatestValue(NamedTuple):
    """The newest value of a metric."""

    value: int | float
    seen_at: str


@dataclass(slots=True)
class PostWriter:
    """Saves posts of one account in one run; to be used inside a transaction."""

    connection: sqlite3.Connection
    account_id: int
    platform: str
    run_id: int
    reading: ParseContext
    now: str
    response_id: int | None = None
    saved: SaveResult = field(default_factory=SaveResult)
    existing_ids: frozenset[str] = frozenset()

    def save(self, entries: Iterable[tuple[Record, Post]]) -> SaveResult:
        """Save the posts of one page; returns what changed. One id twice: both are kept.

        `existing_ids` are then the ids of those that were in the archive before.
        """
        matches = match_posts(self.connection, self.account_id, list(entries))
        self.existing_ids = frozenset(m.post.platform_id for m in matches if m.is_known)
        stored = self.known([match.platform_id for match in matches])
        waiting = self._waiting_for_media(stored)
        rows = Rows(self.connection)
        last = {match.platform_id: match for match in matches}
        for match in matches:
            record, post, old = match.record, match.post, stored.get(match.platform_id)
            if match is not last[match.platform_id] and self._has_revision(old, post):
                continue  # an answer that has one post twice must not make two edits every night
            digest = fingerprint(post, self.reading.content_version)
            if old is None:
                stored[match.platform_id] = self._add(rows, match, digest)
            elif not self._is_unchanged(old, digest) or old.id in waiting:
                rows.write()  # of two records of one post, the later is compared with the earlier
                stored[match.platform_id] = self._compare(rows, old, record, post, digest)
            elif (old.reader, old.unmapped) != (self.reading.reader, unmapped_text(post)):
                self._recognise(old, record, post)
        rows.write()
        self._adopt_ids(last.values(), stored)
        self._restore_named(matches)
        return self.saved

    def _adopt_ids(self, matches: Iterable[Match], stored: Mapping[str, _StoredPost]) -> None:
        """Give a post the id that it has today, unless that is one it was known by before.

        So an edit moves it to its new id, and a source that alternates between two changes nothing.
        """
        for match in matches:
            post_id, new = stored[match.platform_id].id, clean_text(match.post.platform_id)
            if new == clean_text(match.platform_id):
                continue
            query = "SELECT 1 FROM post_aliases WHERE post_id = ? AND scheme = ? AND value = ?"
            if not self.connection.execute(query, (post_id, EARLIER_ID, new)).fetchone():
                update_row(self.connection, "posts", post_id, platform_id=new)
                insert_new(
                    self.connection, "post_aliases", post_id=post_id, scheme=EARLIER_ID,
                    value=match.platform_id,
                )  # fmt: skip

    def _restore_named(self, matches: Iterable[Match]) -> None:
        """A post of its own that a shown one names as its earlier id is there, as that one."""
        shown = {match.platform_id for match in matches}
        names = {
            value: match.platform_id
            for match in matches
            for value in asked_values(match.post)
            if value not in shown
        }
        if not names:
            return
        query = """
            SELECT posts.id, platform_id FROM posts JOIN post_sources ON post_id = posts.id
             WHERE account_id = ? AND platform_id IN (SELECT value FROM json_each(?))
               AND (missing_at IS NOT NULL OR removed_at IS NOT NULL)
        """
        wanted = (self.account_id, json.dumps(list(names)))
        rows = Rows(self.connection)
        for post_id, platform_id in self.connection.execute(query, wanted).fetchall():
            reason = f"it is shown as {names[platform_id]}"
            self._restore(rows, post_id, reason)
            update(
                self.connection, "post_sources", "post_id = ? AND source = ?",
                (post_id, self.reading.source), missing_at=None, missing_updated_at=None,
            )  # fmt: skip
            rows.write()

    def _has_revision(self, old: _StoredPost | None, post: Post) -> bool:
        """Whether a revision has this content already.

        One that other code has read may have another hash of the same content: its record is read
        again.
        """
        if old is None:
            return False
        content = content_sha256(post)
        query = "SELECT 1 FROM revisions WHERE post_id = ? AND content_sha256 = ?"
        if self.connection.execute(query, (old.id, content)).fetchone():
            return True
        if old.reader is not None and old.reader == self.reading.reader:
            return False  # nothing of it was read by other code
        query = "SELECT content_sha256, raw FROM revisions WHERE post_id = ?"
        revisions = self.connection.execute(query, (old.id,)).fetchall()
        return any(self._hash_as_read_today(raw, held) == content for held, raw in revisions)

    def known(self, platform_ids: Sequence[str]) -> dict[str, _StoredPost]:
        """Those of these posts that are in the archive."""
        query = """
            SELECT posts.platform_id, posts.id, fingerprint, content_version, content_sha256,
                   missing_at, removed_at, view, reader, unmapped
              FROM posts LEFT JOIN post_sources ON post_id = posts.id AND source = ?
             WHERE account_id = ? AND posts.platform_id IN (SELECT value FROM json_each(?))
        """
        wanted = json.dumps([clean_text(platform_id) for platform_id in platform_ids])
        cursor = self.connection.execute(query, (self.reading.source, self.account_id, wanted))
        return {stored.platform_id: stored for stored in objects(cursor, _StoredPost)}

    def _is_unchanged(self, old: _StoredPost, digest: bytes) -> bool:
        was_there = old.missing_at is None and old.removed_at is None
        return old.fingerprint == digest and was_there and old.view == self.reading.view

    def _waiting_for_media(self, known: Mapping[str, _StoredPost]) -> set[int]:
        """Posts with files still to be fetched: their addresses may be newer on this page."""
        query = f"""
            SELECT DISTINCT post_id FROM attachments
              JOIN renditions ON attachment_id = attachments.id
             WHERE post_id IN (SELECT value FROM json_each(:ids))
               AND {WAITS}
        """
        parameters = {"ids": json.dumps([old.id for old in known.values()]), **due_at(self.now)}
        return {row[0] for row in self.connection.execute(query, parameters)}

    def _add(self, rows: Rows, match: Match, digest: bytes) -> _StoredPost:
        record, post = match.record, match.post
        post_id = rows.new_id("posts")
        rows.add(
            "posts", id=post_id, account_id=self.account_id, platform=self.platform,
            platform_id=match.platform_id, **_columns(post), first_seen_at=self.now,
            last_seen_at=self.now, removed_at=None, raw=record.raw,
        )  # fmt: skip
        self._event(rows, post_id, "seen", _ID_ONLY if post.id_only else None)
        content = None if post.id_only else content_sha256(post)
        known_by = {
            "fingerprint": digest, "content_version": self.reading.content_version,
            "content_sha256": content, "view": self.reading.view,
            **recognition(record, post, self.reading.reader),
        }  # fmt: skip
        self._add_source(rows, post_id, post, known_by)
        if content is not None:
            self._revision(rows, post_id, 1, "first", record, content)
        for alias in dict.fromkeys(post.aliases):
            rows.add("post_aliases", post_id=post_id, scheme=alias.scheme, value=alias.value)
        self._add_relations(rows, post_id, post)
        self._metrics(rows, post_id, 0, post.metrics, {})
        self._attachments(rows, post_id, 1).add_all(post)
        self.saved.new += 1
        return self._as_saved(post_id, match.platform_id, post, digest, content)

    def _add_source(
        self, rows: Rows, post_id: int, post: Post, known_by: Mapping[str, Any]
    ) -> None:
        rows.add(
            "post_sources", post_id=post_id, source=self.reading.source,
            record_id=post.platform_id, first_seen_at=self.now, **known_by,
        )  # fmt: skip

    def _as_saved(
        self, post_id: int, platform_id: str, post: Post, digest: bytes, content: str | None
    ) -> _StoredPost:
        reading = self.reading
        return _StoredPost(
            id=post_id, platform_id=platform_id, fingerprint=digest,
            content_version=reading.content_version, content_sha256=content, missing_at=None,
            removed_at=None, view=reading.view, reader=reading.reader,
            unmapped=unmapped_text(post),
        )  # fmt: skip

    def _recognise(self, old: _StoredPost, record: Record, post: Post) -> None:
        """Update by what an unchanged post is recognised, after another reader or a new field.

        Of another record that says the same only because its addresses are signed anew, nothing is
        noted: the next one will be another again.
        """
        known_again = recognition(record, post, self.reading.reader)
        where = (old.id, self.reading.source)
        update(self.connection, "post_sources", _OF_SOURCE, where, **known_again)

    def _compare(
        self, rows: Rows, old: _StoredPost, record: Record, post: Post, digest: bytes
    ) -> _StoredPost:
        self._note_return(rows, old)
        content = old.content_sha256
        if not post.id_only:
            content = content_sha256(post)
            self._compare_content(rows, old, record, post, content)
            self._compare_metrics(rows, old.id, post)
        if not self._is_unchanged(old, digest):
            # after an answer with ids only, the next full answer must not seem changed
            keeps = post.id_only and old.fingerprint is not None
            values: dict[str, Any] = {}
            if not keeps:
                values = {"fingerprint": digest, "content_version": self.reading.content_version}
                values |= recognition(record, post, self.reading.reader)
            elif self._take_visibility(old.id, post):
                # the record of before is compared when it comes again: who may see it has changed
                values = {"fingerprint": digest, **recognition(record, post, None)}
            values |= {"content_sha256": content, "view": self.reading.view}
            if old.fingerprint is None:
                self._add_source(rows, old.id, post, values)
            else:
                values |= {"missing_at": None, "missing_updated_at": None}
                where = (old.id, self.reading.source)
                update(self.connection, "post_sources", _OF_SOURCE, where, **values)
        return self._as_saved(old.id, old.platform_id, post, digest, content)

    def _take_visibility(self, post_id: int, post: Post) -> bool:
        """Note who may see a post, by an answer without content; whether that changed.

        An answer that does not say it changes nothing.
        """
        if post.visibility is None:
            return False
        visibility = clean_text(post.visibility)
        query = "SELECT visibility FROM posts WHERE id = ?"
        if self.connection.execute(query, (post_id,)).fetchone()[0] == visibility:
            return False
        update_row(self.connection, "posts", post_id, visibility=visibility, last_seen_at=self.now)
        return True

    def _compare_content(
        self, rows: Rows, old: _StoredPost, record: Record, post: Post, content: str
    ) -> None:
        known_content = self._content_as_read_today(old, content)
        number = self._last_revision(old.id)
        is_edit = known_content is not None and known_content != content
        if known_content is None or is_edit:
            number += 1
            why = "edited" if is_edit else "first" if number == 1 else "other_source"
            self._revision(rows, old.id, number, why, record, content)
        if is_edit:
            self._event(rows, old.id, "edited")
            self.saved.edited += 1
        media_differ = self._attachments(rows, old.id, number).compare(post)
        if known_content is None or is_edit or media_differ or self._columns_differ(old.id, post):
            self._update_post(old.id, record, post, is_edit=is_edit)
            self._replace_relations(rows, old.id, post)
        for alias in dict.fromkeys(post.aliases):
            insert_new(
                self.connection, "post_aliases", post_id=old.id, scheme=alias.scheme,
                value=alias.value,
            )  # fmt: skip

    def _content_as_read_today(self, old: _StoredPost, content: str) -> str | None:
        """The hash of the content we hold, as today's program reads it.

        Before a difference from `content` is taken for an edit, the stored record is read again: a
        better reader, or another rule for the names of files, is none.
        """
        if old.content_sha256 in {None, content}:
            return old.content_sha256
        raw = self.connection.execute("SELECT raw FROM posts WHERE id = ?", (old.id,)).fetchone()[0]
        return self._hash_as_read_today(raw, old.content_sha256)

    def _hash_as_read_today(self, raw: str, held: str | None) -> str | None:
        """The hash of a stored record's content; the one `held` where it can no longer be read."""
        try:
            return content_sha256(self.reading.reread(json.loads(raw)))
        except (RecordError, ValueError):
            return held

    def _update_post(self, post_id: int, record: Record, post: Post, *, is_edit: bool) -> None:
        values = _columns(post) | {"raw": record.raw, "last_seen_at": self.now}
        if is_edit:
            values["edited_at"] = post.edited_at or self.now
            values["earlier_text"] = self._earlier_text(post_id, post)
        else:
            values["edited_at"] = self.connection.execute(
                "SELECT coalesce(?, edited_at) FROM posts WHERE id = ?", (post.edited_at, post_id)
            ).fetchone()[0]
        update_row(self.connection, "posts", post_id, **values)

    def _earlier_text(self, post_id: int, post: Post) -> str | None:
        """What a search for an earlier version finds, once the post is as it is now."""
        query = "SELECT earlier_text, title, text, alt_texts FROM posts WHERE id = ?"
        held, title, text, alt_texts = self.connection.execute(query, (post_id,)).fetchone()
        now = (post.title, post.text, *(a.alt_text for a in post.attachments))
        return earlier_column(held, (title, text, *(alt_texts or "").splitlines()), now)

    def _columns_differ(self, post_id: int, post: Post) -> bool:
        wanted = _columns(post)
        wanted.pop("edited_at")
        names = ", ".join(wanted)
        row = self.connection.execute(
            f"SELECT {names} FROM posts WHERE id = ?",
            (post_id,),
        ).fetchone()
        return tuple(row) != tuple(
            clean_text(value) if isinstance(value, str) else value for value in wanted.values()
        )

    def _last_revision(self, post_id: int) -> int:
        query = "SELECT coalesce(max(number), 0) FROM revisions WHERE post_id = ?"
        number: int = self.connection.execute(query, (post_id,)).fetchone()[0]
        return number

    def _revision(
        self, rows: Rows, post_id: int, number: int, why: str, record: Record, content: str
    ) -> None:
        self.saved.revisions += 1
        rows.add(
            "revisions", post_id=post_id, number=number, why=why, seen_at=self.now,
            run_id=self.run_id, response_id=self.response_id, source=self.reading.source,
            content_version=self.reading.content_version, content_sha256=content, raw=record.raw,
        )  # fmt: skip

    def _note_return(self, rows: Rows, old: _StoredPost) -> None:
        if old.removed_at is not None or old.missing_at is not None:
            self._restore(rows, old.id, f"missing since {old.removed_at or old.missing_at}")

    def _restore(self, rows: Rows, post_id: int, reason: str) -> None:
        self.saved.restored += 1
        self._event(rows, post_id, "restored", text=reason)
        update_row(self.connection, "posts", post_id, removed_at=None, last_seen_at=self.now)

    def _add_relations(self, rows: Rows, post_id: int, post: Post) -> None:
        for relation in dict.fromkeys(post.relations):
            rows.add(
                "relations", post_id=post_id, kind=relation.kind,
                platform_id=relation.platform_id, url=relation.url,
            )  # fmt: skip

    def _replace_relations(self, rows: Rows, post_id: int, post: Post) -> None:
        held = self.connection.execute(
            "SELECT kind, platform_id, url FROM relations WHERE post_id = ? ORDER BY id", (post_id,)
        ).fetchall()
        wanted = [(r.kind, r.platform_id, r.url) for r in dict.fromkeys(post.relations)]
        if held != wanted:
            delete(self.connection, "relations", "post_id = ?", (post_id,))
            self._add_relations(rows, post_id, post)

    def _compare_metrics(self, rows: Rows, post_id: int, post: Post) -> None:
        query = """
            SELECT attachment_id, name, value, max(seen_at) FROM metrics
             WHERE post_id = ? GROUP BY attachment_id, name
        """
        held: dict[int, dict[str, _LatestValue]] = {}
        for attachment_id, name, *number in self.connection.execute(query, (post_id,)):
            held.setdefault(attachment_id, {})[name] = _LatestValue(*number)
        self._metrics(rows, post_id, 0, post.metrics, held.get(0, {}))
        ids = self._attachments(rows, post_id, 0).ids(post)
        for attachment_id, attachment in zip(ids, post.attachments, strict=True):
            self._metrics(
                rows, post_id, attachment_id, attachment.metrics, held.get(attachment_id, {})
            )

    def _metrics(
        self, rows: Rows, post_id: int, attachment_id: int, metrics: Iterable[Metric],
        held: Mapping[str, _LatestValue],
    ) -> None:  # fmt: skip
        for name, value in {clean_text(metric.name): metric.value for metric in metrics}.items():
            last = held.get(name)
            key = {"post_id": post_id, "attachment_id": attachment_id, "name": name}
            if last is None or (last.value != value and last.seen_at != self.now):
                rows.add("metrics", **key, seen_at=self.now, value=value)
            elif last.value != value:  # two scans in one millisecond: the later value is kept
                where = "post_id = ? AND attachment_id = ? AND name = ? AND seen_at = ?"
                found = (*key.values(), self.now)
                update(self.connection, "metrics", where, found, value=value)

    def _attachments(self, rows: Rows, post_id: int, revision: int) -> AttachmentWriter:
        return AttachmentWriter(
            self.connection, rows, self.account_id, post_id, revision, self.now,
            self.reading.choose,
            event=lambda what, attachment_id, reason: self._event(
                rows, post_id, what, reason, attachment_id=attachment_id
            ),
            metrics=lambda attachment_id, metrics: self._metrics(
                rows, post_id, attachment_id, metrics, {}
            ),
            saved=self.saved,
        )  # fmt: skip

    def _event(
        self, rows: Rows, post_id: int, what: str, reason: Reason | None = None, *,
        text: str | None = None, attachment_id: int | None = None,
    ) -> None:  # fmt: skip
        rows.add(
            "events", post_id=post_id, run_id=self.run_id, at=self.now, what=what,
            attachment_id=attachment_id, source=self.reading.source,
            reason_code=reason.code if reason else None, reason=reason.text if reason else text,
        )  # fmt: skip


def _columns(post: Post) -> dict[str, Any]:
    """The columns of `posts` that come from the record."""
    alt_texts = [a.alt_text for a in post.attachments if a.alt_text]
    return {
        "created_at": post.created_at,
        "text": post.text,
        "title": post.title,
        "url": post.url,
        "kind": post.kind,
        "visibility": post.visibility,
        "author": post.author,
        "edited_at": post.edited_at,
        "alt_texts": "\n".join(alt_texts) or None,
        "search_text": folded_column((post.title, post.text, *alt_texts)),
    }
