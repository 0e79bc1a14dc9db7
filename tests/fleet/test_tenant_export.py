"""A tenant's archive as a folder that stands alone."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.errors import UsageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.fleet.settings import load_fleet
from archiver.fleet.tenant_backup import run_job
from archiver.fleet.tenant_export import export_tenant
from support.fleet.fleets import FleetBench
from support.fleet.moto import moto_server

pytestmark = pytest.mark.peers


def test_it_has_the_files_that_lie_in_a_bucket(
    fleet: FleetBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", "any key will do")
    (account,) = fleet.add("acme")
    target = tmp_path / "out" / "acme"
    with moto_server(tmp_path) as server:
        server.bucket("fleet")
        file = fleet.at(tmp_path / "here", "s3://fleet-media/tenants", server.origin)
        run_job(replace(fleet.job("acme", account), fleet=str(file)))
        done = export_tenant(load_fleet(file), "acme", target)
    assert done.files > 1
    assert done.damaged == 0
    result = verify(target, Scope(), datetime.now(UTC).isoformat())
    assert result.findings == []
    assert sum(path.is_file() for path in (target / "media").rglob("*")) == done.files


def test_it_takes_no_folder_that_is_used_and_no_tenant_without_an_archive(
    fleet: FleetBench, tmp_path: Path
) -> None:
    fleet.add("acme")
    settings = load_fleet(fleet.file)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("mine")
    for tenant, folder, message in (
        ("acme", "used", "not empty"), ("acme", "new", "no archive yet"),
        ("nobody", "new", "no tenant"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=message):
            export_tenant(settings, tenant, tmp_path / folder)
    assert not (tmp_path / "new").exists()
