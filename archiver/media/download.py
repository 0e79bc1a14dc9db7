"""Downloads one file into `tmp/` and checks it: complete, of the right kind, within the limits."""

import os
import random
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread
from msgspec import Struct, field

from archiver.clock import Clock
from archiver.errors import MediaError, MediaExpired
from archiver.media.completeness import is_complete
from archiver.media.documents import document_kind
from archiver.media.expiry import url_expired
from archiver.media.inspect import inspect
from archiver.media.kinds import UNKNOWN, FileKind, sniff
from archiver.media.shared_thread import SharedThread
from archiver.media.store import ByteRange
from archiver.media.temp_file import TempFile
from archiver.media.tracks import has_video_track, is_fragment
from archiver.media.transfer import (
    Limits,
    OpenUrl,
    RetryableError,
    Transfer,
    check_media,
)

_T = TypeVar("_T")
_THREAD_SIZE = 256 << 10
"""From so many bytes on, hashing and writing them takes longer than handing them to a thread: such
a file has one of its own."""
_LEAST_SHARE = 0.9  # of a length that a page or playlist rounds
_BACKOFF_BASE = 1.0
_BACKOFF_CAP = 30.0
_KEPT_HEADERS = ("content-type", "etag", "last-modified", "date")
_LONGEST_HEADER = 300
_MEDIA = frozenset({"image", "video", "audio"})
_MUST_HAVE_VIDEO = frozenset({"video", "gif", "playlist"})
_WRONG_FOR = {
    "image": {"video", "audio", "playlist", "subtitles"}, "playlist": {"image", "subtitles"},
    "audio": {"image", "subtitles"}, "video": {"subtitles"},
    "fragment": {"image", "audio", "subtitles"},
    "subtitles": {"image", "video", "audio", "gif", "playlist"},
}  # fmt: skip
"""By the kind of the bytes: the kinds of attachment that they cannot be the file of."""


class Download(Struct, frozen=True):
    """A file in `tmp/` that passed every check; whoever holds this owns the file.

    `content_type` and `extension` come from the bytes; `served` is what the server said of them
    (some headers, lower case), `answered_by` the address that it came from, after redirects.
    Sizes are in pixels. `is_playlist`: it only lists where the pieces of a file are. `is_proven`:
    its length was given, or its format shows where it ends.
    """

    path: Path
    sha256: str
    size: int
    content_type: str
    extension: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    served: Mapping[str, str] = field(default_factory=dict)
    is_playlist: bool = False
    is_proven: bool = True
    answered_by: str = ""

    def discard(self) -> None:
        """Remove the file, which is not wanted after all."""
        self.path.unlink(missing_ok=True)


PART_HEAD = 16
"""How many first bytes of a part are remembered: a film has up to 20,000 of them."""


class FetchedPart(Struct, frozen=True):
    """Bytes in a file of their own that were asked for by a playlist; `head` are the first ones."""

    path: Path
    sha256: str
    size: int
    head: bytes
    answered_by: str


