"""One run, from the first row that it writes to the last."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import anyio
from anyio import to_thread

from archiver.archive import queue, runs
from archiver.archive.actions import record_settings
from archiver.archive.changes import (
    Change,
    ChangeCount,
    change_counts,
    changes_of,
    newest_event,
)
from archiver.archive.damage import damaged_row
from archiver.archive.same_files import merge_same_files
from archiver.backup.account import AccountBackup
from archiver.backup.account_reader import AccountReader
from archiver.backup.clocks import earlier_run_clock_note, source_clock_note
from archiver.backup.context import RunContext
from archiver.backup.database_thread import DatabaseThread
from archiver.backup.kits import Kits, mask_secrets, open_client
from archiver.backup.media_fetcher import MediaFetcher
from archiver.backup.options import BackupOptions
from archiver.backup.plain_settings import plain_settings
from archiver.backup.profile_pictures import fetch_pictures
from archiver.backup.resolver_job import remove_jobs
from archiver.backup.resolving import VideoResolving
from archiver.backup.room import Room
from archiver.backup.setting_changes import apply_setting_changes
from archiver.backup.stop_requests import restore_interrupts, wait_for_stop
from archiver.backup.wanted_files import choose_by
from archiver.clock import Clock
from archiver.config import Config, Registry
from archiver.errors import ArchiverError, StorageError, leaves
from archiver.evidence.signing import seal
from archiver.evidence.signing_keys import load_library
from archiver.media.download import Downloader
from archiver.media.playlists.joining import FilmJoiner, joiner_version
from archiver.media.playlists.segments import remove_unfinished
from archiver.media.store import StagedStore
from archiver.minimisation import Minimiser
from archiver.models import Account, timestamp
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard
from archiver.net.proxy import Route
from archiver.net.rates import SharedLimits
from archiver.report import AccountReport, Progress, RunReport
from archiver.tokens import Login, token_store

_ACCOUNTS_AT_ONCE = 4
_MAX_CHANGES = 200  # of each kind


@dataclass(slots=True)
class BackupRun:
    """One run and what it works with."""

    config: Config
    plugins: Registry
    options: BackupOptions
    clock: Clock
    progress: Progress
    version: str
    database: DatabaseThread
    store: StagedStore
    route: Route
    limits: SharedLimits | None = None
    _accounts: list[AccountBackup] = field(default_factory=list)

    async def back_up(self, accounts: Sequence[Account]) -> RunReport:
        """Back up these accounts; see `run_backup`."""
        report = RunReport(started_at=self._now(), dry_run=self.options.dry_run)
        report.is_first = not await self.database.call(runs.has_posts)
        earlier = await self.database.call(runs.newest_start)
        if earlier is not None and report.started_at < earlier:
            report.clock_is_wrong = True
            report.notes.append(earlier_run_clock_note(earlier))
        asked = {name: getattr(self.options, name) for name in BackupOptions.__slots__}
        actor = self.config.archive.actor
        run_id = await self.database.call(
            runs.begin_run, report.started_at, self.version, asked, actor
        )
        settings = plain_settings(self.config, self.plugins)
        await self.database.call(record_settings, settings, report.started_at, actor)
        run = RunContext(self.database, run_id, self.clock, self.progress)
        try:
            await self._back_up(run, accounts, report)
        except Exception as error:
            await self._end(run_id, report, error)
            raise
        await self._end(run_id, report)
        return report

    async def _back_up(
        self, run: RunContext, accounts: Sequence[Account], report: RunReport
    ) -> None:
        last_event = await self.database.call(newest_event)
        if self._fetches_media():
            self.store.prepare()
            remove_unfinished(self.store.tmp, self.clock.now())
            remove_jobs(self.store.tmp)
        media = self._media_client()
        files = self._media_fetcher(run, media, report)
        kits = Kits(
            self.config.network,
            self.route,
            self.clock,
            self._report_waiting,
            token_store(self.config),
            self.limits,
        )
        try:
            mask_secrets(self.config, self.plugins, accounts)
            for account in accounts:
                await self._prepare_account(run, account, kits, report, files)
            async with media:
                await self._run_tasks(run, files, report)
        finally:
            await kits.aclose()
        if report.interrupted:
            restore_interrupts()
            self._mark_interrupted()
        offsets = (account.clock_offset or timedelta() for account in self._accounts)
        if offset := max(offsets, key=abs, default=None):
            report.clock_is_wrong = True
            report.notes.append(source_clock_note(offset))
        report.file_failures = files.failure_report()
        report.waiting = await self.database.call(
            queue.count, set(files.accounts), self._now(), joiner_version()
        )
        report.out_of_time = files.is_time_over() and report.waiting > 0
        report.out_of_room = files.is_out_of_room and report.waiting > 0
        async with self._continue_past_damaged_rows(report, "Some changes could not be listed"):
            report.changes, report.change_counts = await self.database.call(
                _changes_of, run.run_id, last_event
            )

    async def _run_tasks(self, run: RunContext, files: MediaFetcher, report: RunReport) -> None:
        """The long part of a run, which can be stopped."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._stop_on_request, tasks.cancel_scope, report)
            tasks.start_soon(to_thread.run_sync, load_library)  # while the sources answer
            async with self._continue_past_damaged_rows(
                report, "Changed settings were not applied"
            ):
                await apply_setting_changes(run, files.accounts, self.config.media, self.options)
            async with anyio.create_task_group() as both:
                is_apart = self.options.minutes is not None
                if self._fetches_media() and not is_apart:
                    both.start_soon(self._fetch, files, report)
                await self._scan(files)
                if self._fetches_media() and is_apart:
                    both.start_soon(self._fetch, files, report)
            tasks.cancel_scope.cancel()

    async def _scan(self, files: MediaFetcher) -> None:
        """Scan all accounts, some at a time, and tell the media fetcher when that is done.

        The sources of one account are scanned one after the other, so that each can match the posts
        of those before.
        """
        limiter = anyio.CapacityLimiter(_ACCOUNTS_AT_ONCE)

        async def scan_account(sources: Sequence[AccountBackup]) -> None:
            async with limiter:
                for account in sources:
                    await account.back_up()

        by_name: dict[str, list[AccountBackup]] = {}
        for account in self._accounts:
            if account.reader.account.name in self.options.files_only:
                account.report.outcome = "fresh"
                continue
            by_name.setdefault(account.reader.account.name, []).append(account)
        async with anyio.create_task_group() as tasks:
            for sources in by_name.values():
                tasks.start_soon(scan_account, sources)
        files.listing_done = True
        files.wake()

    async def _fetch(self, files: MediaFetcher, report: RunReport) -> None:
        async with self._continue_past_damaged_rows(report, "Not all files were fetched"):
            await files.fetch_all()
            if not files.must_stop():
                await fetch_pictures(files.run, files.store, files.downloader, set(files.accounts))
                await VideoResolving(self.config, self.plugins.resolvers, files).resolve_all()
            if report.counts.stored:
                await self.database.call(merge_same_files, set(files.accounts))

    async def _stop_on_request(self, scope: anyio.CancelScope, report: RunReport) -> None:
        await wait_for_stop(self.progress.note)
        report.interrupted = True
        scope.cancel()

    @asynccontextmanager
    async def _continue_past_damaged_rows(
        self, report: RunReport, what: str
    ) -> AsyncIterator[None]:
        """Continue with a warning where a damaged row stops a step that concerns all accounts."""
        try:
            yield
        except Exception as error:
            if any(isinstance(leaf, ArchiverError | OSError) for leaf in leaves(error)):
                raise
            why = await self.database.call(damaged_row, error)
            if why is None:
                raise
            for account in report.accounts:
                account.warn(f"{what}: {why}. Run archiver verify --repair")

    async def _prepare_account(
        self, run: RunContext, account: Account, kits: Kits, report: RunReport,
        files: MediaFetcher,
    ) -> None:  # fmt: skip
        """Open the client of an account; one whose secrets are missing fails alone."""
        account_report = AccountReport(account.name, account.platform, account.source)
        report.accounts.append(account_report)
        platform_id = await self.database.call(runs.platform_id_of, account)
        account = replace(account, platform_id=platform_id)
        try:
            source = self.plugins.source(account.source)
            settings = self.config.source_settings(source)
            kit = kits.kit(source, account)
            client = open_client(source, settings, account, kit)
            login = kit.tokens.user if hasattr(source, "auth") else None
            if login is not None:
                _note_end_of_login(account_report, kits.login(source, account), self.clock.now())
        except ArchiverError as error:
            account_report.fail(error)
            await self._write_failure(run, account, account_report.error or error)
            return
        platform = self.plugins.platform(account.platform, account.source)
        archive = self.config.archive
        if archive.leave_out:  # a response has all that is left out
            archive = replace(archive, keep_responses="none")
        reader = AccountReader(
            account, platform, client, self.clock, account_report, login,
            Minimiser.of(archive.leave_out),
        )  # fmt: skip
        backup = AccountBackup(
            run, reader, self.options, archive, choose_by(self.config.media), account_report,
            on_saved=partial(_register, files), other_labels=self._other_labels(account),
            ranks={source.name: source.rank for source in self.plugins.sources},
        )  # fmt: skip
        backup.account_id = await self.database.call(runs.account_id_of, account)
        _register(files, backup)
        self._accounts.append(backup)

    async def _write_failure(self, run: RunContext, account: Account, error: ArchiverError) -> None:
        """Save that an account failed before its first request."""
        name, source = account.name, account.source
        await self.database.call(runs.begin_account, run.run_id, name, source, self._now())
        await self.database.call(
            runs.end_account, run.run_id, name, source,
            {"outcome": "failed", "finished_at": self._now(), "error_code": error.code,
             "message": str(error)},
        )  # fmt: skip

    def _other_labels(self, account: Account) -> frozenset[str]:
        """The labels of the platform's other accounts, also of those that are not backed up now."""
        return frozenset(
            entry.name for entry in self.config.accounts if entry.platform == account.platform
        ) - {account.name}

    def _mark_interrupted(self) -> None:
        for account in self._accounts:
            if account.report.outcome == "done" and not account.report.complete:
                account.report.outcome = "interrupted"

    def _media_client(self) -> MediaClient:
        network = self.config.network
        guard = AddressGuard(network.allow, https_only=network.https_only)
        media = self.config.media
        return MediaClient(
            guard, self.clock, connections=media.connections, per_host=media.per_host,
            route=self.route,
        )  # fmt: skip

    def _media_fetcher(
        self, run: RunContext, media: MediaClient, report: RunReport
    ) -> MediaFetcher:
        def received(count: int) -> None:
            report.received += count
            self.progress.received(count)
            files.received(count)

        downloader = Downloader(
            media.open, self.store.tmp, self.clock, max_size=self.config.media.max_size,
            on_bytes=received,
        )  # fmt: skip
        films = FilmJoiner(downloader, self.store.tmp, self.config.media.videos)
        files = MediaFetcher(run, self.store, downloader, films, self.config.media.connections)
        files.room = Room(self.store.tmp.parent, self.config.archive.reserve)
        if self.options.minutes is not None:
            files.ends_at = self.clock.monotonic() + 60 * self.options.minutes
        return files

    def _report_waiting(self, seconds: float, why: str) -> None:
        self.progress.note(f"{why}: waiting {seconds:.0f} s")

    def _fetches_media(self) -> bool:
        return self.options.media and not self.options.dry_run

    async def _end(self, run_id: int, report: RunReport, error: Exception | None = None) -> None:
        report.finished_at = self._now()
        try:
            await self.database.call(
                runs.end_run, run_id, report.finished_at,
                outcome="failed" if error else report.outcome,
                exit_code=_exit_code_of(error) if error else report.exit_code,
                received=report.received,
                accounts={(each.name, each.source): each.counts for each in report.accounts},
            )  # fmt: skip
            sealed = await self.database.call(seal, self.config, report.finished_at, run_id)
            if sealed.problem is not None:
                report.notes.append(sealed.problem)
        except sqlite3.Error:
            if error is None:  # a failing run raises its own error
                raise

    def _now(self) -> str:
        return timestamp(self.clock.now()) or ""


