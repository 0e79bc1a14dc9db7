"""Which addresses are public, in every form that they can be written in."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.net.addresses import is_local_name, is_public
from net.test_guard import PRIVATE, PRIVATE_6


@pytest.mark.parametrize("address", PRIVATE + PRIVATE_6)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::8.8.8.8"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("name", "is_local"),
    [("nas", True), ("NAS.", True), ("nas.local", True), ("a.Home.Arpa.", True), ("x.lan", True),
     ("a.localhost", True), ("cdn.example", False), ("local.example", False)],
)  # fmt: skip
def test_names_of_a_local_network_are_known_by_their_suffix(name: str, is_local: bool) -> None:
    assert is_local_name(name) == is_local


PRIVATE_V4 = st.sampled_from(
    [IPv4Network(text) for text in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
                                    "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
).flatmap(lambda net: st.integers(int(net[0]), int(net[-1])))  # fmt: skip


@settings(deadline=None)
@given(PRIVATE_V4, st.integers(0, 2**16 - 1))
def test_no_form_makes_a_private_address_public(number: int, noise: int) -> None:
    assert not is_public(IPv4Address(number))
    for prefix, shift in ((0, 0), (0xFFFF << 32, 0), (0x64FF9B << 96, 0)):
        assert not is_public(IPv6Address(prefix | number << shift))
    assert not is_public(IPv6Address(0x2002 << 112 | number << 80 | noise))
    assert not is_public(IPv6Address(0x20010000 << 96 | number << 64 | noise))
    assert not is_public(IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | number ^ 0xFFFFFFFF))
