"""TXT records, of a real DNS server on this machine."""

import sys
from collections.abc import Sequence

import dns.rcode
import pytest

from archiver.errors import SourceDown
from archiver.net.guard import AddressGuard
from archiver.net.txt_records import txt_records
from support.loop_time import LONG, running_loop
from support.net.dns_server import DnsServer, Zone, dns_server

pytestmark = pytest.mark.anyio
NAME = "_atproto.alice.org"


async def ask(server: DnsServer, name: str = NAME, *allow: str) -> Sequence[str]:
    return await txt_records(name, AddressGuard(allow), server.resolver())


@pytest.mark.parametrize(
    ("zone", "texts"),
    [
        ({NAME: ["did=did:plc:a", '"other text"']}, {"did=did:plc:a", "other text"}),
        ({NAME: ['"did=did:" "plc:a"']}, {"did=did:plc:a"}),
        ({NAME: ["caf\\195\\169", "\\255"]}, {"café", "\ufffd"}),
        ({NAME: "elsewhere.net", "elsewhere.net": ["did=did:plc:a"]}, {"did=did:plc:a"}),
        ({NAME: []}, set()),
        ({}, set()),
    ],
    ids=["several", "in pieces", "bytes", "under another name", "no TXT", "no such name"],
)
async def test_the_texts_of_a_name_are_whole(zone: Zone, texts: set[str]) -> None:
    with dns_server(zone) as server:
        assert set(await ask(server)) == texts
        assert server.asked == [(NAME, "udp")]


async def test_an_answer_that_is_too_large_for_udp_comes_over_tcp() -> None:
    many = [f"text-{number}-{'x' * 200}" for number in range(100)]
    with dns_server({NAME: many}) as server:
        assert set(await ask(server)) == set(many)
        assert [way for _, way in server.asked] == ["udp", "tcp"]


@pytest.mark.parametrize("found", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
async def test_a_server_that_fails_is_an_error(found: dns.rcode.Rcode) -> None:
    with dns_server({NAME: found}) as server, pytest.raises(SourceDown) as error:
        await ask(server)
    assert error.value.what == f"DNS: {NAME} was not resolved"
    assert found.name in (error.value.why or "")


@pytest.mark.parametrize("answer", [None, b"", b"garbage"])
async def test_who_gives_no_valid_answer_is_not_waited_for_long(answer: bytes | None) -> None:
    loop = running_loop()

    def wait() -> bytes | None:
        loop.skip_at_once(LONG)
        return answer

    with dns_server({NAME: wait}) as server, pytest.raises(SourceDown) as error:
        await ask(server)
    assert error.value.why == "No name server answers; is this machine online?"


@pytest.mark.parametrize(
    "name", ["_atproto.nas.local", "_atproto.router", "_a._b.x.internal", "a b.org", "", "a" * 300]
)
async def test_a_name_that_only_a_local_network_has_is_not_asked_for(name: str) -> None:
    with dns_server({}) as server, pytest.raises(SourceDown) as error:
        await ask(server, name)
    assert error.value.code == "address"
    assert server.asked == []


async def test_a_host_in_network_allow_is_asked_for() -> None:
    with dns_server({"_atproto.alice.internal": ["here"]}) as server:
        assert await ask(server, "_atproto.alice.internal", "alice.internal") == ["here"]


async def test_without_the_extra_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "dns", None)
    with pytest.raises(SourceDown) as error:
        await txt_records(NAME, AddressGuard())
    assert error.value.code == "not_installed"
    assert error.value.hint == 'pip install "social-archiver[dns]"'
