"""Saving the attachments of a post, and the renditions that the source offers.

An attachment is known by (post, key) and a rendition by (attachment, role, media key), so moved
positions, rotated hosts and fresh signatures change nothing and fetch nothing twice.
"""

import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from archiver.archive import playlists
from archiver.archive.hashed_rows import clean_row, clean_text
from archiver.archive.queue import GIVEN_ELSEWHERE, IS_DUE, due_parameters
from archiver.archive.row_objects import mappings, objects
from archiver.archive.rows import Rows, insert_new, update, update_row
from archiver.archive.wording import comparable_kind
from archiver.canonical import attachment_keys, media_key
from archiver.models import Attachment, Metric, Post, Rendition
from archiver.reasons import Choice, Reason, columns

_REPLACED = Reason("replaced", "the source offers another file in this role now")
_OTHER_SOURCE = Reason("other_source", "the same file is available from another source")
_AVAILABLE = frozenset({"stored", "pending", "failed"})
_FILE_ROLES = frozenset({"original", "variant"})
_STATE = ("id", "omitted", "last_revision")
_COPYRIGHT = Reason("copyright", "copyright")
_UNFINISHED = frozenset({"pending", "failed"})
_LONG_ID = 32  # characters
_SEPARATORS = re.compile(r"[^0-9A-Za-z_-]+")
_COLUMNS = (
    "position", "key", "kind", "platform_id", "alt_text", "width", "height", "duration_ms",
)  # fmt: skip


@dataclass(slots=True)
class SaveResult:
    """What saving a page changed.

    `matched_by_id` and `matched_by_rule` count posts of other sources that this source showed for
    the first time; `erased` those that were erased, and are not saved again.
    """

    new: int = 0
    edited: int = 0
    revisions: int = 0
    restored: int = 0
    omitted: int = 0
    media_restored: int = 0
    matched_by_id: int = 0
    matched_by_rule: int = 0
    erased: int = 0

    def is_worth_keeping(self) -> bool:
        """Whether the answer showed more than changed counters."""
        seen = self.new or self.revisions or self.restored
        return bool(seen or self.omitted or self.media_restored)


class ExistingRendition(Struct, frozen=True):
    """A rendition that the archive has."""

    id: int
    source: str
    role: str
    media_key: str
    state: str
    reason_code: str | None
    reason: str | None
    content_type: str | None
    url: str | None

    @property
    def is_available(self) -> bool:
        """Whether its own file is stored, or to be fetched: a film made of a playlist is not it."""
        is_hopeless = self.reason_code == "not_in_package"
        is_own = not playlists.is_offered_as(self.content_type)
        return self.state in _AVAILABLE and is_own and not is_hopeless

    @property
    def has_file(self) -> bool:
        """Whether bytes of it are stored: its own, or the playlist that is offered for it."""
        return self.state == "stored" or self.reason_code in playlists.CODES

    @property
    def is_kept(self) -> bool:
        """Whether it stays as it is while its source gives no file: a resolver tries it, or did."""
        was_tried = self.state in _UNFINISHED and self.url is None
        return self.has_file or (was_tried and self.reason_code != "no_address")


