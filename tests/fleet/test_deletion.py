"""The end of a tenant."""

from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.archive.holds import place_hold_on_all
from archiver.errors import UsageError
from archiver.fleet.database import connected
from archiver.fleet.deletion import delete_tenant
from archiver.fleet.settings import load_fleet
from archiver.fleet.storage import open_storage
from archiver.fleet.tenant_backup import run_job
from support.fleet.fleets import FleetBench
from support.fleet.moto import moto_server
from support.fleet.objects import names_in

pytestmark = pytest.mark.peers


def test_it_reaches_all_versions_and_all_media_and_no_other_tenant(
    fleet: FleetBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", "any key will do")
    (account,) = fleet.add("acme")
    fleet.add("city")
    with moto_server(tmp_path) as server, connected(fleet.address) as connection:
        server.bucket("fleet")
        file = fleet.at(tmp_path / "here", "s3://fleet-media/tenants", server.origin)
        settings = load_fleet(file)
        for tenant in ("acme", "acme", "city"):
            run_job(replace(fleet.job(tenant, account), fleet=str(file)))
        bucket = open_storage(settings, "acme").bucket
        assert sum(name.endswith(".json") for name in names_in(bucket)) == 2
        assert any(name.startswith("media/") for name in names_in(bucket))
        delete_tenant(settings, connection, "acme")
        assert names_in(bucket) == []
        assert len(names_in(open_storage(settings, "city").bucket)) > 3
    assert list(fleet.rows()) == ["city"]
    assert not (tmp_path / "here" / "acme" / "archive.db").exists()


def test_a_folder_store_has_nothing_of_it_any_more(fleet: FleetBench) -> None:
    (account,) = fleet.add("acme")
    for _ in range(2):
        run_job(fleet.job("acme", account))
    settings = load_fleet(fleet.file)
    versions = settings.directory / "acme" / "versions"
    assert len([*versions.glob("*.json")]) == 2
    with connected(fleet.address) as connection:
        delete_tenant(settings, connection, "acme")
    assert not versions.parent.exists()


def test_what_is_under_hold_or_at_work_stays(fleet: FleetBench) -> None:
    (account,) = fleet.add("acme")
    run_job(fleet.job("acme", account))
    settings = load_fleet(fleet.file)
    with connected(fleet.address) as connection:
        connection.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, lock, status, args)"
            " VALUES ('back_up_tenant', 'backup', 'acme', 'doing', '{}')"
        )
        with pytest.raises(UsageError, match="is being backed up"):
            delete_tenant(settings, connection, "acme")
        connection.execute("DELETE FROM procrastinate_jobs")
        with writer(settings.directory / "acme", create=False) as archive:
            place_hold_on_all(archive, "2026/17", "a claim", "counsel", "2026-11-01T00:00:00Z")
        with pytest.raises(UsageError, match="under legal hold"):
            delete_tenant(settings, connection, "acme")
    assert (settings.directory / "acme" / "archive.db").exists()
    assert fleet.rows()["acme"].paused_at is None
