"""Transfers the bytes of one file over HTTP: status, length, resuming, minimum speed.

The function that opens a URL is a parameter: this module uses no HTTP library.
"""

import math
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import NoReturn, Protocol

import anyio
from anyio import to_thread
from msgspec import Struct

from archiver.clock import Clock
from archiver.errors import MediaError, MediaExpired, MediaGone, MediaRefused
from archiver.media.kinds import HEAD, MAY_BE_DOCUMENTS, recognize_non_media, sniff
from archiver.media.store import ByteRange
from archiver.media.temp_file import TempFile

LARGEST_PLAYLIST = 8 << 20
"""Bytes of one playlist: with a hundred bytes for each segment, days of film."""

_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes[ =](\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_STRONG_ETAG = re.compile(r'"[!#-~]*"')  # ASCII: it is sent back in a header
_STRONG_AFTER = timedelta(seconds=60)  # RFC 9110 section 8.8.2.2: then Last-Modified is strong


class MediaResponse(Protocol):
    """What opening a URL gives: an answer whose body has not been read yet.

    `headers` are found in any case. `url` is the address that answered, after redirects.
    `retry_after` is how many seconds the server asks to wait.
    `checked_end` says that the protocol itself proves where the body ends (chunks, or a checked
    encoding), so that no length is needed.
    """

    status: int
    headers: Mapping[str, str]
    url: str
    retry_after: float | None
    checked_end: bool

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body's bytes, once.

        Raises MediaError, with the code `network` for what a retry may fix.
        """


class OpenUrl(Protocol):
    """Opens a URL. `headers` are `Range` and `If-Range`, or nothing.

    Raises MediaRefused for an address that is not allowed, and MediaError as
    `MediaResponse.chunks`.
    """

    def __call__(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[MediaResponse]:
        """The answer, until the context is left."""


class Limits(Struct, frozen=True):
    """What a download may cost.

    `tries`: requests in one run. `min_rate`: bytes per second, on average after `grace` seconds,
    and within each `window` of seconds. `stall`: seconds without any decoded byte (compressed data
    may arrive and decode to nothing); longer than a window, and than the read timeout of the
    client. `longest_wait`: where the server asks to wait for more seconds than that, the file is
    left to a later run.
    """

    tries: int = 5
    min_rate: float = 1024.0
    grace: float = 60.0
    window: float = 30.0
    stall: float = 60.0
    longest_wait: float = 120.0


class RetryableError(Exception):
    """This request failed in a way that a retry may fix.

    `wait` is in seconds; None stands for the usual backoff.
    """

    def __init__(self, error: MediaError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class _Validator(Struct, frozen=True):
    """A validator (RFC 9110 section 8.8): the header `name`, its `value`, the size of the file."""

    name: str
    value: str
    total: int


class Transfer:
    """One file, or the part `span` of one, over as many requests as it takes.

    `headers` are those of the answer that the bytes came with, `answered_by` its address. Bytes
    that came before a connection broke are kept where a validator proves that the rest belongs to
    them. `threads` limits how many threads hash and write. With `documents`, the file may be a
    document; with `any_bytes` (a key, an encrypted segment), it may be anything.
    """

    def __init__(
        self,
        url: str,
        part: TempFile,
        *,
        max_size: int,
        limits: Limits,
        clock: Clock,
        on_bytes: Callable[[int], None] | None,
        threads: anyio.CapacityLimiter,
        documents: bool = False,
        any_bytes: bool = False,
        span: ByteRange | None = None,
    ) -> None:
        self.headers: Mapping[str, str] = {}
        self.answered_by = url
        self.proven = False
        self._url = url
        self._part = part
        self._max_size = max_size
        self._limits = limits
        self._clock = clock
        self._on_bytes = on_bytes
        self._threads = threads
        self._documents = documents
        self._any_bytes = any_bytes
        self._span = span
        self._is_playlist = False
        self._validator: _Validator | None = None

    async def run(self, open_url: OpenUrl) -> None:
        """Make one request and take its bytes. On return they are all there.

        Raises RetryableError, and MediaError where a second try in this run is of no use.
        """
        headers = self._resume_headers()
        try:
            with anyio.CancelScope() as scope:
                async with open_url(self._url, headers) as answer:
                    await self._receive(answer, scope, ranged=bool(headers))
        except MediaError as error:
            if error.code == "network":
                raise RetryableError(error) from error
            raise
        if scope.cancelled_caught:
            raise RetryableError(_slow())

    def _resume_headers(self) -> dict[str, str]:
        if self._part.size and self._validator and self._part.size < self._validator.total:
            return {"Range": self._range_left(), "If-Range": self._validator.value}
        self._part.restart()
        return {} if self._span is None else {"Range": self._range_left()}

    def _range_left(self) -> str:
        """The range of bytes that have not come yet, as a request names it."""
        if self._span is None:
            return f"bytes={self._part.size}-"
        return f"bytes={self._span.start + self._part.size}-{self._span.end - 1}"

    async def _receive(
        self, answer: MediaResponse, scope: anyio.CancelScope, *, ranged: bool
    ) -> None:
        if answer.status == 416 and ranged:
            raise self._start_over("The server refused the range that was left")
        _check_status(answer, longest_wait=self._limits.longest_wait)
        self.answered_by = answer.url
        if self._span is not None:
            expected: int | None = self._accept_span(answer, self._span)
        elif answer.status == 206 and ranged:
            expected = self._accept_rest(answer)
        else:
            self._part.restart()
            expected = self._accept_whole(answer)
        async with aclosing(answer.chunks()) as chunks:
            await self._write(chunks, scope)
        if expected is not None and self._part.size != expected:
            raise RetryableError(_error(f"{self._part.size} of {expected} bytes came", "short"))

    async def _write(self, chunks: AsyncGenerator[bytes, None], scope: anyio.CancelScope) -> None:
        rate = _RateCheck(self._clock, self._limits)
        scope.deadline = anyio.current_time() + self._limits.stall
        is_checked = False
        async for chunk in chunks:
            self._part.buffer(chunk)
            if self._part.size > self._max_size:
                self._refuse_size()
            if self._part.is_full:
                await self._flush(scope, rate)
            if not is_checked and self._part.size >= HEAD and not self._any_bytes:
                is_checked = True
                check_media(self._part.head, documents=self._documents)
                kind = sniff(self._part.head)
                self._is_playlist = kind is not None and kind.group == "playlist"
                if self._is_playlist:
                    self._max_size = min(self._max_size, LARGEST_PLAYLIST)
            if self._on_bytes is not None:
                self._on_bytes(len(chunk))
            if rate.count(len(chunk)):
                scope.deadline = anyio.current_time() + self._limits.stall

    def _refuse_size(self) -> NoReturn:
        if not self._is_playlist:
            refuse_size(self._max_size)
        raise MediaRefused(
            "The playlist is too long",
            why=f"It has more than {LARGEST_PLAYLIST:,} bytes",
            code="playlist_too_long",
        )

    async def _flush(self, scope: anyio.CancelScope, rate: "_RateCheck") -> None:
        """Hash and write what is buffered. The time for that does not count against the server."""
        left = scope.deadline - anyio.current_time()
        scope.deadline = math.inf
        with rate.paused():
            await to_thread.run_sync(self._part.flush, limiter=self._threads)
        scope.deadline = anyio.current_time() + left

    def _accept_whole(self, answer: MediaResponse) -> int | None:
        """The size that the answer promises, if any.

        A 206 to a request without a range is taken for the whole file where its Content-Range
        does not contradict; then only the file itself can prove that it is complete.
        """
        length = _length(answer.headers)
        self.proven = length is not None or answer.checked_end
        if answer.status == 206:
            first, last, total = _content_range(answer.headers)
            if first > 0 or (0 <= last < total - 1 and length in {None, last + 1}):
                raise self._start_over("The server sent another part than asked for")
            self.proven = 0 <= last == total - 1 and length in {None, total}
            length = total if self.proven else length
        if length is not None and length > self._max_size:
            refuse_size(self._max_size, length)
        self.headers = answer.headers
        self._validator = _validator(answer.headers, length)
        return length

    def _accept_rest(self, answer: MediaResponse) -> int:
        """The size of the file, if this answer is the rest of the bytes received so far.

        Raises RetryableError where it is not; then the transfer starts over.
        """
        first, last, total = _content_range(answer.headers)
        known = self._validator
        length = _length(answer.headers)
        if (
            known is None
            or (first, last, total) != (self._part.size, known.total - 1, known.total)
            or answer.headers.get(known.name) != known.value
            or length not in {None, last - first + 1}
        ):
            raise self._start_over("The server sent another part than asked for")
        return total

    def _accept_span(self, answer: MediaResponse, span: ByteRange) -> int:
        """The size of the part, if this answer is what was asked for of it.

        Raises RetryableError where the rest is not, MediaError where the server gives no parts.
        """
        first, last, _ = _content_range(answer.headers)
        size, known = self._part.size, self._validator
        fits = answer.status == 206 and (first, last) == (span.start + size, span.end - 1)
        if size and not (fits and known and answer.headers.get(known.name) == known.value):
            raise self._start_over("The server sent another part than asked for")
        if not fits or _length(answer.headers) not in {None, last - first + 1}:
            raise _error(
                "The server does not give the part of the file that was asked for", "range"
            )
        if not size:
            self.headers = answer.headers
            self._validator = _validator(answer.headers, span.length)
        return span.length

    def _start_over(self, why: str) -> RetryableError:
        """Drop the bytes received so far; the error has the whole file requested at once."""
        self._part.restart()
        self._validator = None
        return RetryableError(_error(why, "range"), 0.0)


class _RateCheck:
    """Measures the rate of a server, which must be at least `Limits.min_rate`.

    Read timeouts do not stop a server that sends one byte now and then.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._begin = self._window_begin = clock.monotonic()
        self._bytes = self._window_bytes = 0

    def count(self, size: int) -> bool:
        """Whether a window begins. Raises RetryableError when it goes too slowly."""
        limits, now = self._limits, self._clock.monotonic()
        self._bytes += size
        self._window_bytes += size
        if now - self._begin > limits.grace + self._bytes / limits.min_rate:
            raise RetryableError(_slow())
        elapsed = now - self._window_begin
        if elapsed >= limits.window:
            if self._window_bytes < limits.min_rate * elapsed:
                raise RetryableError(_slow())
            self._window_begin, self._window_bytes = now, 0
            return True
        return False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The time spent in the block does not count."""
        begin = self._clock.monotonic()
        yield
        away = self._clock.monotonic() - begin
        self._begin += away
        self._window_begin += away


def check_media(head: bytes, *, documents: bool = False) -> None:
    """Raises MediaError when something else came in place of media, such as an error page.

    With `documents`, what may be a document is accepted.
    """
    word = recognize_non_media(head)
    if word is not None and not (documents and word in MAY_BE_DOCUMENTS):
        name = {"empty": "Nothing", "text": "Text", "executable": "A program"}.get(word)
        raise _error(f"{name or word.upper()} came in place of media", word)


def _check_status(answer: MediaResponse, *, longest_wait: float) -> None:
    """Raises what a status other than 200, 203 (by way of a proxy) and 206 means."""
    status = answer.status
    if status in {200, 203, 206}:
        return
    said = f"The server answered {status}"
    if status == 204:
        raise _error("Nothing came in place of media", "empty")
    if status == 403:
        raise MediaExpired(
            "The file could not be fetched", why=f"{said}: the URL is not valid (any more)"
        )
    if status in {404, 410}:
        raise MediaGone(f"{said}: there is no such file", final=status == 410)
    error = _error(said, f"http_{status}")
    if status in _RETRYABLE:
        if answer.retry_after is not None and answer.retry_after > longest_wait:
            raise error
        raise RetryableError(error, answer.retry_after)
    raise error


def _validator(headers: Mapping[str, str], total: int | None) -> _Validator | None:
    """The validator for resuming (RFC 9110 section 13.1.5); None where there is no strong one."""
    if total is None or headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    etag = headers.get("etag", "").strip()
    if _STRONG_ETAG.fullmatch(etag):
        return _Validator("etag", etag, total)
    modified = headers.get("last-modified", "")
    try:
        age = parsedate_to_datetime(headers.get("date", "")) - parsedate_to_datetime(modified)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if age < _STRONG_AFTER or not modified.isascii():
        return None
    return _Validator("last-modified", modified, total)


def _length(headers: Mapping[str, str]) -> int | None:
    """The Content-Length in bytes; a list of equal values counts as one (RFC 9110 section 8.6)."""
    values = {value.strip() for value in headers.get("content-length", "").split(",")}
    text = values.pop()
    return int(text) if not values and re.fullmatch(r"\d{1,18}", text, re.ASCII) else None


def _content_range(headers: Mapping[str, str]) -> tuple[int, int, int]:
    """The first byte, the last one and the size of the whole; -1 for what is missing."""
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip().lower())
    if match is None:
        return -1, -1, -1
    return int(match[1]), int(match[2]), -1 if match[3] == "*" else int(match[3])


def _slow() -> MediaError:
    return _error("The server sends too slowly", "slow")


def _error(why: str, code: str) -> MediaError:
    return MediaError("The file could not be fetched", why=why, code=code)


def refuse_size(limit: int, size: int | None = None) -> NoReturn:
    """Raises MediaRefused: the limit and, if known, the size, in bytes."""
    raise MediaRefused(
        "The file is too large",
        why=f"It has {size:,} bytes" if size else None,
        hint=f"media.max_size is {limit:,} bytes",
        code="too_large",
    )
