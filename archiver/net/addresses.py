"""Which IP addresses are on the public internet, in whatever form they are written.

`ipaddress.is_global` alone is no guard: it is true for multicast, for 6to4 and NAT64 forms of
private addresses, and its tables follow the Python version. Here an address is first unwrapped,
then has to pass both Python's table and the one below (IANA special-purpose registries, RFC 6890).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers, RFC 6598
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata service of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_NOT_PUBLIC_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "3fff::/20",  # documentation, RFC 9637
    )
)
_LOCAL_NAMES = (".local", ".lan", ".internal", ".home.arpa", ".localhost", ".test")
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out; fc00::, fe80::, 5f00:: …
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291 section 2.5.5.1
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: how IPv6-only networks reach IPv4
_TEREDO = IPv6Network("2001::/32")  # RFC 4380
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056


def is_local_name(name: str) -> bool:
    """Whether a host name looks like one that only a local network resolves."""
    name = name.lower().removesuffix(".")
    return "." not in name or name.endswith(_LOCAL_NAMES)


def is_public(address: Address) -> bool:
    """Whether the address, and every IPv4 address embedded in it, is public."""
    return all(_is_public(inner) for inner in unwrap(address))


def unwrap(address: Address) -> tuple[Address, ...]:
    """The addresses that packets to this one may reach.

    An IPv4 address within an IPv6 one (mapped, compatible, NAT64) is that IPv4 address. Tunnels are
    themselves and the IPv4 addresses of their ends. `64:ff9b:1::/48` stays as it is: its inner
    address depends on the network's own prefix length (RFC 8215), so it is never public.
    """
    if isinstance(address, IPv4Address):
        return (address,)
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None or address in _COMPATIBLE or address in _NAT64:
        return (low,)
    if address in _SIX_TO_FOUR:
        return (address, IPv4Address((int(address) >> 80) & 0xFFFFFFFF))
    if address in _TEREDO:
        server = IPv4Address((int(address) >> 64) & 0xFFFFFFFF)
        return (address, server, IPv4Address(int(low) ^ 0xFFFFFFFF))
    return (address,)


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return address in _GLOBAL_UNICAST and not any(address in net for net in _NOT_PUBLIC_6)
