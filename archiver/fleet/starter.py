"""The processes of tenants, started from one that has the program in memory, and nothing else.

    python -m archiver.fleet.starter WORKER

Reading the program costs a process more than the night of a small tenant. So a worker has one
process that reads it once, and copies itself (`fork`) for each job. It is given no secret: a job
and its environment are read by the copy alone, which ends with the job. Where the system has no
safe `fork`, each job has a process that reads the program anew.

The worker writes the length of a message, and the message. It gets the id of the process, what
that says on stderr up to a line with NUL, and its exit code.
"""

import asyncio
import gc
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archiver.fleet.settings import environment_for
from archiver.fleet.tenant_backup import TenantJob, do_job
from archiver.plugins import load_plugins
from archiver.process_limits import end_with

if TYPE_CHECKING:
    from archiver.config import Registry

CAN_FORK = sys.platform == "linux"
_END = b"\0\n"
_LENGTH = 8
_NO_JOB = 99
_MOST = 1 << 24
"""Bytes that a process may say."""


class StarterGone(Exception):
    """The process that starts those of tenants has ended."""


class Starter:
    """Starts the processes of tenants for a worker, and waits for them."""

    def __init__(self) -> None:
        self._idle: list[asyncio.subprocess.Process] = []

    async def run(self, job: TenantJob, environment: dict[str, str]) -> tuple[int, bytes]:
        """Do a job in a process of its own; its exit code, and what it said.

        Where this is cancelled, the process is asked to stop, and waited for. Raises StarterGone.
        """
        if not CAN_FORK:
            return await _run_anew(job, environment)
        process = self._idle.pop() if self._idle else await self._begin()
        said = json.dumps({"job": job.as_json(), "environment": environment}).encode()
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        doing = asyncio.ensure_future(_done_by(process, said, started))
        try:
            code, text = await asyncio.shield(doing)
        except asyncio.CancelledError:
            either: list[asyncio.Future[Any]] = [started, doing]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if started.done():
                with suppress(ProcessLookupError):
                    os.kill(started.result(), signal.SIGTERM)
            await asyncio.wait([doing])
            await _end(process)
            raise
        except BaseException:
            await _end(process)
            raise
        if code < 0:  # it may not have read all of its job
            await _end(process)
        else:
            self._idle.append(process)
        return code, text

    async def close(self) -> None:
        """End what waits for jobs."""
        while self._idle:
            await _end(self._idle.pop())

    async def _begin(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "archiver.fleet.starter", str(os.getpid()),
            env=environment_for((), os.environ), limit=_MOST, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


async def _run_anew(job: TenantJob, environment: dict[str, str]) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "archiver.fleet.tenant_backup", env=environment,
        stdin=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        _, said = await process.communicate(job.as_json().encode())
    except BaseException:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()
        raise
    assert process.returncode is not None  # noqa: S101 — it has ended
    return process.returncode, said


async def _done_by(
    process: asyncio.subprocess.Process, message: bytes, started: "asyncio.Future[int]"
) -> tuple[int, bytes]:
    """What a starter says of a job. Raises StarterGone."""
    assert process.stdin is not None  # noqa: S101 — they are pipes
    assert process.stdout is not None  # noqa: S101 — they are pipes
    assert process.stderr is not None  # noqa: S101 — they are pipes
    try:
        process.stdin.write(len(message).to_bytes(_LENGTH) + message)
        await process.stdin.drain()
        started.set_result(int(await process.stdout.readline()))
        text = await process.stderr.readuntil(_END)
        return int(await process.stdout.readline()), text.removesuffix(_END)
    except (ValueError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise StarterGone(f"It ended before its job: {type(error).__name__}") from error


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()  # what it has started ends with it
    await process.wait()


def main(worker: int) -> None:
    """Start a process for each message on stdin, until that ends."""
    end_with(worker)
    plugins = load_plugins()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are for the processes of tenants
    gc.collect()
    gc.freeze()
    own = os.getpid()
    code = 0
    while code != _NO_JOB:
        select.select([0], [], [])
        process = os.fork()
        if process == 0:
            os._exit(_do(own, plugins))
        os.write(1, b"%d\n" % process)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.write(2, _END)
        os.write(1, b"%d\n" % code)


def _do(starter: int, plugins: "Registry") -> int:
    """Be the process of a tenant; the exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        message = _read(int.from_bytes(_read(_LENGTH)))
        if not message:
            return _NO_JOB
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        said = json.loads(message)
        os.environ.clear()
        os.environ.update(said["environment"])
        return do_job(replace(TenantJob.from_json(said["job"]), parent=starter), plugins)
    except BaseException:  # noqa: BLE001 — as the interpreter does at its end
        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()


def _read(length: int) -> bytes:
    """So many bytes of stdin; fewer where it ends."""
    found = b""
    while len(found) < length and (some := os.read(0, length - len(found))):
        found += some
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]))
