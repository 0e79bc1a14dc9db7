"""Which signals end a program: those that nobody told it to ignore."""

import signal
from collections.abc import Iterator

import pytest

from archiver.stop_signals import stop_signals

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="has no SIGHUP")


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_sigint_sigterm_and_sighup_end_it() -> None:
    assert stop_signals() == [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_nohup_or_a_shell_has_ignored_is_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    assert number not in stop_signals()
    assert signal.SIGTERM in stop_signals()
