"""Fetches one file into `tmp/`, checked: whole, of the right kind, within its limits."""

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from archiver.clock import Clock
from archiver.errors import MediaError, MediaExpired
from archiver.media.completeness import is_complete
from archiver.media.disk import PIECE, open_file
from archiver.media.documents import document_kind
from archiver.media.expiry import url_expired
from archiver.media.inspect import inspect
from archiver.media.kinds import UNKNOWN, FileKind, sniff
from archiver.media.temp_file import TempFile
from archiver.media.tracks import has_picture, is_fragment
from archiver.media.transfer import Limits, OpenUrl, Transfer, TryAgain, check_media, refuse_size

_MUCH = 256 << 10
"""Bytes that take longer to hash and write than to hand to another thread."""
_BACKOFF_BASE = 1.0
_BACKOFF_CAP = 30.0
_SERVED = ("content-type", "etag", "last-modified", "date")
_LONGEST_SERVED = 300
_MEDIA = frozenset({"image", "video", "audio"})
_MOVING = frozenset({"video", "gif", "playlist"})
_MISFITS = {
    "image": {"video", "audio", "playlist"}, "playlist": {"image"}, "audio": {"image"},
    "fragment": {"image", "audio"},
}  # fmt: skip
"""By the kind of the bytes: the kinds of attachment that they cannot be the file of."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file in `tmp/` that passed every check; whoever holds this owns the file.

    `content_type` and `extension` come from the bytes; `served` is what the server said of them
    (some headers, lower case). Sizes are in pixels. `is_playlist`: it only lists where the pieces
    of a file are. `is_proven`: its length was given, or its format shows where it ends.
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

    def discard(self) -> None:
        """Remove the file: it is not wanted after all."""
        self.path.unlink(missing_ok=True)


class Downloader:
    """Fetches files into the folder `tmp`, on the disk of the store.

    `max_size` is in bytes. `on_bytes` is called with the size of each chunk. `chance` gives numbers
    between 0 and 1, for the jitter of waiting.
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
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._open_url = open_url
        self._tmp = tmp
        self._clock = clock
        self.max_size = max_size
        self._on_bytes = on_bytes
        self._limits = limits
        self._chance = chance
        # one to a core: more would hold more memory, and gain nothing
        self._threads = anyio.CapacityLimiter(os.cpu_count() or 1)

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
            await self._try_hard(transfer)
            finish = partial(self._finish, part, expects, transfer.headers, proven=transfer.proven)
            if part.size < _MUCH:
                return finish()
            return await to_thread.run_sync(finish, limiter=self._threads)

    async def fetch_file(self, path: Path, *, expects: str | None = None) -> Download:
        """A copy of a local file, under the same checks. Raises as `fetch`."""
        return await to_thread.run_sync(self._copy, path, expects)

    async def _try_hard(self, transfer: Transfer) -> None:
        failures = 0
        while True:
            try:
                await transfer.run(self._open_url)
            except TryAgain as trouble:
                failures += 1
                if failures >= self._limits.tries:
                    raise trouble.error from trouble
                wait = trouble.wait
                if wait is None:
                    wait = self._chance() * min(_BACKOFF_CAP, _BACKOFF_BASE * 2.0**failures)
                await self._clock.sleep(wait)
            else:
                return

    def _copy(self, path: Path, expects: str | None) -> Download:
        try:
            descriptor = open_file(path)
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            with TempFile(self._tmp) as part:
                while data := self._read(descriptor, path):
                    part.write(data)
                    if part.size > self.max_size:
                        refuse_size(self.max_size)
                return self._finish(part, expects, {}, proven=True)
        finally:
            os.close(descriptor)

    @staticmethod
    def _read(descriptor: int, path: Path) -> bytes:
        try:
            return os.read(descriptor, PIECE)
        except OSError as error:
            raise _unreadable(path, error) from error

    @staticmethod
    def _finish(
        part: TempFile, expects: str | None, headers: Mapping[str, str], *, proven: bool
    ) -> Download:
        check_media(part.head, documents=expects == "document")
        sha256 = part.finish()
        kind = _kind_of(part, expects)
        _check_fit(kind, expects, headers.get("content-type", "").strip().lower())
        if expects in _MOVING:
            _check_movie(part, kind, expects)
        whole = True if proven else is_complete(part.path, kind)
        if whole is False:
            raise MediaError(
                "The file could not be fetched",
                why=f"It ends too early for {kind.content_type}, and no length was given",
                code="short",
            )
        found = inspect(part.path, kind, part.head)
        if expects is not None and found.width == found.height == 1:
            raise _unfit("A placeholder of one pixel", expects, "placeholder")
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
            served={name: headers[name][:_LONGEST_SERVED] for name in _SERVED if name in headers},
            is_proven=whole is True,
        )


def _kind_of(part: TempFile, expects: str | None) -> FileKind:
    """Raises MediaError for an archive that is no document, where one may come."""
    kind = sniff(part.head)
    if kind is None and expects == "document":
        kind = document_kind(part.path, part.head)
        if kind is None:
            check_media(part.head)
    return kind or UNKNOWN


def _check_fit(kind: FileKind, expects: str | None, served_as: str) -> None:
    """Raises MediaError for bytes in the wrong place.

    Bytes of a kind that we do not know are taken where the server at least says that they are
    media: formats are invented faster than programs are updated.
    """
    if expects is None or expects == "document":
        return
    if kind is UNKNOWN and served_as.partition("/")[0] not in _MEDIA:
        raise _unfit("Bytes of no known kind", expects, "unknown")
    if expects in _MISFITS.get(kind.group, ()):
        raise _unfit(kind.content_type, expects, "wrong_kind")


def _check_movie(part: TempFile, kind: FileKind, expects: str) -> None:
    """Raise MediaError for a segment of a video, and for a video with an audio track only."""
    if is_fragment(part.path, kind):
        raise _unfit("One fragment of a video", expects, "incomplete")
    if has_picture(part.path, kind, part.head) is False:
        raise _unfit(f"{kind.content_type} with nothing but sound", expects, "wrong_kind")


def _unfit(what: str, expects: str, code: str) -> MediaError:
    why = f"{what} came where a file of kind {expects} belongs"
    return MediaError("The file could not be fetched", why=why, code=code)


def _unreadable(path: Path, error: OSError) -> MediaError:
    return MediaError(f"Cannot read {path}", why=error.strerror, code="unreadable")
