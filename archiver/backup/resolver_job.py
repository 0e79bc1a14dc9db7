"""One video that a resolver is asked for: its folder, its proxy, and the programs that it runs."""

import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE

import anyio
from anyio.abc import ByteReceiveStream, Process

from archiver.errors import MediaRefused
from archiver.media.disk import make_directory, storage_error
from archiver.net.forward_proxy import ForwardProxy, forward_proxy
from archiver.net.guard import AddressGuard
from archiver.resolvers import ProgramResult, Unresolved

PREFIX = "resolve-"
"""Begins the names of the folders of jobs in `tmp/`."""

_SECONDS = 3600
_LARGEST_OUTPUT = 32 << 20
_OVERHEAD = 1.25  # pages, playlists and what is fetched twice, beside the video itself


@dataclass(slots=True)
class GuardedJob:
    """An `archiver.resolvers.ResolverJob`; see there."""

    page_url: str
    platform: str
    videos: str
    folder: Path
    max_size: int
    _proxy: ForwardProxy
    _home: Path
    _scopes: list[anyio.CancelScope] = field(default_factory=list)
    _is_excess: bool = False

    @property
    def proxy(self) -> str:
        """The address of the proxy, with its password."""
        return self._proxy.url

    async def run(
        self, command: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> ProgramResult:
        """Run a program. Raises Unresolved, MediaRefused."""
        limits = json.dumps(
            {"seconds": _SECONDS, "file_size": self.max_size, "parent": os.getpid()}
        )
        launcher = [sys.executable, "-I", "-m", "archiver.confined", limits, *command]
        environment = {"HOME": str(self._home), "LANG": "C.UTF-8", **(variables or {})}
        with anyio.move_on_after(_SECONDS) as scope:
            self._scopes.append(scope)
            result = await self._run(launcher, environment)
        self._scopes.remove(scope)
        if self._is_excess:
            raise MediaRefused(
                "The file is too large", hint=f"media.max_size is {self.max_size:,} bytes",
                code="too_large",
            )  # fmt: skip
        if scope.cancelled_caught:
            raise Unresolved("resolver_failed", "it took more than an hour")
        return result

    async def _run(self, command: Sequence[str], environment: Mapping[str, str]) -> ProgramResult:
        process = await anyio.open_process(
            command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=self.folder,
            env=dict(environment), start_new_session=True,
        )  # fmt: skip
        output, errors = bytearray(), bytearray()
        try:
            async with anyio.create_task_group() as tasks:
                for stream, into in ((process.stdout, output), (process.stderr, errors)):
                    assert stream is not None  # noqa: S101 — both are pipes
                    tasks.start_soon(_collect, stream, into)
            status = await process.wait()
        finally:
            _end(process)
            with anyio.CancelScope(shield=True):
                await process.aclose()
        return ProgramResult(status, bytes(output), bytes(errors))

    def stop_for_excess(self) -> None:
        """End what runs: more bytes came than a video may have."""
        self._is_excess = True
        for scope in self._scopes:
            scope.cancel()

    def refuse_private(self) -> None:
        """Raise MediaRefused where the proxy had to refuse an address."""
        if self._proxy.refused is not None:
            raise MediaRefused("The address is not allowed", why=self._proxy.refused)


@asynccontextmanager
async def guarded_job(
    page_url: str, platform: str, videos: str, tmp: Path, guard: AddressGuard, max_size: int,
    number: int,
) -> AsyncIterator[GuardedJob]:  # fmt: skip
    """A job; its folder is removed in the end, whatever happened. Raises StorageError."""
    parent = tmp / f"{PREFIX}{number}"
    jobs: list[GuardedJob] = []

    def on_excess() -> None:
        for job in jobs:
            job.stop_for_excess()

    try:
        for folder in (parent, parent / "files", parent / "home"):
            make_directory(folder)
        async with forward_proxy(guard, int(max_size * _OVERHEAD), on_excess) as proxy:
            job = GuardedJob(
                page_url, platform, videos, parent / "files", max_size, proxy, parent / "home"
            )
            jobs.append(job)
            yield job
    except OSError as error:
        raise storage_error(error, f"write into {tmp}") from error
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def remove_jobs(tmp: Path) -> None:
    """Remove the folders of jobs of a run that was killed."""
    for folder in tmp.glob(f"{PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)


async def _collect(stream: ByteReceiveStream, into: bytearray) -> None:
    """Keep what a program writes, up to a limit; the rest is read and dropped."""
    async for data in stream:
        if len(into) < _LARGEST_OUTPUT:
            into += data


def _end(process: Process) -> None:
    """Kill a program and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()
