"""A store that fails, a full disk, and a worker that is paused: the night ends well all the same.

The workers are real processes, the store is a real one behind a server that fails.
"""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.fleet.database import connected
from archiver.fleet.overview import fleet_state
from support.fleet.faulty_store import Fault, FaultyStore, faulty_store
from support.fleet.fleets import FleetBench
from support.fleet.moto import moto_server
from support.fleet.workers import (
    are_all_read,
    bury_workers,
    check,
    ends_within,
    let_time_pass,
    queue_all,
    queue_due,
    start_worker,
)

pytestmark = pytest.mark.peers


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FaultyStore]:
    with moto_server(tmp_path) as server, faulty_store(server.origin) as store:
        server.bucket("fleet")
        yield store


@pytest.fixture
def in_bucket(
    fleet: FleetBench, store: FaultyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FleetBench:
    """A fleet of one tenant with its media and versions in the store, and its first jobs queued."""
    monkeypatch.setenv("STORE_KEY", "any key will do")
    found = on_machine(fleet, tmp_path / "machine", store)
    queue_all(found, ["acme"])
    return found


def on_machine(fleet: FleetBench, folder: Path, store: FaultyStore) -> FleetBench:
    """The fleet, as a machine with that folder has it."""
    file = fleet.at(folder, "s3://fleet-media/tenants", store.origin)
    return replace(fleet, folder=folder, file=file)


def work(fleet: FleetBench, *, largest: int | None = None) -> None:
    assert start_worker(fleet, "--until-idle", largest=largest).wait(300) == 0


def work_again(fleet: FleetBench) -> None:
    let_time_pass(fleet)
    queue_due(fleet)
    work(fleet)


def reasons(fleet: FleetBench) -> dict[str, str]:
    """Why accounts fail, as `fleet status` says: once each, however often a job was tried."""
    rows = fleet.account_rows().values()
    assert {(row.failures, row.tried_at is None) for row in rows} == {(1, False)}
    with connected(fleet.address) as connection:
        causes = fleet_state(connection, timedelta(days=1)).causes
    return {cause.code: cause.message for cause in causes}


def test_a_store_that_loses_every_first_request_and_every_first_answer_costs_nothing(
    in_bucket: FleetBench, store: FaultyStore, tmp_path: Path
) -> None:
    """Each put meets a 503, then an answer that is lost although the store has done it."""
    puts: dict[int, Fault] = {1: "503", 2: "lost"}
    others: dict[int, Fault] = {1: "cut"}

    def fault(method: str, path: str) -> Fault:
        return (puts if method == "PUT" else others).get(store.times(method, path), "none")

    store.fault = fault
    work(in_bucket)
    assert are_all_read(in_bucket)
    check(in_bucket, tmp_path)


def test_a_store_that_is_away_is_named_and_what_it_did_not_take_is_put_later(
    in_bucket: FleetBench, store: FaultyStore, tmp_path: Path
) -> None:
    """It has the media of the night, and no database."""
    store.fault = lambda _, path: "503" if "/versions/" in path else "none"
    work(in_bucket)
    found = reasons(in_bucket)
    assert found.keys() == {"storage"}
    assert "in the object store" in found["storage"]
    assert "503" in found["storage"]
    store.fault = lambda method, path: "none"
    work_again(in_bucket)
    assert are_all_read(in_bucket)
    check(in_bucket, tmp_path)


def test_on_a_full_disk_a_worker_says_so_and_the_next_one_saves_everything(
    in_bucket: FleetBench, tmp_path: Path
) -> None:
    work(in_bucket, largest=100)
    (message,) = reasons(in_bucket).values()
    assert "as large as" in message
    assert in_bucket.rows()["acme"].version == 0
    work_again(in_bucket)
    assert are_all_read(in_bucket)
    check(in_bucket, tmp_path)


@pytest.mark.parametrize("moment", ["media/", "versions/"])
def test_a_worker_that_is_stopped_past_its_lease_and_wakes_up_changes_nothing(
    fleet: FleetBench, in_bucket: FleetBench, store: FaultyStore, tmp_path: Path, moment: str
) -> None:
    """It is stopped while a slow store takes a file, or the database, of it."""
    held: list[str] = []

    def hold_first(method: str, path: str) -> Fault:
        if held or method != "PUT" or f"/acme/{moment}" not in path:
            return "none"
        held.append(path)
        return "held"

    store.fault = hold_first
    stopped = start_worker(in_bucket)
    try:
        assert store.reached.wait(300)
        os.killpg(stopped.pid, signal.SIGSTOP)  # it is a group with the process of its tenant
        bury_workers(in_bucket)
        store.let_go.set()
        work(on_machine(fleet, tmp_path / "other", store))
        assert are_all_read(in_bucket)
        before = everything(in_bucket)
        os.killpg(stopped.pid, signal.SIGCONT)
        (starter,) = children(stopped.pid)
        while children(starter):
            assert not ends_within(stopped, 0.05)
    finally:
        os.killpg(stopped.pid, signal.SIGCONT)
        stopped.send_signal(signal.SIGTERM)
        assert stopped.wait(300) == 0
    assert everything(in_bucket) == before
    check(in_bucket, tmp_path)


def everything(fleet: FleetBench) -> list[object]:
    """All that PostgreSQL says of tenants, accounts and jobs of them."""
    with connected(fleet.address) as connection:
        jobs = connection.execute("SELECT * FROM procrastinate_jobs WHERE lock IS NOT NULL")
        return [fleet.rows(), fleet.account_rows(), jobs.fetchall()]


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    said = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return [int(number) for number in said.split()]
