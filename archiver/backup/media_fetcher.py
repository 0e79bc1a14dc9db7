"""Fetching what is attached, while listing goes on.

A feeder takes rows from the queue in the database, newest posts first; a fixed number of workers
fetch; one task makes batches of files durable and only then writes their rows. Nothing here
grows with the number of files.
"""

import logging
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from archiver.archive import queue
from archiver.archive.attachments import LOCAL_PREFIX
from archiver.archive.playlists import MANIFEST_ONLY
from archiver.archive.queue import NotStored, QueuedFile, Stored
from archiver.backup.account import AccountBackup
from archiver.backup.context import RunContext
from archiver.backup.hosts import SilentHosts
from archiver.backup.url_refresher import UrlRefresher
from archiver.errors import ArchiverError, MediaError, MediaExpired, MediaGone, MediaRefused
from archiver.media.download import Download, Downloader
from archiver.media.selection import expected_kind
from archiver.media.store import MediaStore, stored_path
from archiver.reasons import REASON_CODES, Reason
from archiver.report import AccountReport, FileFailure

log = logging.getLogger(__name__)

_BATCH = 256
"""Rows that are taken from the queue at once."""

_MOST_AT_ONCE = 1024
"""Files per flush and transaction, at most: each costs the disk a sync of every folder that got
one, and there are 256."""

_SAVE_SECONDS = 1.0
_SAVE_BYTES = 32 << 20
"""How long a file waits for others, and how many bytes wait."""

_REPORT_SECONDS = 0.5
_REPORT_SHARE = 20
"""Counting what waits takes at most one part in so many of the time."""

_UNPROVEN = Reason("unproven", "its end could not be proven")
"""Of a stored file: no length was given, and its format has no end that can be seen."""

_CODES = {
    "failed": "network", "refused": "address_not_allowed", "host": "host_silent",
    "slow": "too_slow", "short": "incomplete", "range": "incomplete",
}  # fmt: skip
"""Reason codes of those errors whose own code says it in another word."""

Result = tuple[QueuedFile, Download | Stored | NotStored]
"""A file that was asked for, and how that went."""


