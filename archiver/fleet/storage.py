"""Where the archive of a tenant is: its folder on this machine, and what is kept in a store."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import LocalStore

from archiver.errors import UsageError
from archiver.fleet.settings import FleetSettings
from archiver.media.folder_store import FolderStore
from archiver.media.object_store import ObjectStore, open_bucket
from archiver.media.store import StagedStore

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Bucket

_IN_NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


@dataclass(frozen=True, slots=True)
class TenantStorage:
    """The folder of a tenant on this machine, the store of its media, and that of its versions."""

    directory: Path
    media: StagedStore
    bucket: "Bucket"


def open_storage(settings: FleetSettings, tenant: str) -> TenantStorage:
    """The storage of a tenant; its folder is made if need be. Raises UsageError, SecretError."""
    check_tenant_name(tenant)
    directory = settings.directory / tenant
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.store is None:
        # a folder that several machines share, or the only machine that there is
        return TenantStorage(directory, FolderStore(directory), LocalStore(directory))
    bucket = open_bucket(
        f"{settings.store.rstrip('/')}/{tenant}",
        endpoint=settings.store_endpoint,
        key=settings.store_key.reveal() if settings.store_key else None,
        secret=settings.store_secret.reveal() if settings.store_secret else None,
    )
    return TenantStorage(directory, ObjectStore(bucket, directory / "tmp"), bucket)


def check_tenant_name(name: str) -> None:
    """Refuse what cannot be the name of a folder and of a prefix everywhere. Raises UsageError."""
    if not 0 < len(name) <= 63 or not set(name) <= _IN_NAMES or name[0] in "-_":
        raise UsageError(
            f'"{name}" cannot be the name of a tenant',
            hint="Take lower-case letters, digits, - and _, such as acme or city-of-x",
        )
