"""A run of `archiver backup`: the only package that uses net, media and archive together."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver.archive.database import (
    DATABASE,
    refuse_lost_database,
    rolled_back,
    storage_errors,
    writer,
)
from archiver.backup.backup_run import BackupRun
from archiver.backup.database_thread import DatabaseThread
from archiver.backup.options import BackupOptions
from archiver.backup.routes import route_of
from archiver.clock import Clock
from archiver.config import Config, Registry
from archiver.errors import single_error
from archiver.media.folder_store import FolderStore
from archiver.report import Progress, RunReport

__all__ = ["BackupOptions", "run_backup"]


async def run_backup(
    config: Config, plugins: Registry, options: BackupOptions, *, clock: Clock, progress: Progress,
    version: str,
) -> RunReport:  # fmt: skip
    """Back up the accounts of the config that `options` names, or all.

    A failure of one account does not stop the others; it is in the report. Raises UsageError and
    ConfigError before anything is written, StorageError when the archive cannot be written.
    """
    entries = config.select(options.names)
    config.refuse_twice(entries, plugins)
    accounts = [config.account(entry, plugins) for entry in entries]
    route = route_of(config.network)
    with (
        _archive(config.archive.directory, options, progress) as (connection, directory),
        storage_errors(config.archive.directory),
        single_error(),
        DatabaseThread(connection) as database,
    ):
        backup = BackupRun(
            config,
            plugins,
            options,
            clock,
            progress,
            version,
            database,
            FolderStore(directory),
            route,
        )
        return await backup.back_up(accounts)


@contextmanager
def _archive(
    directory: Path, options: BackupOptions, progress: Progress
) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """The archive to write to. A dry run writes too, and is rolled back at the end."""
    if not options.dry_run:
        with writer(directory, notify=progress.note) as connection:
            yield connection, directory
    elif (directory / DATABASE).exists():
        with (
            writer(directory, notify=progress.note) as connection,
            rolled_back(connection),
        ):
            yield connection, directory
    else:
        refuse_lost_database(directory)
        with TemporaryDirectory(prefix="archiver-") as scratch, writer(Path(scratch)) as connection:
            yield connection, Path(scratch)
