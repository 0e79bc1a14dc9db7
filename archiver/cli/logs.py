"""Log lines on stderr: off by default, and without secrets."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from archiver.cli.text import safe
from archiver.secrets import redact

_VERBOSE_LIBRARIES = ("httpx", "asyncio", "PIL")


class _Redact(logging.Filter):
    """Redacts secrets in a record before any handler gets it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception as error:  # noqa: BLE001 — a plugin's slip must not end the run
            message = f"{record.msg} ({type(error).__name__} while it was formatted)"
        record.msg = safe(redact(message))
        record.args = None
        return True


class _Formatter(logging.Formatter):
    """Redacts secrets in tracebacks too, and makes their lines safe for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        lines = redact(super().format(record)).split("\n")
        return "\n".join(
            " " * (len(line) - len(line.lstrip(" "))) + safe(line.strip(" ")) for line in lines
        )


@contextmanager
def logging_to_stderr(verbose: int) -> Iterator[None]:
    """Log to stderr in the block: nothing, information (1), or everything (2)."""
    root = logging.getLogger()
    handler: logging.Handler = logging.NullHandler()  # else Python prints warnings by itself
    if verbose:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_Redact())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose > 1 else logging.INFO if verbose else logging.WARNING)
    for name in _VERBOSE_LIBRARIES:  # they log addresses, which may be signed
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
