"""Saving the posts of a page: only what differs is written, and nothing is ever overwritten.

A post that is exactly as it was saved is recognised by its fingerprint, with one SELECT for
the whole page. For the others, this compares part by part.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.archive.attachments import SaveResult, keep_attached
from archiver.archive.edits import (
    newest_edit,
)
from archiver.archive.hashed_rows import clean_text
from archiver.archive.identity import EARLIER_ID, Match, is_generated_id, lookup_ids, match_posts
from archiver.archive.merging import (
    begin_merging,
    by_precedence,
    content_json,
    contents_by_source,
    merged,
    rank_of,
    set_leading_record,
)
from archiver.archive.parse_context import ParseContext
from archiver.archive.post_rows import PostRows, post_columns
from archiver.archive.post_sources import extra_json, recognition_columns, unmapped_json
from archiver.archive.queue import IS_WAITING, due_parameters
from archiver.archive.rows import Rows, insert_new, update, update_row
from archiver.archive.search import folded_column
from archiver.archive.shown_edits import ShownEdits
from archiver.archive.stored_posts import StoredPost, stored_posts
from archiver.archive.tombstones import erased_among
from archiver.archive.wording import wording_sha256
from archiver.canonical import content_sha256, fingerprint
from archiver.models import Metric, Post, Record, Version
from archiver.reasons import Reason

_OF_SOURCE = "post_id = ? AND source = ?"
_ID_ONLY = Reason("id_only", "by its id only")


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
    post_rows: PostRows = field(init=False)
    edits: ShownEdits = field(init=False)

    def __post_init__(self) -> None:
        self.post_rows = PostRows(
            self.connection, self.account_id, self.run_id, self.context, self.now,
            self.response_id, self.saved,
        )  # fmt: skip
        self.edits = ShownEdits(self.connection, self.context)

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
            if match is not last[match.platform_id] and self.edits.has_revision(old, post):
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
                self.post_rows.restore_if_removed(rows, old, post)
                if (old.reader, old.unmapped) != (self.context.reader, unmapped_json(post)):
                    self._update_recognition(old, record, post)
        rows.write()
        self._update_ids(last.values(), stored)
        self._restore_aliased(matches)
        return self.saved

    def _is_outdated(self, old: StoredPost) -> bool:
        """Whether a newer export than this one has shown the post."""
        as_of = self.context.as_of
        return bool(old.is_known_to_source and as_of and old.as_of and as_of < old.as_of)

    def _keep_earlier(self, old: StoredPost, match: Match, source_time: str | None = None) -> None:
        """Keep an earlier content of a known post as a revision, unless it is known: no edit."""
        query = "SELECT content_sha256, wording_sha256 FROM revisions WHERE post_id = ?"
        known = {each for row in self.connection.execute(query, (old.id,)) for each in row}
        content = content_sha256(match.post)
        if match.post.id_only or known & {content, wording_sha256(match.post)}:
            return
        rows = Rows(self.connection)
        newest = self.post_rows.last_revision(old.id)
        self.post_rows.add_revision(
            rows, old.id, newest + 1, 0, "other_source", match, content, source_time
        )
        rows.write()
        keep_attached(self.connection, old.id, newest, newest + 1)

    def erased(self, posts: Iterable[Post]) -> frozenset[str]:
        """The ids of those of the posts that were erased."""
        return erased_among(self.connection, self.account_id, self.platform, posts)

    def _update_ids(self, matches: Iterable[Match], stored: Mapping[str, StoredPost]) -> None:
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
        number = self.post_rows.last_revision(stored.id)
        edit = newest_edit(self.connection, stored.id)
        query = "SELECT content_sha256 FROM revisions WHERE post_id = ?"
        known = {digest for (digest,) in self.connection.execute(query, (stored.id,))}
        for version, post in versions:
            content = content_sha256(post)
            if content in known:
                continue
            known.add(content)
            number, edit = number + 1, edit + 1
            match = Match(version.record, post, stored.platform_id, is_known=True)
            self.post_rows.add_revision(
                rows, stored.id, number, edit, "edited", match, content, version.source_time
            )
            self.post_rows.add_event(rows, stored.id, "edited")
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
            existing = self.post_rows.latest_metrics(post_id).get(0, {})
            self.post_rows.add_metrics(rows, post_id, 0, numbers[record_id], existing)
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
            self.post_rows.restore(rows, post_id, reason)
            update(
                self.connection, "post_sources", "post_id = ? AND source = ?",
                (post_id, self.context.source), missing_at=None, missing_updated_at=None,
                removed_at=None,
            )  # fmt: skip
            rows.write()

    def add_separate(self, record: Record, post: Post) -> int:
        """Save a record as a new post, whatever it was matched with; returns the post's row id."""
        rows = Rows(self.connection)
        match = Match(record, post, clean_text(post.platform_id), is_known=False)
        stored = self._add(rows, match, fingerprint(post, self.context.content_version))
        rows.write()
        return stored.id

    def known(self, platform_ids: Sequence[str]) -> dict[str, StoredPost]:
        """The stored posts of these ids, by id."""
        return stored_posts(self.connection, self.account_id, self.context.source, platform_ids)

    def _is_unchanged(self, old: StoredPost, digest: bytes) -> bool:
        was_there = old.missing_at is None and old.removed_by_source_at is None
        return old.fingerprint == digest and was_there and old.view == self.context.view

    def _waiting_for_media(self, known: Mapping[str, StoredPost]) -> set[int]:
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

    def _add(self, rows: Rows, match: Match, digest: bytes) -> StoredPost:
        record, post = match.record, match.post
        post_id = rows.new_id("posts")
        rows.add(
            "posts", id=post_id, account_id=self.account_id, platform=self.platform,
            platform_id=match.platform_id, **post_columns(post), first_seen_at=self.now,
            last_seen_at=self.now, removed_at=post.removed_at,
            raw=self.context.record_text(record),
        )  # fmt: skip
        self.post_rows.add_event(rows, post_id, "seen", _ID_ONLY if post.id_only else None)
        if post.removed_at is not None:
            self.post_rows.add_event(
                rows, post_id, "removed", text="the source lists it as removed"
            )
        content = None if post.id_only else content_sha256(post)
        source_columns = {
            "fingerprint": digest, "content_version": self.context.content_version,
            "content_sha256": content, "view": self.context.view, "edit": 0,
            "extra": extra_json(post), **recognition_columns(record, post, self.context.reader),
        }  # fmt: skip
        self.post_rows.add_source(rows, post_id, match, source_columns)
        if content is not None:
            self.post_rows.add_revision(rows, post_id, 1, 0, "first", match, content)
        for alias in dict.fromkeys(post.aliases):
            rows.add("post_aliases", post_id=post_id, scheme=alias.scheme, value=alias.value)
        self.post_rows.add_relations(rows, post_id, post)
        self.post_rows.add_metrics(rows, post_id, 0, post.metrics, {})
        self.post_rows.attachment_writer(rows, post_id, 1).add_all(post)
        self.post_rows.queue_emoji(post)
        self.saved.new += 1
        return self._as_saved(post_id, match, digest, content, sources=1, edit=0)

    def _as_saved(
        self, post_id: int, match: Match, digest: bytes, content: str | None, *, sources: int,
        edit: int,
    ) -> StoredPost:  # fmt: skip
        context = self.context
        return StoredPost(
            id=post_id, platform_id=match.platform_id, fingerprint=digest, sources=sources,
            edit=edit, content_version=context.content_version, content_sha256=content,
            missing_at=None, removed_at=None, removed_by_source_at=None, view=context.view,
            reader=context.reader, unmapped=unmapped_json(match.post),
            extra=extra_json(match.post),
        )  # fmt: skip

    def _update_recognition(self, old: StoredPost, record: Record, post: Post) -> None:
        """Update what an unchanged post is recognised by, after a change of reader or a new field.

        A record that differs only in the signatures of its addresses is not saved: they change with
        every request.
        """
        columns = recognition_columns(record, post, self.context.reader)
        where = (old.id, self.context.source)
        update(self.connection, "post_sources", _OF_SOURCE, where, **columns)
        self.post_rows.queue_emoji(post)

    def _compare(self, rows: Rows, old: StoredPost, match: Match, digest: bytes) -> StoredPost:
        record, post = match.record, match.post
        if old.is_known_to_source:
            self.post_rows.restore_shown(rows, old, post)
        else:
            self._add_source_to(rows, old, match)
        content, edit = old.content_sha256, old.edit
        if not post.id_only:
            content = content_sha256(post)
            edit = self._compare_content(rows, old, match, content)
            self.post_rows.compare_metrics(rows, old.id, post)
        if not self._is_unchanged(old, digest):
            # after an answer with ids only, the next full answer must not seem changed
            keeps = post.id_only and old.fingerprint is not None
            values: dict[str, Any] = {}
            if not keeps:
                values = {"fingerprint": digest, "content_version": self.context.content_version}
                values |= recognition_columns(record, post, self.context.reader)
                values |= {"extra": extra_json(post)}
                self.post_rows.queue_emoji(post)
            elif self.post_rows.update_visibility(rows, old.id, post):
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

    def _add_source_to(self, rows: Rows, old: StoredPost, match: Match) -> None:
        """Add a source that shows a known post for the first time."""
        if match.rule is None:
            self.saved.matched_by_id += 1
        else:
            self.saved.matched_by_rule += 1
        if old.sources:
            begin_merging(self.connection, old.id, self.context.source)
        if match.rule is not None:
            reason = Reason("matched", f"{match.post.platform_id} is this post by {match.rule}")
            self.post_rows.add_event(rows, old.id, "merged", reason)
        source_columns = {"fingerprint": b"", "view": self.context.view, "edit": old.edit}
        self.post_rows.add_source(rows, old.id, match, source_columns)
        rows.write()
        self.post_rows.restore_if_removed(rows, old, match.post)

    def _compare_content(self, rows: Rows, old: StoredPost, match: Match, content: str) -> int:
        """Compare the content in a source with its earlier one; returns the edit that it shows."""
        post = match.post
        known_content = self.edits.current_content_hash(old, content)
        number = self.post_rows.last_revision(old.id)
        edit, why = old.edit, None
        if known_content is None:
            edit, why = self.edits.first_shown(old, post, number)
        elif known_content != content and not self.edits.is_other_form(old, post):
            edit, why = self.edits.next_shown(old, post)
        if why is not None:
            number += 1
            time = post.edited_at if why == "edited" else None
            self.post_rows.add_revision(rows, old.id, number, edit, why, match, content, time)
        if why == "edited":
            self.post_rows.add_event(rows, old.id, "edited")
            self.saved.edited += 1
        has_precedence = self.edits.has_precedence(old, edit)
        is_current = edit >= newest_edit(self.connection, old.id)
        if why is not None and not is_current:
            keep_attached(self.connection, old.id, number - 1, number)
        media_differ = self.post_rows.attachment_writer(rows, old.id, number).compare(
            post, has_precedence=has_precedence, is_current=is_current
        )
        is_changed = known_content != content or media_differ or edit != old.edit
        if is_changed or self._has_source_changed(old, post):
            visibility = self.post_rows.visibility(old.id)
            self._update_post(old, match, edit, is_edit=why == "edited")
            if old.is_known_to_source:  # another source may have another word for the same
                self.post_rows.add_visibility_event(rows, old.id, visibility)
        for alias in dict.fromkeys(post.aliases):
            insert_new(
                self.connection, "post_aliases", post_id=old.id, scheme=alias.scheme,
                value=alias.value,
            )  # fmt: skip
        return edit

    def _has_source_changed(self, old: StoredPost, post: Post) -> bool:
        """Whether the columns of the post differ from those that this source had before."""
        if old.sources + (not old.is_known_to_source) < 2:
            return self.post_rows.columns_differ(old.id, post)
        query = f"SELECT said FROM post_sources WHERE {_OF_SOURCE}"
        where = (old.id, self.context.source)
        existing = self.connection.execute(query, where).fetchone()[0]
        return bool(existing != content_json(post_columns(post)))

    def _update_post(self, old: StoredPost, match: Match, edit: int, *, is_edit: bool) -> None:
        """Update the row of the post: from this source alone, or merged from all of them."""
        post, record = match.post, match.record
        if old.sources + (not old.is_known_to_source) < 2:
            update(
                self.connection, "post_sources", _OF_SOURCE, (old.id, self.context.source),
                edit=edit,
            )  # fmt: skip
            values = post_columns(post) | {"raw": self.context.record_text(record)}
            self.post_rows.write_post(old.id, values, post, is_edit=is_edit)
            self.post_rows.replace_relations(old.id, post)
            return
        update(
            self.connection, "post_sources", _OF_SOURCE, (old.id, self.context.source),
            edit=edit, said=content_json(post_columns(post)), raw=self.context.record_text(record),
        )  # fmt: skip
        ordered = by_precedence(contents_by_source(self.connection, old.id), self.context.ranks)
        values = merged(ordered)
        texts = (values["title"], values["text"], *(values["alt_texts"] or "").splitlines())
        values["search_text"] = folded_column(texts)
        self.post_rows.write_post(old.id, values, post, is_edit=is_edit)
        set_leading_record(self.connection, old.id, ordered[0])
        if ordered[0].source == self.context.source or not self.post_rows.has_relations(old.id):
            self.post_rows.replace_relations(old.id, post)
