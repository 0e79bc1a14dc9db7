"""Fetching what is attached, while listing goes on.

A feeder takes rows from the queue in the database, newest posts first; a fixed number of workers
fetch; one keeper makes batches of files durable and only then writes their rows. Nothing here
grows with the number of files.
"""

import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from archiver.archive import queue
from archiver.archive.attachments import LOCAL
from archiver.archive.playlists import MANIFEST_ONLY
from archiver.archive.queue import NotStored, QueuedFile, Stored
from archiver.backup.account import AccountBackup
from archiver.backup.hosts import SilentHosts
from archiver.canonical import attachment_keys, media_key
from archiver.clock import Clock
from archiver.errors import (
    AccessRefused,
    ArchiverError,
    MediaError,
    MediaExpired,
    MediaGone,
    MediaRefused,
    RateLimited,
    SourceDown,
)
from archiver.media.download import Download, Downloader
from archiver.media.selection import expected_kind
from archiver.media.store import MediaStore, stored_path
from archiver.models import Record, timestamp
from archiver.reasons import REASON_CODES, Reason
from archiver.report import FileFailure, Progress

log = logging.getLogger(__name__)

_BATCH = 256
"""Rows that are taken from the queue at once."""

_KEPT_AT_ONCE = 1024
"""Files per flush and transaction, at most: each costs the disk a sync of every folder that got
one, and there are 256."""

_KEEP_SECONDS = 1.0
_KEEP_BYTES = 32 << 20
"""How long a file waits for others, and how many bytes wait."""

_TELL_SECONDS = 0.5
_TELL_SHARE = 20
"""Counting what waits takes at most one part in so many of the time."""

_ASKERS = 2
"""Workers that may ask for fresh addresses of one account: asking can mean minutes of waiting."""

_MOST_ASIDE = 64
"""With so many files waiting for that, an account's next ones stay in the queue."""

_UNPROVEN = Reason("unproven", "its end could not be proven")
"""Of a stored file: no length was given, and its format has no end that can be seen."""

_CODES = {
    "failed": "network", "refused": "address_not_allowed", "host": "host_silent",
    "slow": "too_slow", "short": "incomplete", "range": "incomplete",
}  # fmt: skip
"""Reason codes of those errors whose own code says it in another word."""

Result = tuple[QueuedFile, Download | NotStored]
"""A file that was asked for, and how that went."""


@dataclass(slots=True)
class _Renewal:
    """Fresh addresses of one account: what the source gave, by post, and who waits for more.

    `is_deaf` says that the source did not answer, and is asked no more in this run.
    """

    fresh: dict[int, Mapping[tuple[str, str, str], str]] = field(default_factory=dict)
    aside: deque[QueuedFile] = field(default_factory=deque)
    askers: int = 0
    is_deaf: bool = False
    lock: anyio.Lock = field(default_factory=anyio.Lock)


