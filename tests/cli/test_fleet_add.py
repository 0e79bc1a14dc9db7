"""`archiver fleet add`: from the profiles of a source to tenants, really or for a try."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.clock import DemoClock
from archiver_ayrshare.demo.world import World
from support.fleet.fleets import FleetBench
from support.running import Cli
from support.served_world import serve


@pytest.fixture
def world(fleet: FleetBench) -> Iterator[World]:
    """A business account on this machine, which the fleet's settings name."""
    world = World(DemoClock(datetime.now(UTC)).now)
    with serve(world) as server:
        (fleet.folder / "tenant.toml").write_text(
            f'[network]\nallow = ["127.0.0.0/8"]\n[ayrshare]\napi_key = "env:THE_KEY"\n'
            f'base_url = "{server.base_url}"\n'
        )
        yield world


@pytest.mark.peers
class TestProfiles:
    """`fleet add --source`, against the emulated API."""

    def add(
        self, cli: Cli, fleet: FleetBench, key: str, monkeypatch: pytest.MonkeyPatch, *words: str
    ) -> str:
        monkeypatch.setenv("THE_KEY", key)
        done = cli("fleet", "add", "--source", "ayrshare", "--fleet", fleet.file, *words)
        assert "Traceback" not in done.output
        assert key not in done.output
        return done.output

    def test_a_profile_becomes_a_tenant_and_its_key_is_asked_for(
        self, cli: Cli, fleet: FleetBench, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme = world.add_profile("the-secret-of-acme", "Acme \x1b[31m")
        acme.account("threads")
        first = self.add(cli, fleet, world.api_key, monkeypatch)
        assert "1 new tenant, 1 new account" in first
        assert "\n  PROFILE_KEY_ACME_31M\n" in first
        assert "\x1b" not in first
        assert "the-secret-of-acme" not in first
        acme.account("instagram")
        monkeypatch.setenv("PROFILE_KEY_ACME_31M", "the-secret-of-acme")
        second = self.add(cli, fleet, world.api_key, monkeypatch)
        assert "0 new tenants, 1 new account" in second
        assert "PROFILE_KEY" not in second
        (options,) = {str(row.options) for row in fleet.account_rows().values()}
        assert options == "{'profile_key': 'env:PROFILE_KEY_ACME_31M'}"

    def test_a_dry_run_says_what_would_be_added_and_adds_nothing(
        self, cli: Cli, fleet: FleetBench, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.add_profile("the-secret-of-acme", "Acme").account("threads")
        told = self.add(cli, fleet, world.api_key, monkeypatch, "--dry-run")
        assert "acme: acme-threads\nWould add: 1 new tenant, 1 new account\n" in told
        found = json.loads(self.add(cli, fleet, world.api_key, monkeypatch, "--dry-run", "--json"))
        assert found == {
            "dry_run": True, "new_tenants": 1, "new_accounts": 1,
            "accounts": [{"tenant": "acme", "account": "acme-threads", "platform": "threads"}],
            "notes": [], "missing_variables": ["PROFILE_KEY_ACME"],
        }  # fmt: skip
        assert fleet.rows() == {}

    def test_what_the_api_refuses_is_said(
        self, cli: Cli, fleet: FleetBench, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "key" in self.add(cli, fleet, "a-key-that-is-wrong", monkeypatch).lower()
        world.fail("profiles", status=200, raw='{"profiles": 7}')
        assert "not as Ayrshare documents it" in self.add(cli, fleet, world.api_key, monkeypatch)
        world.fail("profiles", status=403)
        assert "Error" in self.add(cli, fleet, world.api_key, monkeypatch)
        world.limit_rate("profiles", retry_after=100_000, times=None)
        assert "asks for a pause" in self.add(cli, fleet, world.api_key, monkeypatch)
        assert fleet.rows() == {}


@pytest.mark.parametrize("source", ["bluesky", "myspace"])
def test_a_source_without_profiles_is_refused(cli: Cli, tmp_path: Path, source: str) -> None:
    file = tmp_path / "fleet.toml"
    cli("fleet", "init", "--fleet", file)
    done = cli("fleet", "add", "--source", source, "--fleet", file)
    assert done.exit_code == 2
    assert source in done.stderr
    done = cli("fleet", "add", "list.csv", "--source", "ayrshare", "--fleet", file)
    assert "a list or --source" in done.stderr
