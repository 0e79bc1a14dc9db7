"""Videos that are behind their pages, for accounts that the user has declared as their own.

One after the other, with pauses, and only so many a day of each platform. What could not be fetched
is tried again after days or weeks. None of it counts as a failure of the run.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
from anyio import to_thread
from msgspec import Struct

from archiver.archive.origins import MediaOrigin
from archiver.archive.queue import QueuedFile
from archiver.archive.resolutions import (
    Resolution,
    TriedSubtitles,
    behind_pages,
    save_resolved,
    save_unresolved,
    tries_of_day,
)
from archiver.backup.fetched import FetchedFile, left_out_of
from archiver.backup.media_fetcher import MediaFetcher, reason_of
from archiver.backup.resolver_job import GuardedJob, guarded_job
from archiver.backup.resolver_notices import PROXY_NOTICE, resolver_notice
from archiver.config import Config
from archiver.errors import ArchiverError, MediaError
from archiver.media.download import Download, finish_download, refuse_short
from archiver.media.kinds import HEAD, sniff
from archiver.media.playlists.plan import NotJoinable
from archiver.media.playlists.remuxing import INSTALL, RemuxFailed, can_remux, remux
from archiver.media.temp_file import TempFile
from archiver.media.tracks import has_sound_track
from archiver.models import Account
from archiver.net.guard import AddressGuard
from archiver.plugin_calls import cause_of, plugin_errors
from archiver.reasons import Reason
from archiver.report import AccountReport
from archiver.resolvers import ResolvedSubtitles, ResolvedVideo, Resolver, Unresolved

_PAUSE = 5.0
_PAUSE_JITTER = 10.0
_ENDS_PLATFORM = frozenset({
    "bot_check", "runtime_missing", "resolver_missing", "resolver_outdated",
})  # fmt: skip
"""Codes that the next video of the platform would meet too."""

_FORMATS = {"mp4": "mp4", "m4a": "mp4", "mov": "mp4", "webm": "matroska", "mkv": "matroska"}


@dataclass(slots=True)
class VideoResolving:
    """The resolvers' part of a run. `jitter` gives numbers between 0 and 1."""

    config: Config
    resolvers: Sequence[Resolver]
    files: MediaFetcher
    jitter: Callable[[], float] = random.random
    _tried: int = field(default=0)

    async def resolve_all(self) -> None:
        """Try what is due of all accounts that it is allowed for. Raises StorageError."""
        media = self.config.media
        if media.videos == "none" or "video" in media.leave_out:
            return
        for platform in sorted(set(self.config.media.resolve)):
            if self.config.network.proxy is not None:  # a resolver would go around it
                self._note_own_accounts(platform, PROXY_NOTICE)
                continue
            resolver = next((each for each in self.resolvers if platform in each.platforms), None)
            if resolver is not None:
                now = self.files.run.clock.now()
                if (notice := resolver_notice(resolver, platform, now)) is not None:
                    self._note_own_accounts(platform, notice)
                await self._platform(platform, resolver)

    async def _platform(self, platform: str, resolver: Resolver) -> None:
        run = self.files.run
        tried = await run.database.call(tries_of_day, platform, run.clock.now())
        left = self.config.media.resolve_per_day - tried
        for account_id, account in self._accounts(platform):
            if left <= 0:
                return
            due = await run.database.call(behind_pages, account_id, run.now(), limit=left)
            for file in due:
                if self.files.must_stop():
                    return
                left -= 1
                if await self._try(file, account, resolver) in _ENDS_PLATFORM:
                    return

    def _note_own_accounts(self, platform: str, text: str) -> None:
        """Say something of each account whose videos may be fetched from their pages."""
        for account_id, account in self._accounts(platform):
            self._report(account_id, account).note(text)

    def _report(self, account_id: int, account: Account) -> AccountReport:
        sources = self.files.accounts[account_id]
        return (sources.get(account.source) or next(iter(sources.values()))).report

    def _accounts(self, platform: str) -> Iterator[tuple[int, Account]]:
        """The accounts of this run that are the user's own."""
        own = {entry.name for entry in self.config.accounts if entry.own}
        for account_id, sources in self.files.accounts.items():
            account = next(iter(sources.values())).reader.account
            if account.platform == platform and account.name in own:
                yield account_id, account

    async def _try(self, file: QueuedFile, account: Account, resolver: Resolver) -> str | None:
        """Try one video; the reason code where it could not be fetched."""
        run = self.files.run
        if self._tried:
            await run.clock.sleep(_PAUSE + _PAUSE_JITTER * self.jitter())
        self._tried += 1
        tried = Resolution(file, account.platform, resolver.name, resolver.version)
        try:
            fetched, texts = await self._fetch(file, account.platform, resolver)
        except Unresolved as error:
            reason = Reason(error.code, str(error))
        except MediaError as error:
            _, reason = reason_of(error, self.files.downloader.max_size)
        else:
            await self._save(tried, fetched, texts, account)
            return None
        with anyio.CancelScope(shield=True):
            await run.database.call(
                save_unresolved, tried, reason, run.run_id, run.clock.now(), self.jitter
            )
        self.files.failures[account.name, "failed", reason.text] += 1
        return reason.code

    async def _save(
        self, tried: Resolution, fetched: FetchedFile, texts: "Sequence[_Text]", account: Account
    ) -> None:
        run = self.files.run
        with anyio.CancelScope(shield=True):
            files = [fetched, *(each for _, each in texts if isinstance(each, FetchedFile))]
            recovered = await to_thread.run_sync(
                self.files.store.put, [file.download for file in files]
            )
            stored = fetched.stored(tried.file, recovered)
            subtitles = [
                TriedSubtitles(
                    offer.language, offer.name,
                    each if isinstance(each, Reason) else partial(each.stored, recovered=recovered),
                )
                for offer, each in texts
            ]  # fmt: skip
            await run.database.call(
                save_resolved, tried, stored, run.run_id, run.clock.now(), subtitles
            )
        self._report(tried.file.account_id, account).counts.stored += 1

    async def _fetch(
        self, file: QueuedFile, platform: str, resolver: Resolver
    ) -> "tuple[FetchedFile, list[_Text]]":
        """The video, judged by its bytes, and its subtitles.

        Raises Unresolved, MediaError, StorageError.
        """
        media, network = self.config.media, self.config.network
        guard = AddressGuard(network.allow, https_only=network.https_only)

        job: GuardedJob
        async with guarded_job(
            file.url, platform, media.videos, self.files.films.tmp, guard, media.max_size,
            file.rendition_id,
        ) as job:  # fmt: skip
            video = await _ask(resolver, job)
            taken = await self._take(job, video)
        texts: list[_Text] = []
        try:
            _judge(taken.download, video)
            for offer in video.subtitles:
                text = await self._text(offer, resolver, file.url)
                texts += [(offer, text)]  # one by one: those before are removed where one fails
        except BaseException:
            taken.download.discard()
            for _, done in texts:
                if isinstance(done, FetchedFile):
                    done.download.discard()
            raise
        origin = MediaOrigin(
            taken.how, resolver.name, resolver.version, page_url=file.url,
            segments=taken.segments, details={**video.details, **taken.details},
        )  # fmt: skip
        return FetchedFile(taken.download, origin=origin), texts

    async def _text(
        self, offer: ResolvedSubtitles, resolver: Resolver, page_url: str
    ) -> FetchedFile | Reason:
        """A file of subtitles, or why there is none. Raises StorageError."""
        try:
            found = await self.files.downloader.fetch(
                offer.url, expects="subtitles", even_if_expired=True
            )
        except MediaError as error:
            _, reason = reason_of(error, self.files.downloader.max_size)
            return reason
        details = {"subtitles": {"language": offer.language, "name": offer.name}}
        origin = MediaOrigin(
            "resolved", resolver.name, resolver.version, page_url=page_url, details=details
        )
        return FetchedFile(found, origin=origin)

    async def _take(self, job: GuardedJob, video: ResolvedVideo) -> "_Taken":
        """The file that a resolver found: fetched by our own client, or from the job's folder."""
        if video.url is not None:
            return await self._from_address(video.url)
        paths = [job.folder / path.name for path in video.files]
        if not paths or not all(path.is_file() for path in paths):
            raise Unresolved("resolver_failed", "it ended without an error, and without a file")
        if len(paths) > 1:
            paths = [await _merged(paths, video, job)]
        tmp = self.files.films.tmp
        return _Taken(await to_thread.run_sync(_adopt, paths[0], tmp), "downloaded")

    async def _from_address(self, url: str) -> "_Taken":
        found = await self.files.downloader.fetch(url, expects="video", even_if_expired=True)
        if not found.is_playlist:
            return _Taken(found, "resolved")
        try:
            film = await self.files.films.join(found, url, expects="video")
        except NotJoinable as why:
            code = why.code if why.code != "manifest_only" else "resolver_failed"
            raise Unresolved(code, f"it is a playlist only: {why}") from why
        finally:
            found.discard()
        made = film.origin
        # of its playlists, whose addresses may name this machine, only the segments are kept
        details = {"how": made.how, "tool": made.tool, "left_out": left_out_of(made)}
        return _Taken(film.download, "resolved", made.segments, {"film": details})


