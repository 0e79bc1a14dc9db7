"""The boundary to plugins: their errors become ours, and nothing else is swallowed."""

import asyncio
from typing import Any

import pytest

from archiver.errors import PluginError, SourceDown
from archiver.plugin_calls import ContractViolation, cause_of, is_fault_of_plugin, plugin_errors


def wrap(error: BaseException) -> PluginError:
    return PluginError("The plugin failed", why=cause_of(error))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ValueError("bad"), "ValueError: bad"), (SystemExit(3), "SystemExit: 3"),
        (ContractViolation("It gave an int"), "It gave an int"), (RecursionError(), "Recursion"),
        (GeneratorExit(), "GeneratorExit"), (asyncio.CancelledError("made up"), "CancelledError"),
        (SystemExit("bye"), "SystemExit: bye"), (MemoryError(), "MemoryError"),
        (TimeoutError(), "TimeoutError"), (AssertionError(), "AssertionError"),
        (ExceptionGroup("many", [OSError()]), "ExceptionGroup: many"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "UnicodeDecodeError"),
    ],
)  # fmt: skip
def test_whatever_a_plugin_raises_becomes_one_error(error: BaseException, why: str) -> None:
    with pytest.raises(PluginError, match="The plugin failed") as caught, plugin_errors(wrap):
        raise error
    assert why in (caught.value.why or "")
    assert caught.value.__cause__ is error


def test_an_error_of_ours_passes_as_it_is() -> None:
    ours = SourceDown("down")
    with pytest.raises(SourceDown) as caught, plugin_errors(wrap):
        raise ours
    assert caught.value is ours


def test_a_person_who_stops_the_run_is_no_fault_of_the_plugin() -> None:
    with pytest.raises(KeyboardInterrupt), plugin_errors(wrap):
        raise KeyboardInterrupt


def test_without_an_error_nothing_happens() -> None:
    with plugin_errors(wrap):
        pass


def test_a_task_that_was_cancelled_is_no_fault_of_the_plugin() -> None:
    async def work() -> Any:
        with plugin_errors(wrap):
            await asyncio.sleep(3600)

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


def test_a_cancellation_that_nobody_asked_for_is_its_fault() -> None:
    async def main() -> bool:
        return is_fault_of_plugin(asyncio.CancelledError())

    assert asyncio.run(main())
    assert is_fault_of_plugin(asyncio.CancelledError()), "without an event loop too"
