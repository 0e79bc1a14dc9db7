"""Fetching media files while scans go on.

A feeder reads rows from the queue in the database, newest posts first; a fixed number of workers
fetch; one task makes batches of files durable and only then writes their rows. Memory does not
grow with the number of files.
"""

import logging
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeVar

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from archiver.archive import queue
from archiver.archive.playlists import MANIFEST_ONLY
from archiver.archive.queue import NotStored, QueuedFile, Stored
from archiver.backup.account import AccountBackup
from archiver.backup.context import RunContext
from archiver.backup.fetched import FetchedFile, joined_film, kept_playlist
from archiver.backup.hosts import UnresponsiveHosts
from archiver.backup.room import OutOfRoom, Room
from archiver.backup.url_refresher import UrlRefresher
from archiver.errors import ArchiverError, MediaError, MediaExpired, MediaGone, MediaRefused
from archiver.media.download import Download, Downloader
from archiver.media.playlists.joining import FilmJoiner, joiner_version
from archiver.media.playlists.plan import NotJoinable
from archiver.media.selection import expected_kind
from archiver.media.store import MediaStore
from archiver.models import timestamp
from archiver.reasons import REASON_CODES, Reason
from archiver.report import AccountReport, FileFailure

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_BATCH = 256
"""Rows that are read from the queue at a time. As many may wait for a worker, so that there is
something to fetch while the database saves what has come."""

_MAX_BATCH_FILES = 1024
"""Files per flush and transaction, at most: each costs the disk a sync of every folder that got
one, and there are 256."""

_LOOK_EVERY = 8 << 20
"""Bytes that are received between two looks at the room on the disk."""

WORKERS_PER_CONNECTION = 1.5
"""While one worker checks a file that has come, another one uses its connection."""

_SAVE_SECONDS = 1.0
_SAVE_BYTES = 32 << 20
"""How long a file waits for its batch to fill, and how many bytes fill it."""

_TOMORROW = timedelta(hours=23)  # a day, less the slack of a nightly run

_REPORT_SECONDS = 0.5
_REPORT_SHARE = 20
"""Counting the queue may take at most one part in so many of the time."""

_REASON_CODES_BY_ERROR = {
    "failed": "network", "refused": "address_not_allowed", "host": "host_silent",
    "slow": "too_slow", "short": "incomplete", "range": "incomplete",
}  # fmt: skip
"""Reason codes of errors whose own code is not one."""

Result = tuple[QueuedFile, FetchedFile | Stored | NotStored]
"""A file, and the result of fetching it."""