@dataclass(slots=True)
class MediaFetcher:
    """The media side of one run.

    `accounts` maps an account's row to the work on it; only their files are fetched, and they are
    asked for fresh addresses. `listing_done` is set when no more rows will come.
    """

    connection: sqlite3.Connection
    run_id: int
    store: MediaStore
    downloader: Downloader
    clock: Clock
    progress: Progress
    workers: int
    accounts: dict[int, AccountBackup] = field(default_factory=dict)
    listing_done: bool = False
    failures: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _in_hand: set[int] = field(default_factory=set)
    _renewals: dict[int, _Renewal] = field(default_factory=dict)
    _hosts: SilentHosts = field(default_factory=SilentHosts)
    _left_out: set[int] = field(default_factory=set)
    _done: int = 0
    _told_at: float = float("-inf")

    def wake(self) -> None:
        """Say that there may be new rows, or that there will be none."""
        self._changed.set()

    async def run(self) -> None:
        """Fetch until the listing is done and nothing is left that is due.

        Raises StorageError.
        """
        give, take = anyio.create_memory_object_stream[QueuedFile](self.workers)
        give_result, take_result = anyio.create_memory_object_stream[Result](_KEPT_AT_ONCE)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep, take_result)
            async with give_result, anyio.create_task_group() as workers:
                for _ in range(self.workers):
                    workers.start_soon(self._work, take.clone(), give_result.clone())
                take.close()
                await self._feed(give)

    def failure_report(self) -> list[FileFailure]:
        """What could not be had in this run, most frequent first."""
        return [
            FileFailure(account, state, reason, count)
            for (account, state, reason), count in self.failures.most_common()
        ]

    async def _feed(self, give: MemoryObjectSendStream[QueuedFile]) -> None:
        async with give:
            while True:
                self._changed = anyio.Event()
                is_last = self.listing_done and not self._in_hand
                found = self._take()
                for wanted in found:
                    if self._renewals and self._is_crowded(wanted.account_id):
                        continue
                    self._in_hand.add(wanted.rendition_id)
                    await give.send(wanted)
                if not found:
                    if is_last:
                        return
                    self._tell()
                    await self._changed.wait()

    def _attended(self) -> Collection[int]:
        """The accounts whose files may be taken from the queue now."""
        if not self._renewals:
            return self.accounts
        return [account for account in self.accounts if not self._is_crowded(account)]

    def _is_crowded(self, account_id: int) -> bool:
        renewal = self._renewals.get(account_id)
        return renewal is not None and len(renewal.aside) >= _MOST_ASIDE

    def _take(self) -> list[QueuedFile]:
        """The next files; an account with a damaged row among its own is left out from now on."""
        try:
            return self._take_of(set(self._attended()) - self._left_out)
        except sqlite3.DatabaseError:
            bad = {account for account in self.accounts if not self._is_readable(account)}
            if bad <= self._left_out:
                raise
        self._left_out |= bad
        for account in bad:
            self.accounts[account].report.warn(
                "Its files were not fetched: a row is damaged. Run archiver verify --repair"
            )
        return self._take()

    def _take_of(self, accounts: Collection[int]) -> list[QueuedFile]:
        return queue.take(
            self.connection, accounts, self._now(), in_hand=self._in_hand, limit=_BATCH
        )

    def _is_readable(self, account: int) -> bool:
        try:
            self._take_of([account])
        except sqlite3.DatabaseError:
            return False
        return True

    async def _work(
        self,
        take: MemoryObjectReceiveStream[QueuedFile],
        give: MemoryObjectSendStream[Result],
    ) -> None:
        async with take, give:
            async for wanted in take:
                # what was lost here was fetched long ago; its address is hardly good any more
                result = None if wanted.lost else await self._fetch(wanted)
                if result is not None:
                    await give.send((wanted, result))
                else:
                    await self._fetch_anew(wanted, give)

    async def _fetch_anew(self, wanted: QueuedFile, give: MemoryObjectSendStream[Result]) -> None:
        """Fetch from a fresh address. Where enough workers ask for one, they do this one too."""
        renewal = self._renewals.setdefault(wanted.account_id, _Renewal())
        if wanted.post_id in renewal.fresh or renewal.is_deaf:
            await self._give_renewed(wanted, give)
            return
        renewal.aside.append(wanted)
        if renewal.askers >= _ASKERS:
            return
        renewal.askers += 1
        while renewal.aside:
            await self._give_renewed(renewal.aside.popleft(), give)
        renewal.askers -= 1

    async def _give_renewed(self, wanted: QueuedFile, give: MemoryObjectSendStream[Result]) -> None:
        result = await self._fetch(wanted, renewed=True)
        assert result is not None  # noqa: S101 — a renewed address is not renewed again
        await give.send((wanted, result))

    async def _fetch(
        self, wanted: QueuedFile, *, renewed: bool = False
    ) -> Download | NotStored | None:  # fmt: skip
        """The file, or why not; None where its address has expired, and may be `renewed`, once."""
        try:
            if not renewed:
                return await self._download(wanted, wanted.url)
            url = await self._renew(wanted) or wanted.url
            return await self._download(wanted, url, even_if_expired=True)
        except MediaExpired as error:
            return self._not_stored(wanted, error) if renewed else None
        except MediaError as error:
            return self._not_stored(wanted, error)
        except (ArchiverError, OSError, sqlite3.Error):  # the disk: there is no going on
            raise
        except Exception as error:
            log.exception("A bug: rendition %d could not be fetched", wanted.rendition_id)
            text = f"a bug in archiver: {type(error).__name__}"
            return NotStored(wanted, "failed", Reason("bug", text))

    async def _download(
        self, wanted: QueuedFile, url: str, *, even_if_expired: bool = False
    ) -> Download:
        expects = expected_kind(wanted.kind, wanted.role, url, wanted.content_type)
        if url.startswith(LOCAL):
            return await self.downloader.fetch_file(Path(url[len(LOCAL) :]), expects=expects)
        self._hosts.check(url)
        try:
            download = await self.downloader.fetch(
                url, expects=expects, even_if_expired=even_if_expired
            )
        except MediaError as error:
            if said := self._hosts.failed(url, error):
                self.progress.note(said)
            raise
        self._hosts.answered(url)
        return download

    async def _renew(self, wanted: QueuedFile) -> str | None:
        """A fresh address from the source; one question serves all files of a post."""
        renewal = self._renewals[wanted.account_id]
        async with renewal.lock:
            if wanted.post_id not in renewal.fresh and not renewal.is_deaf:
                try:
                    renewal.fresh[wanted.post_id] = await self._ask_again(wanted)
                except (SourceDown, RateLimited, AccessRefused):
                    renewal.is_deaf = True
        key = (wanted.attachment_key, wanted.role, wanted.media_key)
        url = renewal.fresh.get(wanted.post_id, {}).get(key)
        if url is None or url == wanted.url:
            return None
        queue.renew_url(self.connection, wanted.rendition_id, url)
        return url

    async def _ask_again(self, wanted: QueuedFile) -> Mapping[tuple[str, str, str], str]:
        """The addresses of a post as of now.

        Raises SourceDown, RateLimited and AccessRefused, which are not about this post alone.
        """
        work = self.accounts[wanted.account_id]
        try:
            record = await work.ask(
                lambda: work.platform.refetch(work.client, work.account, wanted.post_platform_id)
            )
            if not isinstance(record, Record):
                return {}
            post = work.read(record.data)
        except (SourceDown, RateLimited, AccessRefused):
            raise
        except ArchiverError:
            return {}
        return {
            (key, rendition.role, media_key(rendition)): rendition.url
            for key, attachment in zip(
                attachment_keys(post.attachments), post.attachments, strict=True
            )
            for rendition in attachment.renditions
            if rendition.url
        }

    async def _keep(self, take: MemoryObjectReceiveStream[Result]) -> None:
        """Make files durable batch by batch; what comes in meanwhile is the next batch."""
        async with take:
            async for first in take:
                await self._keep_batch(await self._batch(first, take))

    async def _batch(self, first: Result, take: MemoryObjectReceiveStream[Result]) -> list[Result]:
        """What is to be made durable together with a file: what comes within a second.

        That is, while others are being fetched, and there are not many bytes yet: the disk should
        be at work on those while the next ones come.
        """
        batch, size = [first], _size(first)
        with anyio.move_on_after(_KEEP_SECONDS):
            while len(batch) < min(_KEPT_AT_ONCE, len(self._in_hand)) and size < _KEEP_BYTES:
                try:
                    batch.append(await take.receive())
                except anyio.EndOfStream:
                    break
                size += _size(batch[-1])
        return batch

    async def _keep_batch(self, batch: list[Result]) -> None:
        downloads = [result for _, result in batch if isinstance(result, Download)]
        recovered: set[str] = set()
        if downloads:
            recovered.update(await to_thread.run_sync(self.store.put, downloads))
        outcomes = [
            _stored(wanted, result, recovered) if isinstance(result, Download) else result
            for wanted, result in batch
        ]
        states = queue.save(self.connection, outcomes, self.run_id, self.clock.now())
        self._count(outcomes, states)
        self._in_hand.difference_update(wanted.rendition_id for wanted, _ in batch)
        self.wake()

    def _count(self, outcomes: Iterable[Stored | NotStored], states: Iterable[str]) -> None:
        for outcome, state in zip(outcomes, states, strict=True):
            work = self.accounts[outcome.wanted.account_id]
            if isinstance(outcome, Stored) and outcome.is_playlist:
                self.failures[work.account.name, state, MANIFEST_ONLY.text] += 1
            elif isinstance(outcome, Stored):
                work.report.counts.stored += 1
            else:
                work.report.counts.failed += 1
                self.failures[work.account.name, state, outcome.reason.text] += 1
            self._done += 1
        self._tell()

    def _tell(self) -> None:
        """Say how far it is, but not so often that counting would cost more than fetching."""
        if self.clock.monotonic() - self._told_at < _TELL_SECONDS:
            return
        begin = self.clock.monotonic()
        waiting = queue.count(self.connection, self.accounts, self._now())
        self._told_at = begin + _TELL_SHARE * (self.clock.monotonic() - begin)
        self.progress.files(waiting, self._done)

    def _not_stored(self, wanted: QueuedFile, error: MediaError) -> NotStored:
        if isinstance(error, MediaGone):
            if error.final:
                return NotStored(wanted, "gone", Reason("gone", "gone (410)"))
            return NotStored(wanted, "failed", Reason("not_found", "not found (404)"))
        code = _code(error)
        if isinstance(error, MediaRefused):
            limit = str(self.downloader.max_size) if code == "too_large" else None
            return NotStored(wanted, "refused", Reason(code, str(error), limit))
        return NotStored(wanted, "failed", Reason(code, _text(error)))

    def _now(self) -> str:
        return timestamp(self.clock.now()) or ""


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


def _stored(wanted: QueuedFile, download: Download, recovered: Collection[str]) -> Stored:
    return Stored(
        wanted, download.sha256, stored_path(download.sha256, download.extension),
        download.size, download.content_type, download.width, download.height,
        download.duration_ms, download.is_playlist, download.sha256 in recovered,
        None if download.is_proven else _UNPROVEN,
    )  # fmt: skip
