"""`archiver backup` as a function: it takes the lock of the archive and backs up the accounts."""

from archiver.archive.database import storage_errors
from archiver.archive.dry_run import writer_or_dry_run
from archiver.backup.backup_run import BackupRun
from archiver.backup.database_thread import DatabaseThread
from archiver.backup.options import BackupOptions
from archiver.backup.routes import route_of
from archiver.clock import Clock
from archiver.config import Config, Registry
from archiver.errors import single_error
from archiver.media.folder_store import FolderStore
from archiver.media.store import StagedStore
from archiver.net.rates import SharedLimits
from archiver.report import Progress, RunReport


async def run_backup(
    config: Config, plugins: Registry, options: BackupOptions, *, clock: Clock, progress: Progress,
    version: str, store: StagedStore | None = None, limits: SharedLimits | None = None,
) -> RunReport:  # fmt: skip
    """Back up the accounts of the config that `options` names, or all.

    Media goes into `store`, or into the folder of the archive. `limits` counts the requests of
    other programs that use the same sources.

    A failure of one account does not stop the others; it is in the report. Raises UsageError and
    ConfigError before anything is written, StorageError when the archive cannot be written.
    """
    entries = config.select(options.names)
    config.refuse_twice(entries, plugins)
    accounts = [config.account(entry, plugins) for entry in entries]
    route = route_of(config.network)
    with (
        writer_or_dry_run(
            config.archive.directory, dry_run=options.dry_run, notify=progress.note
        ) as (connection, directory),
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
            store or FolderStore(directory),
            route,
            limits,
        )
        return await backup.back_up(accounts)
