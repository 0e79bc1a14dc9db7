"""Applying schema steps to an archive, and checking which ones it has."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from archiver.archive.facts import (
    APPLICATION_ID,
    DATABASE,
    FORMER_TRIGGERS,
    GUARDED,
    KNOWN_STEPS,
    KNOWN_TRIGGERS,
)
from archiver.archive.storage_errors import damaged
from archiver.archive.upgrade import UpgradeProgress, copy_before
from archiver.errors import SchemaTooNew, StorageError

if TYPE_CHECKING:
    from sqlite_utils import Database


def migrate(
    connection: sqlite3.Connection, directory: Path, notify: Callable[[str], None], *,
    any_trigger: bool, monotonic: Callable[[], float] = time.monotonic,
) -> None:  # fmt: skip
    """Apply the steps that are missing; a database that has some already is copied before.

    `notify` is called with a sentence that says where the copy is, and every half a minute with one
    that says what is being done.
    """
    has_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    before: frozenset[str] = frozenset()
    if has_tables:
        check_version(connection, directory)
        before = applied_steps(connection)
        if before == KNOWN_STEPS:
            return
    else:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    if before and not any_trigger:
        refuse_foreign_triggers(connection, directory)  # before they act on what a step writes
    from sqlite_utils import Database  # noqa: PLC0415 — takes longer to import than to open a file

    from archiver.archive.schema import migrations  # noqa: PLC0415 — as above

    database = Database(connection)
    if pending := migrations.pending(database):
        progress = UpgradeProgress(notify, monotonic)
        with progress.watching(connection):
            if before and _has_anything(connection):
                progress.doing = "Copying the database before its upgrade"
                copy = copy_before(connection, directory / DATABASE, pending[0].name)
                notify(f"The database as it was before this version is in {copy}")
            _apply(database, [each.name for each in pending], progress, at_once=not before)


def _has_anything(connection: sqlite3.Connection) -> bool:
    """Whether anything was ever saved: a database that was stopped while it was made has no run."""
    query = "SELECT EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM posts)"
    return bool(connection.execute(query).fetchone()[0])


def _apply(
    database: "Database", pending: Sequence[str], progress: UpgradeProgress, *, at_once: bool
) -> None:
    """Apply the steps of these names, in order, each in a transaction, or all `at_once` in one.

    A new database is made at once: each commit waits for the disk.
    """
    connection = database.conn
    connection.execute("PRAGMA foreign_keys = OFF")  # tables that others refer to are rebuilt
    try:
        with database.atomic() if at_once else nullcontext():
            _apply_each(database, pending, progress)
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _apply_each(database: "Database", pending: Sequence[str], progress: UpgradeProgress) -> None:
    from archiver.archive.schema import migrations  # noqa: PLC0415 — as above

    with database.atomic():  # of a database that was killed in between, neither stays, or both
        migrations.ensure_migrations_table(database)
        table = database.table(migrations.migrations_table)
        table.create_index(["migration_set", "name"], unique=True, if_not_exists=True)
    for number, following in enumerate([*pending[1:], None], 1):
        progress.doing = f"Upgrading the database, step {number} of {len(pending)}"
        migrations.apply(database, stop_before=following)


def check_version(connection: sqlite3.Connection, directory: Path) -> None:
    """Refuse what is no archive, was never finished, or is of a later version.

    Raises StorageError, SchemaTooNew.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if tables and application_id != APPLICATION_ID:
        raise StorageError(
            f"The database in {directory} is not an archive",
            why=f"Its application id is {application_id:#x}, not {APPLICATION_ID:#x}",
            kept="Nothing was changed",
            hint="Point [archive] directory to an archive; if it is one, run archiver verify",
            code="not_an_archive",
        )
    if "posts" in tables and not ("_sqlite_migrations" in tables and applied_steps(connection)):
        raise damaged(directory, "Its list of applied schema steps is missing")
    if "_sqlite_migrations" not in tables:
        raise StorageError(
            f"The database in {directory} is not an archive, or was never finished",
            hint="Run archiver backup to make it",
            code="no_archive",
        )
    newer = sorted(applied_steps(connection) - KNOWN_STEPS)
    if newer:
        raise SchemaTooNew(
            "This archive was written by a newer version of archiver",
            why=f"Its schema has steps that this version does not know: {', '.join(newer)}",
            kept="Nothing was changed",
            hint="Upgrade archiver to that version, or a newer one",
        )


def applied_steps(connection: sqlite3.Connection) -> frozenset[str]:
    """The names of the schema steps that were applied to an archive."""
    query = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'archiver'"
    return frozenset(name for (name,) in connection.execute(query))


def refuse_foreign_triggers(connection: sqlite3.Connection, directory: Path) -> None:
    """Refuse triggers that another program made on our tables: they could change what we write.

    Raises StorageError.
    """
    query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    foreign = [
        f"{name} on {table}"
        for name, table in connection.execute(query)
        if name not in KNOWN_TRIGGERS | FORMER_TRIGGERS and table.lower() in GUARDED
    ]
    if foreign:
        raise StorageError(
            f"The archive in {directory} contains unknown triggers",
            why=f"They act whenever something is saved: {', '.join(foreign)}",
            kept="Nothing was changed",
            hint="Run archiver verify to see what they do; --repair removes them",
            code="foreign_trigger",
        )
