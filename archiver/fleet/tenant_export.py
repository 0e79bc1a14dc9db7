"""A tenant's archive as a folder that stands alone, from what is in the store."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from archiver.archive.database import reader
from archiver.errors import StorageError, UsageError
from archiver.evidence.files import MediaRow
from archiver.evidence.renewal import copy_to_temp
from archiver.fleet.database import connected, manifest_of, no_archive_yet
from archiver.fleet.settings import FleetSettings
from archiver.fleet.storage import open_storage
from archiver.fleet.versions import mark_version, read_version, restore_version
from archiver.media.folder_store import FolderStore
from archiver.media.store import MediaStore

_AT_ONCE = 64


@dataclass(slots=True)
class ExportedTenant:
    """What was written: media files, their bytes, and how many could not be read from the store."""

    files: int = 0
    size: int = 0
    damaged: int = 0


def export_tenant(settings: FleetSettings, tenant: str, target: Path) -> ExportedTenant:
    """Write the current version of a tenant's archive, with its media, into a new folder.

    Workers may go on meanwhile. Each file is checked against its hash. Raises UsageError,
    StorageError.
    """
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty", hint="Name a new folder")
    with connected(settings.database.reveal()) as connection:
        manifest = manifest_of(connection, tenant)
    if manifest is None:
        raise no_archive_yet(tenant)
    storage = open_storage(settings, tenant)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    restore_version(storage.bucket, read_version(storage.bucket, manifest), target)
    mark_version(target, None)  # it is no working copy of a worker
    return _copy_media(storage.media, target)


def _copy_media(source: MediaStore, target: Path) -> ExportedTenant:
    store = FolderStore(target)
    store.prepare()
    done = ExportedTenant()
    with reader(target) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT sha256, path, size, NULL FROM media ORDER BY path")
        while rows := cursor.fetchmany(_AT_ONCE):
            copied = [copy_to_temp(source, store.tmp, MediaRow(*row)) for row in rows]
            whole = [file for file in copied if file is not None]
            store.put(whole)
            done.files += len(whole)
            done.size += sum(file.size for file in whole)
            done.damaged += len(copied) - len(whole)
    if done.damaged and not done.files:
        raise StorageError(f"None of the files of {target.name} can be read from the store")
    return done
