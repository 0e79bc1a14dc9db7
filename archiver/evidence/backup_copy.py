"""An opened copy of an archive, to restore damaged data from.

Only what the archive itself proves right is taken from the copy: a file must have the hash in its
name, a row the hash that the damaged row still has.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archiver.archive.hashed_rows import key_of
from archiver.archive.intact import accept_invalid_text, is_intact
from archiver.errors import UsageError
from archiver.evidence.copy import archive_id
from archiver.evidence.files import MediaRow
from archiver.evidence.renewal import copy_to_temp
from archiver.evidence.rows import read_row
from archiver.evidence.verify import open_archive
from archiver.media.folder_store import FolderStore
from archiver.media.store import StagedStore

Row = dict[str, Any]
Key = tuple[object, ...]
"""The primary key of a row."""


class BackupCopy:
    """A copy of an archive, which is only read."""

    def __init__(self, connection: sqlite3.Connection, directory: Path) -> None:
        self.connection = connection
        self._store = FolderStore(directory)

    def row(self, table: str, key: Key, row_sha256: object) -> Row | None:
        """The copy's row with this key, if it is intact and has this hash."""
        try:
            row = read_row(self.connection, table, key)
        except sqlite3.DatabaseError:  # the copy is damaged in this place
            return None
        fits = row is not None and row["row_sha256"] == row_sha256 and is_intact(table, row)
        return row if fits else None

    def row_of_hash(self, table: str, row_sha256: object) -> Row | None:
        """The copy's intact row of this hash, whatever its key. Reads the whole table."""
        names = ", ".join(key_of(table))
        query = f"SELECT {names} FROM {table} WHERE row_sha256 = ?"
        try:
            key = self.connection.execute(query, (row_sha256,)).fetchone()
        except (sqlite3.DatabaseError, UnicodeEncodeError):
            return None  # the copy is damaged there, or the hash here
        return self.row(table, key, row_sha256) if key else None

    def restore_file(self, store: StagedStore, row: MediaRow) -> bool:
        """Restore a file from the copy, if the copy's file matches its hash.

        A damaged file in its place goes to `quarantine/`. Raises StorageError.
        """
        download = copy_to_temp(self._store, store.tmp, row)
        if download is not None:
            store.put([download])
        return download is not None


@contextmanager
def open_backup_copy(directory: Path, archive: Path) -> Iterator[BackupCopy]:
    """Open a copy. Raises UsageError, StorageError, DamageFound as `open_archive`."""
    if directory.resolve() == archive.resolve():
        raise UsageError(f"{directory} is the archive itself", hint="Give the folder of a copy")
    with open_archive(directory) as connection:
        accept_invalid_text(connection)
        yield BackupCopy(connection, directory)


def refuse_unrelated_copy(
    connection: sqlite3.Connection, copy: BackupCopy, directory: Path
) -> None:
    """Raise UsageError for a copy of another archive, where the archive's own id is intact."""
    about = read_row(connection, "about", ("archive_id",))
    if about and is_intact("about", about) and about["value"] != archive_id(copy.connection):
        raise UsageError(
            f"{directory} is no copy of this archive",
            kept="Nothing was changed",
            hint="Give the folder that archiver copy made of it",
        )
