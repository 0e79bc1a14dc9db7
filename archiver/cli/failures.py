"""Printing errors (what failed, why, what was kept, what to do next), and exit codes.

Nothing leaves here that holds a secret or could steer a terminal.
"""

import errno
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import click

from archiver.cli.streams import is_broken_pipe, output_error
from archiver.cli.text import safe, styled, wrap
from archiver.errors import (
    ArchiverError,
    ConfigError,
    Interrupted,
    OutputError,
    StorageError,
    UsageError,
    leaves,
)

BUG = 1
BROKEN_PIPE = 141  # what a shell reports of a program that ends by SIGPIPE
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}
_LABELS = (("Why", "why"), ("Kept", "kept"), ("Next", "hint"))


@dataclass(frozen=True, slots=True)
class ErrorFormat:
    """The options of a command that decide how an error is printed.

    `verbose`: from 1 a bug comes with its traceback, from 2 all failures do. `colour`: whether
    colours are wanted, on a terminal. `is_report`: stdout got a report of what was done, and no
    data that was asked for. `as_json`: stdout is to get one JSON object, and has none yet.
    """

    verbose: int = 0
    colour: bool = True
    is_report: bool = False
    as_json: bool = False


def guarded(
    work: Callable[[], object], error_format: Callable[[], ErrorFormat] = ErrorFormat
) -> int:
    """Run `work`, report what fails, and return the exit code.

    That is what `work` returns where it is an int.
    """
    try:
        code = work()
        sys.stdout.flush()
        lost = _reported_output(error_format())
        return code if isinstance(code, int) and code else lost
    except click.ClickException as error:
        return _reported_usage(error, error_format())
    except (click.Abort, KeyboardInterrupt):
        return _reported(_interrupted(), error_format())
    except SystemExit as error:
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        # Click takes any of them for a reader that closed the pipe
        return _reported(error.__context__, error_format())
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 — the last line of defence
        return _reported(error, error_format())


def _interrupted() -> Interrupted:
    return Interrupted("Stopped", kept="What was saved is kept; the next run resumes from there")


def print_error(error: ArchiverError, error_format: ErrorFormat) -> None:
    """Print an error to stderr, laid out for the screen; and to stdout as JSON with --json."""
    click.echo(layout(error), file=sys.stderr, color=None if error_format.colour else False)
    if error_format.as_json:
        import json

        parts = {name: getattr(error, name) for name in ("code", "what", "why", "kept", "hint")}
        cleaned = {name: part and _redacted(str(part)) for name, part in parts.items()}
        answer = {"error": cleaned, "exit_code": error.exit_code}
        click.echo(json.dumps(answer, indent=2), file=sys.stdout)


def layout(error: ArchiverError, about: str = "") -> str:
    """An error as text, one part per line; `about` names the accounts concerned."""
    what = f"{about}: {error.what}" if about else error.what
    first = wrap(_clean(what), "Error: ", " " * 7).removeprefix("Error:")
    lines = [styled("Error:", "red") + first]
    for label, name in _LABELS:
        if part := getattr(error, name):
            lines.append(wrap(_clean(part), f"  {label + ':':<6}", " " * 8))
    return "\n".join(lines)


def warn(message: str) -> None:
    """Print a warning to stderr."""
    text = wrap(_clean(message), "Warning: ", " " * 9).removeprefix("Warning:")
    click.echo(styled("Warning:", "yellow") + text, file=sys.stderr)


def _clean(text: str) -> str:
    return safe(_redacted(text)).strip()


def _redacted(text: str) -> str:
    from archiver.secrets import redact  # not needed for `--help`

    return redact(text)


def _reported(error: BaseException, error_format: ErrorFormat) -> int:
    errors = list(leaves(error))
    known = [leaf for leaf in errors if isinstance(leaf, ArchiverError)]
    if any(isinstance(leaf, KeyboardInterrupt | click.Abort) for leaf in errors):
        print_error(_interrupted(), error_format)
        return Interrupted.exit_code
    if len(known) == len(errors):
        worst = max(known, key=lambda leaf: leaf.exit_code)
        for leaf in known:
            print_error(
                leaf, error_format if leaf is worst else replace(error_format, as_json=False)
            )
        if error_format.verbose > 1:
            _print_traceback(error)
        return worst.exit_code
    found = _as_archiver_error(error, next(e for e in errors if not isinstance(e, ArchiverError)))
    print_error(found, error_format)
    if error_format.verbose and found.exit_code == BUG:
        _print_traceback(error)
    return found.exit_code


def _as_archiver_error(error: BaseException, unknown: BaseException) -> ArchiverError:
    """An unexpected error as an ArchiverError: an error of the disk, or a bug."""
    if isinstance(error, OSError) and error.errno in _DISK:
        from archiver.disks import describe_error, hint_for

        return StorageError(describe_error(error), why=str(error), hint=hint_for(error))
    if isinstance(unknown, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
        return _unencodable_file_name(unknown)
    return ArchiverError(
        f"This is a bug in archiver ({type(unknown).__name__}: {unknown})",
        hint="Run it again with -v for the details, and report them",
    )


def _reported_output(error_format: ErrorFormat) -> int:
    """The exit code of a successful command, whose output may have failed."""
    error = output_error()
    if error is None:
        return 0
    if is_broken_pipe(error):
        return 0 if error_format.is_report else BROKEN_PIPE
    from archiver.disks import describe_error

    if error_format.is_report:
        warn(f"The work is done, but its report could not be printed: {describe_error(error)}")
        return 0
    print_error(
        OutputError(
            "The output could not be written",
            why=describe_error(error),
            kept="The archive is as this command left it; only what it printed is incomplete",
            hint="Send the output somewhere else",
        ),
        error_format,
    )
    return OutputError.exit_code


def _unencodable_file_name(error: UnicodeEncodeError) -> ConfigError:
    """The error for a file name that the locale cannot encode."""
    return ConfigError(
        f"A file name cannot be encoded: {error.object[error.start : error.end]}",
        why=f"The locale of this system uses {error.encoding}, which lacks these characters",
        hint="Run archiver with LC_ALL=C.UTF-8, or with PYTHONUTF8=1",
    )


def _print_traceback(error: BaseException) -> None:
    import traceback

    for line in _redacted("".join(traceback.format_exception(error))).splitlines():
        indent = " " * (len(line) - len(line.lstrip(" ")))
        click.echo(indent + safe(line.strip()), file=sys.stderr)


def _reported_usage(error: click.ClickException, error_format: ErrorFormat) -> int:
    """Print a usage error; where an argument is missing, with an example."""
    hint = None
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), file=sys.stderr)
        hint = f"See {error.ctx.command_path} --help"
        examples = getattr(error.ctx.command, "examples", ())
        if isinstance(error, click.MissingParameter) and examples:
            hint = f"For example: {examples[0]}"
    print_error(UsageError(error.format_message(), hint=hint), error_format)
    return error.exit_code
