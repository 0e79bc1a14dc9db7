"""The address guard: media is fetched from public web servers, and from nowhere else.

URLs of media come from strangers. Each passes two checks before a connection is made. `check`
reads the URL, before anything is resolved, and once more for every redirect. `GuardedBackend`
resolves the name once, has every answer checked, and connects only to checked addresses; the name
is used for TLS and the Host header, so a second, different DNS answer has nothing to act on.

Where everything goes through a proxy, the proxy resolves names and dials: `NameCheck` then judges
what can be known here, and what the proxy does with a name it cannot.
"""

import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NoReturn

import anyio
import httpcore
import httpx
from anyio import to_thread

from archiver.errors import ConfigError, MediaRefused
from archiver.net.addresses import Address, is_local_name, is_public
from archiver.net.network_errors import describe_lookup_error
from archiver.net.sockets import Sockets
from archiver.urls import BadUrl, ascii_host, ends_in_number, normalize_url

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From host and port to the addresses of the name, in the order of preference.

Raises OSError.
"""

_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
                   r"(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.ASCII)  # fmt: skip
_ENTRY = re.compile(r"\[([^\]]+)\](?::(\d+))?|([^\[\]:]+)(?::(\d+))?|([0-9a-fA-F:./]+)")
_CONNECT_SECONDS = 10.0
_NAME_SECONDS = 2.0
_MOST_NAMES = 1024
_ALLOW = "If you trust it, name it in network.allow"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of `network.allow`: a name or a network, on one port or (None) on all."""

    name: str | None
    network: IPv4Network | IPv6Network | None
    port: int | None


