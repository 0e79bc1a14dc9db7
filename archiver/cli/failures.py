"""How a failure is told: what failed, why, what was kept, what to do next, and the exit code.

Nothing leaves here that holds a secret or could steer a terminal.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import click

from archiver.cli.text import safe, wrap
from archiver.errors import ArchiverError, Interrupted, StorageError

BUG = 1
BROKEN_PIPE = 141  # what a shell reports of a program that ends by SIGPIPE
_FULL = {errno.ENOSPC, errno.EDQUOT}
_DISK = {*_FULL, errno.EIO, errno.EROFS, errno.EFBIG}
_LABELS = (("Why", "why"), ("Kept", "kept"), ("Next", "hint"))


def guarded(work: Callable[[], object], *, verbose: Callable[[], int]) -> int:
    """Run `work`, tell what fails, and return the exit code (an int that `work` returns is it).

    `verbose` is asked when something fails: from 1 a bug comes with its traceback, from 2 all do.
    """
    stdout = sys.stdout
    try:
        code = work()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        _tell_usage(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        tell(Interrupted("Stopped", kept="What was saved is kept; the next run goes on from there"))
        return Interrupted.exit_code
    except SystemExit:
        if sys.stdout is stdout:
            raise
        return BROKEN_PIPE  # Click has put something in its place that swallows the rest
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 — the last line of defence
        return _told(error, verbose=verbose())


def tell(error: ArchiverError) -> None:
    """Print an error to stderr, laid out for eighty columns; where that fails, the code tells."""
    with suppress(OSError):
        click.echo(layout(error), err=True)


def layout(error: ArchiverError) -> str:
    """An error as people read it, one part below the other."""
    lines = [_coloured(wrap(_clean(error.what), "Error: ", " " * 7))]
    for label, name in _LABELS:
        if part := getattr(error, name):
            lines.append(wrap(_clean(part), f"  {label + ':':<6}", " " * 8))
    return "\n".join(lines)


def warn(message: str) -> None:
    """Print one sentence to stderr that is worth a look, but no failure."""
    click.echo(wrap(_clean(message), "Warning: ", " " * 9), err=True)


def _coloured(text: str) -> str:
    """The first word in red; `click.echo` takes it out again where there is no terminal."""
    word, space, rest = text.partition(" ")
    return text if os.environ.get("NO_COLOR") else click.style(word, fg="red") + space + rest


def _clean(text: str) -> str:
    return safe(_redacted(text)).strip()


def _redacted(text: str) -> str:
    from archiver.secrets import redact  # `--help` has no secrets, and no failures

    return redact(text)


def _told(error: BaseException, *, verbose: int) -> int:
    leaves = list(_leaves(error))
    known = [leaf for leaf in leaves if isinstance(leaf, ArchiverError)]
    if any(isinstance(leaf, BrokenPipeError) for leaf in leaves):
        _close_stdout()
        return BROKEN_PIPE
    if any(isinstance(leaf, KeyboardInterrupt | click.Abort) for leaf in leaves):
        tell(Interrupted("Stopped", kept="What was saved is kept; the next run goes on from there"))
        return Interrupted.exit_code
    if len(known) == len(leaves):
        for leaf in known:
            tell(leaf)
        if verbose > 1:
            _print_traceback(error)
        return max(known, key=lambda leaf: leaf.exit_code).exit_code
    if isinstance(error, OSError) and error.errno in _DISK:
        words = "There is no space left" if error.errno in _FULL else "Cannot write"
        tell(StorageError(words, why=str(error)))
        _close_stdout()
        return StorageError.exit_code
    _tell_bug(next(leaf for leaf in leaves if not isinstance(leaf, ArchiverError)))
    if verbose:
        _print_traceback(error)
    return BUG


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group, such as a task group raises."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _tell_bug(error: BaseException) -> None:
    kind = type(error).__name__
    hint = "Run it again with -v for the details, and report them, please"
    tell(ArchiverError(f"This is a bug in archiver ({kind}: {error})", hint=hint))


def _print_traceback(error: BaseException) -> None:
    import traceback

    for line in _redacted("".join(traceback.format_exception(error))).splitlines():
        indent = " " * (len(line) - len(line.lstrip(" ")))
        click.echo(indent + safe(line.strip()), err=True)


def _tell_usage(error: click.ClickException) -> None:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        hint = f"See {error.ctx.command_path} --help"
    else:
        hint = None
    tell(ArchiverError(error.format_message(), hint=hint))


def _close_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain at its end."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