class Downloader:
    """Fetches files into the folder `tmp`, on the disk of the store.

    `max_size` is in bytes. `on_bytes` is called with the size of each chunk. `jitter` gives numbers
    between 0 and 1, by which the waits between requests differ.
    """

    def __init__(
        self,
        open_url: OpenUrl,
        tmp: Path,
        clock: Clock,
        *,
        max_size: int,
        on_bytes: Callable[[int], None] | None = None,
        limits: Limits = Limits(),  # noqa: B008 — frozen
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._open_url = open_url
        self._tmp = tmp
        self._clock = clock
        self.max_size = max_size
        self._on_bytes = on_bytes
        self._limits = limits
        self._jitter = jitter
        # one for each core: more would need more memory and be no faster
        self._threads = anyio.CapacityLimiter(os.cpu_count() or 1)
        self._small_files = SharedThread()

    async def fetch(
        self, url: str, *, expects: str | None = None, even_if_expired: bool = False
    ) -> Download:
        """The file behind a URL.

        `expects` is what the bytes must fit (see `expected_kind`). `even_if_expired` tries a URL
        that says that it is no longer valid: this machine's clock may be wrong.

        Raises MediaExpired (403, or without a request), MediaGone (404, 410), MediaRefused
        (address, size), MediaError (all else, `code` says what) and StorageError (the disk).
        """
        if not even_if_expired and url_expired(url, self._clock.now()):
            raise MediaExpired("The file could not be fetched", why="The URL has expired")
        with TempFile(self._tmp) as part:
            transfer = Transfer(
                url,
                part,
                max_size=self.max_size,
                limits=self._limits,
                clock=self._clock,
                on_bytes=self._on_bytes,
                threads=self._threads,
                documents=expects == "document",
            )
            await self._fetch_with_retries(transfer)
            finish = partial(
                finish_download, part, expects, transfer.headers, proven=transfer.proven,
                answered_by=transfer.answered_by,
            )  # fmt: skip
            return await self._in_thread(part, finish)

    async def fetch_part(
        self, url: str, folder: Path, *, max_size: int, span: ByteRange | None = None,
        any_bytes: bool = False,
    ) -> FetchedPart:  # fmt: skip
        """The bytes behind a URL, or the part `span` of them, in a file in `folder`.

        They may be of any kind but web pages and the like; with `any_bytes`, of any kind. The
        caller owns the file. Raises as `fetch`.
        """
        with TempFile(folder) as part:
            transfer = Transfer(
                url, part, max_size=max_size, limits=self._limits, clock=self._clock,
                on_bytes=self._on_bytes, threads=self._threads, any_bytes=any_bytes, span=span,
            )  # fmt: skip
            await self._fetch_with_retries(transfer)
            if not any_bytes:
                check_media(part.head)
            sha256 = await self._in_thread(part, part.finish)
            part.keep()
            head = bytes(part.head[:PART_HEAD])
            return FetchedPart(part.path, sha256, part.size, head, transfer.answered_by)

    async def _in_thread(self, part: TempFile, finish: Callable[[], _T]) -> _T:
        """Finish a file in a thread: the event loop does not wait for the disk."""
        if part.size < _THREAD_SIZE:
            return await self._small_files.run(finish)
        return await to_thread.run_sync(finish, limiter=self._threads)

    async def _fetch_with_retries(self, transfer: Transfer) -> None:
        failures = 0
        while True:
            try:
                await transfer.run(self._open_url)
            except RetryableError as error:
                failures += 1
                if failures >= self._limits.tries:
                    raise error.error from error
                wait = error.wait
                if wait is None:
                    wait = self._jitter() * min(_BACKOFF_CAP, _BACKOFF_BASE * 2.0**failures)
                await self._clock.sleep(wait)
            else:
                return


def refuse_short(download: Download, promised: float, *, what: str) -> None:
    """Raise MediaError for a video that is much shorter than promised, in seconds."""
    length = download.duration_ms
    if length is not None and length < 1000 * (promised * _LEAST_SHARE - 1):
        raise MediaError(
            "The file could not be fetched",
            why=f"{what} has {length / 1000:.0f} of {promised:.0f} seconds",
            code="short",
        )


def finish_download(
    part: TempFile, expects: str | None, headers: Mapping[str, str], *, proven: bool,
    answered_by: str = "",
) -> Download:  # fmt: skip
    """A complete temporary file as a download, if it passes every check; then it is kept.

    `headers` came with it. `proven` says that its length was known. Raises MediaError.
    """
    check_media(part.head, documents=expects == "document")
    sha256 = part.finish()
    kind = _kind_of(part, expects)
    _check_kind(kind, expects, headers.get("content-type", "").strip().lower())
    if expects in _MUST_HAVE_VIDEO:
        _check_video(part, kind, expects)
    whole = True if proven else is_complete(part.path, kind)
    if whole is False:
        raise MediaError(
            "The file could not be fetched",
            why=f"It ends too early for {kind.content_type}, and no length was given",
            code="short",
        )
    found = inspect(part.path, kind, part.head)
    if expects is not None and found.width == found.height == 1:
        raise _wrong_kind("A placeholder of one pixel", expects, "placeholder")
    part.keep()
    return Download(
        path=part.path,
        sha256=sha256,
        size=part.size,
        content_type=kind.content_type,
        extension=kind.extension,
        is_playlist=kind.group == "playlist",
        width=found.width,
        height=found.height,
        duration_ms=found.duration_ms,
        served={name: headers[name][:_LONGEST_HEADER] for name in _KEPT_HEADERS if name in headers},
        is_proven=whole is True,
        answered_by=answered_by,
    )


def _kind_of(part: TempFile, expects: str | None) -> FileKind:
    """The kind of the bytes. Raises MediaError for a ZIP archive that is not a document."""
    kind = sniff(part.head)
    if kind is None and expects == "document":
        kind = document_kind(part.path, part.head)
        if kind is None:
            check_media(part.head)
    return kind or UNKNOWN


def _check_kind(kind: FileKind, expects: str | None, served_as: str) -> None:
    """Raises MediaError for bytes that cannot be the file that is expected.

    Bytes of an unknown kind are accepted where the server declares them as media: there are
    always formats that this program does not know yet.
    """
    if expects is None or expects == "document":
        return
    if kind is UNKNOWN and served_as.partition("/")[0] not in _MEDIA:
        raise _wrong_kind("Bytes of no known kind", expects, "unknown")
    if expects in _WRONG_FOR.get(kind.group, ()):
        raise _wrong_kind(kind.content_type, expects, "wrong_kind")


def _check_video(part: TempFile, kind: FileKind, expects: str) -> None:
    """Raise MediaError for a segment of a video, and for a video with an audio track only."""
    if is_fragment(part.path, kind):
        raise _wrong_kind("One fragment of a video", expects, "incomplete")
    if has_video_track(part.path, kind, part.head) is False:
        raise _wrong_kind(f"{kind.content_type} without a video track", expects, "wrong_kind")


def _wrong_kind(what: str, expects: str, code: str) -> MediaError:
    why = f"{what} came where a file of kind {expects} belongs"
    return MediaError("The file could not be fetched", why=why, code=code)
