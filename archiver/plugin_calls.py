"""The boundary to plugins: whatever a plugin raises becomes one error that names the plugin."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from archiver.errors import ArchiverError


class ContractViolation(Exception):
    """A return value of a plugin breaks the contract; the message says how."""


@contextmanager
def plugin_errors(wrap: Callable[[BaseException], ArchiverError]) -> Iterator[None]:
    """Around every call of a plugin: raises what `wrap` makes of an error that is its fault.

    Errors of this program that a plugin raised on purpose pass as they are. So does whatever stops
    the run, or the task that called the plugin.
    """
    try:
        yield
    except ArchiverError:
        raise
    except BaseException as error:
        if not is_fault_of_plugin(error):
            raise
        raise wrap(error) from error


def cause_of(error: BaseException) -> str:
    """An error of a plugin in one line: its class and its message."""
    if isinstance(error, ContractViolation):
        return str(error)
    return f"{type(error).__name__}: {error}"


def is_fault_of_plugin(error: BaseException) -> bool:
    """Whether a plugin caused the error: not when the user stops the run, or the run its tasks."""
    import asyncio  # noqa: PLC0415 — asked after an error only; `--help` does without it

    if isinstance(error, asyncio.CancelledError):
        try:
            task = asyncio.current_task()
        except RuntimeError:  # no event loop here
            return True
        return task is None or not task.cancelling()
    return not isinstance(error, KeyboardInterrupt)