class AttachmentWriter(Struct, frozen=True):
    """Saves the attachments of one post, as of revision number `revision`."""

    connection: sqlite3.Connection
    rows: Rows
    account_id: int
    post_id: int
    source: str
    revision: int
    now: str
    choose: Callable[[Attachment], Sequence[Choice]]
    event: Callable[[str, int, Reason | None], None]
    metrics: Callable[[int, Iterable[Metric]], None]
    saved: SaveResult

    def add_all(self, post: Post) -> None:
        """Add the attachments of a new post."""
        keyed = zip(post.attachments, attachment_keys(post.attachments), strict=True)
        for position, (attachment, key) in enumerate(keyed):
            self._add(position, key, attachment, post)

    def ids(self, post: Post) -> list[int]:
        """The ids of the attachments of a post that was saved, in its order."""
        self.rows.write()
        by_key = {key: row["id"] for key, row in self._existing().items()}
        return [by_key[clean_text(key)] for key in attachment_keys(post.attachments)]

    def compare(self, post: Post, *, has_precedence: bool = True, is_current: bool = True) -> bool:
        """Bring the attachments of a known post up to date; returns whether anything differed.

        `has_precedence` says that this source has precedence over the others, `is_current` that
        it shows the newest edit. An attachment that another source showed first is recognised by
        its id, its position or its bytes.
        """
        existing, of_others = self._existing(), self._of_others()
        differ = False
        keys = [clean_text(key) for key in attachment_keys(post.attachments)]
        matched = (
            match_attachments(post.attachments, keys, existing, of_others) if of_others else {}
        )
        for position, (attachment, key) in enumerate(zip(post.attachments, keys, strict=True)):
            row = existing.get(key)
            if row is None and position in matched:
                row = self._link_to_source(key, *matched[position])
            if row is None:
                self._add(position, key, attachment, post)
                differ = True
            else:
                differ |= self._compare_row(
                    row, position, attachment, has_precedence=has_precedence
                )
                if is_current and row["last_revision"] != self.revision:
                    update_row(
                        self.connection, "attachments", row["id"], last_revision=self.revision
                    )
                differ |= self._compare_renditions(row, attachment, post)
        self._skip_detached(keys, existing)
        if is_current:
            self._keep_others(of_others, matched)
        return differ

    def _link_to_source(self, key: str, row: dict[str, Any], rule: str) -> dict[str, Any]:
        """Save the key that this source has for an attachment that another source showed first."""
        insert_new(
            self.connection, "attachment_sources", attachment_id=row["id"], source=self.source,
            key=key, matched_by=rule,
        )  # fmt: skip
        return row

    def _keep_others(
        self, of_others: Sequence[dict[str, Any]], matched: Mapping[int, tuple[dict[str, Any], str]]
    ) -> None:
        """Keep attachments that only other sources show, after a new revision by this one."""
        taken = {row["id"] for row, _ in matched.values()}
        newest = _newest(of_others)
        for row in of_others:
            if row["id"] not in taken and row["last_revision"] == newest < self.revision:
                update_row(self.connection, "attachments", row["id"], last_revision=self.revision)

    def _skip_detached(self, keys: Collection[str], existing: Mapping[str, dict[str, Any]]) -> None:
        """Skip waiting files that a newer reader no longer finds attached to the same content.

        What an edit has removed stays in the queue: it was published once.
        """
        for key, row in existing.items():
            if key not in keys and row["last_revision"] == self.revision:
                update(
                    self.connection, "renditions",
                    "attachment_id = ? AND source = ? AND state IN ('pending', 'failed')",
                    (row["id"], self.source), state="skipped", **columns(_REPLACED),
                    next_try_at=None,
                )  # fmt: skip

    def _existing(self) -> dict[str, dict[str, Any]]:
        """The attachments that this source has shown, by its own keys."""
        names = ", ".join(f"attachments.{name}" for name in (*_COLUMNS, *_STATE))
        query = f"""
            SELECT attachments.key AS own_key, {names} FROM attachments
             WHERE post_id = :post AND source = :source
             UNION ALL
            SELECT own.key, {names} FROM attachments
              JOIN attachment_sources AS own ON own.attachment_id = attachments.id
             WHERE post_id = :post AND own.source = :source
        """
        cursor = self.connection.execute(query, {"post": self.post_id, "source": self.source})
        return {row.pop("own_key"): row for row in mappings(cursor)}

    def _of_others(self) -> list[dict[str, Any]]:
        """The attachments that only other sources have shown, in order."""
        query = f"""
            SELECT {", ".join((*_COLUMNS, *_STATE))} FROM attachments
             WHERE post_id = :post AND source <> :source AND NOT EXISTS (
                 SELECT 1 FROM attachment_sources AS own
                  WHERE own.attachment_id = attachments.id AND own.source = :source)
             ORDER BY position, id
        """
        cursor = self.connection.execute(query, {"post": self.post_id, "source": self.source})
        rows = list(mappings(cursor))
        for row in rows:
            row["files"] = self._files_of(row["id"])
        return rows

    def _files_of(self, attachment_id: int) -> set[str]:
        """The known hashes of an attachment's own files."""
        query = """
            SELECT media_sha256, expected_sha256 FROM renditions
             WHERE attachment_id = ? AND role IN ('original', 'variant')
        """
        found = self.connection.execute(query, (attachment_id,)).fetchall()
        return {digest for row in found for digest in row if digest}

    def _add(self, position: int, key: str, attachment: Attachment, post: Post) -> None:
        attachment_id = self.rows.new_id("attachments")
        omitted = is_omitted(attachment)
        self.rows.add(
            "attachments", id=attachment_id, post_id=self.post_id,
            **_columns(position, key, attachment), source=self.source, omitted=int(omitted),
            first_revision=self.revision, last_revision=self.revision,
        )  # fmt: skip
        if omitted:
            self._note_omitted(attachment_id)
        self.metrics(attachment_id, attachment.metrics)
        for rendition, choice in self._with_choices(attachment):
            self._add_rendition(attachment_id, rendition, choice, post)

    def _compare_row(
        self,
        existing: dict[str, Any],
        position: int,
        attachment: Attachment,
        *,
        has_precedence: bool,
    ) -> bool:
        wanted = clean_row(_columns(position, existing["key"], attachment))
        if self._is_shared(existing):
            wanted = _without_blanks(existing, wanted, has_precedence=has_precedence)
        differs = any(existing[column] != value for column, value in wanted.items())
        if differs:
            update_row(self.connection, "attachments", existing["id"], **wanted)
        omitted = is_omitted(attachment)
        if omitted != bool(existing["omitted"]) and (has_precedence or not omitted):
            differs = True
            update_row(self.connection, "attachments", existing["id"], omitted=int(omitted))
            if omitted:
                self._note_omitted(existing["id"])
            else:
                self.saved.media_restored += 1
                self.event("media_restored", existing["id"], None)
        return differs

    def _is_shared(self, existing: Mapping[str, Any]) -> bool:
        """Whether several sources show an attachment."""
        query = "SELECT EXISTS (SELECT 1 FROM attachment_sources WHERE attachment_id = ?)"
        return bool(self.connection.execute(query, (existing["id"],)).fetchone()[0])

    def _note_omitted(self, attachment_id: int) -> None:
        self.saved.omitted += 1
        self.event("omitted", attachment_id, _COPYRIGHT)

    def _compare_renditions(
        self, existing: dict[str, Any], attachment: Attachment, post: Post
    ) -> bool:
        query = """
            SELECT id, source, role, media_key, state, reason_code, reason, content_type, url
              FROM renditions WHERE attachment_id = ?
        """
        every = list(objects(self.connection.execute(query, (existing["id"],)), ExistingRendition))
        rows = [row for row in every if row.source == self.source]
        others = [row for row in every if row.source != self.source]
        by_name = {(row.role, row.media_key): row for row in others}
        found = {(row.role, row.media_key): row for row in rows}
        differ = False
        for rendition, chosen in self._with_choices(attachment):
            choice = chosen
            name = (rendition.role, media_key(rendition))
            row = found.get(name)
            if others and row is None:
                same = by_name.get(name)
                if same is not None and same.state == "not_offered" and not rendition.absent:
                    differ = True
                    self._reset(same.id, rendition, choice, source=self.source)
                    continue  # another source only knows of the file that this one offers
                if same is not None or (rendition.absent and not rows):
                    continue  # another source offers this very file, or a file in its place
                if not rendition.member:  # the file of a package is at hand now, and never again
                    choice = _choice_beside(rendition, chosen, others)
            if rendition.absent == "not_offered" and _is_stored(rendition, others):
                choice = ("skipped", GIVEN_ELSEWHERE)
            if rendition.absent:
                differ |= self._mark_not_offered(existing["id"], rows, rendition, choice, post)
            elif row is not None and row.reason_code != _REPLACED.code:
                self._refresh(row, rendition, choice)
            else:
                differ = True
                absent = found.get((rendition.role, ""))
                self._save_offered(existing["id"], row or absent, rows, rendition, choice, post)
        return differ

    def _mark_not_offered(
        self,
        attachment_id: int,
        rows: Sequence[ExistingRendition],
        rendition: Rendition,
        choice: Choice,
        post: Post,
    ) -> bool:
        """Save that the source does not offer a file, or no longer; returns whether that is new.

        What is stored stays stored. The row of an absent file has the current reason; that a newer
        version of this program words it differently is no change.
        """
        key = media_key(rendition)
        of_role = [row for row in rows if row.role == rendition.role]
        if rendition.role == "variant":  # there may be several variants: each has a row of its own
            of_role = [row for row in of_role if row.media_key == key]
        if any(row.is_kept for row in of_role):
            return False
        if not of_role:
            self._add_rendition(attachment_id, rendition, choice, post)
            return True
        row = min(of_role, key=lambda row: (row.media_key != key, row.state not in _UNFINISHED))
        now = columns(choice[1])
        quotes = rendition.absent == "address_not_understood"  # its sentence has the address
        is_worded_alike = row.reason == now["reason"] or not quotes
        if is_worded_alike and (row.media_key, row.state, row.reason_code) == (
            key, choice[0], now["reason_code"],
        ):  # fmt: skip
            return False
        self._reset(row.id, rendition, choice)
        return True

    def _save_offered(
        self, attachment_id: int, row: ExistingRendition | None, rows: Sequence[ExistingRendition],
        rendition: Rendition, choice: Choice, post: Post,
    ) -> None:  # fmt: skip
        """Save a file that is newly offered, or again: it takes the row of an absent one."""
        if row is not None:
            self._reset(row.id, rendition, choice)
            return
        for other in rows:
            if other.role == rendition.role != "variant" and other.state in _UNFINISHED:
                update_row(
                    self.connection, "renditions", other.id, state="skipped", **columns(_REPLACED)
                )
        self._add_rendition(attachment_id, rendition, choice, post)

    def _reset(self, row_id: int, rendition: Rendition, choice: Choice, **more: str) -> None:
        update_row(
            self.connection, "renditions", row_id, media_key=media_key(rendition),
            **_offer_columns(rendition), state=choice[0], **columns(choice[1]), tries=0,
            next_try_at=None, **more,
        )  # fmt: skip

    def _refresh(self, row: ExistingRendition, rendition: Rendition, choice: Choice) -> None:
        """Save the newest address of a file that is still to be fetched; others keep theirs.

        What is not to be fetched at all, as a link's target, is not tried any more.
        """
        if row.state in _UNFINISHED and choice[1] and choice[1].code == "link_target":
            self._reset(row.id, rendition, choice)
            return
        if row.state in _UNFINISHED and rendition.url:
            url = clean_text(rendition.url)
            is_due = f"id = :id AND url IS NOT :url AND (state = 'pending' OR {IS_DUE})"
            parameters = {"id": row.id, "url": url, **due_parameters(self.now)}
            update(self.connection, "renditions", is_due, parameters, url=url)

    def _add_rendition(
        self, attachment_id: int, rendition: Rendition, choice: Choice, post: Post
    ) -> None:
        self.rows.add(
            "renditions", attachment_id=attachment_id, account_id=self.account_id,
            source=self.source, role=rendition.role, media_key=media_key(rendition),
            **_offer_columns(rendition), state=choice[0], **columns(choice[1]), tries=0,
            next_try_at=self.now if choice[0] == "failed" else None, published_at=post.created_at,
        )  # fmt: skip

    def _with_choices(self, attachment: Attachment) -> Iterable[tuple[Rendition, Choice]]:
        """Each file with its first state; one that is listed twice counts once."""
        seen = set()
        for rendition, choice in zip(attachment.renditions, self.choose(attachment), strict=True):
            identity = (rendition.role, media_key(rendition))
            if identity not in seen:
                seen.add(identity)
                yield rendition, choice


