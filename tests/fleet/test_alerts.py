"""Messages about silent tenants: one for each cause, and not one each night."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.config import load_config
from archiver.fleet.alerts import send_alerts
from archiver.fleet.database import connected, take_lease
from archiver.fleet.overview import FleetState, fleet_state
from archiver.fleet.results import AccountResult, write_result
from archiver.fleet.settings import load_fleet
from support.fleet.fleets import FleetBench
from support.receivers import http_receiver

pytestmark = pytest.mark.peers

NOTIFY = '\n[notify]\non_failure = ["env:FLEET_ALERTS"]\n'


def shared_settings(fleet: FleetBench) -> Path:
    """The settings that all tenants share, with an address for messages."""
    path = load_fleet(fleet.file).settings
    path.write_text(path.read_text("utf-8") + NOTIFY)
    return path


def write(fleet: FleetBench, tenant: str, code: str | None) -> None:
    """How the only account of a tenant went, a long time after it was last read."""
    with connected(fleet.address) as connection:
        lease = take_lease(connection, tenant, "a worker")
        assert lease is not None
        outcome = "failed" if code else "done"
        result = AccountResult(fleet.accounts[0].name, outcome, code, code, timedelta(days=1))
        write_result(connection, lease, result)
        connection.execute("UPDATE fleet.accounts SET added_at = now() - interval '9 days'")


def state_of(fleet: FleetBench) -> FleetState:
    with connected(fleet.address) as connection:
        return fleet_state(connection, timedelta(days=3))


def test_a_cause_is_told_once_when_it_begins_and_once_when_it_is_over(
    fleet: FleetBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_ALERTS", "json://127.0.0.1:1/")
    config = load_config(shared_settings(fleet))
    told: list[str] = []

    def night(*failures: str) -> list[str]:
        def send_by(_title: str, text: str) -> list[str]:
            told.append(text)
            return list(failures)

        told.clear()
        with connected(fleet.address) as connection:
            send_alerts(connection, state_of(fleet), config, send_by)
        return told

    for tenant in ("acme", "city", "museum"):
        fleet.add(tenant)
    write(fleet, "acme", None)
    write(fleet, "city", "refused")
    write(fleet, "museum", "refused")
    (text,) = night("it did not arrive")
    assert text == "2 tenants are silent (refused): city, museum."
    assert night() == [text], "what reached nobody is not told again"
    assert night() == [], "it is told each night"
    write(fleet, "museum", None)
    assert night() == [], "fewer of the same cause are told"
    write(fleet, "city", None)
    (over,) = night()
    assert over == "Resolved: 2 tenants are silent (refused): city, museum."
    assert night() == []


def test_a_worker_tells_by_the_settings_that_tenants_share(
    fleet: FleetBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("city")
    write(fleet, "city", "refused")

    async def look_after() -> None:
        queue = fleet.queue()
        async with queue.app.open_async():
            await queue.look_after(report=False, tell=True)

    shared_settings(fleet)
    with http_receiver() as received:
        monkeypatch.setenv("FLEET_ALERTS", f"json://127.0.0.1:{received.port}/")
        asyncio.run(look_after())
        asyncio.run(look_after())
    (message,) = received.messages
    assert b"1 tenant is silent (refused): city" in message
