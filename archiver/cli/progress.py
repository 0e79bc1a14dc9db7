"""The progress of a run on a terminal: the account being scanned, then files and their rate."""

import sys
import time
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from archiver.cli.text import cut, safe, screen_width, styled
from archiver.human import counted, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from archiver.cli.shell import Shell

_RATE_SECONDS = 3.0
_DRAW_SECONDS = 0.1
_NARROWEST_BAR = 8


class ProgressLine:
    """A Progress that draws one line on stderr; `note` prints above it.

    While accounts are scanned nobody knows how many files there will be, so no total is shown.
    """

    def __init__(
        self, say: "Callable[[str], None]", now: "Callable[[], float]" = time.monotonic
    ) -> None:
        self._say = say
        self._now = now
        self._stream = sys.stderr
        self._scans: dict[str, int] = {}  # page by account, while it is scanned
        self._posts: dict[str, int] = {}
        self._done = self._waiting = self._bytes = 0
        self._has_all = False
        self._rate = 0.0
        self._mark = (now(), 0)
        self._first_file: tuple[float, int] | None = None
        self._drawn_at = float("-inf")

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._clear()

    def scanning(self, account: str, page: int, posts: int) -> None:
        """Show the account and the page."""
        self._scans.pop(account, None)  # the last one is shown
        self._scans[account] = page
        self._posts[account] = posts
        self._draw()

    def scanned(self, account: str, posts: int) -> None:
        """Show another account that is still scanned."""
        self._scans.pop(account, None)
        self._posts[account] = posts
        self._draw()

    def files(self, waiting: int, done: int, *, is_all: bool) -> None:
        """Update the bar."""
        self._waiting, self._done, self._has_all = waiting, done, is_all
        if is_all and self._first_file is None:
            self._first_file = (self._now(), done)
        self._draw(at_once=is_all)

    def received(self, count: int) -> None:
        """Count bytes, and update the rate."""
        self._bytes += count
        since, then = self._mark
        passed = self._now() - since
        if passed >= _RATE_SECONDS / 10:
            share = min(1.0, passed / _RATE_SECONDS)
            self._rate += share * ((self._bytes - then) / passed - self._rate)
            self._mark = (self._now(), self._bytes)
            self._draw()

    def note(self, text: str) -> None:
        """Print a note above the line."""
        self._clear()
        self._say(text)
        self._draw(at_once=True)

    def text(self) -> str:
        """The line as it is now, without colours."""
        if self._has_all:
            return self._files_text()
        parts = [self._step_text()]
        if posts := sum(self._posts.values()):
            parts.append(counted(posts, "post"))
        if self._done:
            parts.append(counted(self._done, "file"))
        return "  ".join([*parts, *self._bytes_text()])

    def _step_text(self) -> str:
        if not self._scans:
            return "Downloading" if self._posts else "Starting"
        account, page = list(self._scans.items())[-1]
        others = len(self._scans) - 1
        beside = f" and {counted(others, 'more account')}" if others else ""
        return f"Scanning {safe(account)}, page {page}{beside}"

    def _files_text(self) -> str:
        total = self._done + self._waiting
        parts = [f"{self._done:,}/{counted(total, 'file')}", *self._bytes_text()]
        if left := self._seconds_left():
            parts.append(_duration_text(left))
        text = "  ".join(parts)
        room = screen_width() - len(text) - 5
        if room < _NARROWEST_BAR:
            return text
        width = min(room, 30)
        filled = width * self._done // total if total else width
        return f"[{'#' * filled}{'-' * (width - filled)}]  {text}"

    def _bytes_text(self) -> list[str]:
        if not self._bytes:
            return []
        return [size_text(self._bytes), f"{size_text(self._rate)}/s"]

    def _seconds_left(self) -> float | None:
        """An estimate for the waiting files, by the rate since their number is known."""
        if self._first_file is None:
            return None
        since, done_then = self._first_file
        done = self._done - done_then
        return (self._now() - since) / done * self._waiting if done else None

    def _draw(self, *, at_once: bool = False) -> None:
        now = self._now()
        if not at_once and now - self._drawn_at < _DRAW_SECONDS:
            return
        self._drawn_at = now
        self._clear()
        line = cut(self.text(), screen_width() - 1)
        click.echo(styled(line, "cyan"), file=self._stream, nl=False)
        self._stream.flush()

    def _clear(self) -> None:
        click.echo("\r" + " " * (screen_width() - 1) + "\r", file=self._stream, nl=False)


def _duration_text(seconds: float) -> str:
    """A duration, rounded: `5 min left`."""
    if seconds < 60:
        return f"{seconds:.0f} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 100 else f"{minutes / 60:.0f} h left"


@contextmanager
def progress_bar(
    shell: "Shell", label: str
) -> "Iterator[tuple[Callable[[int], object], Callable[[int], object]]]":
    """A progress bar over a number of bytes or things, on a terminal.

    Yields two functions: one sets the total, the other adds what is done.
    """
    if not shell.progress:
        yield int, int
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def on_total(size: int) -> None:
            bar.length = max(1, size)

        yield on_total, bar.update
