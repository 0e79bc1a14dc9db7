"""What somebody should look at, by the rows of an archive and the time."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.archive.database import reader, writer
from archiver.archive.rows import update
from archiver.models import timestamp
from archiver.unattended.care_log import CareEntry, log_care
from archiver.unattended.health import (
    ArchiveHealth,
    Severity,
    TokenExpiry,
    concerns_of,
    read_health,
    room_concerns,
)
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

LATE_AFTER = timedelta(days=2)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Nights]:
    with nights(tmp_path, "instagram", "bluesky") as world:
        world.account("instagram").populate(2)
        world.account("bluesky").populate(2)
        yield world


def health_of(world: Nights, *names: str) -> ArchiveHealth:
    with reader(world.directory) as connection:
        return read_health(connection, names or world.platforms)


def concerns(world: Nights, *tokens: TokenExpiry) -> list[tuple[str, Severity]]:
    found = concerns_of(health_of(world), tokens, world.clock.now(), LATE_AFTER)
    return [(concern.cause, concern.severity) for concern in found]


def test_a_good_night_is_no_concern_and_an_unchanged_one_neither(world: Nights) -> None:
    world.backup()
    assert concerns(world) == []
    world.next_night()
    world.backup()
    assert concerns(world) == []
    health = health_of(world)
    assert health.exit_code == 0
    assert [account.last_good for account in health.accounts] == [timestamp(world.clock.now())] * 2
    assert health.accounts[0].stories_at is not None, "Instagram has stories"
    assert health.accounts[1].stories_at is None


def test_a_dead_scheduler_is_a_warning_then_critical(world: Nights) -> None:
    world.backup()
    world.clock.advance(days=3)
    late = ["run", "late:instagram", "late:bluesky"]
    assert concerns(world) == [(cause, Severity.WARNING) for cause in late]
    world.clock.advance(days=2)
    assert concerns(world) == [(cause, Severity.CRITICAL) for cause in late]


def test_a_refused_key_is_critical_at_once(world: Nights) -> None:
    world.backup()
    world.given_key = "WRONG-KEY"
    world.next_night()
    world.backup()
    failed = [("failed:instagram", Severity.CRITICAL), ("failed:bluesky", Severity.CRITICAL)]
    assert concerns(world) == failed
    world.given_key = None
    world.backup(now=True)
    assert concerns(world) == []


def test_a_source_that_is_down_is_a_concern_only_when_the_backup_is_late(world: Nights) -> None:
    world.backup()
    with writer(world.directory) as connection:
        update(
            connection, "run_accounts", "name = 'bluesky'", (), outcome="failed", error_code="down"
        )
    world.clock.advance(days=1)
    assert concerns(world) == [("late:bluesky", Severity.WARNING)], "it never had a good run"


def test_an_account_that_no_run_has_tried_is_named(world: Nights) -> None:
    world.backup(names=("instagram",))
    assert concerns(world) == [("late:bluesky", Severity.WARNING)]


def test_an_account_that_is_not_in_the_config_any_more_is_no_concern(world: Nights) -> None:
    world.backup()
    world.clock.advance(days=9)
    names = [account.name for account in health_of(world, "bluesky").accounts]
    assert names == ["bluesky"]


def test_a_suspended_account_is_a_warning_however_long_it_lasts(world: Nights) -> None:
    world.backup()
    with writer(world.directory) as connection:
        update(
            connection, "run_accounts", "name = 'bluesky'", (),
            outcome="away", error_code="suspended",
        )  # fmt: skip
    assert concerns(world) == [("away:bluesky", Severity.WARNING)]


def test_a_run_in_the_future_says_that_the_clock_is_wrong(world: Nights) -> None:
    world.clock.advance(days=400)
    world.backup()
    world.clock.advance(days=-400)
    assert concerns(world) == [("clock", Severity.WARNING)]


def test_without_any_run_nothing_is_known(world: Nights, tmp_path: Path) -> None:
    with writer(world.directory):
        pass
    assert ("run", Severity.UNKNOWN) in concerns(world)


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (20, []),
        (13, [("token:bluesky", Severity.WARNING)]),
        (-1, [("token:bluesky", Severity.CRITICAL)]),
    ],
)
def test_a_token_is_a_concern_before_it_expires(
    world: Nights, days: int, found: list[tuple[str, Severity]]
) -> None:
    world.backup()
    expires = timestamp(world.clock.now() + timedelta(days=days)) or ""
    assert concerns(world, TokenExpiry("bluesky", expires)) == found


def test_what_was_never_set_up_is_no_concern_and_what_is_late_is(world: Nights) -> None:
    world.backup()
    at = timestamp(world.clock.now()) or ""
    log_care(world.directory, CareEntry("verify", at, "damaged", 9, 90, damaged=2))
    log_care(world.directory, CareEntry("copy", at, "done", 9, 90, target="/mnt/copy"))
    assert concerns(world) == [("damage:verify", Severity.CRITICAL)]
    log_care(world.directory, CareEntry("verify", at, "done", 9, 90))
    assert concerns(world) == [], "the last verify found nothing"
    world.clock.advance(days=36)
    world.backup()
    assert concerns(world) == [("late:verify", Severity.WARNING), ("late:copy", Severity.WARNING)]


@pytest.mark.parametrize(
    ("free", "found"), [(30, []), (29, [Severity.WARNING]), (9, [Severity.CRITICAL])]
)
def test_a_disk_that_fills_up_is_a_concern_in_time(free: int, found: list[Severity]) -> None:
    assert [concern.severity for concern in room_concerns(free, 10)] == found
