"""A source or a host that is down costs a bounded number of requests, and nobody else's time."""

import threading
from pathlib import Path

import pytest

from archiver.backup.media_fetcher import WORKERS_PER_CONNECTION
from archiver.media.transfer import Limits
from archiver.settings import MediaSettings
from archiver_ayrshare.demo.specs import photo
from support.transfer import behaviours as b
from support.transfer.faultserver import Behaviour, Talk, honest
from support.transfer.worlds import Behind, behind

TRIES = Limits().tries
WORKERS = int(MediaSettings().connections * WORKERS_PER_CONNECTION)


def publish(world: Behind, platform: str, count: int) -> None:
    for number in range(count):
        world.world.account(platform).publish(f"Post {number}", media=[photo()])


def asked(world: Behind, part: str) -> int:
    return sum(part in each.target for each in world.faults.asked)


def first(count: int, then: Behaviour, before: Behaviour = honest) -> Behaviour:
    """So many requests are answered in one way, the others in another."""
    seen: list[None] = []

    def behave(talk: Talk) -> bool | None:
        seen.append(None)
        return (before if len(seen) <= count else then)(talk)

    return behave


@pytest.mark.parametrize("code", [401, 429, 503])
def test_a_source_that_gives_no_fresh_addresses_is_not_asked_for_each_post(
    tmp_path: Path, code: int
) -> None:
    with behind(tmp_path, "instagram") as world:
        publish(world, "instagram", 20)
        world.faults.rule(".jpg", b.status(403))
        world.faults.rule("/api/history/", first(1, b.status(code)))

        report = world.backup()

        assert (report.exit_code, report.counts.failed) == (3, 20)
        assert asked(world, "/api/history/") <= 1 + 3
        world.check_sound()


def test_waiting_for_fresh_addresses_holds_up_no_other_account(tmp_path: Path) -> None:
    with behind(tmp_path, "instagram", "linkedin") as world:
        publish(world, "instagram", 90)
        publish(world, "linkedin", 40)
        others: list[None] = []
        all_there = threading.Event()

        def media(talk: Talk) -> bool | None:
            if "t51." in talk.asked.target:
                return b.status(403)(talk)
            others.append(None)
            if len(others) == 40:
                all_there.set()
            return honest(talk)

        def when_all_are_there(talk: Talk) -> bool | None:
            assert all_there.wait(240)
            return b.status(401)(talk)

        for part in ("t51.", "/dms/image/"):
            world.faults.rule(part, media)
        world.faults.rule("/api/history/instagram", first(1, when_all_are_there))

        report = world.backup()

        assert all_there.is_set()
        assert (report.counts.stored, report.counts.failed) == (40, 90)


@pytest.mark.parametrize("behaviour", [b.status(503), b.no_answer])
def test_a_host_that_does_not_answer_is_not_asked_for_each_file(
    tmp_path: Path, behaviour: Behaviour
) -> None:
    with behind(tmp_path, "linkedin") as world:
        publish(world, "linkedin", 80)
        world.faults.rule("/dms/image/", behaviour)

        report = world.backup()

        assert (report.exit_code, report.counts.failed) == (3, 80)
        # eight files fail, the other workers' are under way, then the 1st, 2nd, 4th ... 64th
        assert asked(world, "/dms/image/") <= TRIES * (8 + (WORKERS - 1) + 7)
        reasons = world.world.column("SELECT DISTINCT reason FROM renditions")
        assert any("not tried again in this run" in reason for reason in reasons)

        world.faults.clear()
        world.world.next_night()
        assert world.backup().counts.stored == 80
