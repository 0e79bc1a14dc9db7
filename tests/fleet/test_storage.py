"""Where the archive of a tenant is."""

from pathlib import Path

import pytest

from archiver.errors import UsageError
from archiver.fleet.settings import FleetSettings
from archiver.fleet.storage import check_tenant_name, open_storage
from archiver.media.folder_store import FolderStore
from archiver.media.object_store import ObjectStore
from archiver.secrets import Secret


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "A", "-a", "_a", "a b", "a" * 64, "é"])
def test_a_name_that_is_no_folder_and_no_prefix_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="name of a tenant"):
        check_tenant_name(name)


def test_without_a_bucket_the_folder_is_the_store(tmp_path: Path) -> None:
    settings = FleetSettings(Secret("env:DATABASE"), tmp_path / "tenants")
    storage = open_storage(settings, "acme")
    assert isinstance(storage.media, FolderStore)
    assert storage.directory == tmp_path / "tenants" / "acme"
    assert storage.directory.stat().st_mode & 0o777 == 0o700


def test_a_bucket_has_a_prefix_for_each_tenant(tmp_path: Path) -> None:
    settings = FleetSettings(
        Secret("env:DATABASE"), tmp_path, store="s3://bucket/fleet/",
        store_endpoint="http://127.0.0.1:9", store_key=Secret("key", verbatim=True),
        store_secret=Secret("secret of the bucket", verbatim=True),
    )  # fmt: skip
    storage = open_storage(settings, "acme")
    assert isinstance(storage.media, ObjectStore)
    assert storage.media.tmp == tmp_path / "acme" / "tmp"
    assert storage.bucket.prefix == "fleet/acme"  # type: ignore[union-attr]  # it is one of S3
