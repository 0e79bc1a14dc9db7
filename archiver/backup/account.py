"""One account's history into the archive, page by page."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

import anyio

from archiver.archive import coverage, runs
from archiver.archive.absence import Scan, mark_absent
from archiver.archive.coverage import was_asked
from archiver.archive.database import transaction
from archiver.archive.post_sources import UnchangedPost, find_unchanged
from archiver.archive.posts import ParseContext, PostWriter
from archiver.archive.soundness import damaged_row
from archiver.backup.clocks import clock_off
from archiver.backup.parser_fingerprint import parser_fingerprint
from archiver.backup.validation import (
    ContractViolation,
    validate_identity,
    validate_page,
    validate_post,
)
from archiver.backup.watchdog import Blocked, plugin_call
from archiver.clock import Clock
from archiver.errors import ArchiverError, RecordError, SourceDown, SourceError, StorageError
from archiver.hookspecs import Platform
from archiver.models import Account, Attachment, Page, Post, Record, Window, timestamp
from archiver.reasons import Choice, Reason
from archiver.report import AccountReport, Progress
from archiver.secrets import Secret, redact

_PATIENCE = 2 * 3600.0  # seconds for one page: longer than all waiting that a source may ask for
_PATHS_SAID = 5
_STALE_PAGES = 25  # so many pages without a new post are a circle
_LONGEST_FRESH = timedelta(days=2)  # no source is without news for longer: a clock was wrong


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """What the user asked of a run. `since` is a time in the archive's form."""

    names: tuple[str, ...] = ()
    full: bool = False
    now: bool = False
    since: str | None = None
    limit: int | None = None
    media: bool = True
    dry_run: bool = False


@dataclass(slots=True)
class _Read:
    """What became of a page's records: `known` by their bytes, read, or not to be read.

    `shown` are the posts of the first two kinds, in the order of the page.
    """

    known: frozenset[str]
    shown: list[Post | UnchangedPost] = field(default_factory=list)
    entries: list[tuple[Record, Post]] = field(default_factory=list)
    unreadable: list[tuple[Record, str]] = field(default_factory=list)


