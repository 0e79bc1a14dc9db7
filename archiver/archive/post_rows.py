"""Writing the rows that belong to a post: revisions, events, metrics, relations, attachments."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from archiver.archive.absence import removing_source
from archiver.archive.account_pictures import queue_emoji
from archiver.archive.attachments import AttachmentWriter, SaveResult
from archiver.archive.hashed_rows import clean_text
from archiver.archive.identity import Match
from archiver.archive.merging import UNKNOWN
from archiver.archive.parse_context import ParseContext
from archiver.archive.rows import Rows, delete, update, update_row
from archiver.archive.search import earlier_column, folded_column
from archiver.archive.stored_posts import StoredPost
from archiver.archive.wording import wording_sha256
from archiver.models import Metric, Post
from archiver.reasons import Reason


class LatestMetricValue(NamedTuple):
    """The newest value of a metric."""

    value: int | float
    seen_at: str


class PostRows(Struct, frozen=True):
    """Writes rows of posts of one account in one run.

    New rows are added to `rows`, which the caller writes; known ones are updated at once.
    """

    connection: sqlite3.Connection
    account_id: int
    run_id: int
    context: ParseContext
    now: str
    response_id: int | None
    saved: SaveResult

    def add_event(
        self, rows: Rows, post_id: int, what: str, reason: Reason | None = None, *,
        text: str | None = None, attachment_id: int | None = None,
    ) -> None:  # fmt: skip
        """Add an event of a post, or of one of its attachments."""
        rows.add(
            "events", post_id=post_id, run_id=self.run_id, at=self.now, what=what,
            attachment_id=attachment_id, source=self.context.source,
            reason_code=reason.code if reason else None, reason=reason.text if reason else text,
        )  # fmt: skip

    def add_revision(
        self, rows: Rows, post_id: int, number: int, edit: int, why: str, match: Match,
        content: str, source_time: str | None = None,
    ) -> None:  # fmt: skip
        """Add a revision; `source_time` is when the source says that it was written."""
        self.saved.revisions += 1
        rows.add(
            "revisions", post_id=post_id, number=number, edit=edit, why=why, seen_at=self.now,
            run_id=self.run_id, response_id=self.response_id, source=self.context.source,
            content_version=self.context.content_version, content_sha256=content,
            source_time=source_time, wording_sha256=wording_sha256(match.post),
            raw=self.context.record_text(match.record),
        )  # fmt: skip

    def last_revision(self, post_id: int) -> int:
        """The number of the newest revision of a post; 0 where there is none."""
        query = "SELECT coalesce(max(number), 0) FROM revisions WHERE post_id = ?"
        number: int = self.connection.execute(query, (post_id,)).fetchone()[0]
        return number

    def add_source(
        self, rows: Rows, post_id: int, match: Match, source_columns: Mapping[str, Any]
    ) -> None:
        """Add what this source has shown of a post, for the first time."""
        rows.add(
            "post_sources", post_id=post_id, source=self.context.source,
            record_id=match.post.platform_id, matched_by=match.rule, first_seen_at=self.now,
            **source_columns,
        )  # fmt: skip

    def queue_emoji(self, post: Post) -> None:
        """Queue the pictures of the custom emoji of a post."""
        if post.emoji:
            source = self.context.source
            queue_emoji(self.connection, self.account_id, source, post.emoji, self.now)

    def latest_metrics(self, post_id: int) -> dict[int, dict[str, LatestMetricValue]]:
        """The newest value of each metric of a post and its attachments, up to the export."""
        query = """
            SELECT attachment_id, name, value, max(seen_at) FROM metrics
             WHERE post_id = :post AND (:as_of IS NULL OR seen_at <= :as_of)
             GROUP BY attachment_id, name
        """
        existing: dict[int, dict[str, LatestMetricValue]] = {}
        parameters = {"post": post_id, "as_of": self.context.as_of}
        for attachment_id, name, *number in self.connection.execute(query, parameters):
            existing.setdefault(attachment_id, {})[name] = LatestMetricValue(*number)
        return existing

    def compare_metrics(self, rows: Rows, post_id: int, post: Post) -> None:
        """Save the metrics of a post and of its attachments that differ from the newest ones."""
        existing = self.latest_metrics(post_id)
        self.add_metrics(rows, post_id, 0, post.metrics, existing.get(0, {}))
        ids = self.attachment_writer(rows, post_id, 0).ids(post)
        for attachment_id, attachment in zip(ids, post.attachments, strict=True):
            self.add_metrics(
                rows, post_id, attachment_id, attachment.metrics, existing.get(attachment_id, {})
            )

    def add_metrics(
        self, rows: Rows, post_id: int, attachment_id: int, metrics: Iterable[Metric],
        existing: Mapping[str, LatestMetricValue],
    ) -> None:  # fmt: skip
        """Save the metrics that differ from `existing`; those of the post have attachment id 0."""
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

    def attachment_writer(self, rows: Rows, post_id: int, revision: int) -> AttachmentWriter:
        """What writes the attachments of a post."""
        return AttachmentWriter(
            self.connection, rows, self.account_id, post_id, self.context.source, revision,
            self.now, self.context.choose,
            event=lambda what, attachment_id, reason: self.add_event(
                rows, post_id, what, reason, attachment_id=attachment_id
            ),
            metrics=lambda attachment_id, metrics: self.add_metrics(
                rows, post_id, attachment_id, metrics, {}
            ),
            saved=self.saved,
        )  # fmt: skip

    def add_relations(self, rows: Rows, post_id: int, post: Post) -> None:
        """Add the relations of a new post."""
        for relation in dict.fromkeys(post.relations):
            rows.add(
                "relations", post_id=post_id, kind=relation.kind,
                platform_id=relation.platform_id, url=relation.url,
            )  # fmt: skip

    def replace_relations(self, post_id: int, post: Post) -> None:
        """Replace the relations of a known post, where they differ."""
        existing = self.connection.execute(
            "SELECT kind, platform_id, url FROM relations WHERE post_id = ? ORDER BY id", (post_id,)
        ).fetchall()
        new = [(r.kind, r.platform_id, r.url) for r in dict.fromkeys(post.relations)]
        if existing != new:
            delete(self.connection, "relations", "post_id = ?", (post_id,))
            rows = Rows(self.connection)
            self.add_relations(rows, post_id, post)
            rows.write()

    def has_relations(self, post_id: int) -> bool:
        """Whether a post has relations."""
        query = "SELECT 1 FROM relations WHERE post_id = ?"
        return self.connection.execute(query, (post_id,)).fetchone() is not None

    def write_post(
        self, post_id: int, values: dict[str, Any], post: Post, *, is_edit: bool
    ) -> None:
        """Update the row of a post; an edit keeps the words that it had, for the search."""
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

    def columns_differ(self, post_id: int, post: Post) -> bool:
        """Whether the row of a post differs from its record, but for the time of an edit."""
        new = post_columns(post)
        new.pop("edited_at")
        names = ", ".join(new)
        row = self.connection.execute(
            f"SELECT {names} FROM posts WHERE id = ?",
            (post_id,),
        ).fetchone()
        return tuple(row) != tuple(
            clean_text(value) if isinstance(value, str) else value for value in new.values()
        )

    def update_visibility(self, rows: Rows, post_id: int, post: Post) -> bool:
        """Save the visibility that an answer without content has; returns whether it changed.

        An answer without a visibility changes nothing.
        """
        if post.visibility is None:
            return False
        visibility = clean_text(post.visibility)
        before = self.visibility(post_id)
        if before == visibility:
            return False
        update_row(self.connection, "posts", post_id, visibility=visibility, last_seen_at=self.now)
        self.add_visibility_event(rows, post_id, before)
        return True

    def visibility(self, post_id: int) -> str | None:
        """The visibility of a post, where it is known."""
        query = "SELECT visibility FROM posts WHERE id = ?"
        visibility: str | None = self.connection.execute(query, (post_id,)).fetchone()[0]
        return visibility

    def add_visibility_event(self, rows: Rows, post_id: int, before: str | None) -> None:
        """Add an event if the visibility of a post differs from what it was.

        A visibility that was not known, or is not known any more, is no change.
        """
        now = self.visibility(post_id)
        if before != now and not {None, UNKNOWN} & {before, now}:
            self.add_event(rows, post_id, "visibility_changed", text=f"{before} → {now}")

    def restore_shown(self, rows: Rows, old: StoredPost, post: Post) -> None:
        """Restore a post that was removed, or missing from its only source."""
        if old.missing_at is None or old.removed_at is not None or old.sources > 1:
            self.restore_if_removed(rows, old, post)
        else:
            self.restore(rows, old.id, f"missing since {old.missing_at}")

    def restore_if_removed(self, rows: Rows, old: StoredPost, post: Post) -> None:
        """Restore a removed post that this source shows, unless one of higher rank removed it.

        An export shows only that the post was there when the export was made.
        """
        source, ranks = self.context.source, self.context.ranks
        if old.removed_at is None or post.removed_at is not None:
            return
        if self.context.as_of is not None and self.context.as_of < old.removed_at:
            return
        if removing_source(self.connection, old.id, source, ranks) is None:
            self.restore(rows, old.id, f"missing since {old.removed_at}")

    def restore(self, rows: Rows, post_id: int, reason: str) -> None:
        """Mark a post as shown again."""
        self.saved.restored += 1
        self.add_event(rows, post_id, "restored", text=reason)
        update_row(self.connection, "posts", post_id, removed_at=None, last_seen_at=self.now)


def post_columns(post: Post) -> dict[str, Any]:
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
