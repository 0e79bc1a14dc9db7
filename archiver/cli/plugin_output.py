"""What plugins print, warn about or fail with beside the contract: on stderr, and without keys."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from archiver.cli.text import safe


@contextmanager
def redirect_plugin_output() -> Iterator[None]:
    """Send what plugins write to either stream to stderr, as whole lines that hold no key.

    Python's own words about them, warnings and errors in threads or in `__del__`, go the same way.
    What has taken hold of a stream before, such as a progress bar, keeps it.
    """
    strays = _Strays(sys.stderr)
    try:
        with redirect_stdout(strays), redirect_stderr(strays):
            yield
    finally:
        strays.end()


class _Strays(io.TextIOBase):
    """Text that is passed on line by line: a key may be written in pieces."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._pass_on(line)
        return len(text)

    def end(self) -> None:
        """Pass on a line that was begun."""
        if self._begun:
            self.write("\n")

    def _pass_on(self, line: str) -> None:
        from archiver.secrets import redact

        self._stream.write(safe(redact(line)) + "\n")
        self._stream.flush()
