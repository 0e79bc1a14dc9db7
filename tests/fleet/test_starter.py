"""The processes of tenants: each has the environment of its job alone, and ends with it."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.fleet.settings import environment_for
from archiver.fleet.starter import Starter
from archiver.fleet.tenant_backup import TenantJob
from support.fleet.fleets import FleetBench

JOB = TenantJob("nowhere.toml", "acme", (), "2026-01-01T00:00:00+00:00", False, "a test", 0)


def with_starter(*jobs: TenantJob, **environment: str) -> list[tuple[int, bytes]]:
    async def run() -> list[tuple[int, bytes]]:
        starter = Starter()
        base = environment_for((), os.environ)
        try:
            return [await starter.run(job, base | environment) for job in jobs]
        finally:
            await starter.close()

    return asyncio.run(run())


def test_each_job_has_an_end_and_says_why() -> None:
    first, second = with_starter(JOB, replace(JOB, fleet="elsewhere.toml"))
    assert first[0] == second[0] == 2
    assert b"nowhere.toml cannot be read" in first[1]
    assert b"elsewhere.toml cannot be read" in second[1]
    assert b"nowhere" not in second[1], "it has what another job said"


@pytest.mark.peers
def test_a_job_has_its_own_variables_and_nobody_elses(fleet: FleetBench, tmp_path: Path) -> None:
    (account,) = fleet.add("acme")
    job = fleet.job("acme", account)
    ((code, said),) = with_starter(job, ARCHIVER_FLEET_DEMO=fleet.address)
    assert (code, said) == (0, b"")
    assert fleet.account_rows()[account.name].outcome == "done"
    ((code, said),) = with_starter(job)
    assert (code, b"ARCHIVER_FLEET_DEMO is not set" in said) == (2, True)
