"""The first request to stop ends a run cleanly; the second ends the process at once."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import anyio
import pytest

from archiver.backup import stop_requests
from archiver.backup.stop_requests import restore_interrupts, wait_for_stop

pytestmark = pytest.mark.skipif(os.name != "posix", reason="stopped by signals of POSIX")

PROGRAM = """
import signal, sys, time
import anyio
from archiver.backup import stop_requests

stop_requests._SAME_REQUEST = float(sys.argv[1])
number = getattr(signal, sys.argv[2])

async def main():
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stop_requests.wait_for_stop, print)
        await anyio.lowlevel.checkpoint()
        for _ in range(2):
            await anyio.lowlevel.checkpoint()
        signal.raise_signal(number)
        signal.raise_signal(number)
        {then}
anyio.run(main)
print("ended cleanly")
"""


def run(
    *, apart: float, number: str = "SIGINT", then: str = ""
) -> "subprocess.CompletedProcess[str]":
    """A program that is asked to stop twice; requests closer than `apart` seconds are one."""
    program = PROGRAM.replace("{then}", then)
    return subprocess.run(
        [sys.executable, "-c", program, str(apart), number], capture_output=True, text=True,
        check=False, timeout=240,
    )  # fmt: skip


@pytest.fixture
def handlers() -> object:
    """The handlers of this process are as they were afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_the_first_request_is_noted_and_ends_the_wait() -> None:
    notes: list[str] = []

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait_for_stop, notes.append)
            while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
                await anyio.lowlevel.checkpoint()
            signal.raise_signal(signal.SIGTERM)

    anyio.run(main)
    assert len(notes) == 1
    assert "Press Ctrl-C again to stop at once" in notes[0]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL, "the next one ends the process"
    restore_interrupts()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("handlers")
def test_a_request_is_noticed_though_another_thread_takes_the_signal() -> None:
    """As one that comes just before the loop waits for events: nothing else wakes it."""
    notes: list[str] = []
    ended = threading.Event()
    late: list[bool] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def send() -> None:
            ended.wait(0.2)  # by then the loop waits for events
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            if not ended.wait(30):  # then the loop sleeps on
                late.append(True)
                loop.call_soon_threadsafe(lambda: None)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait_for_stop, notes.append)
            while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
                await anyio.lowlevel.checkpoint()
            sender = threading.Thread(target=send)
            sender.start()
        ended.set()
        sender.join()

    anyio.run(main)
    assert (len(notes), late) == (1, [])


@pytest.mark.usefixtures("handlers")
def test_without_a_request_the_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait_for_stop, print)
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            assert signal.getsignal(signal.SIGTERM) is not before
            tasks.cancel_scope.cancel()

    anyio.run(main)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_terminal_that_was_closed_does_not_keep_a_run_from_stopping() -> None:
    program = (
        PROGRAM.replace("{then}", "")
        .replace("wait_for_stop, print", "wait_for_stop, closed")
        .replace(
            "async def main", "def closed(_):\n    raise OSError(5, 'closed')\n\nasync def main"
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "60", "SIGTERM"], capture_output=True, text=True,
        check=False, timeout=240,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "ended cleanly\n"), done.stderr


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_two_signals_at_once_are_one_request(number: str) -> None:
    done = run(apart=60.0, number=number)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ended cleanly\n")


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_second_request_ends_the_process_by_that_signal(number: str) -> None:
    done = run(apart=-1.0, number=number)
    assert done.returncode == -getattr(signal, number)
    assert "ended cleanly" not in done.stdout


def test_a_plugin_that_blocks_the_event_loop_cannot_hold_off_the_second_request() -> None:
    done = run(apart=-1.0, then="time.sleep(240)")
    assert done.returncode == -signal.SIGINT


def test_in_another_thread_nothing_is_waited_for() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ended: list[bool] = []

    async def main() -> None:
        with anyio.move_on_after(0):
            await wait_for_stop(print)
        ended.append(signal.getsignal(signal.SIGTERM) is before)

    thread = threading.Thread(target=anyio.run, args=(main,))
    thread.start()
    thread.join()
    assert ended == [True]
    assert stop_requests._SAME_REQUEST > 0
