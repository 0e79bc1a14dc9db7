"""Runs in processes of their own that meet at locks: each says which it would take, and waits.

So a test decides who is first, and luck has no part in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from archiver.config import load_config
from archiver.private_files import lock_beside
from support.sealed import SealedArchive

_SECONDS = 60  # only ends a hang


class Run:
    """A night of the archive in a folder, with a config that others use too."""

    def __init__(self, folder: Path, config: Path) -> None:
        processes = get_context("spawn")
        self._link, other = processes.Pipe()
        self.process = processes.Process(target=_night, args=(folder, config, other))
        self.process.start()
        other.close()

    def next(self) -> Any:
        """The name of the file whose lock it would take next; at its end, its problem, if any."""
        assert self._link.poll(_SECONDS), "it says nothing"
        return self._link.recv()

    def go_on(self) -> None:
        """Let it take the lock that it named."""
        self._link.send(None)


@contextmanager
def runs(config: Path, *folders: Path) -> Iterator[list[Run]]:
    """A run of the archive in each folder; none is left behind."""
    started = [Run(folder, config) for folder in folders]
    try:
        yield started
    finally:
        for run in started:
            run.process.kill()
            run.process.join()


def _night(folder: Path, config: Path, link: "Connection[Any, Any]") -> None:
    def stop(path: Path) -> Any:
        link.send(path.name)
        link.recv()
        return lock_beside(path)

    loaded = load_config(config)
    sealed = SealedArchive(folder)
    own = replace(loaded, archive=replace(loaded.archive, directory=sealed.directory))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("archiver.private_files.lock_beside", stop)
        link.send(sealed.night(own).problem)
