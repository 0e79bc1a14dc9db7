"""A clock of the tests stands still until it is moved; that of the machine goes on."""

from datetime import UTC, timedelta

import anyio

from archiver.clock import START, DemoClock, SystemClock


def test_time_stands_still_until_somebody_moves_it() -> None:
    clock = DemoClock()
    assert clock.now() == clock.now() == START
    clock.advance(days=1, minutes=2)
    assert clock.now() == START + timedelta(days=1, minutes=2)
    assert clock.monotonic() == 0, "a jump of the calendar is no wait"


def test_a_sleep_moves_it_by_as_much_as_was_to_be_waited() -> None:
    clock = DemoClock()
    anyio.run(clock.sleep, 90.0)
    anyio.run(clock.sleep, -1.0)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=90), 90)


def test_a_running_clock_and_that_of_the_machine_never_go_back() -> None:
    for clock in (DemoClock(running=True), SystemClock()):
        before = clock.monotonic()
        anyio.run(clock.sleep, 0.0)
        assert clock.monotonic() >= before
        assert clock.now().tzinfo is UTC
