"""What tests of several sources do with an archive: fill it by a backup, and read its rows."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import anyio

from archiver.archive.database import DATABASE
from archiver.backup.options import BackupOptions
from archiver.backup.run import run_backup
from archiver.clock import Clock
from archiver.config import Config
from archiver.plugins import Plugins, load_plugins
from archiver.report import NoProgress, RunReport


class ArchiveFolder:
    """The archive in `folder`, below `archive`."""

    folder: Path

    @property
    def directory(self) -> Path:
        """The archive folder."""
        return self.folder / "archive"

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of the archive."""
        uri = f"file:{self.directory / DATABASE}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def column(self, sql: str, *parameters: object) -> list[Any]:
        """The first column of rows of the archive."""
        return [row[0] for row in self.query(sql, *parameters)]

    def dump(self, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
        """Whole tables, to compare."""
        return {table: sorted(self.query(f"SELECT * FROM {table}"), key=repr) for table in tables}


@cache
def installed_plugins() -> Plugins:
    """The plugins that are installed, loaded once: a platform keeps nothing of a run."""
    return load_plugins()


def backup_now(
    config: Config, plugins: Plugins, clock: Clock, loop_options: dict[str, Any], **asked: Any
) -> RunReport:
    """Run a backup on an event loop of these options."""

    async def run() -> RunReport:
        return await run_backup(
            config,
            plugins,
            BackupOptions(**asked),
            clock=clock,
            progress=NoProgress(),
            version="test",
        )

    return anyio.run(run, backend_options=loop_options)
