"""How a failure is reported: what failed, why, what was kept, what to do next, and the exit code.

Nothing leaves here that holds a secret or could steer a terminal.
"""

import errno
import sys
from collections.abc import Callable

import click

from archiver.cli.streams import is_unread, may_colour, output_error
from archiver.cli.text import safe, wrap
from archiver.errors import (
    ArchiverError,
    ConfigError,
    Interrupted,
    OutputError,
    StorageError,
    leaves,
)

BUG = 1
BROKEN_PIPE = 141  # what a shell reports of a program that ends by SIGPIPE
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}
_LABELS = (("Why", "why"), ("Kept", "kept"), ("Next", "hint"))


def guarded(
    work: Callable[[], object],
    *,
    verbose: Callable[[], int],
    is_report: Callable[[], bool] = lambda: False,
) -> int:
    """Run `work`, report what fails, and return the exit code (an int that `work` returns is it).

    `verbose` is asked when something fails: from 1 a bug comes with its traceback, from 2 all do.
    `is_report` says whether stdout got a report of what was done, and no data that was asked for.
    """
    try:
        code = work()
        sys.stdout.flush()
        lost = _reported_output(is_report=is_report())
        return code if isinstance(code, int) and code else lost
    except click.ClickException as error:
        _tell_usage(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        tell(Interrupted("Stopped", kept="What was saved is kept; the next run resumes from there"))
        return Interrupted.exit_code
    except SystemExit as error:
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        return _reported(
            error.__context__, verbose=verbose()
        )  # Click takes any for a reader that left
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 — the last line of defence
        return _reported(error, verbose=verbose())


def tell(error: ArchiverError) -> None:
    """Print an error to stderr, laid out for eighty columns."""
    click.echo(layout(error), file=sys.stderr)


def layout(error: ArchiverError) -> str:
    """An error as people read it, one part below the other."""
    lines = [_coloured(wrap(_clean(error.what), "Error: ", " " * 7))]
    for label, name in _LABELS:
        if part := getattr(error, name):
            lines.append(wrap(_clean(part), f"  {label + ':':<6}", " " * 8))
    return "\n".join(lines)


def warn(message: str) -> None:
    """Print one sentence to stderr that is worth a look, but no failure."""
    click.echo(wrap(_clean(message), "Warning: ", " " * 9), file=sys.stderr)


def _coloured(text: str) -> str:
    """The first word in red; `click.echo` takes it out again where there is no terminal."""
    word, space, rest = text.partition(" ")
    return click.style(word, fg="red") + space + rest if may_colour() else text


def _clean(text: str) -> str:
    return safe(_redacted(text)).strip()


def _redacted(text: str) -> str:
    from archiver.secrets import redact  # `--help` has no secrets, and no failures

    return redact(text)


def _reported(error: BaseException, *, verbose: int) -> int:
    errors = list(leaves(error))
    known = [leaf for leaf in errors if isinstance(leaf, ArchiverError)]
    if any(isinstance(leaf, KeyboardInterrupt | click.Abort) for leaf in errors):
        tell(Interrupted("Stopped", kept="What was saved is kept; the next run resumes from there"))
        return Interrupted.exit_code
    if len(known) == len(errors):
        for leaf in known:
            tell(leaf)
        if verbose > 1:
            _print_traceback(error)
        return max(known, key=lambda leaf: leaf.exit_code).exit_code
    if isinstance(error, OSError) and error.errno in _DISK:
        from archiver.disks import hint_for, words_for

        tell(StorageError(words_for(error), why=str(error), hint=hint_for(error)))
        return StorageError.exit_code
    unknown = next(leaf for leaf in errors if not isinstance(leaf, ArchiverError))
    if isinstance(unknown, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
        tell(_unnameable(unknown))
        return ConfigError.exit_code
    _tell_bug(unknown)
    if verbose:
        _print_traceback(error)
    return BUG


def _reported_output(*, is_report: bool) -> int:
    """The exit code of a command that went well, but may have lost what it printed."""
    error = output_error()
    if error is None:
        return 0
    if is_unread(error):
        return 0 if is_report else BROKEN_PIPE
    from archiver.disks import words_for

    if is_report:
        warn(f"The work is done, but its report could not be printed: {words_for(error)}")
        return 0
    tell(
        OutputError(
            "The output could not be written",
            why=words_for(error),
            kept="The archive is as this command left it; only what it printed is incomplete",
            hint="Send the output somewhere else",
        )
    )
    return OutputError.exit_code


def _unnameable(error: UnicodeEncodeError) -> ConfigError:
    """The name of a file has a letter that this locale has no bytes for."""
    return ConfigError(
        f"A file cannot be named here: {error.object[error.start : error.end]}",
        why=f"The locale of this system writes names in {error.encoding}, which has no such letter",
        hint="Run archiver with LC_ALL=C.UTF-8, or with PYTHONUTF8=1",
    )


def _tell_bug(error: BaseException) -> None:
    kind = type(error).__name__
    hint = "Run it again with -v for the details, and report them, please"
    tell(ArchiverError(f"This is a bug in archiver ({kind}: {error})", hint=hint))


def _print_traceback(error: BaseException) -> None:
    import traceback

    for line in _redacted("".join(traceback.format_exception(error))).splitlines():
        indent = " " * (len(line) - len(line.lstrip(" ")))
        click.echo(indent + safe(line.strip()), file=sys.stderr)


def _tell_usage(error: click.ClickException) -> None:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), file=sys.stderr)
        hint = f"See {error.ctx.command_path} --help"
    else:
        hint = None
    tell(ArchiverError(error.format_message(), hint=hint))
