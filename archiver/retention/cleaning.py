"""Removing what deleted rows leave behind: files, thumbnails, free pages, the log, older copies."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from archiver.archive.database import DATABASE, transaction
from archiver.disks import sync_directory
from archiver.errors import StorageError
from archiver.media.folder_store import FolderStore

_HASH_DIGITS = 64


def clean(connection: sqlite3.Connection, directory: Path) -> None:
    """Remove all that the folder of an archive holds of rows that are deleted; under its lock.

    The search index is built anew and the database rewritten without free pages, which needs as
    much free space again as it takes. Raises StorageError, also where another program reads the
    archive just now, so that its log has to stay; sqlite3.Error. May be repeated at any time.
    """
    remove_unused_files(connection, directory)
    with transaction(connection):
        connection.execute("INSERT INTO posts_fts (posts_fts) VALUES ('rebuild')")
    connection.execute("VACUUM")
    is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise StorageError(
            f"{DATABASE}-wal in {directory} still holds what was erased",
            why="Another program reads the archive",
            kept="All else is erased",
            hint="Stop archiver browse and whatever else has the archive open, and run this again",
            code="in_use",
        )


def remove_unused_files(connection: sqlite3.Connection, directory: Path) -> int:
    """Delete every file that no row names, with what was made of files, and older databases.

    Returns how many media files were deleted. Raises StorageError, OSError.
    """
    known = known_files(connection)
    store = FolderStore(directory)
    unused = [
        file.path
        for file in store.list()
        if file.sha256 is not None and bytes.fromhex(file.sha256) not in known
    ]
    for name in unused:
        store.delete(name)
    for path in _leftovers(directory, known):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    sync_directory(directory, if_readable=True)
    return len(unused)


def known_files(connection: sqlite3.Connection) -> set[bytes]:
    """The hashes of all files that a row names."""
    return {bytes.fromhex(name) for (name,) in connection.execute("SELECT sha256 FROM media")}


def _leftovers(directory: Path, known: set[bytes]) -> Iterator[Path]:
    """Thumbnails, unfinished downloads, damaged files that are not known, and older databases."""
    cache = directory / "cache"
    if cache.is_dir() and not cache.is_symlink():
        yield cache
    yield from sorted(directory.glob(f"{DATABASE}.before-*"))
    for folder in (directory / "tmp", directory / "quarantine"):
        if folder.is_dir() and not folder.is_symlink():
            for path in sorted(folder.iterdir()):
                if folder.name == "tmp" or not is_known(path.name, known):
                    yield path


def is_known(name: str, known: set[bytes]) -> bool:
    """Whether the name of a file begins with the hash of one that is known."""
    try:
        return bytes.fromhex(name[:_HASH_DIGITS]) in known
    except ValueError:
        return False
