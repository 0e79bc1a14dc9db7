"""`archiver fleet`: from a list of accounts to their archives."""

import json
from pathlib import Path

import pytest

from support.fleet.fleets import FleetBench
from support.running import Cli, RunArchiver


@pytest.mark.peers
def test_a_list_becomes_archives(fleet: FleetBench, run_archiver: RunArchiver) -> None:
    account = fleet.accounts[0]
    accounts = fleet.folder / "accounts.csv"
    accounts.write_text(
        f"tenant,account,platform,source\nacme,{account.name},{account.platform},{account.source}\n"
        f"city,{account.name},{account.platform},{account.source}\n"
    )

    def run(*words: str) -> str:
        done = run_archiver(
            "fleet", *words, "--fleet", str(fleet.file), env={"ARCHIVER_FLEET_DEMO": fleet.address}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Would add: 2 tenants, 2 new accounts" in run("add", str(accounts), "--dry-run")
    assert "2 tenants, 2 new accounts" in run("add", str(accounts))
    assert json.loads(run("add", str(accounts), "--json"))["new_accounts"] == 0
    assert "Paused 1 tenant" in run("pause", "city")
    assert "Queued 1 job" in run("run")
    run("worker", "--until-idle")
    found = {row["name"]: (row["good"], row["failing"])
             for row in json.loads(run("status", "--json"))["tenants"]}  # fmt: skip
    assert found == {"acme": (1, 0), "city": (0, 0)}
    assert "acme" in run("status")


def test_init_writes_what_is_missing_and_says_what_comes_next(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    done = cli("fleet", "init", "--fleet", file)
    assert done.exit_code == 0, done.output
    assert "FLEET_DATABASE" in done.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tenant.toml").exists()
