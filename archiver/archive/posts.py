"""Saving the posts of a page: only what differs is written, and nothing is ever overwritten.

A post that is exactly as it was saved is recognised by its fingerprint, with one SELECT for
the whole page. For the others, this compares part by part.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, NamedTuple

from archiver.archive.absence import removing_source
from archiver.archive.account_pictures import queue_emoji
from archiver.archive.attachments import AttachmentWriter, SaveResult
from archiver.archive.edits import (
    is_worded_differently,
    is_worded_since,
    newest_edit,
    newest_edit_with_wording,
    next_edit_with_wording,
)
from archiver.archive.hashed_rows import clean_text
from archiver.archive.identity import EARLIER_ID, Match, is_generated_id, lookup_ids, match_posts
from archiver.archive.merging import (
    UNKNOWN,
    SourceContent,
    begin_merging,
    by_precedence,
    content_json,
    contents_by_source,
    merged,
    rank_of,
    set_leading_record,
)
from archiver.archive.post_sources import extra_json, recognition_columns, unmapped_json
from archiver.archive.queue import IS_WAITING, due_parameters
from archiver.archive.row_objects import objects
from archiver.archive.rows import Rows, delete, insert_new, update, update_row
from archiver.archive.search import earlier_column, folded_column
from archiver.archive.tombstones import erased_among
from archiver.archive.wording import is_same_wording, wording_of, wording_sha256
from archiver.canonical import attachment_keys, content_sha256, fingerprint
from archiver.errors import RecordError
from archiver.models import Attachment, Metric, Post, Record, Version
from archiver.reasons import Choice, Reason

_OF_SOURCE = "post_id = ? AND source = ?"
_ID_ONLY = Reason("id_only", "by its id only")


@dataclass(frozen=True, slots=True)
class ParseContext:
    """How the records of one account are parsed, and which of their files to fetch.

    `content_version` is the number of the platform's list of content fields; `reread` parses
    a stored record with the current code; `choose` says which renditions of an attachment to fetch;
    `view` are the account's options that choose what is shown: a post can be missing only from
    scans under the options that last showed it. `reader` identifies the current parsing code, where
    that is known. `ranks` are those of all sources that are installed, by their names.
    `as_of` is when the export was made that the records are from; None for a source that is asked
    now. An export that is older than what is known of a post changes nothing of it, and two exports
    may write one post in different forms: only another wording is an edit.
    `record_text` is the text of a record that is stored.
    """

    source: str
    content_version: int
    reread: Callable[[Mapping[str, Any]], Post]
    choose: Callable[[Attachment], Sequence[Choice]]
    view: str = "{}"
    reader: bytes | None = None
    ranks: Mapping[str, str] = field(default_factory=dict)
    as_of: str | None = None
    record_text: Callable[[Record], str] = attrgetter("raw")


@dataclass(frozen=True, slots=True)
class _StoredPost:
    """The row of a post that is on the page, with the columns of this source.

    All but the first four columns are those of this source; `fingerprint` is None where it has not
    shown the post before. `sources` is how many have. `as_of` is when the newest export was made
    that showed the post.
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
    removed_by_source_at: str | None
    view: str | None
    reader: bytes | None
    unmapped: str | None
    extra: str | None
    as_of: str | None = None

    @property
    def is_known_to_source(self) -> bool:
        """Whether this source has shown the post before."""
        return self.fingerprint is not None


