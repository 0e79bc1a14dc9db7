"""Standard streams that may be closed or broken.

A stream that is closed is a null stream: `2>&-`, `>&-`, `<&-`. One that breaks while the program
runs (a full disk, a reader or a terminal that went away) takes nothing more, and stops nothing.
Whether what stdout lost was needed is decided once, at the end of a command.
"""

import errno
import io
import os
import select
import stat
import sys
from contextlib import suppress
from typing import Any, TextIO


def prepare_streams() -> None:
    """Open closed descriptors 0, 1 and 2, and make stdout and stderr writers that never fail.

    To be called before any file is opened: it would get the number of a stream that is closed,
    and what is printed there would be written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            _open_null(number)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    if sys.stdout is sys.__stdout__:
        sys.stdout = _tolerant(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _tolerant(sys.stderr, 2)


def output_error() -> OSError | None:
    """The error that writing to stdout has ended with, or None.

    A descriptor that is open for reading only is as good as closed.
    """
    raw = _raw_of(sys.stdout)
    error = raw.error if isinstance(raw, TolerantWriter) else None
    return None if error is None or error.errno == errno.EBADF else error


def is_broken_pipe(error: OSError) -> bool:
    """Whether an error means that the reader of stdout has gone, which is no failure."""
    if error.errno == errno.EIO:  # of a terminal that is gone; a disk may say it too
        with suppress(OSError):
            return stat.S_ISCHR(os.fstat(1).st_mode)
    return error.errno == errno.EPIPE


def is_terminal() -> bool:
    """Whether stderr is a terminal that can redraw a line; not without `TERM`."""
    return sys.stderr.isatty() and (os.name == "nt" or os.environ.get("TERM", "dumb") != "dumb")


def may_colour() -> bool:
    """Whether text on a terminal may be coloured."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class TolerantWriter(io.RawIOBase):
    """Writes to another raw stream until that fails, and discards everything after.

    `error` is the OSError that it failed with.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write some of the bytes; returns how many, after a failure all."""
        try:
            while self.error is None:
                if (count := self._raw.write(data)) is not None:
                    return count
                select.select([], [self._raw], [])  # whoever shares the pipe made it non-blocking
        except OSError as error:
            self.error = error
        return len(data)

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """The file descriptor."""
        return self._raw.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._raw.isatty()


def _open_null(number: int) -> None:
    """Open a closed descriptor as the null device, for this process and its children."""
    found = os.open(os.devnull, os.O_RDWR)
    if found == number:
        os.set_inheritable(found, True)
    else:
        os.dup2(found, number)
        os.close(found)


def _tolerant(stream: TextIO | None, number: int) -> TextIO:
    """The stream with writes that never fail; characters that it cannot encode are escaped."""
    raw = _raw_of(stream) if stream is not None else io.FileIO(number, "w", closefd=False)
    if not isinstance(raw, io.RawIOBase) or isinstance(raw, TolerantWriter):
        return stream  # type: ignore[return-value]  # it is None only where there is a FileIO
    if stream is not None:
        with suppress(OSError):
            stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(TolerantWriter(raw)),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=number == 2 or raw.isatty(),
    )


def _raw_of(stream: TextIO | None) -> object:
    """What a stream of text writes its bytes to; under `python -u` without a buffer between."""
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)