@dataclass(slots=True)
class MediaFetcher:
    """Fetches the media files of one run, over so many `connections` at once.

    `accounts` maps the row id of an account to its backups, by source; only their files are
    fetched, and fresh addresses come from the source that offered the file. `listing_done` is set
    when no more rows will be added. `ends_at` is the time, by the monotonic clock, from which on no
    file is begun. `room` is what files may use of the disk; `is_out_of_room` says that it was used.
    """

    run: RunContext
    store: MediaStore
    downloader: Downloader
    films: FilmJoiner
    connections: int
    accounts: dict[int, dict[str, AccountBackup]] = field(default_factory=dict)
    listing_done: bool = False
    ends_at: float | None = None
    room: Room | None = None
    failures: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _in_progress: set[int] = field(default_factory=set)
    _refreshers: dict[tuple[int, str], UrlRefresher] = field(default_factory=dict)
    _unresponsive_hosts: UnresponsiveHosts = field(default_factory=UnresponsiveHosts)
    _excluded_accounts: set[int] = field(default_factory=set)
    _done_count: int = 0
    _received: int = 0
    _is_fetching: bool = False
    is_out_of_room: bool = field(default=False, init=False)
    _reported_at: float = float("-inf")
    _reported_all: bool = False

    def wake(self) -> None:
        """Wake the feeder: there may be new rows, or there will be no more."""
        self._changed.set()

    def is_time_over(self) -> bool:
        """Whether no more files are to be begun for lack of time."""
        return self.ends_at is not None and self.run.clock.monotonic() >= self.ends_at

    def must_stop(self) -> bool:
        """Whether no more files are to be begun, for lack of time or of room."""
        if self.room is not None and not self.is_out_of_room:
            self.is_out_of_room = self.room.is_short
        return self.is_out_of_room or self.is_time_over()

    def received(self, count: int) -> None:
        """So many bytes have come. Raises OutOfRoom where the disk has no room for more.

        It is looked up now and then, since a file may be larger than the room that there was.
        """
        self._received += count
        if self.room is not None and self._is_fetching and self._received >= _LOOK_EVERY:
            self._received = 0
            if self.room.is_short:
                self.is_out_of_room = True
                raise OutOfRoom("The disk has no more room for files")

    async def fetch_all(self) -> None:
        """Fetch until the scans are done and no file is due, or the time is over.

        Where it is cancelled, files that are already downloaded are saved before it ends.
        Raises StorageError.
        """
        workers_count = int(self.connections * WORKERS_PER_CONNECTION)
        sender, receiver = anyio.create_memory_object_stream[QueuedFile](_BATCH)
        result_sender, result_receiver = anyio.create_memory_object_stream[Result](_MAX_BATCH_FILES)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._save, result_receiver)
            async with result_sender, anyio.create_task_group() as workers:
                for _ in range(workers_count):
                    workers.start_soon(self._work, receiver.clone(), result_sender.clone())
                receiver.close()
                self._is_fetching = True
                await self._feed_workers(sender)
        self._is_fetching = False

    def failure_report(self) -> list[FileFailure]:
        """Why files were not downloaded in this run, most frequent first."""
        return [
            FileFailure(account, state, reason, count)
            for (account, state, reason), count in self.failures.most_common()
        ]

    async def _feed_workers(self, sender: MemoryObjectSendStream[QueuedFile]) -> None:
        async with sender:
            while not self.must_stop():
                self._changed = anyio.Event()
                is_last = self.listing_done and not self._in_progress
                files = await self._next_files()
                for file in files:
                    if self.must_stop():
                        return
                    if self._is_refresh_queue_full(file.account_id):
                        continue
                    self._in_progress.add(file.rendition_id)
                    await sender.send(file)
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

    async def _next_files(self) -> list[QueuedFile]:
        """The next files; an account with a damaged row is excluded from now on."""
        accounts = {
            account_id
            for account_id in self.accounts
            if account_id not in self._excluded_accounts
            and not self._is_refresh_queue_full(account_id)
        }
        try:
            return await self._due_files(accounts)
        except sqlite3.DatabaseError:
            bad = {account for account in self.accounts if not await self._is_readable(account)}
            if bad <= self._excluded_accounts:
                raise
        self._excluded_accounts |= bad
        for account in bad:
            self._any_source(account).report.warn(
                "Its files were not fetched: a row is damaged. Run archiver verify --repair"
            )
        return await self._next_files()

    async def _due_files(self, accounts: Collection[int]) -> list[QueuedFile]:
        return await self.run.database.call(
            queue.due_files,
            accounts,
            self.run.now(),
            in_progress=frozenset(self._in_progress),
            limit=_BATCH,
            films=joiner_version(),
        )

    async def _is_readable(self, account: int) -> bool:
        try:
            await self._due_files([account])
        except sqlite3.DatabaseError:
            return False
        return True

    async def _work(
        self,
        receiver: MemoryObjectReceiveStream[QueuedFile],
        sender: MemoryObjectSendStream[Result],
    ) -> None:
        async with receiver, sender:
            while (file := await _receive(receiver)) is not None:
                if self.must_stop():
                    self._leave(file)
                    continue
                try:
                    # a lost file was fetched long ago; its address has probably expired
                    result = None if file.lost else await self._fetch(file)
                    if result is not None:
                        await _send_result(sender, (file, result))
                    else:
                        await self._fetch_refreshed(file, sender)
                except OutOfRoom:
                    self._leave(file)

    def _leave(self, file: QueuedFile) -> None:
        """Leave a file for a later run, as it is."""
        self._in_progress.discard(file.rendition_id)
        self.wake()

    async def _fetch_refreshed(
        self, file: QueuedFile, sender: MemoryObjectSendStream[Result]
    ) -> None:
        """Fetch from a fresh address, or leave the file to the workers that do so already."""
        refresher = self._refresher(file)
        if refresher.is_answered(file):
            await self._send_refreshed(file, refresher, sender)
            return
        refresher.deferred.append(file)
        if refresher.is_busy:
            return
        refresher.active += 1
        while refresher.deferred:
            await self._send_refreshed(refresher.deferred.popleft(), refresher, sender)
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
        """The report of a file's source, or of another where that one is not part of the run."""
        sources = self.accounts[file.account_id]
        return (sources.get(file.source) or self._any_source(file.account_id)).report

    async def _send_refreshed(
        self, file: QueuedFile, refresher: UrlRefresher, sender: MemoryObjectSendStream[Result]
    ) -> None:
        result = await self._fetch(file, refresher)
        assert result is not None  # noqa: S101 — a fresh address is not refreshed again
        await _send_result(sender, (file, result))

    async def _fetch(
        self, file: QueuedFile, refresher: UrlRefresher | None = None
    ) -> FetchedFile | Stored | NotStored | None:
        """The file or the failure; None where its address has expired and can be refreshed."""
        try:
            if (stored := await self._stored_file(file)) is not None:
                return stored
            if refresher is None:
                return await self._download(file, file.url)
            url = await refresher.fresh_url(file) or file.url
            return await self._download(file, url, even_if_expired=True)
        except MediaExpired as error:
            return None if refresher is None else self._not_stored(file, error)
        except MediaError as error:
            return self._not_stored(file, error)
        except (ArchiverError, OSError, sqlite3.Error):  # errors of the disk end the run
            raise
        except Exception as error:
            log.exception("A bug: rendition %d could not be fetched", file.rendition_id)
            text = f"a bug in archiver: {type(error).__name__}"
            return NotStored(file, "failed", Reason("bug", text))

    async def _stored_file(self, file: QueuedFile) -> Stored | None:
        """The file, where its source states a hash that is stored already."""
        if file.expected_sha256 is None:
            return None
        return await self.run.database.call(queue.stored_file, file)

    async def _download(
        self, file: QueuedFile, url: str, *, even_if_expired: bool = False
    ) -> FetchedFile:
        try:
            download = await self._download_any(file, url, even_if_expired=even_if_expired)
        except MediaError as error:
            if file.expected_sha256 is not None and error.code == "http_400":
                # requested by its hash: nothing else can be wrong with the request
                raise MediaGone(
                    "The server answered 400 to the hash of the file: it does not have it"
                ) from error
            raise
        expected = (file.expected_sha256, file.expected_size)
        for said, got in zip(expected, (download.sha256, download.size), strict=True):
            if said is not None and said != got:
                download.discard()
                raise MediaError(
                    "The file could not be fetched",
                    why="Its bytes do not match the hash or size that the source states",
                    code="other_bytes",
                )
        return (
            await self._film(file, url, download) if download.is_playlist else FetchedFile(download)
        )

    async def _film(self, file: QueuedFile, url: str, playlist: Download) -> FetchedFile:
        """The film of a playlist; the playlist itself where none can be made of it."""
        expects = file.kind if file.kind in {"video", "gif", "audio"} else "video"
        try:
            film = await self.films.join(playlist, url, expects=expects)
        except NotJoinable as why:
            tomorrow = timestamp(self.run.clock.now() + _TOMORROW) or ""
            return kept_playlist(playlist, why, tomorrow)
        except BaseException:
            playlist.discard()
            raise
        playlist.discard()
        return joined_film(film, playlist.content_type, self.films.videos)

    async def _download_any(self, file: QueuedFile, url: str, *, even_if_expired: bool) -> Download:
        expects = expected_kind(file.kind, file.role, url, file.content_type)
        self._unresponsive_hosts.check(url)
        try:
            download = await self.downloader.fetch(
                url, expects=expects, even_if_expired=even_if_expired
            )
        except MediaError as error:
            if note := self._unresponsive_hosts.failed(url, error):
                self.run.progress.note(note)
            raise
        self._unresponsive_hosts.answered(url)
        return download

    async def _save(self, receiver: MemoryObjectReceiveStream[Result]) -> None:
        """Save files in batches; those that arrive meanwhile are the next batch.

        It cannot be cancelled: it ends after all workers, and saves what they have downloaded.
        """
        with anyio.CancelScope(shield=True):
            async with receiver:
                while (first := await _receive(receiver)) is not None:
                    await self._save_batch(await self._batch(first, receiver))
                    await self._report_progress()

    async def _batch(
        self, first: Result, receiver: MemoryObjectReceiveStream[Result]
    ) -> list[Result]:
        """A batch that begins with a result: all that arrive within a second.

        It ends earlier when no file is in progress, or at `_SAVE_BYTES`: the disk should work while
        the next files arrive.
        """
        batch, size = [first], _size(first)
        with anyio.move_on_after(_SAVE_SECONDS):
            while len(batch) < min(_MAX_BATCH_FILES, len(self._in_progress)) and size < _SAVE_BYTES:
                result = await _receive(receiver)
                if result is None:
                    break
                batch.append(result)
                size += _size(result)
        return batch

    async def _save_batch(self, batch: list[Result]) -> None:
        """Make files durable, and only then write their rows."""
        downloads = [each.download for _, each in batch if isinstance(each, FetchedFile)]
        recovered: set[str] = set()
        if downloads:
            recovered.update(await to_thread.run_sync(self.store.put, downloads))
        outcomes = [
            result.stored(file, recovered) if isinstance(result, FetchedFile) else result
            for file, result in batch
        ]
        states = await self.run.database.call(
            queue.save, outcomes, self.run.run_id, self.run.clock.now()
        )
        self._count(outcomes, states)
        self._in_progress.difference_update(file.rendition_id for file, _ in batch)
        self.wake()

    def _count(self, outcomes: Iterable[Stored | NotStored], states: Iterable[str]) -> None:
        for outcome, state in zip(outcomes, states, strict=True):
            report = self._report_of(outcome.queued)
            if state == "not_offered":
                text = MANIFEST_ONLY.text if outcome.reason is None else outcome.reason.text
                self.failures[report.name, state, text] += 1
            elif isinstance(outcome, Stored):
                report.counts.stored += 1
            else:
                report.counts.failed += 1
                self.failures[report.name, state, outcome.reason.text] += 1
            self._done_count += 1

    async def _report_progress(self) -> None:
        """Report the progress, but not so often that counting the queue slows down fetching."""
        clock, is_all = self.run.clock, self.listing_done
        is_due = clock.monotonic() - self._reported_at >= _REPORT_SECONDS
        if not is_due and is_all == self._reported_all:
            return
        begin = clock.monotonic()
        waiting = await self.run.database.call(
            queue.count, set(self.accounts), self.run.now(), joiner_version()
        )
        self._reported_at = begin + _REPORT_SHARE * (clock.monotonic() - begin)
        self._reported_all = is_all
        self.run.progress.files(waiting, self._done_count, is_all=is_all)

    def _not_stored(self, file: QueuedFile, error: MediaError) -> NotStored:
        state, reason = reason_of(error, self.downloader.max_size)
        return NotStored(file, state, reason, joiner_version())