def keep_attached(connection: sqlite3.Connection, post_id: int, newest: int, number: int) -> None:
    """Let what is attached to the newest revision be so to that of `number`, which is added.

    It tells of an earlier content, and nothing of what is attached now.
    """
    where = "post_id = ? AND last_revision = ?"
    update(connection, "attachments", where, (post_id, newest), last_revision=number)


def match_attachments(
    attachments: Sequence[Attachment], keys: Sequence[str], existing: Collection[str],
    of_others: Sequence[dict[str, Any]],
) -> dict[int, tuple[dict[str, Any], str]]:  # fmt: skip
    """Which of other sources' attachments these are, by position, each with the rule that matched.

    By an id, also where it is only in the address of the other's file, else by the bytes of a file,
    else by position and kind where both sources have as many of the same kinds in the same order.
    """
    found: dict[int, tuple[dict[str, Any], str]] = {}
    free = list(of_others)
    new = [index for index, key in enumerate(keys) if key not in existing]
    for index in new:
        row, rule = _by_id_or_bytes(attachments[index], keys[index], free)
        if row is not None:
            found[index] = (row, rule)
            free.remove(row)
    rest = [index for index in new if index not in found]
    current = [row for row in free if (row["last_revision"] or 0) == _newest(free)]
    kinds = [comparable_kind(attachments[index].kind) for index in rest]
    if kinds == [comparable_kind(row["kind"]) for row in current]:
        found |= {index: (row, "position") for index, row in zip(rest, current, strict=True)}
    return found