_Text = tuple[ResolvedSubtitles, FetchedFile | Reason]
"""Subtitles that a page has, and their file, or why there is none."""


class _Taken(Struct, frozen=True):
    """A file that a resolver found, and what our own client says of a film of segments."""

    download: Download
    how: Literal["resolved", "downloaded"]
    segments: Sequence[Mapping[str, object]] = ()
    details: Mapping[str, object] = {}


async def _ask(resolver: Resolver, job: GuardedJob) -> ResolvedVideo:
    """What a resolver says; whatever else it raises is a failure of its own."""

    def failed(error: BaseException) -> ArchiverError:
        if isinstance(error, Unresolved):
            return _Given(error)
        return _Given(Unresolved("resolver_failed", f"a bug in {resolver.name}: {cause_of(error)}"))

    try:
        with plugin_errors(failed):
            return await resolver.resolve(job)
    except _Given as given:
        job.refuse_private()
        raise given.error from given


class _Given(ArchiverError):
    """Carries an Unresolved over the boundary to plugins."""

    def __init__(self, error: Unresolved) -> None:
        super().__init__(str(error))
        self.error = error


async def _merged(paths: Sequence[Path], video: ResolvedVideo, job: GuardedJob) -> Path:
    """Picture and sound in one file; nothing is encoded again."""
    if not can_remux():
        raise Unresolved("resolver_missing", f"picture and sound are apart: {INSTALL}")
    formats = [_format_of(path) for path in paths]
    if None in formats:
        raise Unresolved("resolver_failed", "picture or sound is in an unknown container")
    target = job.folder / "merged.mp4"
    tracks = [[{"paths": [str(path)], "seconds": video.seconds or 0.0}] for path in paths]
    try:
        await remux(
            {"tracks": tracks, "formats": formats, "target": str(target),
             "max_size": job.max_size}
        )  # fmt: skip
    except RemuxFailed as failure:
        raise Unresolved("resolver_failed", f"its parts make no film: {failure}") from failure
    return target


def _format_of(path: Path) -> str | None:
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD))
    return None if kind is None else _FORMATS.get(kind.extension)


def _adopt(path: Path, tmp: Path) -> Download:
    with TempFile.adopt(path, tmp) as file:
        return finish_download(file, "video", {}, proven=False)


def _judge(download: Download, video: ResolvedVideo) -> None:
    """Raise MediaError for a video without its sound, or that is much too short."""
    what = "The file could not be fetched"
    if video.has_sound and has_sound_track(download.path, download.extension) is False:
        raise MediaError(
            what, why="It has no sound, and its page says that it has", code="no_sound"
        )
    if video.seconds:
        refuse_short(download, video.seconds, what="It")