def reason_of(
    error: MediaError, max_size: int
) -> tuple[Literal["failed", "gone", "refused"], Reason]:
    """The state of a rendition after a failed download, and its reason."""
    if isinstance(error, MediaGone):
        if error.final:
            return "gone", Reason("gone", "gone (410)")
        return "failed", Reason("not_found", "not found (404)")
    code = _code(error)
    if isinstance(error, MediaRefused):
        limit = str(max_size) if code == "too_large" else None
        return "refused", Reason(code, str(error), limit)
    return "failed", Reason(code, _text(error))


async def _send_result(sender: MemoryObjectSendStream[Result], result: Result) -> None:
    """Send the result of a file, also when the run is being stopped."""
    with suppress(anyio.BrokenResourceError):  # only where saving failed, which ends the run
        try:
            sender.send_nowait(result)
        except anyio.WouldBlock:
            with anyio.CancelScope(shield=True):
                await sender.send(result)


async def _receive(receiver: MemoryObjectReceiveStream[_T]) -> _T | None:
    """The next of a stream, None at its end.

    What waits is taken at once: `receive` lets the event loop turn first, for every file.
    """
    try:
        try:
            return receiver.receive_nowait()
        except anyio.WouldBlock:
            return await receiver.receive()
    except anyio.EndOfStream:
        return None


def _size(result: Result) -> int:
    return result[1].download.size if isinstance(result[1], FetchedFile) else 0


def _code(error: MediaError) -> str:
    """The reason code of a failed download; that of an unknown error code is `wrong_kind`."""
    if error.code in REASON_CODES:
        return error.code
    if error.code.startswith("http_"):
        return "http_error"
    return _REASON_CODES_BY_ERROR.get(error.code, "wrong_kind")


def _text(error: MediaError) -> str:
    """The text of a failure for the `reason` column."""
    return (error.why or error.what).rstrip(".")
