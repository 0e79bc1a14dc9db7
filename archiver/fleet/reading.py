"""The version of a tenant's archive that is on record, to be read for as long as one likes.

Where media lies in a bucket, its database is put into a folder of its own: a worker of this machine
may write the tenant's. No worker waits for a reader, and none is disturbed.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from archiver.archive.storage_errors import storage_errors
from archiver.config import Config
from archiver.errors import StorageError
from archiver.fleet.database import (
    FleetAccount,
    accounts_of,
    connected,
    no_archive_yet,
    unknown_tenant,
)
from archiver.fleet.settings import FleetSettings
from archiver.fleet.storage import TenantStorage, open_storage
from archiver.fleet.tenant_backup import tenant_config
from archiver.fleet.versions import mark_version, read_version, restore_version
from archiver.media.object_store import ObjectStore
from archiver.media.store import MediaStore

_PREFIX = "reading-"
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class ReadTenant:
    """A tenant's archive to be read: its config says where the database is, `store` has its media.

    `version` counts what was put into the store, and this was put there at `saved_at`, in UTC.
    """

    config: Config
    store: MediaStore
    version: int
    saved_at: datetime


@contextmanager
def read_tenant(settings: FleetSettings, tenant: str) -> Iterator[ReadTenant]:
    """Have the current version for reading; what was made for that is removed then.

    Raises UsageError, StorageError, ConfigError.
    """
    found, accounts = _on_record(settings, tenant)
    storage = open_storage(settings, tenant)
    if not isinstance(storage.media, ObjectStore):
        config = tenant_config(settings, found.settings, storage.directory, accounts)
        yield _read(config, storage, found)
        return
    _remove_left_folders(storage.directory)
    with _own_folder(storage.directory) as folder:
        try:
            _restore(storage, found.manifest, folder)
        except StorageError:  # a worker has put a newer one there, and removed this one
            before, (found, accounts) = found.manifest, _on_record(settings, tenant)
            if found.manifest == before:
                raise
            _restore(storage, found.manifest, folder)
        config = tenant_config(settings, found.settings, folder, accounts)
        yield _read(config, storage, found)


def _read(config: Config, storage: TenantStorage, found: Any) -> ReadTenant:
    return ReadTenant(config, storage.media, found.version, found.saved_at.astimezone(UTC))


def _on_record(settings: FleetSettings, tenant: str) -> tuple[Any, list[FleetAccount]]:
    """The row of a tenant that has an archive, and its accounts. Raises UsageError."""
    with connected(settings.database.reveal()) as connection:
        row = connection.execute(
            "SELECT manifest, version, saved_at, settings FROM fleet.tenants WHERE name = %s",
            (tenant,),
        ).fetchone()
        if row is None:
            raise unknown_tenant(tenant)
        if row.manifest is None:
            raise no_archive_yet(tenant)
        return row, accounts_of(connection, tenant)


def _restore(storage: TenantStorage, manifest: str, folder: Path) -> None:
    restore_version(storage.bucket, read_version(storage.bucket, manifest), folder)
    mark_version(folder, None)  # it is no working copy of a worker


@contextmanager
def _own_folder(directory: Path) -> Iterator[Path]:
    """A new folder for a version, whose lock says for how long it is in use."""
    folder = directory / f"{_PREFIX}{secrets.token_hex(8)}"
    with FileLock(_lock_of(folder), mode=0o600, fallback_to_soft=False):
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            _remove(folder)


def _remove_left_folders(directory: Path) -> None:
    """Remove what killed readers left."""
    for folder in _folders(directory):
        try:
            with FileLock(_lock_of(folder), mode=0o600, blocking=False, fallback_to_soft=False):
                _remove(folder)
        except Timeout:
            continue  # it is in use


def remove_reading_folders(directory: Path) -> None:
    """Remove all folders of readers in that of a tenant, used or not: what is erased is in them.

    Raises StorageError.
    """
    with storage_errors(directory):
        for folder in _folders(directory):
            _remove(folder)
            if folder.exists():  # its reader has just put something there
                shutil.rmtree(folder)


def _folders(directory: Path) -> list[Path]:
    return [path for path in sorted(directory.glob(f"{_PREFIX}*")) if path.suffix != _LOCK]


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{_LOCK}")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        _lock_of(folder).unlink()
