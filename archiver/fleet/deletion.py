"""The end of a tenant: its archive, all versions of it, and its media are deleted for good."""

import shutil
from typing import Any

import obstore
from obstore.store import LocalStore

from archiver.archive.database import DATABASE, reader
from archiver.archive.holds import lasting_holds
from archiver.errors import UsageError
from archiver.fleet.database import begin_deletion, end_deletion
from archiver.fleet.settings import FleetSettings
from archiver.fleet.storage import TenantStorage, open_storage
from archiver.fleet.versions import bring_up_to
from archiver.media.object_store import bucket_errors


def delete_tenant(settings: FleetSettings, connection: Any, tenant: str) -> int:
    """Delete a tenant with all that the fleet keeps of it; how many objects were in the store.

    From the beginning on, no worker can put anything back. Raises UsageError while a job of it
    runs, and where its archive is under legal hold; then nothing was deleted. Raises StorageError;
    then the same can be asked again.
    """
    manifest, was_begun = begin_deletion(connection, tenant)
    storage = open_storage(settings, tenant)
    if not was_begun:
        _refuse_holds(storage, manifest, tenant)
        begin_deletion(connection, tenant, for_good=True)
    deleted = 0
    if not isinstance(storage.bucket, LocalStore):
        with bucket_errors(f"delete {tenant}"):
            for some in obstore.list(storage.bucket):
                paths = [each["path"] for each in some]
                obstore.delete(storage.bucket, paths)
                deleted += len(paths)
    else:
        deleted = sum(1 for path in storage.directory.rglob("*") if path.is_file())
    shutil.rmtree(storage.directory, ignore_errors=False)
    end_deletion(connection, tenant)
    return deleted


def _refuse_holds(storage: TenantStorage, manifest: str | None, tenant: str) -> None:
    if manifest is not None:
        bring_up_to(storage.bucket, manifest, storage.directory)
    if not (storage.directory / DATABASE).exists():
        return
    with reader(storage.directory) as archive:
        held = [hold.matter for hold in lasting_holds(archive)]
    if held:
        raise UsageError(
            f"{tenant} is under legal hold",
            why=", ".join(held),
            kept="Nothing was deleted",
            hint="Release the holds first: archiver hold release",
        )
