"""Sending messages to Apprise addresses, and pings to a dead man's switch.

Both go by the proxy and with the certificates of `[network]`, except for mail, which no HTTP proxy
carries.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal
from urllib.parse import quote

from archiver.clock import Clock
from archiver.errors import ConfigError, SecretError, SourceError
from archiver.net.api import ApiClient, api_client
from archiver.net.proxy import Route
from archiver.secrets import Secret, redact
from archiver.settings import NetworkSettings

Ping = Literal["start", "success", "fail"]
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_CA_BUNDLE = "REQUESTS_CA_BUNDLE"


def send(addresses: Sequence[Secret], title: str, text: str, network: NetworkSettings) -> list[str]:
    """Send a message to all addresses; returns why it did not reach some of them, a line each.

    Raises ConfigError where Apprise is not installed.
    """
    try:
        import apprise  # noqa: PLC0415 — an extra, needed only where a message is due
    except ImportError:
        raise ConfigError(
            "Notifications need the package apprise",
            hint='Install it with pip install "social-archiver[notify]"',
        ) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses
    failures = []
    with _environment(network):
        for number, address in enumerate(addresses, 1):
            try:
                url = address.reveal()
            except SecretError as error:
                failures.append(str(error))
                continue
            service = apprise.Apprise()
            if not service.add(url):
                failures.append(f"Address {number} is none that Apprise knows")
            elif not service.notify(title=redact(title), body=redact(text)):
                failures.append(f"Address {number} did not take the message")
    return failures


@contextmanager
def _environment(network: NetworkSettings) -> Iterator[None]:
    """The proxy and certificates of the config, as variables: Apprise takes them from there."""
    wanted: dict[str, str] = {}
    if network.proxy is not None:
        credentials = network.proxy_credentials or network.proxy.credentials
        user, _, password = credentials.reveal().partition(":") if credentials else ("", "", "")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        url = f"http://{login}{network.proxy.url.removeprefix('http://')}"
        wanted |= {"http_proxy": url, "https_proxy": url}
    if network.ca_bundle is not None:
        wanted[_CA_BUNDLE] = str(network.ca_bundle)
    names = [*_PROXIES, *map(str.upper, _PROXIES), _CA_BUNDLE]
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ |= wanted
    try:
        yield
    finally:
        for name in wanted:
            del os.environ[name]
        os.environ |= before


async def ping(address: Secret, what: Ping, route: Route, clock: Clock) -> str | None:
    """Ping a URL of the kind of healthchecks.io; returns why that failed, if it did.

    Source: https://healthchecks.io/docs/http_api/ : the URL itself is a success, `/start` and
    `/fail` below it say what they are called.
    """
    client: ApiClient | None = None
    try:
        base, _, check = address.reveal().rstrip("/").rpartition("/")
        Secret.mask_value(check)
        client = api_client("notify", base, clock=clock, route=route)
        response = await client.get(check if what == "success" else f"{check}/{what}")
    except (ConfigError, SourceError) as error:
        return f"The ping could not be sent: {redact(error.what)}"
    finally:
        if client is not None:
            await client.aclose()
    return None if response.status < 400 else f"The ping was answered with {response.status}"
