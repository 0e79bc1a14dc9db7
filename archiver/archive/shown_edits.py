"""Which edit of a post a source shows, by its record and by what is known of the post."""

import json
import sqlite3

from msgspec import Struct

from archiver.archive.edits import (
    is_worded_differently,
    is_worded_since,
    newest_edit,
    newest_edit_with_wording,
    next_edit_with_wording,
)
from archiver.archive.merging import SourceContent, by_precedence, contents_by_source
from archiver.archive.parse_context import ParseContext
from archiver.archive.stored_posts import StoredPost
from archiver.archive.wording import is_same_wording, wording_of, wording_sha256
from archiver.canonical import attachment_keys, content_sha256
from archiver.errors import RecordError
from archiver.models import Post


class ShownEdits(Struct, frozen=True):
    """Tells which edit the records of one source show."""

    connection: sqlite3.Connection
    context: ParseContext

    def has_revision(self, old: StoredPost | None, post: Post) -> bool:
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

    def current_content_hash(self, old: StoredPost, content: str) -> str | None:
        """The hash of the stored content, as the current code computes it.

        Before a difference from `content` counts as an edit, the stored record is parsed again: a
        changed reader, or another rule for media keys, is no edit.
        """
        if old.content_sha256 in {None, content}:
            return old.content_sha256
        return self._hash_with_current_reader(self._record_of(old), old.content_sha256)

    def _hash_with_current_reader(self, raw: str, existing: str | None) -> str | None:
        """The hash of a stored record's content; `existing` where it can no longer be parsed."""
        try:
            return content_sha256(self.context.reread(json.loads(raw)))
        except (RecordError, ValueError):
            return existing

    def _record_of(self, old: StoredPost) -> str:
        """The record of a post that this source showed last."""
        query = """
            SELECT coalesce(post_sources.raw, posts.raw) FROM posts
              JOIN post_sources ON post_id = posts.id AND source = ? WHERE posts.id = ?
        """
        where = (self.context.source, old.id)
        raw: str = self.connection.execute(query, where).fetchone()[0]
        return raw

    def is_other_form(self, old: StoredPost, post: Post) -> bool:
        """Whether an export only writes the post in another form than an earlier export did."""
        if self.context.as_of is None:
            return False
        try:
            before = self.context.reread(json.loads(self._record_of(old)))
        except (RecordError, ValueError):
            return False
        earlier, now = (wording_of(each.title, each.text) for each in (before, post))
        return is_same_wording(earlier, now) and not _has_other_alt_texts(before, post)

    def first_shown(self, old: StoredPost, post: Post, number: int) -> tuple[int, str | None]:
        """The edit that a source's first content of a post shows, and why to keep a revision.

        It is never a new edit: at most another wording of a known one.
        """
        if not number:
            return 0, "first"
        known = newest_edit_with_wording(self.connection, old.id, wording_sha256(post))
        if known is not None:
            return known, None
        return newest_edit(self.connection, old.id), "other_source"

    def next_shown(self, old: StoredPost, post: Post) -> tuple[int, str | None]:
        """The edit that a source shows after its content changed, and why to keep a revision.

        It may have caught up with an edit that another source showed before.
        """
        newest, source = newest_edit(self.connection, old.id), self.context.source
        if newest > old.edit and newest > (shown := self._shown_before(old, post)):
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

    def _shown_before(self, old: StoredPost, post: Post) -> int:
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

    def has_precedence(self, old: StoredPost, edit: int) -> bool:
        """Whether this source has precedence over all others of the post."""
        if old.sources + (not old.is_known_to_source) < 2:
            return True
        own = SourceContent(self.context.source, edit, None, None)
        others = [s for s in contents_by_source(self.connection, old.id) if s.source != own.source]
        return by_precedence([own, *others], self.context.ranks)[0] == own


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
