"""A run's progress on a terminal: posts, files of how many, bytes and their rate."""

import sys
import time
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from archiver.cli.text import screen_width
from archiver.human import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from archiver.cli.shell import Shell

_RATE_SECONDS = 3.0


class Bar:
    """A Progress that draws one line on stderr; `note` prints above it."""

    def __init__(self, say: "Callable[[str], None]") -> None:
        self._say = say
        self._stream = sys.stderr
        self._bar: Any = click.progressbar(
            length=1, file=self._stream, width=max(10, screen_width() - 62), show_eta=False,
            show_percent=False, item_show_func=self._describe, label="files",
            bar_template="%(label)s [%(bar)s] %(info)s",
        )  # fmt: skip
        self._posts = self._done = self._total = self._bytes = 0
        self._rate = 0.0
        self._mark = (time.monotonic(), 0)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._bar.__exit__(kind, error, trace)

    def account(self, _name: str, records: int) -> None:
        """Count records."""
        self._posts += records
        self._draw()

    def files(self, waiting: int, done: int) -> None:
        """Move the bar."""
        self._done, self._total = done, done + waiting
        self._draw()

    def received(self, count: int) -> None:
        """Count bytes, and how many come in a second."""
        self._bytes += count
        since, then = self._mark
        passed = time.monotonic() - since
        if passed >= _RATE_SECONDS / 10:
            share = min(1.0, passed / _RATE_SECONDS)
            self._rate += share * ((self._bytes - then) / passed - self._rate)
            self._mark = (time.monotonic(), self._bytes)
            self._draw()

    def note(self, text: str) -> None:
        """Say something on a line of its own."""
        click.echo("\r" + " " * (screen_width() - 1) + "\r", file=self._stream, nl=False)
        self._say(text)
        self._draw()

    def _draw(self) -> None:
        self._bar.length = max(1, self._total)
        self._bar.pos = self._done
        self._bar.current_item = self
        self._bar.render_progress()

    def _describe(self, _item: object) -> str:
        return (
            f"{self._done:,}/{self._total:,}  {self._posts:,} posts  "
            f"{size_text(self._bytes)}  {size_text(self._rate)}/s"
        )


@contextmanager
def bytes_bar(
    shell: "Shell", label: str
) -> "Iterator[tuple[Callable[[int], object], Callable[[int], object]]]":
    """A bar over so many bytes, where one is wanted.

    Gives two functions: one to be told all bytes there are, one to be told those just done.
    """
    if not shell.progress:
        yield int, int
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def on_total(size: int) -> None:
            bar.length = max(1, size)

        yield on_total, bar.update
