"""Saving the posts of a page: only what differs is written, and nothing is ever overwritten.

A post that is exactly as it was saved is recognised by its fingerprint, with one SELECT for
the whole page. For the others, this compares part by part.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from archiver.archive.absence import removing_source
from archiver.archive.attachments import AttachmentWriter, SaveResult
from archiver.archive.edits import (
    edit_worded_after,
    is_worded_differently,
    newest_edit,
    newest_edit_worded,
)
from archiver.archive.identity import EARLIER_ID, Match, asked_values, is_made, match_posts
from archiver.archive.merging import (
    Saying,
    begin_merging,
    hand_over,
    in_order,
    merged,
    rank_of,
    said_of,
    sayings,
)
from archiver.archive.post_sources import extra_text, recognition, unmapped_text
from archiver.archive.queue import WAITS, due_at
from archiver.archive.row_objects import objects
from archiver.archive.rows import Rows, clean_text, delete, insert_new, update, update_row
from archiver.archive.search import earlier_column, folded_column
from archiver.archive.wording import wording_sha256
from archiver.canonical import content_sha256, fingerprint
from archiver.errors import RecordError
from archiver.models import Attachment, Metric, Post, Record, Version
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
    that is known. `ranks` are those of all sources that are installed, by their names.
    """

    source: str
    content_version: int
    reread: Callable[[Mapping[str, Any]], Post]
    choose: Callable[[Attachment], Sequence[Choice]]
    view: str = "{}"
    reader: bytes | None = None
    ranks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _StoredPost:
    """What the archive holds of a post that is on the page.

    All but the first three columns are the word of this source; `fingerprint` is None where it has
    not spoken of the post before. `sources` is how many have.
    """

    id: int
    platform_id: str
    removed_at: str | None
    sources: int
    edit: int
    fingerprint: bytes | None
    content_version: int | None
    content_sha256: str | None
    missing_at: str | None
    removed_here_at: str | None
    view: str | None
    reader: bytes | None
    unmapped: str | None
    extra: str | None

    @property
    def is_known_here(self) -> bool:
        """Whether this source has spoken of the post before."""
        return self.fingerprint is not None


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

        `existing_ids` are then the ids of those that this source had shown before.
        """
        matches = match_posts(self.connection, self.account_id, self.reading.source, list(entries))
        stored = self.known([match.platform_id for match in matches])
        self.existing_ids = frozenset(
            match.post.platform_id for match in matches
            if (held := stored.get(match.platform_id)) is not None and held.is_known_here
        )  # fmt: skip
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
                stored[match.platform_id] = self._compare(rows, old, match, digest)
            else:
                self._restore_if_removed(rows, old)
                if (old.reader, old.unmapped) != (self.reading.reader, unmapped_text(post)):
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
            if new == clean_text(match.platform_id) or self._is_named_by_better(match, post_id):
                continue
            query = "SELECT 1 FROM post_aliases WHERE post_id = ? AND scheme = ? AND value = ?"
            if not self.connection.execute(query, (post_id, EARLIER_ID, new)).fetchone():
                update_row(self.connection, "posts", post_id, platform_id=new)
                where = (post_id, self.reading.source)
                update(self.connection, "post_sources", _OF_SOURCE, where, record_id=new)
                insert_new(
                    self.connection, "post_aliases", post_id=post_id, scheme=EARLIER_ID,
                    value=match.platform_id,
                )  # fmt: skip

    def _is_named_by_better(self, match: Match, post_id: int) -> bool:
        """Whether the id of a post is that of another source, whose word counts as much or more."""
        if is_made(match.platform_id) or is_made(match.post.platform_id):
            return is_made(match.post.platform_id)  # an id made here stands in for a real one
        query = "SELECT source FROM post_sources WHERE post_id = ? AND record_id = ?"
        found = self.connection.execute(query, (post_id, clean_text(match.platform_id)))
        own, ranks = self.reading.source, self.reading.ranks
        return any(
            source != own and rank_of(source, ranks) >= rank_of(own, ranks) for (source,) in found
        )

    def add_versions(self, current: Post, versions: Sequence[tuple[Version, Post]]) -> None:
        """Keep the earlier versions of a post, which is not saved yet as it is now.

        `versions` are oldest first. Those that are known, by their content, are not kept again; the
        current one is left to `save`. Of a post that is new, the first version is saved first.
        """
        now = content_sha256(current)
        versions = [each for each in versions if content_sha256(each[1]) != now]
        own = [(Record("", None), current)]
        (match,) = match_posts(self.connection, self.account_id, self.reading.source, own)
        stored = self.known([match.platform_id]).get(clean_text(match.platform_id))
        if stored is None and versions:
            (version, post), *versions = versions
            self.save([(version.record, replace(post, platform_id=current.platform_id))])
            stored = self.known([current.platform_id]).get(clean_text(current.platform_id))
        if stored is None or not versions:
            return
        rows = Rows(self.connection)
        number, edit = self._last_revision(stored.id), newest_edit(self.connection, stored.id)
        query = "SELECT content_sha256 FROM revisions WHERE post_id = ?"
        known = {digest for (digest,) in self.connection.execute(query, (stored.id,))}
        for version, post in versions:
            content = content_sha256(post)
            if content in known:
                continue
            known.add(content)
            number, edit = number + 1, edit + 1
            match = Match(version.record, post, stored.platform_id, is_known=True)
            self._revision(
                rows, stored.id, number, edit, "edited", match, content, version.source_time
            )
            self._event(rows, stored.id, "edited")
            self.saved.edited += 1
        rows.write()
        if edit > stored.edit:
            where = (stored.id, self.reading.source)
            update(self.connection, "post_sources", _OF_SOURCE, where, edit=edit)

    def save_metrics(self, numbers: Mapping[str, Sequence[Metric]]) -> None:
        """Save numbers of known posts, by what this source calls them."""
        query = """
            SELECT record_id, post_id FROM post_sources JOIN posts ON posts.id = post_id
             WHERE account_id = ? AND source = ? AND record_id IN (SELECT value FROM json_each(?))
        """
        wanted = (self.account_id, self.reading.source, json.dumps(list(numbers)))
        rows = Rows(self.connection)
        for record_id, post_id in self.connection.execute(query, wanted).fetchall():
            held = self._latest_metrics(post_id).get(0, {})
            self._metrics(rows, post_id, 0, numbers[record_id], held)
        rows.write()

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
               AND source = ? AND (missing_at IS NOT NULL OR posts.removed_at IS NOT NULL)
        """
        wanted = (self.account_id, json.dumps(list(names)), self.reading.source)
        rows = Rows(self.connection)
        for post_id, platform_id in self.connection.execute(query, wanted).fetchall():
            reason = f"it is shown as {names[platform_id]}"
            self._restore(rows, post_id, reason)
            update(
                self.connection, "post_sources", "post_id = ? AND source = ?",
                (post_id, self.reading.source), missing_at=None, missing_updated_at=None,
                removed_at=None,
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

    def add_apart(self, record: Record, post: Post) -> int:
        """Save a record as a post of its own, whatever it was taken for; returns the post's row."""
        rows = Rows(self.connection)
        match = Match(record, post, clean_text(post.platform_id), is_known=False)
        stored = self._add(rows, match, fingerprint(post, self.reading.content_version))
        rows.write()
        return stored.id

    def known(self, platform_ids: Sequence[str]) -> dict[str, _StoredPost]:
        """Those of these posts that are in the archive."""
        query = """
            SELECT posts.platform_id, posts.id, posts.removed_at, fingerprint, content_version,
                   (SELECT count(*) FROM post_sources AS every WHERE every.post_id = posts.id)
                   AS sources, coalesce(edit, 0) AS edit, content_sha256, missing_at,
                   own.removed_at AS removed_here_at, view, reader, unmapped, extra
              FROM posts LEFT JOIN post_sources AS own ON post_id = posts.id AND source = ?
             WHERE account_id = ? AND posts.platform_id IN (SELECT value FROM json_each(?))
        """
        wanted = json.dumps([clean_text(platform_id) for platform_id in platform_ids])
        cursor = self.connection.execute(query, (self.reading.source, self.account_id, wanted))
        return {stored.platform_id: stored for stored in objects(cursor, _StoredPost)}

    def _is_unchanged(self, old: _StoredPost, digest: bytes) -> bool:
        was_there = old.missing_at is None and old.removed_here_at is None
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
            "content_sha256": content, "view": self.reading.view, "edit": 0,
            "extra": extra_text(post), **recognition(record, post, self.reading.reader),
        }  # fmt: skip
        self._add_source(rows, post_id, match, known_by)
        if content is not None:
            self._revision(rows, post_id, 1, 0, "first", match, content)
        for alias in dict.fromkeys(post.aliases):
            rows.add("post_aliases", post_id=post_id, scheme=alias.scheme, value=alias.value)
        self._add_relations(rows, post_id, post)
        self._metrics(rows, post_id, 0, post.metrics, {})
        self._attachments(rows, post_id, 1).add_all(post)
        self.saved.new += 1
        return self._as_saved(post_id, match, digest, content, sources=1, edit=0)

    def _add_source(
        self, rows: Rows, post_id: int, match: Match, known_by: Mapping[str, Any]
    ) -> None:
        rows.add(
            "post_sources", post_id=post_id, source=self.reading.source,
            record_id=match.post.platform_id, matched_by=match.rule, first_seen_at=self.now,
            **known_by,
        )  # fmt: skip

    def _as_saved(
        self, post_id: int, match: Match, digest: bytes, content: str | None, *, sources: int,
        edit: int,
    ) -> _StoredPost:  # fmt: skip
        reading = self.reading
        return _StoredPost(
            id=post_id, platform_id=match.platform_id, fingerprint=digest, sources=sources,
            edit=edit, content_version=reading.content_version, content_sha256=content,
            missing_at=None, removed_at=None, removed_here_at=None, view=reading.view,
            reader=reading.reader, unmapped=unmapped_text(match.post),
            extra=extra_text(match.post),
        )  # fmt: skip

    def _recognise(self, old: _StoredPost, record: Record, post: Post) -> None:
        """Update by what an unchanged post is recognised, after another reader or a new field.

        Of another record that says the same only because its addresses are signed anew, nothing is
        noted: the next one will be another again.
        """
        known_again = recognition(record, post, self.reading.reader)
        where = (old.id, self.reading.source)
        update(self.connection, "post_sources", _OF_SOURCE, where, **known_again)

    def _compare(self, rows: Rows, old: _StoredPost, match: Match, digest: bytes) -> _StoredPost:
        record, post = match.record, match.post
        if old.is_known_here:
            self._note_return(rows, old)
        else:
            self._join(rows, old, match)
        content, edit = old.content_sha256, old.edit
        if not post.id_only:
            content = content_sha256(post)
            edit = self._compare_content(rows, old, match, content)
            self._compare_metrics(rows, old.id, post)
        if not self._is_unchanged(old, digest):
            # after an answer with ids only, the next full answer must not seem changed
            keeps = post.id_only and old.fingerprint is not None
            values: dict[str, Any] = {}
            if not keeps:
                values = {"fingerprint": digest, "content_version": self.reading.content_version}
                values |= recognition(record, post, self.reading.reader)
                values |= {"extra": extra_text(post)}
            elif self._take_visibility(old.id, post):
                # the record of before is compared when it comes again: who may see it has changed
                values = {"fingerprint": digest, **recognition(record, post, None)}
            values |= {"content_sha256": content, "view": self.reading.view}
            values |= {"missing_at": None, "missing_updated_at": None, "removed_at": None}
            where = (old.id, self.reading.source)
            update(self.connection, "post_sources", _OF_SOURCE, where, **values)
        return self._as_saved(
            old.id, match, digest, content, edit=edit,
            sources=old.sources + (not old.is_known_here),
        )  # fmt: skip

    def _join(self, rows: Rows, old: _StoredPost, match: Match) -> None:
        """Another source speaks of a post for the first time."""
        if old.sources:
            begin_merging(self.connection, old.id, self.reading.source)
        if match.rule is not None:
            reason = Reason("matched", f"{match.post.platform_id} is this post by {match.rule}")
            self._event(rows, old.id, "merged", reason)
        known_by = {"fingerprint": b"", "view": self.reading.view, "edit": old.edit}
        self._add_source(rows, old.id, match, known_by)
        rows.write()
        self._restore_if_removed(rows, old)

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

    def _compare_content(self, rows: Rows, old: _StoredPost, match: Match, content: str) -> int:
        """Compare what a source says with what it said before; returns the edit that it shows."""
        post = match.post
        known_content = self._content_as_read_today(old, content)
        number = self._last_revision(old.id)
        edit, why = old.edit, None
        if known_content is None:
            edit, why = self._first_word(old, post, number)
        elif known_content != content:
            edit, why = self._next_word(old, post)
        if why is not None:
            number += 1
            time = post.edited_at if why == "edited" else None
            self._revision(rows, old.id, number, edit, why, match, content, time)
        if why == "edited":
            self._event(rows, old.id, "edited")
            self.saved.edited += 1
        leads = self._leads(old, edit)
        media_differ = self._attachments(rows, old.id, number).compare(
            post, leads=leads, is_current=edit >= newest_edit(self.connection, old.id)
        )
        is_changed = known_content != content or media_differ or edit != old.edit
        if is_changed or self._says_otherwise(old, post):
            self._update_post(old, match, edit, is_edit=why == "edited")
        for alias in dict.fromkeys(post.aliases):
            insert_new(
                self.connection, "post_aliases", post_id=old.id, scheme=alias.scheme,
                value=alias.value,
            )  # fmt: skip
        return edit

    def _first_word(self, old: _StoredPost, post: Post, number: int) -> tuple[int, str | None]:
        """The edit that a source shows when it first says what a post contains, and why to keep it.

        It is no edit: at most, other words for what is known.
        """
        if not number:
            return 0, "first"
        known = newest_edit_worded(self.connection, old.id, wording_sha256(post))
        if known is not None:
            return known, None
        return newest_edit(self.connection, old.id), "other_source"

    def _next_word(self, old: _StoredPost, post: Post) -> tuple[int, str | None]:
        """The edit that a source shows after it said something else, and why to keep its words.

        It may have caught up with an edit that another source showed before.
        """
        newest = newest_edit(self.connection, old.id)
        if newest > old.edit:
            worded = edit_worded_after(
                self.connection, old.id, old.edit, wording_sha256(post), self.reading.source
            )
            if worded is not None:
                return worded, None
            if is_worded_differently(self.connection, old.id):
                return newest, "other_source"
        return newest + 1, "edited"

    def _leads(self, old: _StoredPost, edit: int) -> bool:
        """Whether the word of this source counts before that of all others."""
        if old.sources + (not old.is_known_here) < 2:
            return True
        own = Saying(self.reading.source, edit, None, None)
        others = [s for s in sayings(self.connection, old.id) if s.source != own.source]
        return in_order([own, *others], self.reading.ranks)[0] == own

    def _content_as_read_today(self, old: _StoredPost, content: str) -> str | None:
        """The hash of the content we hold, as today's program reads it.

        Before a difference from `content` is taken for an edit, the stored record is read again: a
        better reader, or another rule for the names of files, is none.
        """
        if old.content_sha256 in {None, content}:
            return old.content_sha256
        query = """
            SELECT coalesce(post_sources.raw, posts.raw) FROM posts
              JOIN post_sources ON post_id = posts.id AND source = ? WHERE posts.id = ?
        """
        where = (self.reading.source, old.id)
        raw = self.connection.execute(query, where).fetchone()[0]
        return self._hash_as_read_today(raw, old.content_sha256)

    def _hash_as_read_today(self, raw: str, held: str | None) -> str | None:
        """The hash of a stored record's content; the one `held` where it can no longer be read."""
        try:
            return content_sha256(self.reading.reread(json.loads(raw)))
        except (RecordError, ValueError):
            return held

    def _says_otherwise(self, old: _StoredPost, post: Post) -> bool:
        """Whether the columns of the post are others than this source said before."""
        if old.sources + (not old.is_known_here) < 2:
            return self._columns_differ(old.id, post)
        query = f"SELECT said FROM post_sources WHERE {_OF_SOURCE}"
        where = (old.id, self.reading.source)
        held = self.connection.execute(query, where).fetchone()[0]
        return bool(held != said_of(_columns(post)))

    def _update_post(self, old: _StoredPost, match: Match, edit: int, *, is_edit: bool) -> None:
        """Bring the post up to date: by this source alone, or by all that speak of it."""
        post, record = match.post, match.record
        if old.sources + (not old.is_known_here) < 2:
            update(
                self.connection, "post_sources", _OF_SOURCE, (old.id, self.reading.source),
                edit=edit,
            )  # fmt: skip
            values = _columns(post) | {"raw": record.raw}
            self._write_post(old.id, values, post, is_edit=is_edit)
            self._replace_relations(old.id, post)
            return
        update(
            self.connection, "post_sources", _OF_SOURCE, (old.id, self.reading.source),
            edit=edit, said=said_of(_columns(post)), raw=record.raw,
        )  # fmt: skip
        ordered = in_order(sayings(self.connection, old.id), self.reading.ranks)
        values = merged(ordered)
        texts = (values["title"], values["text"], *(values["alt_texts"] or "").splitlines())
        values["search_text"] = folded_column(texts)
        self._write_post(old.id, values, post, is_edit=is_edit)
        hand_over(self.connection, old.id, ordered[0])
        if ordered[0].source == self.reading.source or not self._has_relations(old.id):
            self._replace_relations(old.id, post)

    def _has_relations(self, post_id: int) -> bool:
        query = "SELECT 1 FROM relations WHERE post_id = ?"
        return self.connection.execute(query, (post_id,)).fetchone() is not None

    def _write_post(
        self, post_id: int, values: dict[str, Any], post: Post, *, is_edit: bool
    ) -> None:
        values = values | {"last_seen_at": self.now}
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
        self, rows: Rows, post_id: int, number: int, edit: int, why: str, match: Match,
        content: str, source_time: str | None = None,
    ) -> None:  # fmt: skip
        self.saved.revisions += 1
        rows.add(
            "revisions", post_id=post_id, number=number, edit=edit, why=why, seen_at=self.now,
            run_id=self.run_id, response_id=self.response_id, source=self.reading.source,
            content_version=self.reading.content_version, content_sha256=content,
            source_time=source_time, wording_sha256=wording_sha256(match.post),
            raw=match.record.raw,
        )  # fmt: skip

    def _note_return(self, rows: Rows, old: _StoredPost) -> None:
        """A post that was removed, or missing from the only source, is shown again."""
        if old.missing_at is None or old.removed_at is not None or old.sources > 1:
            self._restore_if_removed(rows, old)
        else:
            self._restore(rows, old.id, f"missing since {old.missing_at}")

    def _restore_if_removed(self, rows: Rows, old: _StoredPost) -> None:
        """Restore a removed post that this source shows, unless one that counts more removed it."""
        source, ranks = self.reading.source, self.reading.ranks
        if old.removed_at is None:
            return
        if removing_source(self.connection, old.id, source, ranks) is None:
            self._restore(rows, old.id, f"missing since {old.removed_at}")

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

    def _replace_relations(self, post_id: int, post: Post) -> None:
        held = self.connection.execute(
            "SELECT kind, platform_id, url FROM relations WHERE post_id = ? ORDER BY id", (post_id,)
        ).fetchall()
        wanted = [(r.kind, r.platform_id, r.url) for r in dict.fromkeys(post.relations)]
        if held != wanted:
            delete(self.connection, "relations", "post_id = ?", (post_id,))
            rows = Rows(self.connection)
            self._add_relations(rows, post_id, post)
            rows.write()

    def _latest_metrics(self, post_id: int) -> dict[int, dict[str, _LatestValue]]:
        """The newest value of each number of a post and its attachments."""
        query = """
            SELECT attachment_id, name, value, max(seen_at) FROM metrics
             WHERE post_id = ? GROUP BY attachment_id, name
        """
        held: dict[int, dict[str, _LatestValue]] = {}
        for attachment_id, name, *number in self.connection.execute(query, (post_id,)):
            held.setdefault(attachment_id, {})[name] = _LatestValue(*number)
        return held

    def _compare_metrics(self, rows: Rows, post_id: int, post: Post) -> None:
        held = self._latest_metrics(post_id)
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
            self.connection, rows, self.account_id, post_id, self.reading.source, revision,
            self.now, self.reading.choose,
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