@dataclass(slots=True)
class AccountBackup:
    """The work on one account in one run. `clock_off` is how far our clock is off the source's."""

    connection: sqlite3.Connection
    run_id: int
    account: Account
    platform: Platform
    client: Any
    asked: BackupOptions
    full_every: timedelta
    keep_responses: str
    choose: Callable[[Attachment], Sequence[Choice]]
    clock: Clock
    progress: Progress
    report: AccountReport
    on_saved: Callable[[], None]
    account_id: int | None = None
    clock_off: timedelta | None = field(default=None, init=False)
    _updated_at: str | None = field(default=None, init=False)
    _fresh_until: str | None = field(default=None, init=False)

    async def run(self) -> None:
        """Look at the account, and note in the run how that went.

        A damaged row of it fails this account alone. Raises StorageError for what the disk does.
        """
        runs.begin_account(self.connection, self.run_id, self.account.name, self._now())
        outcome: dict[str, Any] = {"outcome": "interrupted"}
        try:
            await self._scan()
            outcome = {}
        except StorageError as error:
            if error.code != "damaged":
                raise
            self.report.fail(error)
            outcome = {}
        except ContractViolation as error:
            self.report.fail(self._failed(str(error)))
            outcome = {}
        except ArchiverError as error:
            self.report.fail(error)
            outcome = {}
        except Exception as error:
            if isinstance(error, OSError) or (why := damaged_row(self.connection)) is None:
                raise
            self.report.fail(self._damaged(why))
            outcome = {}
        finally:
            self._end(**outcome)

    @plugin_call
    def read(self, data: Any) -> Post:
        """A record as a post, whatever the plugin makes of it.

        Raises RecordError, also where the plugin fails on it: the record is kept, not the run lost.
        Raises SourceError where it blocks the run: it would do so on the next record too.
        """
        if not isinstance(data, dict):
            raise RecordError("The record is not a JSON object")
        try:
            post = self.platform.read(data, self.account)
        except ArchiverError:
            raise
        except Blocked as error:
            raise self._failed(f"Blocked: {error}") from error
        except BaseException as error:
            if not is_fault_of_plugin(error):
                raise
            raise RecordError(
                f"The {self.platform.name} reader failed: {type(error).__name__}"
            ) from error
        return validate_post(post)

    async def _scan(self) -> None:
        if self.report.error is not None:  # before the look, while settings were applied anew
            raise self.report.error
        self.account_id = runs.account_id_of(self.connection, self.account)
        known = runs.LastScan()
        if self.account_id is not None:
            known = runs.last_scan(self.connection, self.account_id)
            if self._is_fresh(known):
                self.report.outcome = "fresh"
                self.report.note(
                    f"Nothing new is expected before {known.fresh_until}; --now asks anyway"
                )
                return
        identity = validate_identity(
            await self.ask(lambda: self.platform.identify(self.client, self.account))
        )
        self.account_id = runs.claim_account(self.connection, self.account, identity, self._now())
        lost_its_place = await self._finish_walk()
        full = self.asked.full or lost_its_place or self._is_full_due(known)
        if known.view not in {None, self._view()}:
            full = True
            self.report.note("The options of this account have changed: looked at all there is")
        self.report.full = full
        tracker = self._new_walk(self.account_id, full=full)
        window = Window(since=self.asked.since, limit=self.asked.limit)
        await self._scan_pages(tracker, window, may_be_empty=not known.has_posts)
        self._after(tracker)
        self._speak_of_unmapped(self.account_id)

    def _is_fresh(self, known: runs.LastScan) -> bool:
        if self.asked.now or known.fresh_until is None or known.fresh_until <= self._now():
            return False
        latest = timestamp(self.clock.now() + _LONGEST_FRESH)
        return latest is not None and known.fresh_until <= latest and self._unfinished() is None

    def _is_full_due(self, known: runs.LastScan) -> bool:
        if known.last_full_at is None:
            return True
        due = timestamp(self.clock.now() - self.full_every)
        # a look in the future was one at a wrong time
        return due is not None and not due < known.last_full_at <= self._now()

    def _unfinished(self) -> coverage.CoverageRange | None:
        """The newest stretch whose walk was broken off, as far as this run may go on with it."""
        if self.account_id is None or self.asked.limit is not None:
            return None
        for range_ in coverage.coverage_ranges(
            self.connection, self.account_id, self.account.source
        ):
            is_wanted = self.asked.since is None or (range_.oldest or "") > self.asked.since
            if range_.next is not None and is_wanted:
                return range_
        return None

    async def _finish_walk(self) -> bool:
        """Go on where an earlier run was broken off; says whether that place is lost."""
        range_ = self._unfinished()
        if range_ is None or self.account_id is None:
            return False
        self.report.note(f"Resumed an interrupted scan at {range_.oldest}")
        tracker = self._new_walk(self.account_id, resumed=range_)
        try:
            await self._scan_pages(tracker, Window(cursor=range_.next, since=self.asked.since))
        except SourceDown:
            raise
        except SourceError as error:
            range_.next, range_.reason = None, Reason("cursor_lost", redact(error.what))
            with transaction(self.connection):
                coverage.save(
                    self.connection, self.account_id, self.account.source, "posts", range_,
                    self.run_id,
                )  # fmt: skip
        if tracker.is_partial or range_.reached_start or tracker.met or was_asked(range_):
            return False
        why = range_.reason.text if range_.reason else ""
        self.report.note(f"The saved cursor expired ({why}); rescanned from the newest post")
        return True

    def _new_walk(
        self, account_id: int, *, full: bool = False, resumed: coverage.CoverageRange | None = None
    ) -> coverage.CoverageTracker:
        return coverage.CoverageTracker(
            self.connection, account_id, self.account.source, self.run_id, self.clock.now(),
            full=full, resumed=resumed,
        )  # fmt: skip

    async def _scan_pages(
        self, tracker: coverage.CoverageTracker, window: Window, *, may_be_empty: bool = True
    ) -> None:
        """Read pages until the walk is over; every page is saved before the next is asked for."""
        stale = 0
        async with self._pages(window) as pages:
            while not tracker.is_over:
                page = validate_page(await self.ask(lambda: anext(pages, None)))
                if page is None:
                    tracker.stop(Reason("no_more_pages", "the source gave no more"))
                    break
                self._take_notes(page)
                if not may_be_empty and not page.records and not tracker.seen:
                    self._sound_alarm()
                    return
                before = len(tracker.seen)
                self._save(tracker, page)
                self._stop_where_asked(tracker)
                may_be_empty = True
                stale = 0 if len(tracker.seen) > before else stale + 1
                if stale >= _STALE_PAGES:
                    tracker.stop(Reason("repeated_pages", "the source repeats itself"))

    @asynccontextmanager
    async def _pages(self, window: Window) -> AsyncIterator[AsyncIterator[Any]]:
        """The plugin's pages, closed in the end where it gives something that can be closed."""

        @plugin_call
        async def begin() -> AsyncIterator[Any]:
            return aiter(self.platform.pages(self.client, self.account, window))

        pages = await self.ask(begin)
        try:
            yield pages
        finally:
            with anyio.CancelScope(shield=True):
                if close := getattr(pages, "aclose", None):
                    await self.ask(close)

    @plugin_call
    async def ask(self, question: Callable[[], Awaitable[Any]]) -> Any:
        """Ask a plugin, and turn whatever it raises into the failure of this account alone."""
        try:
            with anyio.fail_after(_PATIENCE):
                return await question()
        except ArchiverError:
            raise
        except BaseException as error:
            if not is_fault_of_plugin(error):
                raise
            raise self._failed(f"{type(error).__name__}: {error}") from error

    def _failed(self, why: str) -> SourceError:
        return SourceError(
            f"The plugin for {self.platform.name} failed",
            why=why,
            kept="What it gave before is saved",
            hint="Run with -v and report this to whoever makes the plugin",
            code="plugin",
        )

    def _damaged(self, why: str) -> StorageError:
        return StorageError(
            f"What is archived of {self.account.name} is damaged",
            why=why,
            kept="Nothing was deleted, and the other accounts go on",
            hint="Run archiver verify --repair",
            code="damaged",
        )

    def _take_notes(self, page: Page) -> None:
        for note in page.notes:
            self.report.note(note)
        if page.partial:
            self.report.warn("The source said that its answer was partial")
        if page.response is not None and self.clock_off is None:
            self.clock_off = clock_off(page.response)
        self._updated_at = self._updated_at or page.updated_at
        self._fresh_until = self._fresh_until or page.fresh_until

    def _sound_alarm(self) -> None:
        self.report.warn(
            "The source shows no posts where there always were some: nothing was marked as "
            "removed. Is the account still linked and public?"
        )
        self._fresh_until = None

    def _save(self, tracker: coverage.CoverageTracker, page: Page) -> None:
        """One page, in one transaction: posts and all that hangs on them, coverage, the answer."""
        assert self.account_id is not None  # noqa: S101 — walks begin after it is claimed
        now = self._now()
        reading = self._reading()
        read = self._read_all(page, self._find_known(page, reading, now))
        with transaction(self.connection):
            response_id = runs.new_response_id(self.connection)
            keeps = page.response is not None and self.keep_responses != "none"
            writer = PostWriter(
                self.connection, self.account_id, self.account.platform, self.run_id, reading,
                now, response_id if keeps else None,
            )  # fmt: skip
            saved = writer.save(read.entries)
            quarantined = sum(
                runs.quarantine(self.connection, self.run_id, self.account_id, record, reason)
                for record, reason in read.unreadable
            )
            tracker.page(page, read.shown, writer.existing_ids | read.known)
            tracker.note_unreadable(record.data for record, _ in read.unreadable)
            if page.response is not None and keeps and (
                self.keep_responses == "all" or saved.is_worth_keeping() or quarantined
            ):  # fmt: skip
                runs.keep_response(
                    self.connection, response_id, self.run_id, self.account_id, page.response
                )
        counts = self.report.counts
        counts.got += len(page.records)
        counts.new += saved.new
        counts.edited += saved.edited
        counts.omitted += saved.omitted
        self.report.restored += saved.restored
        if quarantined:
            self.report.warn(f"{quarantined} records could not be read; they are in quarantine")
        self.progress.account(self.account.name, len(page.records))
        self.on_saved()

    def _reading(self) -> ParseContext:
        return ParseContext(
            self.account.source, self.platform.content_version, self.read, self.choose,
            self._view(), parser_fingerprint(self.platform, self.account),
        )  # fmt: skip

    def _find_known(self, page: Page, reading: ParseContext, now: str) -> dict[int, UnchangedPost]:
        if reading.reader is None or self.account_id is None:
            return {}
        return find_unchanged(
            self.connection, self.account_id, reading.source, page.records,
            reader=reading.reader, view=reading.view, now=now,
        )  # fmt: skip

    def _read_all(self, page: Page, known: Mapping[int, UnchangedPost]) -> _Read:
        """Read the records of a page, but for those that are known by their bytes."""
        read = _Read(frozenset(post.platform_id for post in known.values()))
        for place, record in enumerate(page.records):
            post: Post | UnchangedPost | None = known.get(place)
            if post is None:
                try:
                    post = self.read(record.data)
                except RecordError as error:
                    read.unreadable.append((record, redact(str(error))))
                    continue
                read.entries.append((record, post))
            read.shown.append(post)
        if any(post.platform_id in read.known for _, post in read.entries):
            return self._read_all(page, {})  # one post twice: which came last is to be seen
        for post in read.shown:
            if post.unmapped:
                self.report.add_unmapped(post.unmapped)
        return read

    def _stop_where_asked(self, tracker: coverage.CoverageTracker) -> None:
        oldest = tracker.range_.oldest
        if self.asked.limit is not None and len(tracker.seen) >= self.asked.limit:
            tracker.stop(Reason("asked_limit", f"--limit {self.asked.limit}"))
        elif self.asked.since is not None and oldest is not None and oldest < self.asked.since:
            tracker.stop(Reason("asked_since", f"--since {self.asked.since}"))

    def _after(self, tracker: coverage.CoverageTracker) -> None:
        """What a look from the top tells beyond the posts that it showed."""
        assert self.account_id is not None  # noqa: S101 — walks begin after it is claimed
        self.report.complete = tracker.is_complete
        if not tracker.seen and not tracker.is_complete:
            return
        if "stories" in self.platform.streams and not tracker.is_partial:
            with transaction(self.connection):
                # what is up now is the source's word: where the clocks differ, its time counts
                now = self.clock.now() - (self.clock_off or timedelta())
                coverage.cover_stories(
                    self.connection, self.account_id, self.account.source, self.run_id, now
                )
        if tracker.is_complete:
            note = getattr(self.platform, "absence_note", None)
            note = note if isinstance(note, str) else None
            scan = Scan(
                self.account.source, tracker.seen, tracker.floor(), self._updated_at, self._view()
            )
            absent = mark_absent(
                self.connection, self.account_id, self.run_id, scan, self._now(), note
            )
            self.report.missing = absent.missing
            self.report.counts.removed = absent.removed
        self._speak_of_gap(tracker)

    def _speak_of_gap(self, tracker: coverage.CoverageTracker) -> None:
        reason = tracker.range_.reason
        if reason is None or tracker.met or was_asked(tracker.range_):
            return
        self.report.warn(
            f"Posts before {tracker.range_.oldest} are not available from the source: {reason.text}"
        )

    def _speak_of_unmapped(self, account_id: int) -> None:
        """Say once that a platform writes what it did not write before."""
        known = runs.unmapped_paths(self.connection, account_id)
        news = [path for path in self.report.unmapped_paths if path not in known]
        if news:
            more = f" and {len(news) - _PATHS_SAID} more" if len(news) > _PATHS_SAID else ""
            self.report.note(
                "Records have fields that this version does not read: "
                f"{', '.join(news[:_PATHS_SAID])}{more}. They are kept with the records"
            )

    def _end(self, **values: Any) -> None:
        report = self.report
        error = report.error
        runs.end_account(
            self.connection, self.run_id, self.account.name,
            **{
                "account_id": self.account_id,
                "finished_at": self._now(),
                "outcome": report.outcome,
                "error_code": error.code if error else None,
                "message": str(error) if error else " ".join(report.warnings) or None,
                "full": int(report.full),
                "complete": int(report.complete),
                "source_updated_at": self._updated_at,
                "fresh_until": self._fresh_until,
                "view": self._view(),
                "unmapped": report.unmapped,
                "unmapped_paths": json.dumps(paths) if (paths := report.unmapped_paths) else None,
                **report.counts.columns(),
                **values,
            },
        )  # fmt: skip

    def _view(self) -> str:
        """The options that may choose what the source shows; a key only says who asks."""
        options = self.account.options
        chosen = {
            option.name: value
            for option in fields(options)
            if not isinstance(value := getattr(options, option.name), Secret)
            and value not in (option.default, None)
        }
        return json.dumps(chosen, sort_keys=True, default=str)

    def _now(self) -> str:
        return timestamp(self.clock.now()) or ""


def is_fault_of_plugin(error: BaseException) -> bool:
    """Whether a plugin made this up: not when the user stops the run, or the run its tasks."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or not task.cancelling()
    return not isinstance(error, KeyboardInterrupt)