@dataclass(slots=True)
class MediaFetcher:
    """The media side of one run.

    `accounts` maps an account's row to the work on it, by source; only their files are fetched, and
    the source that offered one is asked for its fresh address. `listing_done` is set when no more
    rows will come.
    """

    run: RunContext
    store: MediaStore
    downloader: Downloader
    workers: int
    accounts: dict[int, dict[str, AccountBackup]] = field(default_factory=dict)
    listing_done: bool = False
    failures: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _in_hand: set[int] = field(default_factory=set)
    _refreshers: dict[tuple[int, str], UrlRefresher] = field(default_factory=dict)
    _hosts: SilentHosts = field(default_factory=SilentHosts)
    _left_out: set[int] = field(default_factory=set)
    _done: int = 0
    _reported_at: float = float("-inf")
    _reported_all: bool = False

    def wake(self) -> None:
        """Say that there may be new rows, or that there will be none."""
        self._changed.set()

    async def fetch_all(self) -> None:
        """Fetch until the listing is done and nothing is left that is due.

        Where it is cancelled, files that are already downloaded are saved before it ends.
        Raises StorageError.
        """
        give, take = anyio.create_memory_object_stream[QueuedFile](self.workers)
        give_result, take_result = anyio.create_memory_object_stream[Result](_MOST_AT_ONCE)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._save, take_result)
            async with give_result, anyio.create_task_group() as workers:
                for _ in range(self.workers):
                    workers.start_soon(self._work, take.clone(), give_result.clone())
                take.close()
                await self._feed(give)

    def failure_report(self) -> list[FileFailure]:
        """Why files were not downloaded in this run, most frequent first."""
        return [
            FileFailure(account, state, reason, count)
            for (account, state, reason), count in self.failures.most_common()
        ]

    async def _feed(self, give: MemoryObjectSendStream[QueuedFile]) -> None:
        async with give:
            while True:
                self._changed = anyio.Event()
                is_last = self.listing_done and not self._in_hand
                files = await self._take()
                for file in files:
                    if self._is_refresh_queue_full(file.account_id):
                        continue
                    self._in_hand.add(file.rendition_id)
                    await give.send(file)
                if not files:
                    if is_last:
                        return
                    await self._report_progress()
                    await self._changed.wait()

    def _is_refresh_queue_full(self, account_id: int) -> bool:
        return any(
            refresher.is_full
            for (account, _), refresher in self._refreshers.items()
            if account == account_id
        )

    async def _take(self) -> list[QueuedFile]:
        """The next files; an account with a damaged row among its own is left out from now on."""
        accounts = {
            account_id
            for account_id in self.accounts
            if account_id not in self._left_out and not self._is_refresh_queue_full(account_id)
        }
        try:
            return await self._take_of(accounts)
        except sqlite3.DatabaseError:
            bad = {account for account in self.accounts if not await self._is_readable(account)}
            if bad <= self._left_out:
                raise
        self._left_out |= bad
        for account in bad:
            self._any_source(account).report.warn(
                "Its files were not fetched: a row is damaged. Run archiver verify --repair"
            )
        return await self._take()

    async def _take_of(self, accounts: Collection[int]) -> list[QueuedFile]:
        return await self.run.database.call(
            queue.due_files,
            accounts,
            self.run.now(),
            in_progress=frozenset(self._in_hand),
            limit=_BATCH,
        )

    async def _is_readable(self, account: int) -> bool:
        try:
            await self._take_of([account])
        except sqlite3.DatabaseError:
            return False
        return True

    async def _work(
        self,
        take: MemoryObjectReceiveStream[QueuedFile],
        give: MemoryObjectSendStream[Result],
    ) -> None:
        async with take, give:
            async for file in take:
                # what was lost here was fetched long ago; its address is hardly good any more
                result = None if file.lost else await self._fetch(file)
                if result is not None:
                    await _hand_over(give, (file, result))
                else:
                    await self._fetch_refreshed(file, give)

    async def _fetch_refreshed(
        self, file: QueuedFile, give: MemoryObjectSendStream[Result]
    ) -> None:
        """Fetch from a fresh address. Where enough workers ask for one, they do this one too."""
        refresher = self._refresher(file)
        if refresher.needs_no_question(file):
            await self._give_refreshed(file, refresher, give)
            return
        refresher.deferred.append(file)
        if refresher.is_busy:
            return
        refresher.active += 1
        while refresher.deferred:
            await self._give_refreshed(refresher.deferred.popleft(), refresher, give)
        refresher.active -= 1

    def _refresher(self, file: QueuedFile) -> UrlRefresher:
        key = (file.account_id, file.source)
        if key not in self._refreshers:
            sources = self.accounts[file.account_id]
            work = sources.get(file.source)
            reader = None if work is None else work.reader
            self._refreshers[key] = UrlRefresher(reader, self.run.database)
        return self._refreshers[key]

    def _any_source(self, account_id: int) -> AccountBackup:
        return next(iter(self.accounts[account_id].values()))

    def _report_of(self, file: QueuedFile) -> AccountReport:
        """The report that a file belongs to: of its source, or of another where that is not run."""
        sources = self.accounts[file.account_id]
        return (sources.get(file.source) or self._any_source(file.account_id)).report

    async def _give_refreshed(
        self, file: QueuedFile, refresher: UrlRefresher, give: MemoryObjectSendStream[Result]
    ) -> None:
        result = await self._fetch(file, refresher)
        assert result is not None  # noqa: S101 — a fresh address is not refreshed again
        await _hand_over(give, (file, result))

    async def _fetch(
        self, file: QueuedFile, refresher: UrlRefresher | None = None
    ) -> Download | Stored | NotStored | None:
        """The file, or why not; None where its address has expired and was not refreshed yet."""
        try:
            if (held := await self._held(file)) is not None:
                return held
            if refresher is None:
                return await self._download(file, file.url)
            url = await refresher.fresh_url(file) or file.url
            return await self._download(file, url, even_if_expired=True)
        except MediaExpired as error:
            return None if refresher is None else self._not_stored(file, error)
        except MediaError as error:
            return self._not_stored(file, error)
        except (ArchiverError, OSError, sqlite3.Error):  # the disk: there is no going on
            raise
        except Exception as error:
            log.exception("A bug: rendition %d could not be fetched", file.rendition_id)
            text = f"a bug in archiver: {type(error).__name__}"
            return NotStored(file, "failed", Reason("bug", text))

    async def _held(self, file: QueuedFile) -> Stored | None:
        """The file, where its source says what its bytes are, and they are here already."""
        if file.expected_sha256 is None:
            return None
        return await self.run.database.call(queue.stored_file, file)

    async def _download(
        self, file: QueuedFile, url: str, *, even_if_expired: bool = False
    ) -> Download:
        try:
            download = await self._download_any(file, url, even_if_expired=even_if_expired)
        except MediaError as error:
            if file.expected_sha256 is not None and error.code == "http_400":
                # asked for by its hash: nothing else can be wrong with the request
                raise MediaGone("The server answered 400: there is no such file") from error
            raise
        expected = (file.expected_sha256, file.expected_size)
        for said, got in zip(expected, (download.sha256, download.size), strict=True):
            if said is not None and said != got:
                download.discard()
                raise MediaError(
                    "The file could not be fetched",
                    why="Its bytes are not those that the source names",
                    code="other_bytes",
                )
        return download

    async def _download_any(self, file: QueuedFile, url: str, *, even_if_expired: bool) -> Download:
        expects = expected_kind(file.kind, file.role, url, file.content_type)
        if url.startswith(LOCAL_PREFIX):
            return await self.downloader.fetch_file(Path(url[len(LOCAL_PREFIX) :]), expects=expects)
        self._hosts.check(url)
        try:
            download = await self.downloader.fetch(
                url, expects=expects, even_if_expired=even_if_expired
            )
        except MediaError as error:
            if note := self._hosts.failed(url, error):
                self.run.progress.note(note)
            raise
        self._hosts.answered(url)
        return download

    async def _save(self, take: MemoryObjectReceiveStream[Result]) -> None:
        """Save files batch by batch; what comes in meanwhile is the next batch.

        It cannot be cancelled: it ends when all who download have ended, and keeps what they had.
        """
        with anyio.CancelScope(shield=True):
            async with take:
                async for first in take:
                    await self._save_batch(await self._batch(first, take))
                    await self._report_progress()

    async def _batch(self, first: Result, take: MemoryObjectReceiveStream[Result]) -> list[Result]:
        """What is to be made durable together with a file: what comes within a second.

        That is, while others are being fetched, and there are not many bytes yet: the disk should
        be at work on those while the next ones come.
        """
        batch, size = [first], _size(first)
        with anyio.move_on_after(_SAVE_SECONDS):
            while len(batch) < min(_MOST_AT_ONCE, len(self._in_hand)) and size < _SAVE_BYTES:
                try:
                    batch.append(await take.receive())
                except anyio.EndOfStream:
                    break
                size += _size(batch[-1])
        return batch

    async def _save_batch(self, batch: list[Result]) -> None:
        """Make files durable, and only then write their rows."""
        downloads = [result for _, result in batch if isinstance(result, Download)]
        recovered: set[str] = set()
        if downloads:
            recovered.update(await to_thread.run_sync(self.store.put, downloads))
        outcomes = [
            _stored(file, result, recovered) if isinstance(result, Download) else result
            for file, result in batch
        ]
        states = await self.run.database.call(
            queue.save, outcomes, self.run.run_id, self.run.clock.now()
        )
        self._count(outcomes, states)
        self._in_hand.difference_update(file.rendition_id for file, _ in batch)
        self.wake()

    def _count(self, outcomes: Iterable[Stored | NotStored], states: Iterable[str]) -> None:
        for outcome, state in zip(outcomes, states, strict=True):
            report = self._report_of(outcome.queued)
            if isinstance(outcome, Stored) and outcome.is_playlist:
                self.failures[report.name, state, MANIFEST_ONLY.text] += 1
            elif isinstance(outcome, Stored):
                report.counts.stored += 1
            else:
                report.counts.failed += 1
                self.failures[report.name, state, outcome.reason.text] += 1
            self._done += 1

    async def _report_progress(self) -> None:
        """Report how far it is, but not so often that counting would cost more than fetching."""
        clock, is_all = self.run.clock, self.listing_done
        is_due = clock.monotonic() - self._reported_at >= _REPORT_SECONDS
        if not is_due and is_all == self._reported_all:
            return
        begin = clock.monotonic()
        waiting = await self.run.database.call(queue.count, set(self.accounts), self.run.now())
        self._reported_at = begin + _REPORT_SHARE * (clock.monotonic() - begin)
        self._reported_all = is_all
        self.run.progress.files(waiting, self._done, is_all=is_all)

    def _not_stored(self, file: QueuedFile, error: MediaError) -> NotStored:
        state, reason = reason_of(error, self.downloader.max_size)
        return NotStored(file, state, reason)


