"""The address guard: media is fetched from public web servers only.

URLs of media are not trusted. Each passes two checks before a connection is made. `check` reads
the URL, before anything is resolved, and again for every redirect. `GuardedBackend` resolves the
name once, has every address checked, and connects only to checked addresses; the name is used for
TLS and the Host header, so that a second, different DNS answer (DNS rebinding) has no effect.

With a proxy, it is the proxy that resolves names. `NameCheck` then checks what a name resolves to
on this machine; what the proxy resolves it to is not known here.
"""

import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NoReturn

import anyio
import httpx
from anyio import to_thread
from msgspec import Struct

from archiver.errors import ConfigError, MediaRefused
from archiver.net.addresses import Address, is_local_name, is_public
from archiver.net.network import NetworkBackend, NetworkStream
from archiver.net.network_errors import describe_lookup_error
from archiver.net.sockets import Sockets
from archiver.urls import BadUrl, ascii_host, ends_in_number, normalize_url

NameLookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""From host and port to the addresses of the name, in the order of preference.

Raises OSError.
"""

_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
                   r"(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.ASCII)  # fmt: skip
_ENTRY = re.compile(r"\[([^\]]+)\](?::(\d+))?|([^\[\]:]+)(?::(\d+))?|([0-9a-fA-F:./]+)")
_CONNECT_SECONDS = 10.0
_RESOLVE_SECONDS = 2.0
_MAX_NAMES = 1024
_SHOWN_LENGTH = 80
_ALLOW = "If you trust it, name it in network.allow"


class _Entry(Struct, frozen=True):
    """One entry of `network.allow`: a name or a network, on one port or (None) on all."""

    name: str | None
    network: IPv4Network | IPv6Network | None
    port: int | None


class AddressGuard:
    """Says which URLs and addresses may be fetched from.

    `allow` holds host names, addresses or networks, each with an optional `:port`. What an entry
    names is exempt from the rules on addresses, ports and https. Raises ConfigError for an invalid
    entry.
    """

    def __init__(self, allow: Sequence[str] = (), *, https_only: bool = False) -> None:
        self._entries = tuple(_entry(text) for text in allow)
        self._ports = (443,) if https_only else (443, 80)

    def check(self, text: str, *, secure: bool = False) -> httpx.URL:
        """The normalized URL, if its scheme, host and port are allowed.

        `secure` refuses http even where the settings do not: a redirect must not leave https.
        Raises MediaRefused. What is returned has no fragment.
        """
        try:
            url = httpx.URL(normalize_url(text).partition("#")[0])
        except (BadUrl, httpx.InvalidURL) as error:
            _refuse(str(error))
        host = url.raw_host.decode("ascii")
        address = _ip_literal(host)
        port = _PORTS[url.scheme] if url.port is None else url.port
        self._check_rules(url.scheme, host, address, port, secure=secure)
        return url

    def check_answers(self, host: str, port: int, answers: Iterable[str]) -> list[Address]:
        """The addresses of a name, if every one of them may be connected to on this port.

        Raises MediaRefused.
        """
        addresses = [ip_address(answer) for answer in answers]
        for address in addresses:
            if self._is_exempt(host, address, port):
                continue
            if not is_public(address):
                _refuse(f"{host} is at {address}, which is not on the public internet", _ALLOW)
            if port not in self._ports:
                _refuse(f"port {port} of {host} is not a port of the web", _ALLOW)
        return addresses

    def check_name(self, host: str, port: int, answers: Sequence[str]) -> None:
        """Check a name that a proxy will resolve; `answers` are its addresses on this machine.

        A name without any may still be one of a private network behind the proxy: local names and
        unusual ports are refused. Raises MediaRefused.
        """
        addresses = self.check_answers(host, port, answers)
        if self._is_exempt(host, None, port):
            return
        if not all(self._is_exempt(host, a, port) for a in addresses) or not addresses:
            if is_local_name(host):
                _refuse(f"{host} is a name of a local network", _ALLOW)
            if port not in self._ports:
                _refuse(f"port {port} of {host} is not a port of the web", _ALLOW)

    def check_lookup(self, name: str) -> None:
        """Check a name whose records are asked for in DNS, such as `_atproto.alice.org`.

        Names of a local network are refused, unless `allow` names the host, without labels such as
        `_atproto` (RFC 8552), on every port. Raises MediaRefused.
        """
        if not _NAME.fullmatch(name):
            _refuse(f"{name[:_SHOWN_LENGTH]} is not a valid name")
        host = _folded(name)
        while host.startswith("_"):
            host = host.partition(".")[2]
        if is_local_name(host) and not self._is_exempt(host, None, None):
            _refuse(f"{host} is a name of a local network", _ALLOW)

    def _check_rules(
        self, scheme: str, host: str, address: Address | None, port: int, *, secure: bool
    ) -> None:
        if self._is_exempt(host, address, port):
            return
        if address is not None and not is_public(address):
            _refuse(f"{address} is not on the public internet", _ALLOW)
        if scheme == "http" and secure:
            _refuse("it redirects from https to http", _ALLOW)
        if port in self._ports:
            if port != _PORTS[scheme]:
                _refuse(f"port {port} is not the one of {scheme}", _ALLOW)
        elif address is not None or not self._may_be_allowed(port):
            only = ", and network.https_only is set" if port == _PORTS["http"] else ""
            _refuse(f"port {port} is not a port of the web{only}", _ALLOW)

    def _may_be_allowed(self, port: int) -> bool:
        """Whether a name may resolve to an allowed network, which `check_answers` then decides."""
        return any(entry.network and entry.port in {None, port} for entry in self._entries)

    def _is_exempt(self, host: str, address: Address | None, port: int | None) -> bool:
        """Whether an entry names the host, or the address (as itself or mapped into IPv6).

        `port` None is one that no entry names: only entries for all ports count.
        """
        name = _folded(host)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        for entry in self._entries:
            if entry.port not in {None, port}:
                continue
            if entry.name is not None and entry.name == name:
                return True
            if entry.network is not None and address is not None and address in entry.network:
                return True
        return False


class NameCheck:
    """Checks host names by what they resolve to here, where a proxy resolves them; cached."""

    def __init__(self, guard: AddressGuard, resolver: NameLookup | None = None) -> None:
        self._guard = guard
        self._resolve = resolver or resolve
        self._answers: dict[tuple[str, int], Sequence[str]] = {}

    async def check(self, url: httpx.URL) -> None:
        """Raises MediaRefused for a name that resolves to a private address on this machine."""
        host = url.raw_host.decode("ascii")
        port = _PORTS[url.scheme] if url.port is None else url.port
        if _ip_literal(host) is None:
            self._guard.check_name(host, port, await self._answers_here(host, port))

    async def _answers_here(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name; often none, where only the proxy can resolve names."""
        if (host, port) not in self._answers:
            if len(self._answers) >= _MAX_NAMES:
                self._answers.clear()
            found: Sequence[str] = ()
            with anyio.move_on_after(_RESOLVE_SECONDS), suppress(OSError):
                found = await self._resolve(host, port)
            self._answers[host, port] = found
        return self._answers[host, port]


