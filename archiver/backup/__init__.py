"""One run of `archiver backup`: the only place where platform, net, media and archive meet."""

import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from archiver.archive import queue, runs
from archiver.archive.changes import changes_of, newest_event
from archiver.archive.database import DATABASE, refuse_lost_database, storage_errors, writer
from archiver.archive.media_settings import reapply_media_settings
from archiver.archive.soundness import damaged_row
from archiver.backup.account import AccountBackup, BackupOptions, is_fault_of_plugin
from archiver.backup.clocks import note_on_earlier_run, note_on_source
from archiver.backup.media_fetcher import MediaFetcher
from archiver.backup.routes import route_of
from archiver.backup.watchdog import plugin_call, stop_requests, watched
from archiver.clock import Clock
from archiver.config import Config, Registry
from archiver.errors import ArchiverError, PluginError, RecordError, SourceError, StorageError
from archiver.media.download import Downloader
from archiver.media.folder_store import FolderStore
from archiver.media.selection import select_renditions
from archiver.models import Account, Post, RateLimitPolicy, timestamp
from archiver.net.api import ApiClient, api_client
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard
from archiver.net.proxy import Route
from archiver.report import AccountReport, Progress, RunReport
from archiver.secrets import Secret
from archiver.stop_signals import stop_signals

__all__ = ["Backup", "BackupOptions", "run_backup"]

_ACCOUNTS_AT_ONCE = 4
_MOST_CHANGES = 200


async def run_backup(
    config: Config, plugins: Registry, asked: BackupOptions, *, clock: Clock, progress: Progress,
    version: str,
) -> RunReport:  # fmt: skip
    """Back up the accounts of the config that were asked for.

    Whatever happens to one account, the others go on; the report says it all. Raises UsageError
    and ConfigError before anything is touched, StorageError when the archive cannot be written.
    """
    entries = config.select(asked.names)
    accounts = [config.account(entry, plugins) for entry in entries]
    route = route_of(config.network)
    with (
        _archive(config.archive.directory, asked, progress) as (connection, directory),
        storage_errors(config.archive.directory),
        single_error(),
    ):
        store = FolderStore(directory)
        backup = Backup(config, plugins, asked, clock, progress, version, connection, store, route)
        return await backup.run(accounts)


@contextmanager
def single_error() -> Iterator[None]:
    """Out of the errors that tasks raised together, raise the one that says most."""
    try:
        yield
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        raise next((e for e in errors if isinstance(e, ArchiverError)), errors[0]) from None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


@contextmanager
def _archive(
    directory: Path, asked: BackupOptions, progress: Progress
) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """The archive to write to. A dry run writes too, and takes everything back at the end."""
    if not asked.dry_run:
        with writer(directory, tell=progress.note) as connection:
            yield connection, directory
    elif (directory / DATABASE).exists():
        with writer(directory, tell=progress.note) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection, directory
            finally:
                connection.rollback()
    else:
        refuse_lost_database(directory)
        with TemporaryDirectory(prefix="archiver-") as scratch, writer(Path(scratch)) as connection:
            yield connection, Path(scratch)