class AddressGuard:
    """Says which URLs and addresses may be fetched from.

    `allow` holds host names, addresses or networks, each with an optional `:port`. What an entry
    names is freed of the rules on addresses, ports and https. Raises ConfigError for an entry
    that cannot be read.
    """

    def __init__(self, allow: Sequence[str] = (), *, https_only: bool = False) -> None:
        self._entries = tuple(_entry(text) for text in allow)
        self._ports = (443,) if https_only else (443, 80)

    def check(self, text: str, *, secure: bool = False) -> httpx.URL:
        """The URL, if it may be fetched as far as its text can tell.

        `secure` refuses http even where the settings do not: a redirect must not leave https.
        Raises MediaRefused. What is returned has no fragment.
        """
        try:
            url = httpx.URL(normalize_url(text).partition("#")[0])
        except (BadUrl, httpx.InvalidURL) as error:
            _refuse(str(error))
        host = url.raw_host.decode("ascii")
        address = _literal(host)
        port = _PORTS[url.scheme] if url.port is None else url.port
        self._check_rules(url.scheme, host, address, port, secure=secure)
        return url

    def check_answers(self, host: str, port: int, answers: Iterable[str]) -> list[Address]:
        """The addresses of a name, if every one of them may be dialled on this port.

        Raises MediaRefused.
        """
        addresses = [ip_address(answer) for answer in answers]
        for address in addresses:
            if self._is_freed(host, address, port):
                continue
            if not is_public(address):
                _refuse(f"{host} is at {address}, which is not on the public internet", _ALLOW)
            if port not in self._ports:
                _refuse(f"port {port} of {host} is not one of the web's own", _ALLOW)
        return addresses

    def check_name(self, host: str, port: int, answers: Sequence[str]) -> None:
        """The same for a name that a proxy will resolve; the `answers` are those that it has here.

        What has none may still be a private name there: names that only a local network knows are
        refused, and odd ports. Raises MediaRefused.
        """
        addresses = self.check_answers(host, port, answers)
        if self._is_freed(host, None, port):
            return
        if not all(self._is_freed(host, a, port) for a in addresses) or not addresses:
            if is_local_name(host):
                _refuse(f"{host} is a name of a local network", _ALLOW)
            if port not in self._ports:
                _refuse(f"port {port} of {host} is not one of the web's own", _ALLOW)

    def _check_rules(
        self, scheme: str, host: str, address: Address | None, port: int, *, secure: bool
    ) -> None:
        if self._is_freed(host, address, port):
            return
        if address is not None and not is_public(address):
            _refuse(f"{address} is not on the public internet", _ALLOW)
        if scheme == "http" and secure:
            _refuse("it leaves https for http", _ALLOW)
        if port in self._ports:
            if port != _PORTS[scheme]:
                _refuse(f"port {port} is not the one of {scheme}", _ALLOW)
        elif address is not None or not self._may_be_allowed(port):
            only = ", and network.https_only is set" if port == _PORTS["http"] else ""
            _refuse(f"port {port} is not one of the web's own{only}", _ALLOW)

    def _may_be_allowed(self, port: int) -> bool:
        """Whether a name may resolve to an allowed network, which `check_answers` then decides."""
        return any(entry.network and entry.port in {None, port} for entry in self._entries)

    def _is_freed(self, host: str, address: Address | None, port: int) -> bool:
        """Whether an entry names the host, or the address (as itself or mapped into IPv6)."""
        name = _plain(host)
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
    """What can be checked of hosts here when a proxy resolves their names; once for each host."""

    def __init__(self, guard: AddressGuard, resolver: Resolver | None = None) -> None:
        self._guard = guard
        self._resolve = resolver or resolve
        self._answers: dict[tuple[str, int], Sequence[str]] = {}

    async def check(self, url: httpx.URL) -> None:
        """Raises MediaRefused for a name that leads to what is not public, as far as is known."""
        host = url.raw_host.decode("ascii")
        port = _PORTS[url.scheme] if url.port is None else url.port
        if _literal(host) is None:
            self._guard.check_name(host, port, await self._answers_here(host, port))

    async def _answers_here(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name, or none: behind a proxy, names often mean nothing here."""
        if (host, port) not in self._answers:
            if len(self._answers) >= _MOST_NAMES:
                self._answers.clear()
            found: Sequence[str] = ()
            with anyio.move_on_after(_NAME_SECONDS), suppress(OSError):
                found = await self._resolve(host, port)
            self._answers[host, port] = found
        return self._answers[host, port]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to addresses that the guard has checked, and to no others.

    Sockets in the file system are not offered: the base class refuses them.
    """

    def __init__(
        self,
        guard: AddressGuard,
        *,
        resolver: Resolver | None = None,
        dialler: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._guard = guard
        self._resolve = resolver or resolve
        self._dialler = dialler or Sockets()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 — the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address of the host that answers.

        Raises MediaRefused, httpcore.ConnectError and httpcore.ConnectTimeout.
        """
        seconds = _CONNECT_SECONDS if timeout is None else timeout
        addresses = self._guard.check_answers(host, port, await self._answers(host, port, seconds))
        trouble: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._dialler.connect_tcp(
                    str(address),
                    port,
                    timeout=seconds / len(addresses),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds; httpcore asks for it between its own retries, which are off."""
        await self._dialler.sleep(seconds)

    async def _answers(self, host: str, port: int, seconds: float) -> Sequence[str]:
        if _literal(host) is not None:
            return [host]
        try:
            with anyio.fail_after(seconds):
                return await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from None
        except OSError as error:
            raise httpcore.ConnectError(describe_lookup_error(host, error)) from error


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the operating system gives them.

    Each question has a thread of its own, left alone when nobody waits any more: a few names whose
    servers say nothing would keep all others waiting. Raises OSError.
    """
    answers = await to_thread.run_sync(
        partial(socket.getaddrinfo, host.encode("ascii"), port, type=socket.SOCK_STREAM),
        abandon_on_cancel=True,
        limiter=anyio.CapacityLimiter(1),
    )
    return list(dict.fromkeys(str(sockaddr[0]).partition("%")[0] for *_, sockaddr in answers))


@lru_cache(1024)
def _literal(host: str) -> Address | None:
    """The address that a host is written as, or None for a name.

    Only the one usual spelling is taken: `0177.0.0.1`, `0x7f.1`, `127.1` and `2130706433` mean
    different things to different programs. Raises MediaRefused.
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
        name = _plain(ascii_host(host))
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


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")


def _refuse(why: str, hint: str | None = None) -> NoReturn:
    raise MediaRefused("The address is not allowed", why=why[0].upper() + why[1:], hint=hint)
