"""Erasing in the archive of a tenant: in its database, its media and its older versions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import obstore

from archiver.config import Config
from archiver.fleet.database import accounts_of, patiently
from archiver.fleet.held_tenants import HeldTenant, held_tenant
from archiver.fleet.settings import FleetSettings
from archiver.fleet.tenant_archive import TenantArchive
from archiver.fleet.tenant_backup import tenant_config
from archiver.media.object_store import ObjectStore, bucket_errors
from archiver.media.store import hash_in_path
from archiver.retention.cleaning import is_known, known_files


class ErasableTenant:
    """The archive of a tenant, brought to this machine, which no worker gets meanwhile."""

    def __init__(self, held: HeldTenant, archive: TenantArchive, config: Config) -> None:
        self.config = config
        self._held = held
        self._archive = archive

    def remove_files(self, connection: sqlite3.Connection) -> None:
        """Delete the objects that no row names, damaged ones too, where media lies in a bucket.

        Before that, the version on record becomes one that does not name them: wherever this is
        killed, no post on record has lost its files. The caller has the archive's lock.
        Raises LeaseLost where a worker may have put some of them there just now; StorageError.
        """
        self._held.check()
        self._archive.put_back(is_locked=True)
        storage = self._archive.storage
        if not isinstance(storage.media, ObjectStore):
            return  # it is the folder, which is cleaned as any other
        known = known_files(connection)
        with bucket_errors("delete media"):
            for folder in ("media", "quarantine"):
                for some in obstore.list(storage.bucket, folder):
                    names = [each["path"] for each in some if _is_ours(each["path"])]
                    unused = [path for path in names if not is_known(_name(path), known)]
                    if unused:
                        self._held.check()
                        obstore.delete(storage.bucket, unused)

    def put_back(self) -> None:
        """Put the database back, and then remove the versions in which less was erased.

        Raises LeaseLost, StorageError; then it has to be called again.
        """
        self._archive.put_back()
        self._archive.remove_old_versions()


@contextmanager
def erasable_tenant(settings: FleetSettings, tenant: str, holder: str) -> Iterator[ErasableTenant]:
    """Have a tenant's archive here, and keep workers away from it.

    Raises UsageError, StorageError, ConfigError.
    """
    address = settings.database.reveal()
    with held_tenant(address, tenant, holder) as held:
        archive = TenantArchive(settings, held.lease)
        archive.bring_here()
        accounts = patiently(address, lambda database: accounts_of(database, tenant))
        config = tenant_config(settings, held.lease, archive.storage.directory, accounts)
        yield ErasableTenant(held, archive, config)


def _is_ours(path: str) -> bool:
    """Whether archiver has put it there: nothing else is looked at."""
    return path.startswith("quarantine/") or hash_in_path(path) is not None


def _name(path: str) -> str:
    return path.rpartition("/")[2]