@dataclass(slots=True)
class Backup:
    """The state of one run."""

    config: Config
    plugins: Registry
    asked: BackupOptions
    clock: Clock
    progress: Progress
    version: str
    connection: sqlite3.Connection
    store: FolderStore
    route: Route
    _works: list[AccountBackup] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict)
    _https: list[ApiClient] = field(default_factory=list)

    async def run(self, accounts: Sequence[Account]) -> RunReport:
        """Back up these accounts; see `run_backup`."""
        report = RunReport(started_at=self._now(), dry_run=self.asked.dry_run)
        earlier = runs.newest_start(self.connection)
        if earlier is not None and report.started_at < earlier:
            report.notes.append(note_on_earlier_run(earlier))
        asked = {name: getattr(self.asked, name) for name in BackupOptions.__slots__}
        run_id = runs.begin_run(self.connection, report.started_at, self.version, asked)
        try:
            async with AsyncExitStack() as stack:
                stack.push_async_callback(self._close)
                stack.enter_context(watched())
                await self._run(run_id, accounts, report)
        except Exception as error:
            self._end(run_id, report, error)
            raise
        self._end(run_id, report)
        return report

    async def _run(self, run_id: int, accounts: Sequence[Account], report: RunReport) -> None:
        last_event = newest_event(self.connection)
        if self._fetches_media():
            self.store.prepare()
        media = self._media_client()
        downloader = Downloader(
            media.open, self.store.tmp, self.clock, max_size=self.config.media.max_size,
            on_bytes=partial(self._received, report),
        )  # fmt: skip
        files = MediaFetcher(
            self.connection, run_id, self.store, downloader, self.clock, self.progress,
            self.config.media.connections,
        )  # fmt: skip
        self._mask_secrets(accounts)
        for account in accounts:
            self._prepare(run_id, account, report, files)
        with self._despite_damaged_rows(report, "Old files were not looked at again"):
            self._choose_again(files)
        async with media, anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch_signals, tasks.cancel_scope, report)
            if self._fetches_media():
                async with anyio.create_task_group() as sides:
                    sides.start_soon(self._fetch, files, report)
                    await self._list(files)
            else:
                await self._list(files)
            tasks.cancel_scope.cancel()
        if report.interrupted:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._mark_interrupted()
        off = max((work.clock_off or timedelta() for work in self._works), key=abs, default=None)
        if off:
            report.notes.append(note_on_source(off))
        report.file_failures = files.failure_report()
        report.waiting = queue.count(self.connection, files.accounts, self._now())
        with self._despite_damaged_rows(report, "Not all changes can be told"):
            report.changes = list(changes_of(self.connection, run_id, last_event, _MOST_CHANGES))

    async def _fetch(self, files: MediaFetcher, report: RunReport) -> None:
        with self._despite_damaged_rows(report, "Not all files were fetched"):
            await files.run()

    @contextmanager
    def _despite_damaged_rows(self, report: RunReport, what: str) -> Iterator[None]:
        """Go on where a damaged row stops what is done for all accounts together, and say so."""
        try:
            yield
        except Exception as error:
            leaves = _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
            if any(isinstance(leaf, ArchiverError | OSError) for leaf in leaves):
                raise
            why = damaged_row(self.connection)
            if why is None:
                raise
            for account in report.accounts:
                account.warn(f"{what}: {why}. Run archiver verify --repair")

    def _mask_secrets(self, accounts: Sequence[Account]) -> None:
        """Whatever may be sent in this run is blanked out of all that comes back in it."""
        for account in accounts:
            holders = [account.options]
            with suppress(ArchiverError):
                holders.append(self.config.source_settings(self.plugins.source(account.source)))
            for holder in holders:
                for name in getattr(holder, "__dataclass_fields__", ()):
                    if isinstance(secret := getattr(holder, name), Secret):
                        secret.mask()

    def _prepare(
        self, run_id: int, account: Account, report: RunReport, files: MediaFetcher
    ) -> None:
        """Get ready for an account; one whose secrets are missing fails alone."""
        account_report = AccountReport(account.name, account.platform)
        report.accounts.append(account_report)
        try:
            client = self._client(account.source)
        except ArchiverError as error:
            account_report.fail(error)
            told = account_report.error or error
            runs.begin_account(self.connection, run_id, account.name, self._now())
            runs.end_account(
                self.connection, run_id, account.name, outcome="failed",
                finished_at=self._now(), error_code=told.code, message=str(told),
            )  # fmt: skip
            return
        work = AccountBackup(
            self.connection, run_id, account,
            self.plugins.platform(account.platform, account.source), client, self.asked,
            self.config.archive.full_every, self.config.archive.keep_responses, self._choose(),
            self.clock, self.progress, account_report, on_saved=files.wake,
        )  # fmt: skip
        work.account_id = runs.account_id_of(self.connection, account)
        if work.account_id is not None:
            files.accounts[work.account_id] = work
        self._works.append(work)

    def _choose_again(self, files: MediaFetcher) -> None:
        """Bring the queue in line with the settings, which may have changed since the last run."""
        media = self.config.media
        current = {
            "setting_videos": media.videos,
            "setting_thumbnails": str(media.thumbnails).lower(),
        }
        reapply_media_settings(
            self.connection, files.accounts, current,
            lambda account_id, data: self._read(files.accounts[account_id], data), self._choose(),
        )  # fmt: skip
        queue.retry_too_large(self.connection, files.accounts, media.max_size)
        if self.asked.now:
            queue.retry_now(self.connection, files.accounts, self._now())

    @staticmethod
    def _read(work: AccountBackup, data: Any) -> Post:
        """A record read once more. Raises RecordError, for all of an account that has failed."""
        if work.report.error is not None:
            raise RecordError("The plugin has failed on another record")
        try:
            return work.read(data)
        except SourceError as error:
            work.report.fail(error)
            raise RecordError(error.what) from error

    async def _list(self, files: MediaFetcher) -> None:
        """Read all accounts, some at a time, and tell the media side when that is done."""
        limiter = anyio.CapacityLimiter(_ACCOUNTS_AT_ONCE)

        async def one(work: AccountBackup) -> None:
            async with limiter:
                work.on_saved = partial(self._register, files, work)
                await work.run()

        async with anyio.create_task_group() as tasks:
            for work in self._works:
                tasks.start_soon(one, work)
        files.listing_done = True
        files.wake()

    @staticmethod
    def _register(files: MediaFetcher, work: AccountBackup) -> None:
        if work.account_id is not None:
            files.accounts[work.account_id] = work
        files.wake()

    async def _watch_signals(self, scope: anyio.CancelScope, report: RunReport) -> None:
        """Stop cleanly at the first request to end; the second one is the system's."""
        if threading.current_thread() is not threading.main_thread():
            return
        with stop_requests() as asked:
            await asked.wait()
        for number in stop_signals():  # Python's own would wait for threads, and those for the disk
            signal.signal(number, signal.SIG_DFL)
        report.interrupted = True
        scope.cancel()
        with suppress(OSError):  # a terminal that was closed
            self.progress.note("Stopping; what is saved stays. Press Ctrl-C again to stop at once.")

    def _mark_interrupted(self) -> None:
        for work in self._works:
            if work.report.outcome == "done" and not work.report.complete:
                work.report.outcome = "interrupted"

    def _choose(self) -> Callable[..., Any]:
        media = self.config.media
        return partial(select_renditions, videos=media.videos, thumbnails=media.thumbnails)

    @plugin_call
    def _client(self, source_name: str) -> Any:
        """The client of a source, made when the first account needs it.

        Raises SecretError, or PluginError where the plugin itself fails.
        """
        if source_name not in self._clients:
            source = self.plugins.source(source_name)
            settings = self.config.source_settings(source)
            try:
                client = source.client(settings, partial(self._open, source_name))
            except ArchiverError:
                raise
            except BaseException as error:
                if not is_fault_of_plugin(error):
                    raise
                why = f"{type(error).__name__}: {error}"
                raise PluginError(f"The plugin for {source_name} failed", why=why) from error
            self._clients[source_name] = client
        return self._clients[source_name]

    def _open(
        self,
        source_name: str,
        base_url: str,
        rate_limit: RateLimitPolicy = RateLimitPolicy(),  # noqa: B008 — frozen
    ) -> ApiClient:
        client = api_client(
            source_name, base_url, clock=self.clock, on_wait=self._say_waiting,
            rate_limit=rate_limit, route=self.route,
        )  # fmt: skip
        self._https.append(client)
        return client

    def _say_waiting(self, seconds: float, lane: str) -> None:
        self.progress.note(f"The source asks to wait {seconds:.0f} s ({lane or 'primary profile'})")

    def _media_client(self) -> MediaClient:
        network = self.config.network
        guard = AddressGuard(network.allow, https_only=network.https_only)
        media = self.config.media
        return MediaClient(
            guard, self.clock, connections=media.connections, per_host=media.per_host,
            route=self.route,
        )  # fmt: skip

    def _received(self, report: RunReport, count: int) -> None:
        report.received += count
        self.progress.received(count)

    def _fetches_media(self) -> bool:
        return self.asked.media and not self.asked.dry_run

    async def _close(self) -> None:
        for client in self._https:
            await client.aclose()

    def _end(self, run_id: int, report: RunReport, error: Exception | None = None) -> None:
        report.finished_at = self._now()
        try:
            runs.end_run(
                self.connection, run_id, report.finished_at,
                outcome="failed" if error else report.outcome,
                exit_code=_code_of(error) if error else report.exit_code,
                received=report.received,
                accounts={account.name: account.counts for account in report.accounts},
            )  # fmt: skip
        except sqlite3.Error:
            if error is None:  # a failing run is already on its way to say why
                raise

    def _now(self) -> str:
        return timestamp(self.clock.now()) or ""


def _code_of(error: Exception) -> int:
    """What the program will tell the shell of an error that ends a run."""
    leaves = list(_leaves(error)) if isinstance(error, BaseExceptionGroup) else [error]
    codes = [leaf.exit_code for leaf in leaves if isinstance(leaf, ArchiverError)]
    if any(isinstance(leaf, sqlite3.Error | OSError) for leaf in leaves):
        codes.append(StorageError.exit_code)
    return max(codes, default=ArchiverError.exit_code)
