"""Saving one page in one transaction: posts with their attachments, coverage, the response."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import anyio
from msgspec import Struct

from archiver.archive import runs
from archiver.archive.answers import without_ids, without_records
from archiver.archive.coverage import CoverageTracker
from archiver.archive.coverage_rows import save_decision
from archiver.archive.database import transaction
from archiver.archive.identity import lookup_ids
from archiver.archive.parse_context import ParseContext
from archiver.archive.post_sources import UnchangedPost, edit_times, find_unchanged
from archiver.archive.posts import PostWriter
from archiver.archive.rows import insert
from archiver.archive.tombstones import is_erased_id
from archiver.backup.account_reader import AccountReader
from archiver.backup.context import RunContext
from archiver.errors import RateLimited, RecordError, SourceDown, SourceError
from archiver.human import counted
from archiver.models import Attachment, Metric, Page, Post, Record, Response, Version
from archiver.reasons import Choice
from archiver.report import AccountReport
from archiver.secrets import redact


@dataclass(slots=True)
class ParsedPage:
    """The records of a page: unchanged since they were saved, parsed, or unreadable.

    `shown` are the posts of the first two kinds in page order; `unchanged` are ids; `versions` are
    the earlier ones of a post, oldest first, by its id.
    """

    unchanged: frozenset[str]
    shown: list[Post | UnchangedPost] = field(default_factory=list)
    entries: list[tuple[Record, Post]] = field(default_factory=list)
    unreadable: list[tuple[Record, str]] = field(default_factory=list)
    versions: dict[str, list[tuple[Version, Post]]] = field(default_factory=dict)


class _ErasedOnPage(Struct, frozen=True):
    """The posts on a page that were erased: their ids, and by what their records are found."""

    ids: frozenset[str]
    names: frozenset[str]
    texts: frozenset[str]
    platform: str

    @classmethod
    def of(
        cls, writer: PostWriter, parsed: ParsedPage, unread: Iterable[str | None]
    ) -> "_ErasedOnPage":
        """Those of a page; in a transaction. `unread` are the ids of its unreadable records."""
        ids = writer.erased(post for _, post in parsed.entries)
        posts = [post for _, post in parsed.entries if post.platform_id in ids]
        ids |= {
            name for name in filter(None, unread)
            if is_erased_id(writer.connection, writer.platform, name)
        }  # fmt: skip
        names = {name for post in posts for name in (post.platform_id, *lookup_ids(post))}
        texts = {
            text for post in posts
            for text in (post.text, post.title, *(one.alt_text for one in post.attachments)) if text
        }  # fmt: skip
        return cls(ids, ids | names, frozenset(texts), writer.platform)

    def without(self, response: Response) -> Response | None:
        """An answer without the records of these posts; None where they cannot be taken out."""
        left, _ = self._cut(response.body)
        return None if left is None else replace(response, body=left)

    def _cut(self, body: bytes) -> tuple[bytes | None, int]:
        return without_records(body, self.names, self.texts) if self.ids else (body, 0)

    def keep_response(
        self, connection: sqlite3.Connection, response_id: int, run_id: int, account_id: int,
        response: Response, now: str,
    ) -> None:  # fmt: skip
        """Keep an answer without the records of these posts, and say so.

        Its address and headers may name others that were erased, such as the last one before it.
        """

        def is_erased(name: str) -> bool:
            return is_erased_id(connection, self.platform, name)

        left, taken = self._cut(response.body)
        headers = {name: without_ids(value, is_erased) for name, value in response.headers.items()}
        kept = replace(
            response, url=without_ids(response.url, is_erased), headers=headers, body=left or b""
        )
        runs.keep_response(connection, response_id, run_id, account_id, kept)
        if left != response.body:
            insert(
                connection, "response_cuts", response_id=response_id, erasure_id=None, at=now,
                records=0 if left is None else taken,
            )  # fmt: skip


class PageSaver(Struct, frozen=True):
    """Saves the pages of one account, and counts the changes in its report."""

    run: RunContext
    reader: AccountReader
    account_id: int
    keep_responses: str
    choose: Callable[[Attachment], Sequence[Choice]]
    report: AccountReport
    ranks: Mapping[str, str]

    async def save(self, tracker: CoverageTracker, page: Page) -> None:
        """Save a page, completely even if the run is stopped meanwhile."""
        context = self._parse_context()
        with anyio.CancelScope(shield=True):
            unchanged = await self._find_unchanged(page, context)
            parsed = self._parse(page, unchanged)
        await self._ask_for_history(parsed, context)
        with anyio.CancelScope(shield=True):
            await self.run.database.call(self._write, tracker, page, parsed, context)

    async def save_metrics(self, numbers: Mapping[str, Sequence[Metric]]) -> None:
        """Save metrics of posts, by their ids, even if the run is stopped meanwhile."""

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                writer = PostWriter(
                    connection, self.account_id, self.reader.account.platform, self.run.run_id,
                    self._parse_context(), self.run.now(),
                )  # fmt: skip
                writer.save_metrics(numbers)

        with anyio.CancelScope(shield=True):
            await self.run.database.call(write)

    async def _ask_for_history(self, parsed: ParsedPage, context: ParseContext) -> None:
        """Fetch the earlier versions of those posts that were edited since the last scan."""
        edited = {post.platform_id: post.edited_at for _, post in parsed.entries if post.edited_at}
        if not edited or not self.reader.has_history:
            return
        known = await self.run.database.call(
            edit_times, self.account_id, context.source, list(edited)
        )
        for platform_id, edited_at in edited.items():
            if known.get(platform_id) == edited_at:
                continue
            try:
                parsed.versions[platform_id] = await self.reader.history(platform_id)
            except (SourceDown, RateLimited) as error:
                self.report.note(f"Not all earlier versions could be fetched: {redact(error.what)}")
                return
            except SourceError as error:
                self.report.note(
                    f"Earlier versions of a post could not be fetched: {redact(error.what)}"
                )

    def _parse_context(self) -> ParseContext:
        return ParseContext(
            self.reader.account.source, self.reader.platform.content_version, self.reader.read,
            self.choose, self.reader.view, self.reader.fingerprint, self.ranks,
            record_text=self.reader.record_text,
        )  # fmt: skip

    async def _find_unchanged(
        self, page: Page, context: ParseContext
    ) -> Mapping[int, UnchangedPost]:
        """The records that were saved before with the same bytes, by their index on the page."""
        if context.reader is None:
            return {}
        ids = self.reader.record_ids(page.records)
        return await self.run.database.call(
            find_unchanged, self.account_id, context.source, page.records, ids,
            reader=context.reader, view=context.view, now=self.run.now(),
        )  # fmt: skip

    def _parse(self, page: Page, unchanged: Mapping[int, UnchangedPost]) -> ParsedPage:
        """Parse the records of a page, except those that are unchanged."""
        parsed = ParsedPage(frozenset(post.platform_id for post in unchanged.values()))
        for index, record in enumerate(page.records):
            post: Post | UnchangedPost | None = unchanged.get(index)
            if post is None:
                try:
                    post = self.reader.read(record.data)
                except RecordError as error:
                    parsed.unreadable.append((record, redact(str(error))))
                    continue
                parsed.entries.append((record, post))
            parsed.shown.append(post)
        if any(post.platform_id in parsed.unchanged for _, post in parsed.entries):
            return self._parse(page, {})  # one post twice: both have to be compared, in order
        return parsed

    def _write(
        self, connection: sqlite3.Connection, tracker: CoverageTracker, page: Page,
        parsed: ParsedPage, context: ParseContext,
    ) -> None:  # fmt: skip
        """Write a page in one transaction."""
        now = self.run.now()
        run_id, account_id = self.run.run_id, self.account_id
        with transaction(connection):
            response_id = runs.new_response_id(connection)
            is_kept = page.response is not None and self.keep_responses != "none"
            writer = PostWriter(
                connection, account_id, self.reader.account.platform, run_id, context, now,
                response_id if is_kept else None,
            )  # fmt: skip
            for _, current in parsed.entries:
                if versions := parsed.versions.get(current.platform_id):
                    writer.add_versions(current, versions)
            saved = writer.save(parsed.entries) if parsed.entries else writer.saved
            unread = self.reader.record_ids([record for record, _ in parsed.unreadable])
            erased = _ErasedOnPage.of(writer, parsed, unread)
            quarantined = sum(
                runs.quarantine(connection, run_id, account_id, record, reason)
                for (record, reason), name in zip(parsed.unreadable, unread, strict=True)
                if name not in erased.ids
            )
            decision = tracker.advance(
                page, parsed.shown, writer.existing_ids | parsed.unchanged, unread
            )
            save_decision(connection, account_id, context.source, decision, run_id)
            if page.response is not None and is_kept and (
                self.keep_responses == "all" or saved.is_worth_keeping() or quarantined
            ):  # fmt: skip
                erased.keep_response(
                    connection, response_id, run_id, account_id, page.response, now
                )
            for response in map(erased.without, page.evidence):
                if response is not None:
                    runs.keep_evidence(connection, run_id, account_id, response)
        counts = self.report.counts
        counts.got += len(page.records)
        counts.new += saved.new
        counts.edited += saved.edited
        counts.omitted += saved.omitted
        self.report.restored += saved.restored
        unmapped = Counter([tuple(post.unmapped) for post in parsed.shown if post.unmapped])
        for paths, records in unmapped.items():
            self.report.add_unmapped(paths, records)
        if erased.ids:
            self.report.note("Posts that were erased are shown again, and left out")
        if quarantined:
            words = "it is" if quarantined == 1 else "they are"
            self.report.warn(
                f"{counted(quarantined, 'record')} could not be read; {words} in quarantine"
            )
