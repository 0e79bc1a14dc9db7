"""Redirecting what plugins print to stderr, without secrets."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from archiver.cli.text import safe


@contextmanager
def redirect_plugin_output() -> Iterator[None]:
    """Send what plugins write to stdout or stderr to stderr, as whole lines without secrets.

    Python's own warnings about them, and errors in threads or in `__del__`, go the same way.
    Whoever took a stream before, such as a progress bar, still writes to it directly.
    """
    lines = _RedactedLines(sys.stderr)
    try:
        with redirect_stdout(lines), redirect_stderr(lines):
            yield
    finally:
        lines.end()


class _RedactedLines(io.TextIOBase):
    """Writes text on whole line by whole line, redacted: a secret may be written in pieces."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._partial = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._pass_on(line)
        return len(text)

    def end(self) -> None:
        """Write the last line, if it has no line break."""
        if self._partial:
            self.write("\n")

    def _pass_on(self, line: str) -> None:
        from archiver.secrets import redact

        self._stream.write(safe(redact(line)) + "\n")
        self._stream.flush()