class _LatestMetricValue(NamedTuple):
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
    context: ParseContext
    now: str
    response_id: int | None = None
    saved: SaveResult = field(default_factory=SaveResult)
    existing_ids: frozenset[str] = frozenset()

    def save(self, entries: Iterable[tuple[Record, Post]]) -> SaveResult:
        """Save the posts of one page; returns what changed. Of two with one id, both are kept.

        Those that were erased are not saved again. Afterwards `existing_ids` are the ids of those
        that this source had shown before, and of the erased ones.
        """
        shown = list(entries)
        erased = self.erased(post for _, post in shown)
        self.saved.erased += sum(post.platform_id in erased for _, post in shown)
        kept = [entry for entry in shown if entry[1].platform_id not in erased]
        matches = match_posts(self.connection, self.account_id, self.context.source, kept)
        stored = self.known([match.platform_id for match in matches])
        self.existing_ids = frozenset(
            match.post.platform_id for match in matches
            if (old := stored.get(match.platform_id)) is not None and old.is_known_to_source
        ) | erased  # fmt: skip
        waiting = self._waiting_for_media(stored)
        rows = Rows(self.connection)
        last = {match.platform_id: match for match in matches}
        for match in matches:
            record, post, old = match.record, match.post, stored.get(match.platform_id)
            if match is not last[match.platform_id] and self._has_revision(old, post):
                continue  # an answer that has one post twice must not make two edits every night
            digest = fingerprint(post, self.context.content_version)
            if old is None:
                stored[match.platform_id] = self._add(rows, match, digest)
            elif self._is_outdated(old):
                rows.write()
                self._keep_earlier(old, match)
            elif not self._is_unchanged(old, digest) or old.id in waiting:
                rows.write()  # of two records of one post, the later is compared with the earlier
                stored[match.platform_id] = self._compare(rows, old, match, digest)
            else:
                self._restore_if_removed(rows, old, post)
                if (old.reader, old.unmapped) != (self.context.reader, unmapped_json(post)):
                    self._update_recognition(old, record, post)
        rows.write()
        self._update_ids(last.values(), stored)
        self._restore_aliased(matches)
        return self.saved

    def _is_outdated(self, old: _StoredPost) -> bool:
        """Whether a newer export than this one has shown the post."""
        as_of = self.context.as_of
        return bool(old.is_known_to_source and as_of and old.as_of and as_of < old.as_of)

    def _keep_earlier(self, old: _StoredPost, match: Match, source_time: str | None = None) -> None:
        """Keep an earlier content of a known post as a revision, unless it is known: no edit."""
        query = "SELECT content_sha256, wording_sha256 FROM revisions WHERE post_id = ?"
        known = {each for row in self.connection.execute(query, (old.id,)) for each in row}
        content = content_sha256(match.post)
        if match.post.id_only or known & {content, wording_sha256(match.post)}:
            return
        rows = Rows(self.connection)
        number = self._last_revision(old.id) + 1
        self._revision(rows, old.id, number, 0, "other_source", match, content, source_time)
        rows.write()

    def erased(self, posts: Iterable[Post]) -> frozenset[str]:
        """The ids of those of the posts that were erased."""
        return erased_among(self.connection, self.account_id, self.platform, posts)

    def _update_ids(self, matches: Iterable[Match], stored: Mapping[str, _StoredPost]) -> None:
        """Give a post its current id, unless that is one of its earlier ids.

        So an edit gives it a new id, and a source that alternates between two ids changes nothing.
        """
        for match in matches:
            post_id, new = stored[match.platform_id].id, clean_text(match.post.platform_id)
            if new == clean_text(match.platform_id) or self._has_id_of_higher_rank(match, post_id):
                continue
            query = "SELECT 1 FROM post_aliases WHERE post_id = ? AND scheme = ? AND value = ?"
            if not self.connection.execute(query, (post_id, EARLIER_ID, new)).fetchone():
                update_row(self.connection, "posts", post_id, platform_id=new)
                where = (post_id, self.context.source)
                update(self.connection, "post_sources", _OF_SOURCE, where, record_id=new)
                insert_new(
                    self.connection, "post_aliases", post_id=post_id, scheme=EARLIER_ID,
                    value=match.platform_id,
                )  # fmt: skip

    def _has_id_of_higher_rank(self, match: Match, post_id: int) -> bool:
        """Whether the id of a post comes from another source of the same or a higher rank."""
        if is_generated_id(match.platform_id) or is_generated_id(match.post.platform_id):
            return is_generated_id(match.post.platform_id)  # a generated id gives way to a real one
        query = "SELECT source FROM post_sources WHERE post_id = ? AND record_id = ?"
        found = self.connection.execute(query, (post_id, clean_text(match.platform_id)))
        own, ranks = self.context.source, self.context.ranks
        return any(
            source != own and rank_of(source, ranks) >= rank_of(own, ranks) for (source,) in found
        )

    def add_versions(self, current: Post, versions: Sequence[tuple[Version, Post]]) -> None:
        """Save the earlier versions of a post whose current version is not saved yet.

        `versions` are oldest first. Those whose content is known are not saved again; the current
        one is left to `save`. Of a post that is new, the first version is saved first.
        """
        if self.erased([current]):
            return
        now = content_sha256(current)
        versions = [each for each in versions if content_sha256(each[1]) != now]
        own = [(Record("", None), current)]
        (match,) = match_posts(self.connection, self.account_id, self.context.source, own)
        stored = self.known([match.platform_id]).get(clean_text(match.platform_id))
        if stored is None and versions:
            (version, post), *versions = versions
            self.save([(version.record, replace(post, platform_id=current.platform_id))])
            stored = self.known([current.platform_id]).get(clean_text(current.platform_id))
        if stored is None or not versions:
            return
        if self.context.as_of is not None and match.is_known:
            for version, post in versions:  # another source may have shown them, in other words
                earlier = Match(version.record, post, stored.platform_id, is_known=True)
                self._keep_earlier(stored, earlier, version.source_time)
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
            where = (stored.id, self.context.source)
            update(self.connection, "post_sources", _OF_SOURCE, where, edit=edit)

    def save_metrics(self, numbers: Mapping[str, Sequence[Metric]]) -> None:
        """Save metrics of known posts, by the source's ids of the posts."""
        query = """
            SELECT record_id, post_id FROM post_sources JOIN posts ON posts.id = post_id
             WHERE account_id = ? AND source = ? AND record_id IN (SELECT value FROM json_each(?))
        """
        new = (self.account_id, self.context.source, json.dumps(list(numbers)))
        rows = Rows(self.connection)
        for record_id, post_id in self.connection.execute(query, new).fetchall():
            existing = self._latest_metrics(post_id).get(0, {})
            self._metrics(rows, post_id, 0, numbers[record_id], existing)
        rows.write()

    def _restore_aliased(self, matches: Iterable[Match]) -> None:
        """Restore missing posts whose id is an alias of a post that is shown."""
        shown = {match.platform_id for match in matches}
        names = {
            value: match.platform_id
            for match in matches
            for value in lookup_ids(match.post)
            if value not in shown
        }
        if not names:
            return
        query = """
            SELECT posts.id, platform_id FROM posts JOIN post_sources ON post_id = posts.id
             WHERE account_id = ? AND platform_id IN (SELECT value FROM json_each(?))
               AND source = ? AND (missing_at IS NOT NULL OR posts.removed_at IS NOT NULL)
        """
        new = (self.account_id, json.dumps(list(names)), self.context.source)
        rows = Rows(self.connection)
        for post_id, platform_id in self.connection.execute(query, new).fetchall():
            reason = f"it is shown as {names[platform_id]}"
            self._restore(rows, post_id, reason)
            update(
                self.connection, "post_sources", "post_id = ? AND source = ?",
                (post_id, self.context.source), missing_at=None, missing_updated_at=None,
                removed_at=None,
            )  # fmt: skip
            rows.write()

    def _has_revision(self, old: _StoredPost | None, post: Post) -> bool:
        """Whether a revision has this content already.

        Other code may have computed another hash of the same content: those records are parsed
        again.
        """
        if old is None:
            return False
        content = content_sha256(post)
        query = "SELECT 1 FROM revisions WHERE post_id = ? AND content_sha256 = ?"
        if self.connection.execute(query, (old.id, content)).fetchone():
            return True
        if old.reader is not None and old.reader == self.context.reader:
            return False  # no other code has parsed it
        query = "SELECT content_sha256, raw FROM revisions WHERE post_id = ?"
        revisions = self.connection.execute(query, (old.id,)).fetchall()
        return any(
            self._hash_with_current_reader(raw, existing) == content for existing, raw in revisions
        )

    def add_separate(self, record: Record, post: Post) -> int:
        """Save a record as a new post, whatever it was matched with; returns the post's row id."""
        rows = Rows(self.connection)
        match = Match(record, post, clean_text(post.platform_id), is_known=False)
        stored = self._add(rows, match, fingerprint(post, self.context.content_version))
        rows.write()
        return stored.id

    def known(self, platform_ids: Sequence[str]) -> dict[str, _StoredPost]:
        """The stored posts of these ids, by id."""
        query = """
            SELECT posts.platform_id, posts.id, posts.removed_at, fingerprint, content_version,
                   (SELECT count(*) FROM post_sources AS every WHERE every.post_id = posts.id)
                   AS sources, coalesce(edit, 0) AS edit, content_sha256, missing_at,
                   own.removed_at AS removed_by_source_at, view, reader, unmapped, extra,
                   (SELECT exported_at FROM package_posts AS newest
                      JOIN packages ON packages.id = newest.package_id
                     WHERE newest.post_id = posts.id) AS as_of
              FROM posts LEFT JOIN post_sources AS own ON post_id = posts.id AND source = ?
             WHERE account_id = ? AND posts.platform_id IN (SELECT value FROM json_each(?))
        """
        new = json.dumps([clean_text(platform_id) for platform_id in platform_ids])
        cursor = self.connection.execute(query, (self.context.source, self.account_id, new))
        return {stored.platform_id: stored for stored in objects(cursor, _StoredPost)}

    def _is_unchanged(self, old: _StoredPost, digest: bytes) -> bool:
        was_there = old.missing_at is None and old.removed_by_source_at is None
        return old.fingerprint == digest and was_there and old.view == self.context.view

    def _waiting_for_media(self, known: Mapping[str, _StoredPost]) -> set[int]:
        """Posts with files still to be fetched, whose addresses this page may renew."""
        query = f"""
            SELECT DISTINCT post_id FROM attachments
              JOIN renditions ON attachment_id = attachments.id
             WHERE post_id IN (SELECT value FROM json_each(:ids))
               AND {IS_WAITING}
        """
        parameters = {
            "ids": json.dumps([old.id for old in known.values()]),
            **due_parameters(self.now),
        }
        return {row[0] for row in self.connection.execute(query, parameters)}

    def _add(self, rows: Rows, match: Match, digest: bytes) -> _StoredPost:
        record, post = match.record, match.post
        post_id = rows.new_id("posts")
        rows.add(
            "posts", id=post_id, account_id=self.account_id, platform=self.platform,
            platform_id=match.platform_id, **_columns(post), first_seen_at=self.now,
            last_seen_at=self.now, removed_at=post.removed_at,
            raw=self.context.record_text(record),
        )  # fmt: skip
        self._event(rows, post_id, "seen", _ID_ONLY if post.id_only else None)
        if post.removed_at is not None:
            self._event(rows, post_id, "removed", text="the source lists it as removed")
        content = None if post.id_only else content_sha256(post)
        source_columns = {
            "fingerprint": digest, "content_version": self.context.content_version,
            "content_sha256": content, "view": self.context.view, "edit": 0,
            "extra": extra_json(post), **recognition_columns(record, post, self.context.reader),
        }  # fmt: skip
        self._add_source(rows, post_id, match, source_columns)
        if content is not None:
            self._revision(rows, post_id, 1, 0, "first", match, content)
        for alias in dict.fromkeys(post.aliases):
            rows.add("post_aliases", post_id=post_id, scheme=alias.scheme, value=alias.value)
        self._add_relations(rows, post_id, post)
        self._metrics(rows, post_id, 0, post.metrics, {})
        self._attachments(rows, post_id, 1).add_all(post)
        self._queue_emoji(post)
        self.saved.new += 1
        return self._as_saved(post_id, match, digest, content, sources=1, edit=0)

    def _queue_emoji(self, post: Post) -> None:
        if post.emoji:
            source = self.context.source
            queue_emoji(self.connection, self.account_id, source, post.emoji, self.now)

    def _add_source(
        self, rows: Rows, post_id: int, match: Match, source_columns: Mapping[str, Any]
    ) -> None:
        rows.add(
            "post_sources", post_id=post_id, source=self.context.source,
            record_id=match.post.platform_id, matched_by=match.rule, first_seen_at=self.now,
            **source_columns,
        )  # fmt: skip

    def _as_saved(
        self, post_id: int, match: Match, digest: bytes, content: str | None, *, sources: int,
        edit: int,
    ) -> _StoredPost:  # fmt: skip
        context = self.context
        return _StoredPost(
            id=post_id, platform_id=match.platform_id, fingerprint=digest, sources=sources,
            edit=edit, content_version=context.content_version, content_sha256=content,
            missing_at=None, removed_at=None, removed_by_source_at=None, view=context.view,
            reader=context.reader, unmapped=unmapped_json(match.post),
            extra=extra_json(match.post),
        )  # fmt: skip

    def _update_recognition(self, old: _StoredPost, record: Record, post: Post) -> None:
        """Update what an unchanged post is recognised by, after a change of reader or a new field.

        A record that differs only in the signatures of its addresses is not saved: they change with
        every request.
        """
        columns = recognition_columns(record, post, self.context.reader)
        where = (old.id, self.context.source)
        update(self.connection, "post_sources", _OF_SOURCE, where, **columns)
        self._queue_emoji(post)

    def _compare(self, rows: Rows, old: _StoredPost, match: Match, digest: bytes) -> _StoredPost:
        record, post = match.record, match.post
        if old.is_known_to_source:
            self._restore_shown(rows, old, post)
        else:
            self._add_source_to(rows, old, match)
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
                values = {"fingerprint": digest, "content_version": self.context.content_version}
                values |= recognition_columns(record, post, self.context.reader)
                values |= {"extra": extra_json(post)}
                self._queue_emoji(post)
            elif self._update_visibility(rows, old.id, post):
                # the earlier record has to be compared when it comes again: the visibility differs
                values = {"fingerprint": digest, **recognition_columns(record, post, None)}
            values |= {"content_sha256": content, "view": self.context.view}
            values |= {"missing_at": None, "missing_updated_at": None, "removed_at": None}
            where = (old.id, self.context.source)
            update(self.connection, "post_sources", _OF_SOURCE, where, **values)
        return self._as_saved(
            old.id, match, digest, content, edit=edit,
            sources=old.sources + (not old.is_known_to_source),
        )  # fmt: skip

    def _add_source_to(self, rows: Rows, old: _StoredPost, match: Match) -> None:
        """Add a source that shows a known post for the first time."""
        if match.rule is None:
            self.saved.matched_by_id += 1
        else:
            self.saved.matched_by_rule += 1
        if old.sources:
            begin_merging(self.connection, old.id, self.context.source)
        if match.rule is not None:
            reason = Reason("matched", f"{match.post.platform_id} is this post by {match.rule}")
            self._event(rows, old.id, "merged", reason)
        source_columns = {"fingerprint": b"", "view": self.context.view, "edit": old.edit}
        self._add_source(rows, old.id, match, source_columns)
        rows.write()
        self._restore_if_removed(rows, old, match.post)

    def _update_visibility(self, rows: Rows, post_id: int, post: Post) -> bool:
        """Save the visibility that an answer without content has; returns whether it changed.

        An answer without a visibility changes nothing.
        """
        if post.visibility is None:
            return False
        visibility = clean_text(post.visibility)
        before = self._visibility(post_id)
        if before == visibility:
            return False
        update_row(self.connection, "posts", post_id, visibility=visibility, last_seen_at=self.now)
        self._add_visibility_event(rows, post_id, before)
        return True

    def _visibility(self, post_id: int) -> str | None:
        query = "SELECT visibility FROM posts WHERE id = ?"
        visibility: str | None = self.connection.execute(query, (post_id,)).fetchone()[0]
        return visibility

    def _add_visibility_event(self, rows: Rows, post_id: int, before: str | None) -> None:
        """Add an event if the visibility of a post differs from what it was.

        A visibility that was not known, or is not known any more, is no change.
        """
        now = self._visibility(post_id)
        if before != now and not {None, UNKNOWN} & {before, now}:
            self._event(rows, post_id, "visibility_changed", text=f"{before} → {now}")

    def _compare_content(self, rows: Rows, old: _StoredPost, match: Match, content: str) -> int:
        """Compare the content in a source with its earlier one; returns the edit that it shows."""
        post = match.post
        known_content = self._current_content_hash(old, content)
        number = self._last_revision(old.id)
        edit, why = old.edit, None
        if known_content is None:
            edit, why = self._first_edit_shown(old, post, number)
        elif known_content != content and not self._is_other_form(old, post):
            edit, why = self._next_edit_shown(old, post)
        if why is not None:
            number += 1
            time = post.edited_at if why == "edited" else None
            self._revision(rows, old.id, number, edit, why, match, content, time)
        if why == "edited":
            self._event(rows, old.id, "edited")
            self.saved.edited += 1
        has_precedence = self._has_precedence(old, edit)
        media_differ = self._attachments(rows, old.id, number).compare(
            post,
            has_precedence=has_precedence,
            is_current=edit >= newest_edit(self.connection, old.id),
        )
        is_changed = known_content != content or media_differ or edit != old.edit
        if is_changed or self._has_source_changed(old, post):
            visibility = self._visibility(old.id)
            self._update_post(old, match, edit, is_edit=why == "edited")
            if old.is_known_to_source:  # another source may have another word for the same
                self._add_visibility_event(rows, old.id, visibility)
        for alias in dict.fromkeys(post.aliases):
            insert_new(
                self.connection, "post_aliases", post_id=old.id, scheme=alias.scheme,
                value=alias.value,
            )  # fmt: skip
        return edit

    def _is_other_form(self, old: _StoredPost, post: Post) -> bool:
        """Whether an export only writes the post in another form than an earlier export did."""
        if self.context.as_of is None:
            return False
        try:
            before = self.context.reread(json.loads(self._record_of(old)))
        except (RecordError, ValueError):
            return False
        earlier, now = (wording_of(each.title, each.text) for each in (before, post))
        return is_same_wording(earlier, now) and not _has_other_alt_texts(before, post)

    def _first_edit_shown(
        self, old: _StoredPost, post: Post, number: int
    ) -> tuple[int, str | None]:
        """The edit that a source's first content of a post shows, and why to keep a revision.

        It is never a new edit: at most another wording of a known one.
        """
        if not number:
            return 0, "first"
        known = newest_edit_with_wording(self.connection, old.id, wording_sha256(post))
        if known is not None:
            return known, None
        return newest_edit(self.connection, old.id), "other_source"

    def _next_edit_shown(self, old: _StoredPost, post: Post) -> tuple[int, str | None]:
        """The edit that a source shows after its content changed, and why to keep a revision.

        It may have caught up with an edit that another source showed before.
        """
        newest, source = newest_edit(self.connection, old.id), self.context.source
        if newest > old.edit and newest > (shown := self._edit_shown_before(old, post)):
            worded = next_edit_with_wording(
                self.connection, old.id, shown, wording_sha256(post), source
            )
            if worded is not None:
                return worded, None
            if is_worded_differently(self.connection, old.id):
                return newest, "other_source"
        if is_worded_since(self.connection, old.id, source, self.context.as_of):
            return old.edit, "other_source"  # of an older export: what was between two edits
        return newest + 1, "edited"

    def _edit_shown_before(self, old: _StoredPost, post: Post) -> int:
        """The edit that a source showed before its content changed.

        It is a later one than was saved where another source has shown that wording as an edit
        since. A change that leaves the wording as it was says nothing about that.
        """
        try:
            before = wording_sha256(self.context.reread(json.loads(self._record_of(old))))
        except (RecordError, ValueError):
            return old.edit
        if before == wording_sha256(post):
            return old.edit
        source = self.context.source
        shown = next_edit_with_wording(self.connection, old.id, old.edit, before, source)
        return old.edit if shown is None else shown

    def _has_precedence(self, old: _StoredPost, edit: int) -> bool:
        """Whether this source has precedence over all others of the post."""
        if old.sources + (not old.is_known_to_source) < 2:
            return True
        own = SourceContent(self.context.source, edit, None, None)
        others = [s for s in contents_by_source(self.connection, old.id) if s.source != own.source]
        return by_precedence([own, *others], self.context.ranks)[0] == own

    def _current_content_hash(self, old: _StoredPost, content: str) -> str | None:
        """The hash of the stored content, as the current code computes it.

        Before a difference from `content` counts as an edit, the stored record is parsed again: a
        changed reader, or another rule for media keys, is no edit.
        """
        if old.content_sha256 in {None, content}:
            return old.content_sha256
        return self._hash_with_current_reader(self._record_of(old), old.content_sha256)

    def _record_of(self, old: _StoredPost) -> str:
        """The record of a post that this source showed last."""
        query = """
            SELECT coalesce(post_sources.raw, posts.raw) FROM posts
              JOIN post_sources ON post_id = posts.id AND source = ? WHERE posts.id = ?
        """
        where = (self.context.source, old.id)
        raw: str = self.connection.execute(query, where).fetchone()[0]
        return raw

    def _hash_with_current_reader(self, raw: str, existing: str | None) -> str | None:
        """The hash of a stored record's content; `existing` where it can no longer be parsed."""
        try:
            return content_sha256(self.context.reread(json.loads(raw)))
        except (RecordError, ValueError):
            return existing

    def _has_source_changed(self, old: _StoredPost, post: Post) -> bool:
        """Whether the columns of the post differ from those that this source had before."""
        if old.sources + (not old.is_known_to_source) < 2:
            return self._columns_differ(old.id, post)
        query = f"SELECT said FROM post_sources WHERE {_OF_SOURCE}"
        where = (old.id, self.context.source)
        existing = self.connection.execute(query, where).fetchone()[0]
        return bool(existing != content_json(_columns(post)))

    def _update_post(self, old: _StoredPost, match: Match, edit: int, *, is_edit: bool) -> None:
        """Update the row of the post: from this source alone, or merged from all of them."""
        post, record = match.post, match.record
        if old.sources + (not old.is_known_to_source) < 2:
            update(
                self.connection, "post_sources", _OF_SOURCE, (old.id, self.context.source),
                edit=edit,
            )  # fmt: skip
            values = _columns(post) | {"raw": self.context.record_text(record)}
            self._write_post(old.id, values, post, is_edit=is_edit)
            self._replace_relations(old.id, post)
            return
        update(
            self.connection, "post_sources", _OF_SOURCE, (old.id, self.context.source),
            edit=edit, said=content_json(_columns(post)), raw=self.context.record_text(record),
        )  # fmt: skip
        ordered = by_precedence(contents_by_source(self.connection, old.id), self.context.ranks)
        values = merged(ordered)
        texts = (values["title"], values["text"], *(values["alt_texts"] or "").splitlines())
        values["search_text"] = folded_column(texts)
        self._write_post(old.id, values, post, is_edit=is_edit)
        set_leading_record(self.connection, old.id, ordered[0])
        if ordered[0].source == self.context.source or not self._has_relations(old.id):
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
        """The texts of earlier versions, for the search, once the post is updated."""
        query = "SELECT earlier_text, title, text, alt_texts FROM posts WHERE id = ?"
        existing, title, text, alt_texts = self.connection.execute(query, (post_id,)).fetchone()
        now = (post.title, post.text, *(a.alt_text for a in post.attachments))
        return earlier_column(existing, (title, text, *(alt_texts or "").splitlines()), now)

    def _columns_differ(self, post_id: int, post: Post) -> bool:
        new = _columns(post)
        new.pop("edited_at")
        names = ", ".join(new)
        row = self.connection.execute(
            f"SELECT {names} FROM posts WHERE id = ?",
            (post_id,),
        ).fetchone()
        return tuple(row) != tuple(
            clean_text(value) if isinstance(value, str) else value for value in new.values()
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
            run_id=self.run_id, response_id=self.response_id, source=self.context.source,
            content_version=self.context.content_version, content_sha256=content,
            source_time=source_time, wording_sha256=wording_sha256(match.post),
            raw=self.context.record_text(match.record),
        )  # fmt: skip

    def _restore_shown(self, rows: Rows, old: _StoredPost, post: Post) -> None:
        """Restore a post that was removed, or missing from its only source."""
        if old.missing_at is None or old.removed_at is not None or old.sources > 1:
            self._restore_if_removed(rows, old, post)
        else:
            self._restore(rows, old.id, f"missing since {old.missing_at}")

    def _restore_if_removed(self, rows: Rows, old: _StoredPost, post: Post) -> None:
        """Restore a removed post that this source shows, unless one of higher rank removed it.

        An export shows only that the post was there when the export was made.
        """
        source, ranks = self.context.source, self.context.ranks
        if old.removed_at is None or post.removed_at is not None:
            return
        if self.context.as_of is not None and self.context.as_of < old.removed_at:
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
        existing = self.connection.execute(
            "SELECT kind, platform_id, url FROM relations WHERE post_id = ? ORDER BY id", (post_id,)
        ).fetchall()
        new = [(r.kind, r.platform_id, r.url) for r in dict.fromkeys(post.relations)]
        if existing != new:
            delete(self.connection, "relations", "post_id = ?", (post_id,))
            rows = Rows(self.connection)
            self._add_relations(rows, post_id, post)
            rows.write()

    def _latest_metrics(self, post_id: int) -> dict[int, dict[str, _LatestMetricValue]]:
        """The newest value of each metric of a post and its attachments, up to the export."""
        query = """
            SELECT attachment_id, name, value, max(seen_at) FROM metrics
             WHERE post_id = :post AND (:as_of IS NULL OR seen_at <= :as_of)
             GROUP BY attachment_id, name
        """
        existing: dict[int, dict[str, _LatestMetricValue]] = {}
        parameters = {"post": post_id, "as_of": self.context.as_of}
        for attachment_id, name, *number in self.connection.execute(query, parameters):
            existing.setdefault(attachment_id, {})[name] = _LatestMetricValue(*number)
        return existing

    def _compare_metrics(self, rows: Rows, post_id: int, post: Post) -> None:
        existing = self._latest_metrics(post_id)
        self._metrics(rows, post_id, 0, post.metrics, existing.get(0, {}))
        ids = self._attachments(rows, post_id, 0).ids(post)
        for attachment_id, attachment in zip(ids, post.attachments, strict=True):
            self._metrics(
                rows, post_id, attachment_id, attachment.metrics, existing.get(attachment_id, {})
            )

    def _metrics(
        self, rows: Rows, post_id: int, attachment_id: int, metrics: Iterable[Metric],
        existing: Mapping[str, _LatestMetricValue],
    ) -> None:  # fmt: skip
        at = self.context.as_of or self.now
        for name, value in {clean_text(metric.name): metric.value for metric in metrics}.items():
            last = existing.get(name)
            key = {"post_id": post_id, "attachment_id": attachment_id, "name": name}
            if last is None or (last.value != value and last.seen_at != at):
                rows.add("metrics", **key, seen_at=at, value=value)
            elif last.value != value:  # two scans in one millisecond: the later value is kept
                where = "post_id = ? AND attachment_id = ? AND name = ? AND seen_at = ?"
                found = (*key.values(), at)
                update(self.connection, "metrics", where, found, value=value)

    def _attachments(self, rows: Rows, post_id: int, revision: int) -> AttachmentWriter:
        return AttachmentWriter(
            self.connection, rows, self.account_id, post_id, self.context.source, revision,
            self.now, self.context.choose,
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
            attachment_id=attachment_id, source=self.context.source,
            reason_code=reason.code if reason else None, reason=reason.text if reason else text,
        )  # fmt: skip


def _has_other_alt_texts(before: Post, post: Post) -> bool:
    """Whether a file has another alt text than it had; where one has none at all, nothing is told.

    Older layouts of an export may lack them.
    """
    earlier, now = (
        dict(zip(attachment_keys(each.attachments), each.attachments, strict=True))
        for each in (before, post)
    )
    tells = [any(a.alt_text for a in each.values()) for each in (earlier, now)]
    return all(tells) and any(
        wording_of(None, earlier[key].alt_text) != wording_of(None, attachment.alt_text)
        for key, attachment in now.items()
        if key in earlier
    )


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
