"""Machines of a fleet that has tenants."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.fleet.tenant_backup import run_job
from support.fleet.fleets import FleetBench
from support.fleet.machines import Machine
from support.fleet.moto import MotoServer, moto_server
from support.running import Cli


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    """A server with the S3 API; each test has a bucket of its own."""
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture
def bucket_machines(
    cli: Cli, fleet: FleetBench, moto: MotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Machine]:
    """Two machines without a common folder; one has backed up two tenants into a bucket."""
    monkeypatch.setenv("STORE_KEY", "any key will do")
    (account,) = fleet.add("acme")
    fleet.add("city")
    moto.bucket("fleet")
    store = f"s3://fleet-media/{tmp_path.name}"
    files = [fleet.at(tmp_path / name, store, moto.origin) for name in ("one", "two")]
    for tenant in ("acme", "city"):
        run_job(replace(fleet.job(tenant, account), fleet=str(files[0])))
    return [Machine(cli, file) for file in files]


@pytest.fixture
def machine(cli: Cli, fleet: FleetBench) -> Machine:
    """The only machine of a fleet whose store is a folder; it has saved a tenant."""
    (account,) = fleet.add("acme")
    run_job(fleet.job("acme", account))
    return Machine(cli, fleet.file)
