"""Opening the archive for a command that has a dry run: the same work, of which nothing stays."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver.archive.database import DATABASE, refuse_lost_database, rolled_back, writer


@contextmanager
def writer_or_dry_run(
    directory: Path, *, dry_run: bool, notify: Callable[[str], None]
) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """The archive to write to, and its folder. A dry run writes too, and is rolled back at the end.

    Where there is no archive, a dry run has an empty one in a temporary folder. `notify` and the
    errors are those of `writer`.
    """
    if not dry_run:
        with writer(directory, notify=notify) as connection:
            yield connection, directory
    elif (directory / DATABASE).exists():
        with writer(directory, notify=notify) as connection, rolled_back(connection):
            yield connection, directory
    else:
        refuse_lost_database(directory)
        with TemporaryDirectory(prefix="archiver-") as scratch, writer(Path(scratch)) as connection:
            yield connection, Path(scratch)
