"""Backing up one account: how far to scan, and what follows from the scan."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import anyio

from archiver.archive import runs
from archiver.archive.absence import Scan, mark_absent
from archiver.archive.coverage import CoverageRange, CoverageTracker, Decision, story_range
from archiver.archive.coverage_rows import coverage_ranges, save_decision, save_range
from archiver.archive.damage import damaged_row
from archiver.archive.post_sources import shown_ids
from archiver.backup.account_reader import AccountReader
from archiver.backup.clocks import clock_offset
from archiver.backup.context import RunContext
from archiver.backup.due import is_full_scan_due
from archiver.backup.options import BackupOptions
from archiver.backup.page_saver import PageSaver
from archiver.errors import AccountGone, ArchiverError, SourceDown, SourceError, StorageError
from archiver.models import Attachment, Identity, Page, Window, timestamp
from archiver.reasons import Choice, Reason
from archiver.report import AccountReport
from archiver.secrets import redact
from archiver.settings import ArchiveSettings

_MAX_PATHS_SHOWN = 5
_RECENT = timedelta(days=30)  # metrics of newer posts are fetched in every run
_MAX_FRESH = timedelta(days=2)  # a longer time was set by a wrong clock


@dataclass(slots=True)
class AccountBackup:
    """The backup of one account through one source in one run.

    `other_labels` are those of the other accounts of its platform in the config, `ranks` those of
    all sources. `clock_offset` is how far this machine's clock is ahead of the source's.
    """

    run: RunContext
    reader: AccountReader
    options: BackupOptions
    settings: ArchiveSettings
    choose: Callable[[Attachment], Sequence[Choice]]
    report: AccountReport
    on_saved: Callable[["AccountBackup"], None]
    other_labels: Collection[str] = ()
    ranks: Mapping[str, str] = field(default_factory=dict)
    account_id: int | None = None
    clock_offset: timedelta | None = field(default=None, init=False)
    _has_known_limit: bool = field(default=False, init=False)
    _pages: int = field(default=0, init=False)
    _posts_shown: int = field(default=0, init=False)
    _known: runs.LastScan = field(default_factory=runs.LastScan, init=False)
    _version: str | None = field(default=None, init=False)
    _page_version: str | None = field(default=None, init=False)
    _updated_at: str | None = field(default=None, init=False)
    _fresh_until: str | None = field(default=None, init=False)

    async def back_up(self) -> None:
        """Scan the account, and save the result in the run.

        A damaged row of it fails this account alone. Raises StorageError for errors of the disk.
        """
        account = self.reader.account
        await self.run.database.call(
            runs.begin_account, self.run.run_id, account.name, account.source, self.run.now()
        )
        is_over = False
        try:
            await self._scan()
            is_over = True
        except StorageError as error:
            if error.code != "damaged":
                raise
            self.report.fail(error)
            is_over = True
        except AccountGone as error:
            self._report_away(error)
            is_over = True
        except ArchiverError as error:
            self.report.fail(error)
            is_over = True
        except Exception as error:
            if isinstance(error, OSError):
                raise
            why = await self.run.database.call(damaged_row, error)
            if why is None:
                raise
            self.report.fail(self._damaged(why))
            is_over = True
        finally:
            with anyio.CancelScope(shield=True):
                await self._end("interrupted" if not is_over else self.report.outcome)

    async def _scan(self) -> None:
        database, account = self.run.database, self.reader.account
        source = account.source
        self.account_id = await database.call(runs.account_id_of, account)
        known = self._known
        if self.account_id is not None:
            known = self._known = await database.call(runs.last_scan, self.account_id, source)
            if await self._is_fresh(known):
                self.report.outcome = "fresh"
                self.report.note(
                    f"Nothing new is expected before {known.fresh_until}; --now asks anyway"
                )
                return
        self._report_progress()
        self.account_id = await self._claim(await self.reader.identify())
        lost_cursor = await self._resume_scans()
        full = self.options.full or lost_cursor or self._is_full_due(known)
        if known.view not in {None, self.reader.view}:
            full = True
            self.report.note("Options or login have changed: all posts are scanned again")
        self.report.full = full
        ranges = await database.call(coverage_ranges, self.account_id, source)
        self._has_known_limit = any(_ends_at_limit(range_) for range_ in ranges)
        tracker = CoverageTracker(ranges, self.run.clock.now(), full=full)
        window = Window(
            since=self.options.since, limit=self.options.limit,
            is_full=full,
            version=known.version,
        )  # fmt: skip
        await self._scan_pages(tracker, window, may_be_empty=not known.has_posts)
        await self._finish_scan(tracker)
        await self._ask_for_metrics()
        await self._report_unmapped(self.account_id)

    async def _claim(self, identity: Identity | None) -> int:
        """Check the account's identity and save its current names; returns the id of its row.

        Raises AccessRefused, DuplicateAccount.
        """
        database, reader = self.run.database, self.reader
        account_id = await database.call(
            runs.claim_account,
            reader.account,
            identity,
            self.run.now(),
            self.other_labels,
            self.ranks,
        )
        if identity is not None and identity.moved_to:
            who = identity.handle or reader.account.name
            moved = f"{who} has moved to {identity.moved_to}: name that account too"
            self.report.note_once(moved, self._known.message)
        platform_id = await database.call(runs.platform_id_of, reader.account)
        reader.account = replace(reader.account, platform_id=platform_id)
        return account_id

    # How far to scan

    async def _is_fresh(self, known: runs.LastScan) -> bool:
        now = self.run.now()
        if self.options.now or known.fresh_until is None or known.fresh_until <= now:
            return False
        latest = timestamp(self.run.clock.now() + _MAX_FRESH)
        is_believed = latest is not None and known.fresh_until <= latest
        return is_believed and await self._next_unfinished_range() is None

    def _is_full_due(self, known: runs.LastScan) -> bool:
        if known.last_full_at is None:
            return True
        if self.options.due:
            account, every = self.reader.account, self.settings.full_every
            name = f"{account.platform} {account.name} {account.source}"
            return is_full_scan_due(name, known.last_full_at, every, self.run.clock.now())
        due = timestamp(self.run.clock.now() - self.settings.full_every)
        # a scan dated in the future was made under a wrong clock
        return due is not None and not due < known.last_full_at <= self.run.now()

    async def _next_unfinished_range(self, tried: Collection[int] = ()) -> CoverageRange | None:
        """The newest range with an unfinished scan that this run may resume."""
        if self.account_id is None or self.options.limit is not None:
            return None
        since, source = self.options.since, self.reader.account.source
        for range_ in await self.run.database.call(coverage_ranges, self.account_id, source):
            is_wanted = since is None or (range_.oldest or "") > since
            if range_.next is not None and is_wanted and range_.id not in tried:
                return range_
        return None

    async def _resume_scans(self) -> bool:
        """Resume unfinished scans; returns whether the cursor of one of them is lost."""
        tried: set[int] = set()
        lost = False
        while (range_ := await self._next_unfinished_range(tried)) is not None:
            tried.add(range_.id)
            lost |= await self._resume(range_)
        return lost

    async def _resume(self, range_: CoverageRange) -> bool:
        """Resume a scan below a range; returns whether the source no longer accepts its cursor."""
        assert self.account_id is not None  # noqa: S101 — only accounts with a row have ranges
        self.report.note(f"Resumed an interrupted scan at {range_.oldest}")
        database, run_id, source = self.run.database, self.run.run_id, self.reader.account.source
        ranges = await database.call(coverage_ranges, self.account_id, source)
        tracker = CoverageTracker(ranges, self.run.clock.now(), resumed=range_)
        window = Window(cursor=range_.next, since=self.options.since)
        try:
            await self._scan_pages(tracker, window)
        except SourceDown:
            raise
        except SourceError as error:
            range_.next = None
            range_.reason = Reason("cursor_lost", redact(error.what))
            await database.call(save_range, self.account_id, source, "posts", range_, run_id)
        if range_.reason and range_.reason.code == "no_more_pages" and not tracker.seen:
            range_.next, range_.reason = None, Reason("cursor_lost", range_.reason.text)
            await database.call(save_range, self.account_id, source, "posts", range_, run_id)
        if (
            range_.reason
            and range_.reason.code == "cursor_lost"
            and not tracker.has_reached_known_range
        ):
            self.report.note(
                f"The saved cursor expired ({range_.reason.text}); rescanned from the newest post"
            )
            return True
        if not tracker.has_reached_known_range:
            self._warn_of_gap(tracker)
        return False

    async def _scan_pages(
        self, tracker: CoverageTracker, window: Window, *, may_be_empty: bool = True
    ) -> None:
        """Read pages until the scan is over; every page is saved before the next is asked for."""
        saver = self._saver()
        shown_before = self._posts_shown
        async with self.reader.pages(window) as next_page:
            while not tracker.is_over:
                self._pages += 1
                self._report_progress()
                page = await next_page()
                if page is None:
                    stopped = tracker.stop(Reason("no_more_pages", "the source gave no more pages"))
                    await self._save_decision(stopped)
                    break
                self._read_page_attributes(page)
                if not page.records and page.version is not None and page.version == window.version:
                    tracker.confirm()
                    break
                proves_absence = page.authoritative and page.reached_start
                if not (may_be_empty or proves_absence or page.records or tracker.seen):
                    self._warn_of_no_posts()
                    return
                may_be_empty = True
                if page.identity is not None:
                    await self._claim(page.identity)
                await saver.save(tracker, page)
                self._posts_shown = shown_before + len(tracker.seen)
                self.on_saved(self)
                await self._save_decision(self._stop_at_user_limit(tracker))

    def _report_progress(self) -> None:
        name = self.reader.account.name
        self.run.progress.scanning(name, max(1, self._pages), self._posts_shown)

    def _saver(self) -> PageSaver:
        assert self.account_id is not None  # noqa: S101 — scans begin after it is claimed
        return PageSaver(
            self.run, self.reader, self.account_id, self.settings.keep_responses, self.choose,
            self.report, self.ranks,
        )  # fmt: skip

    def _stop_at_user_limit(self, tracker: CoverageTracker) -> Decision:
        oldest, options = tracker.range_.oldest, self.options
        if options.limit is not None and len(tracker.seen) >= options.limit:
            return tracker.stop(Reason("asked_limit", f"--limit {options.limit}"))
        if options.since is not None and oldest is not None and oldest < options.since:
            return tracker.stop(Reason("asked_since", f"--since {options.since}"))
        return Decision()

    async def _save_decision(self, decision: Decision) -> None:
        if decision.range_ is not None and self.account_id is not None:
            with anyio.CancelScope(shield=True):
                await self.run.database.call(
                    save_decision,
                    self.account_id,
                    self.reader.account.source,
                    decision,
                    self.run.run_id,
                )

    # What follows from a scan

    async def _finish_scan(self, tracker: CoverageTracker) -> None:
        """Save what follows from a scan from the newest post: stories, missing posts, gaps."""
        self.report.complete = tracker.is_complete
        if tracker.is_complete and (tracker.has_covered_all or tracker.is_confirmed):
            self._version = self._page_version
        if not tracker.seen and not tracker.is_complete:
            return
        if "stories" in self.reader.platform.streams and not tracker.is_partial:
            await self._cover_stories()
        if tracker.is_complete and not tracker.is_confirmed:
            await self._mark_absent(tracker)
        is_known = tracker.has_reached_known_range and (
            not self.report.full or (_ends_at_limit(tracker.range_) and self._has_known_limit)
        )
        if self.options.full or not is_known:  # a known gap raises no alarm
            self._warn_of_gap(tracker)

    async def _ask_for_metrics(self) -> None:
        """Fetch the metrics of recent posts, or of all in a full scan, if records lack them."""
        assert self.account_id is not None  # noqa: S101 — scans begin after it is claimed
        if not self.reader.has_separate_metrics:
            return
        since = None if self.report.full else timestamp(self.run.clock.now() - _RECENT)
        saver = self._saver()
        ids = await self.run.database.call(
            shown_ids, self.account_id, self.reader.account.source, since
        )
        if not ids:
            return
        try:
            async with self.reader.metrics(ids) as next_batch:
                while (batch := await next_batch()) is not None:
                    await saver.save_metrics(batch)
        except SourceError as error:
            self.report.note(f"Not all metrics could be fetched: {error.what}")

    async def _cover_stories(self) -> None:
        assert self.account_id is not None  # noqa: S101 — scans begin after it is claimed
        database, source = self.run.database, self.reader.account.source
        # the source decides which stories are shown now: where the clocks differ, its time counts
        now = self.run.clock.now() - (self.clock_offset or timedelta())
        known = await database.call(coverage_ranges, self.account_id, source, "stories")
        range_ = story_range(known, now)
        await database.call(save_range, self.account_id, source, "stories", range_, self.run.run_id)

    async def _mark_absent(self, tracker: CoverageTracker) -> None:
        assert self.account_id is not None  # noqa: S101 — scans begin after it is claimed
        listing = self.reader.platform.listing
        if listing == "snapshot":
            return
        floor = tracker.floor()
        if listing == "newest" and floor is None:
            floor = tracker.range_.oldest or "9999"
        scan = Scan(
            self.reader.account.source, tracker.seen, floor, self._updated_at, self.reader.view,
            proves_absence=tracker.is_authoritative, recognised=tracker.recognised,
        )  # fmt: skip
        absent = await self.run.database.call(
            mark_absent, self.account_id, self.run.run_id, scan, self.run.now(),
            self.reader.absence_note, self.ranks,
        )  # fmt: skip
        self.report.missing = absent.missing
        self.report.counts.removed = absent.removed

    def _read_page_attributes(self, page: Page) -> None:
        """Read what a page says about the whole answer: notes, times, version."""
        for note in page.notes:
            self.report.note(note)
        if page.partial:
            self.report.warn("The source said that its answer was partial")
        if page.response is not None and self.clock_offset is None:
            self.clock_offset = clock_offset(page.response)
        self._page_version = page.version
        self._updated_at = self._updated_at or page.updated_at
        self._fresh_until = self._fresh_until or page.fresh_until

    def _warn_of_no_posts(self) -> None:
        self.report.warn(
            "The source shows no posts where there always were some: nothing was marked as "
            "removed. Is the account still linked and public?"
        )
        self._fresh_until = None

    def _warn_of_gap(self, tracker: CoverageTracker) -> None:
        range_ = tracker.range_
        if tracker.is_limited_by_source and range_.reason is not None:
            self.report.warn(
                f"Posts before {range_.oldest} are not available from the source: "
                f"{range_.reason.text}"
            )

    async def _report_unmapped(self, account_id: int) -> None:
        """Report fields that are unmapped for the first time."""
        if not self.report.unmapped_paths:
            return
        known = await self.run.database.call(runs.unmapped_paths, account_id)
        new = [path for path in self.report.unmapped_paths if path not in known]
        if new:
            more = f" and {len(new) - _MAX_PATHS_SHOWN} more" if len(new) > _MAX_PATHS_SHOWN else ""
            self.report.note(
                "Records have fields that this version does not read: "
                f"{', '.join(new[:_MAX_PATHS_SHOWN])}{more}. They are kept with the records"
            )

    def _report_away(self, error: AccountGone) -> None:
        """Report that the account is suspended, moved and so on: an error once, then a note."""
        if self._known.away != error.code:
            self.report.fail(error)
            return
        self.report.outcome = "away"
        self.report.away = error.code
        self.report.note(f"{error.what}, as it was before")

    def _message(self) -> str | None:
        """What the row of this run says for people."""
        return " ".join([*self.report.warnings, *self.report.standing]) or None

    def _damaged(self, why: str) -> StorageError:
        return StorageError(
            f"The data of {self.reader.account.name} in the archive is damaged",
            why=why,
            kept="Nothing was deleted, and the other accounts go on",
            hint="Run archiver verify --repair",
            code="damaged",
        )

    async def _end(self, outcome: str) -> None:
        report = self.report
        error = report.error
        values: dict[str, Any] = {
            "account_id": self.account_id,
            "finished_at": self.run.now(),
            "outcome": outcome,
            "error_code": error.code if error else self.report.away,
            "message": str(error) if error else self._message(),
            "full": int(report.full),
            "complete": int(report.complete),
            "source_version": self._version,
            "source_updated_at": self._updated_at,
            "fresh_until": self._fresh_until,
            "view": self.reader.view,
            "unmapped": report.unmapped,
            "unmapped_paths": json.dumps(paths) if (paths := report.unmapped_paths) else None,
            **report.counts.columns(),
        }
        await self.run.database.call(
            runs.end_account, self.run.run_id, self.reader.account.name,
            self.reader.account.source, values,
        )  # fmt: skip
        self.run.progress.scanned(self.reader.account.name, self._posts_shown)


def _ends_at_limit(range_: CoverageRange) -> bool:
    """Whether the range ends at a limit of the source, without a cursor to try."""
    return (
        range_.next is None and range_.reason is not None and range_.reason.code == "source_limit"
    )