class GuardedBackend:
    """Opens connections to addresses that the guard has checked, and to no others."""

    def __init__(
        self,
        guard: AddressGuard,
        *,
        resolver: NameLookup | None = None,
        connector: NetworkBackend | None = None,
    ) -> None:
        self._guard = guard
        self._resolve = resolver or resolve
        self._connector = connector or Sockets()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 — the interface
    ) -> NetworkStream:
        """A connection to the first address of the host that answers.

        Raises MediaRefused, httpx.ConnectError and httpx.ConnectTimeout.
        """
        seconds = _CONNECT_SECONDS if timeout is None else timeout
        addresses = self._guard.check_answers(host, port, await self._answers(host, port, seconds))
        last_error: Exception = httpx.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._connector.connect_tcp(
                    str(address), port, timeout=seconds / len(addresses)
                )
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                last_error = error
        raise last_error

    async def _answers(self, host: str, port: int, seconds: float) -> Sequence[str]:
        if _ip_literal(host) is not None:
            return [host]
        try:
            with anyio.fail_after(seconds):
                return await self._resolve(host, port)
        except TimeoutError:
            raise httpx.ConnectTimeout(f"the name {host} was not resolved in time") from None
        except OSError as error:
            raise httpx.ConnectError(describe_lookup_error(host, error)) from error


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the operating system gives them.

    Each look-up has a thread of its own, abandoned on timeout: in a shared pool, a few names whose
    DNS servers do not answer would block all others. Raises OSError.
    """
    answers = await to_thread.run_sync(
        partial(socket.getaddrinfo, host.encode("ascii"), port, type=socket.SOCK_STREAM),
        abandon_on_cancel=True,
        limiter=anyio.CapacityLimiter(1),
    )
    return list(dict.fromkeys(str(sockaddr[0]).partition("%")[0] for *_, sockaddr in answers))


@lru_cache(1024)
def _ip_literal(host: str) -> Address | None:
    """The address that a host is written as, or None for a name.

    Only the usual notation is accepted: `0177.0.0.1`, `0x7f.1`, `127.1` and `2130706433` mean
    different addresses to different programs. Raises MediaRefused.
    """
    if ":" in host:
        try:
            return IPv6Address(host)
        except ValueError:
            _refuse(f"{host} is not an address")
    if not _NAME.fullmatch(host):
        _refuse("its host is not a valid name")
    if not ends_in_number(host.lower()):
        return None
    try:
        return IPv4Address(host)
    except ValueError:
        _refuse(f"{host} is an unusual way to write an address")


def _entry(text: str) -> _Entry:
    match = _ENTRY.fullmatch(text.strip())
    if match is None:
        raise _unreadable(text)
    inner, inner_port, plain, plain_port, bare = match.groups()
    host, port = inner or plain or bare, inner_port or plain_port
    if port is not None and not 0 < int(port) < 65536:
        raise _unreadable(text)
    number = int(port) if port else None
    try:
        return _Entry(None, ip_network(host), number)
    except ValueError:
        pass
    try:
        name = _folded(ascii_host(host))
    except BadUrl:
        raise _unreadable(text) from None
    if inner or not _NAME.fullmatch(name) or ends_in_number(name):
        raise _unreadable(text)
    return _Entry(name, None, number)


def _unreadable(text: str) -> ConfigError:
    return ConfigError(
        f"network.allow: {text!r} is neither a host name, an address nor a network",
        hint='Write it like "media.example.net", "192.168.1.5:8080" or "10.0.0.0/8"',
    )


def _folded(host: str) -> str:
    return host.lower().removesuffix(".")


def _refuse(why: str, hint: str | None = None) -> NoReturn:
    raise MediaRefused("The address is not allowed", why=why[0].upper() + why[1:], hint=hint)