def _by_id_or_bytes(
    attachment: Attachment, key: str, rows: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any] | None, str]:
    for row in rows:
        if key == row["key"] or attachment.platform_id == row["platform_id"] is not None:
            return row, "id"
        if _has_id(key, row["platform_id"]) or _has_id(row["key"], attachment.platform_id):
            return row, "id"
    hashes = {rendition.sha256 for rendition in attachment.renditions if rendition.sha256}
    for row in rows:
        if hashes & row["files"]:
            return row, "bytes"
    return None, ""


def _has_id(key: str, media_id: str | None) -> bool:
    """Whether an id is a part of a key, as hashes are in the addresses of a CDN.

    A short id proves nothing: another number may be written so.
    """
    is_long = media_id is not None and len(media_id) >= _LONG_ID
    return is_long and media_id in _SEPARATORS.split(key)


def _newest(rows: Sequence[Mapping[str, Any]]) -> int:
    return max((row["last_revision"] or 0 for row in rows), default=0)


def _without_blanks(
    existing: Mapping[str, Any], wanted: Mapping[str, Any], *, has_precedence: bool
) -> dict[str, Any]:
    """The columns of an attachment that several sources show: no value is replaced by NULL."""
    first, second = (wanted, existing) if has_precedence else (existing, wanted)
    return {name: second[name] if first[name] is None else first[name] for name in wanted}