def _note_end_of_login(report: AccountReport, login: Login | None, now: datetime) -> None:
    """Note that a login ends soon, and that only a person can renew it."""
    if login is not None and login.ends_soon(now):
        end = (login.expires_at or "")[:10]
        report.note(
            f"The login of {report.name} ends on {end} and cannot be renewed. "
            f"Run: archiver login {report.name}"
        )


def _register(files: MediaFetcher, account: AccountBackup) -> None:
    """Register an account with the media fetcher, once it has a row."""
    if account.account_id is not None:
        sources = files.accounts.setdefault(account.account_id, {})
        sources[account.reader.account.source] = account
    files.wake()


def _changes_of(
    connection: sqlite3.Connection, run_id: int, last_event: int
) -> tuple[list[Change], list[ChangeCount]]:
    changes = changes_of(connection, run_id, last_event, _MAX_CHANGES)
    return list(changes), list(change_counts(connection, run_id, last_event))


def _exit_code_of(error: Exception) -> int:
    """The exit code for an error that ends a run."""
    codes = [leaf.exit_code for leaf in leaves(error) if isinstance(leaf, ArchiverError)]
    if any(isinstance(leaf, sqlite3.Error | OSError) for leaf in leaves(error)):
        codes.append(StorageError.exit_code)
    return max(codes, default=ArchiverError.exit_code)
