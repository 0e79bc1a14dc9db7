"""Calls of many tasks in one thread: together, in order, each with its own result or error."""

import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from anyio import to_thread

from archiver.media import shared_thread
from archiver.media.shared_thread import SharedThread

pytestmark = pytest.mark.anyio


class Gate:
    """A call that begins, and ends when it is let."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.is_over = False

    def __call__(self) -> None:
        self.begun.set()
        assert self.may_end.wait(240)
        self.is_over = True

    async def wait(self) -> None:
        await to_thread.run_sync(self.begun.wait)


async def test_who_calls_gets_the_result_from_another_thread() -> None:
    assert await SharedThread().run(threading.get_ident) != threading.get_ident()


async def test_calls_that_come_while_it_works_are_handed_over_together_and_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handed: list[int] = []
    made: list[int] = []
    make_all = shared_thread._make_all

    def watched(calls: list[shared_thread._Call[Any]]) -> None:
        handed.append(len(calls))
        make_all(calls)

    monkeypatch.setattr(shared_thread, "_make_all", watched)
    shared, gate = SharedThread(), Gate()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shared.run, gate)
        await gate.wait()
        for number in range(20):
            tasks.start_soon(shared.run, partial(made.append, number))
        await anyio.wait_all_tasks_blocked()
        gate.may_end.set()
    assert handed == [1, 20]
    assert made == list(range(20))


async def test_an_error_is_only_that_of_the_call_that_raised_it() -> None:
    shared, gate = SharedThread(), Gate()
    found: list[object] = []

    async def divide(number: int) -> None:
        try:
            found.append(await shared.run(lambda: 6 // number))
        except ZeroDivisionError as error:
            found.append(type(error))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shared.run, gate)
        await gate.wait()
        for number in (1, 0, 2):
            tasks.start_soon(divide, number)
        await anyio.wait_all_tasks_blocked()
        gate.may_end.set()
    assert found == [6, ZeroDivisionError, 3]


async def test_who_is_cancelled_waits_for_the_end_of_the_call() -> None:
    shared, first, second = SharedThread(), Gate(), Gate()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shared.run, first)
        await first.wait()
        tasks.start_soon(shared.run, second)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        first.may_end.set()
        second.may_end.set()
    assert (first.is_over, second.is_over) == (True, True)


async def test_it_goes_on_after_it_had_nothing_to_do() -> None:
    shared = SharedThread()
    assert [await shared.run(partial(int, text)) for text in "012"] == [0, 1, 2]


async def test_all_who_call_are_told_where_the_system_gives_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = anyio.Event()
    told: list[str] = []

    async def no_thread(*_: object) -> None:
        await asked.wait()
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(shared_thread, "to_thread", SimpleNamespace(run_sync=no_thread))
    shared = SharedThread()

    async def call() -> None:
        try:
            await shared.run(threading.get_ident)
        except RuntimeError as error:
            told.append(str(error))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        asked.set()
    assert told == ["can't start new thread"] * 3