def _choice_beside(
    rendition: Rendition, choice: Choice, others: Sequence[ExistingRendition]
) -> Choice:
    """The first state of a file where another source offers one for the same purpose."""
    roles = _roles_like(rendition)
    is_available = any(row.role in roles and row.is_available for row in others)
    return ("skipped", _OTHER_SOURCE) if choice[0] == "pending" and is_available else choice


def _is_stored(rendition: Rendition, others: Sequence[ExistingRendition]) -> bool:
    """Whether a file from another source is stored for the same purpose."""
    roles = _roles_like(rendition)
    return any(row.role in roles and row.state == "stored" for row in others)


def _roles_like(rendition: Rendition) -> Collection[str]:
    return _FILE_ROLES if rendition.role in _FILE_ROLES else {rendition.role}


def is_omitted(attachment: Attachment) -> bool:
    """Whether the platform withholds the attachment's own file."""
    return any(rendition.absent == "copyright" for rendition in attachment.renditions)


def _columns(position: int, key: str, attachment: Attachment) -> dict[str, Any]:
    return {
        "position": position,
        "key": key,
        "kind": attachment.kind,
        "platform_id": attachment.platform_id,
        "alt_text": attachment.alt_text,
        "width": attachment.width,
        "height": attachment.height,
        "duration_ms": attachment.duration_ms,
    }


def _offer_columns(rendition: Rendition) -> dict[str, Any]:
    return {
        "url": None if rendition.absent else rendition.url,
        "content_type": rendition.content_type,
        "width": rendition.width,
        "height": rendition.height,
        "bitrate": rendition.bitrate,
        "expected_sha256": rendition.sha256,
        "expected_size": rendition.size,
    }
