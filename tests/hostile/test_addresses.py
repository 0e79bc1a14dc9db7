"""No packet leaves for an address that is not on the public internet, whatever a post says."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from net.test_guard import SPELLINGS
from support import nights as nights_module
from support.hostile.addresses import TARGETS, WAYS, _history, attempt
from support.transfer.worlds import behind


@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_to_a_private_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    outcome = attempt(tmp_path, monkeypatch, way)
    assert outcome.strays == []
    assert outcome.stored == 0
    assert bool(outcome.public) == (way in {"redirect", "rebinding"}), "the test proves nothing"
    assert outcome.tried == len(SPELLINGS if way in {"direct", "redirect"} else TARGETS)
    assert outcome.report.counts.new == outcome.tried
    assert outcome.report.exit_code == 3


def test_there_are_enough_of_them() -> None:
    assert len(SPELLINGS) >= 60
    assert len(SPELLINGS) * 2 + len(TARGETS) * 3 >= 300


def test_a_listener_on_this_machine_hears_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with the real resolver and real sockets: who listens is not called."""
    closed = nights_module._CONFIG.replace('["127.0.0.0/8"]', "[]")
    monkeypatch.setattr(nights_module, "_CONFIG", closed)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]
        listeners = [listener]
        if socket.has_dualstack_ipv6():
            six = socket.create_server(("::1", port), family=socket.AF_INET6)
            listeners.append(stack.enter_context(six))
        hosts = (
            "127.0.0.1", "localhost", "localhost.", "[::1]", "0.0.0.0", "127.1", "0", "2130706433",
            "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::]",
            "127.0.0.1.", "１２７.0.0.1", "a@127.0.0.1", "[64:ff9b::7f00:1]",
        )  # fmt: skip
        urls = [f"{scheme}://{host}:{port}/a.jpg" for scheme in ("http", "https") for host in hosts]
        world = stack.enter_context(behind(tmp_path, "instagram"))
        world.world.account("instagram")
        world.faults.rule("/api/history/", _history(urls))
        assert world.backup().counts.new == len(urls)
        states = set(world.world.column("SELECT state FROM renditions"))
        assert states <= {"refused", "omitted"}
        for heard in listeners:
            heard.setblocking(False)
            with pytest.raises(BlockingIOError):
                heard.accept()
