"""The archive of a tenant for a command: erased in, verified or exported, and put back."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import obstore

from archiver.config import Config
from archiver.evidence.findings import Finding
from archiver.evidence.slices import Slice
from archiver.fleet.database import accounts_of, patiently
from archiver.fleet.held_tenants import HeldTenant, held_tenant
from archiver.fleet.reading import remove_reading_folders
from archiver.fleet.settings import FleetSettings
from archiver.fleet.tenant_archive import TenantArchive
from archiver.fleet.tenant_backup import tenant_config
from archiver.fleet.versions import DamagedVersion, damaged_packs, read_version
from archiver.media.object_store import ObjectStore, bucket_errors
from archiver.media.store import StagedStore, hash_in_path
from archiver.retention.cleaning import is_known, known_files


class HeldArchive:
    """The archive of a tenant, which no worker gets meanwhile; `store` has its media."""

    def __init__(self, held: HeldTenant, archive: TenantArchive, config: Config) -> None:
        self.config = config
        self.store: StagedStore = archive.storage.media
        self._held = held
        self._archive = archive

    def bring_here(self) -> None:
        """Have the current version of the database on this machine. Raises StorageError."""
        self._archive.bring_here()

    def check_version(self, part: Slice) -> Iterator[Finding]:
        """Read a slice of the current version back from the store, and say what is damaged.

        Raises StorageError where the store does not answer.
        """
        manifest = self._held.lease.manifest
        assert manifest is not None  # noqa: S101 — such a tenant is not held
        bucket = self._archive.storage.bucket
        try:
            version = read_version(bucket, manifest)
        except DamagedVersion:
            yield Finding("version", manifest, "the list of its parts cannot be read")
            return
        for pack, why in damaged_packs(bucket, version, part.has_hash):
            yield Finding("version", pack, why)

    def remove_files(self, connection: sqlite3.Connection) -> None:
        """Delete the objects that no row names, damaged ones too, where media lies in a bucket.

        What was put here to be read goes too, also where it is being read.
        Before that, the version on record becomes one that does not name them: wherever this is
        killed, no post on record has lost its files. The caller has the archive's lock.
        Raises LeaseLost where a worker may have put some of them there just now; StorageError.
        """
        self._held.check()
        self._archive.put_back(is_locked=True)
        storage = self._archive.storage
        remove_reading_folders(storage.directory)
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

    def put_back(self, *, whole: bool = False) -> None:
        """Put the database back, and then remove the versions in which less was erased.

        Sent is what changed, or with `whole` all of it, which then needs no pack from before.
        Raises LeaseLost, StorageError; then it has to be called again.
        """
        if whole:
            self._archive.current = None
        self._archive.put_back()
        self._archive.remove_old_versions()


@contextmanager
def held_archive(settings: FleetSettings, tenant: str, holder: str) -> Iterator[HeldArchive]:
    """Keep workers away from a tenant's archive, which is not brought here yet.

    Raises UsageError, StorageError, ConfigError.
    """
    address = settings.database.reveal()
    with held_tenant(address, tenant, holder) as held:
        archive = TenantArchive(settings, held.lease)
        accounts = patiently(address, lambda database: accounts_of(database, tenant))
        config = tenant_config(settings, held.lease.settings, archive.storage.directory, accounts)
        yield HeldArchive(held, archive, config)


def _is_ours(path: str) -> bool:
    """Whether archiver has put it there: nothing else is looked at."""
    return path.startswith("quarantine/") or hash_in_path(path) is not None


def _name(path: str) -> str:
    return path.rpartition("/")[2]