def reason_of(
    error: MediaError, max_size: int
) -> tuple[Literal["failed", "gone", "refused"], Reason]:
    """The state in which a failed download leaves its row, and the reason for it."""
    if isinstance(error, MediaGone):
        if error.final:
            return "gone", Reason("gone", "gone (410)")
        return "failed", Reason("not_found", "not found (404)")
    code = _code(error)
    if isinstance(error, MediaRefused):
        limit = str(max_size) if code == "too_large" else None
        return "refused", Reason(code, str(error), limit)
    return "failed", Reason(code, _text(error))


async def _hand_over(give: MemoryObjectSendStream[Result], result: Result) -> None:
    """Pass on how it went with a file, also when the run is being stopped."""
    with anyio.CancelScope(shield=True), suppress(anyio.BrokenResourceError):
        await give.send(result)  # it breaks where saving has failed, and the run with it


def _size(result: Result) -> int:
    return result[1].size if isinstance(result[1], Download) else 0


def _code(error: MediaError) -> str:
    """The reason code of a failed download; what came in place of media is named by its own."""
    if error.code in REASON_CODES:
        return error.code
    if error.code.startswith("http_"):
        return "http_error"
    return _CODES.get(error.code, "wrong_kind")


def _text(error: MediaError) -> str:
    """In plain words, for the row: what tells this failure from others."""
    return (error.why or error.what).rstrip(".")


def _stored(file: QueuedFile, download: Download, recovered: Collection[str]) -> Stored:
    return Stored(
        file, download.sha256, stored_path(download.sha256, download.extension),
        download.size, download.content_type, download.width, download.height,
        download.duration_ms, download.is_playlist, download.sha256 in recovered,
        None if download.is_proven else _UNPROVEN,
    )  # fmt: skip
