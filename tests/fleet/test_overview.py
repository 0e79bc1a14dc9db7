"""How a fleet is, for people and for Prometheus."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from archiver.fleet.database import connected, take_lease
from archiver.fleet.overview import (
    FleetState,
    LimitState,
    TenantState,
    fleet_state,
    metrics,
    page,
    status_line,
)
from archiver.fleet.results import AccountResult, write_result
from archiver.fleet.shared_buckets import SharedBuckets
from support.fleet.fleets import FleetBench

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def tenant(name: str, *, failing: int = 0, is_silent: bool = False) -> TenantState:
    return TenantState(
        name, 3, 3, failing, {"refused": failing} if failing else {}, AT, 7200.0, False, False,
        is_silent, 7, 1_000_000, 5_000_000, 12_000,
    )  # fmt: skip


def state(*tenants: TenantState, workers: int = 2) -> FleetState:
    limits = [LimitState("ayrshare api.example a1", 300, 12.5, 700, 2, False)]
    return FleetState(AT, list(tenants), limits, {"todo": 4, "doing": 1}, 61.0, workers)


@pytest.mark.parametrize(
    ("found", "code", "line"),
    [
        (state(tenant("acme")), 0, "OK: 1 tenants, 2 workers"),
        (state(tenant("acme", failing=2)), 1, "2 accounts fail"),
        (state(tenant("acme", is_silent=True), tenant("city")), 2, "1 of 2 tenants are silent: ac"),
        (state(tenant("acme"), workers=0), 2, "no worker"),
    ],
)
def test_one_line_says_whether_all_is_well(found: FleetState, code: int, line: str) -> None:
    assert status_line(found)[0] == code
    assert line in status_line(found)[1]


def test_prometheus_gets_what_the_page_shows() -> None:
    lines = metrics(state(tenant('a"b\\', failing=2))).splitlines()
    assert 'archiver_fleet_accounts_failing{tenant="a\\"b\\\\",reason="refused"} 2' in lines
    assert "archiver_fleet_workers 2" in lines
    assert 'archiver_fleet_requests_left{limit="ayrshare api.example a1"} 12.5' in lines
    assert 'archiver_fleet_jobs{status="todo"} 4' in lines
    types = [line.split()[2] for line in lines if line.startswith("#")]
    assert len(types) == len(set(types))


def test_the_page_has_first_what_is_not_well_and_nothing_that_runs() -> None:
    text = page(state(tenant("acme"), tenant("<script>", is_silent=True), tenant("b", failing=1)))
    assert "<script>" not in text
    assert (
        text.index("&lt;script&gt;</td>") < text.index("<td>b</td>") < text.index("<td>acme</td>")
    )
    assert "refused (1)" in text
    assert "2026-03-02 09:00:00 UTC" in text


async def _reserve(buckets: SharedBuckets) -> None:
    await buckets.reserve("a", 300, 300.0, 900.0)


@pytest.mark.peers
def test_a_tenant_whose_accounts_are_not_read_is_silent(fleet: FleetBench) -> None:
    (account,) = fleet.add("acme")
    fleet.add("city")
    buckets = SharedBuckets(fleet.address)
    anyio.run(_reserve, buckets)
    buckets.close()
    with connected(fleet.address) as connection:
        lease = take_lease(connection, "acme", "a worker")
        assert lease is not None
        day = timedelta(days=1)
        write_result(connection, lease, AccountResult(account.name, "done", None, None, day))
        connection.execute("UPDATE fleet.accounts SET added_at = now() - interval '2 days'")
        found = fleet_state(connection, day)
    assert {each.name: each.is_silent for each in found.tenants} == {"acme": False, "city": True}
    assert found.workers == 0
    assert [(limit.name, limit.asked) for limit in found.limits] == [("a", 1)]
    assert found.as_json()["tenants"][1]["is_silent"]
