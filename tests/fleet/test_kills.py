"""Workers that are killed, and a database that is: nothing is lost, and nothing done twice."""

import random
import signal
from pathlib import Path

import pytest

from support.fleet.fleets import FleetBench, FleetGround
from support.fleet.workers import (
    are_all_read,
    bury_workers,
    check,
    ends_within,
    queue_all,
    start_worker,
)

pytestmark = pytest.mark.peers

KILLS = 3


def test_workers_that_are_killed_at_any_moment_lose_nothing_and_do_nothing_twice(
    fleet: FleetBench, tmp_path: Path
) -> None:
    queue_all(fleet)
    moments = random.Random(19)
    for _ in range(KILLS):
        worker = start_worker(fleet, "--until-idle")
        ends_within(worker, moments.uniform(0.5, 4))
        worker.kill()
        worker.wait()
        bury_workers(fleet)
    assert start_worker(fleet, "--until-idle").wait(600) == 0
    assert are_all_read(fleet)
    check(fleet, tmp_path)


def test_a_database_that_crashes_and_comes_back_is_waited_for(
    fleet: FleetBench, fleet_ground: FleetGround, tmp_path: Path
) -> None:
    queue_all(fleet)
    worker = start_worker(fleet)
    try:
        while not any(row.holder for row in fleet.rows().values()):
            assert not ends_within(worker, 0.05)
        fleet_ground.server.stop("immediate")
        fleet_ground.server.start()
        while not are_all_read(fleet):
            assert not ends_within(worker, 0.2)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(120)
    check(fleet, tmp_path)
