"""The archive of a tenant under a lease: brought to this machine, written here, and put back."""

from archiver.archive.database import reader
from archiver.archive.storage_totals import ARCHIVE_TOTAL, storage_totals
from archiver.fleet.database import Lease, patiently
from archiver.fleet.results import AccountResult, commit_version
from archiver.fleet.settings import FleetSettings
from archiver.fleet.storage import TenantStorage, open_storage
from archiver.fleet.versions import (
    DatabaseVersion,
    bring_up_to,
    mark_version,
    remove_old_versions,
    save_version,
    version_name,
)


class TenantArchive:
    """The archive of a tenant, for the holder of a lease. `current` is the version on record."""

    def __init__(self, settings: FleetSettings, lease: Lease) -> None:
        self.lease = lease
        self.storage: TenantStorage = open_storage(settings, lease.tenant)
        self.current: DatabaseVersion | None = None
        self._database = settings.database.reveal()
        self._keep = settings.keep_versions
        self._version = lease.version

    def bring_here(self) -> None:
        """Have the current version of the database here, if there is one. Raises StorageError."""
        if self.lease.manifest is not None:
            self.current = bring_up_to(
                self.storage.bucket, self.lease.manifest, self.storage.directory
            )

    def put_back(self, result: AccountResult | None = None, *, is_locked: bool = False) -> None:
        """Make what is here the current version, with how an account went.

        `is_locked`: the caller has the archive's lock. Raises LeaseLost, StorageError.
        """
        version = self._version + 1
        name = version_name(version, self.lease.fence)
        with reader(self.storage.directory) as archive:
            _, media_size = storage_totals(archive).get(ARCHIVE_TOTAL, (0, 0))
        saved = save_version(
            self.storage.directory, self.storage.bucket, name, self.current, is_locked=is_locked
        )
        patiently(
            self._database,
            lambda database: commit_version(
                database, self.lease, version, saved.manifest, size=saved.size,
                media_size=media_size, sent=saved.sent, result=result,
            ),
        )  # fmt: skip
        mark_version(self.storage.directory, saved.name)
        self._version, self.current = version, saved

    def remove_old_versions(self) -> None:
        """Remove what is not kept of older versions; see `versions`. Raises StorageError."""
        if self.current is not None:
            remove_old_versions(self.storage.bucket, self.current, self._keep)
