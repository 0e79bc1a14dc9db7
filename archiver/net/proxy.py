"""The route of connections: directly or through a proxy; and which certificate authorities count.

The proxy comes from the config, so it may have any address. https goes through it by CONNECT (RFC
9110 section 9.3.6) and stays encrypted end to end; http is requested in absolute form (RFC 9112
section 3.2.2).
"""

import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx

from archiver.errors import ConfigError
from archiver.secrets import Secret

_SETTINGS = "Look at network.proxy and network.proxy_credentials"
_CREDENTIALS = "network.proxy_credentials"


class ProxyRefused(httpx.ProxyError):
    """The proxy answered, and refuses the request; a retry would fail too."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `authorization` is the header's value that it wants, None for no header."""

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"the proxy {self.host}:{self.port}"

    def refusal(self, status: int, target: str) -> httpx.ProxyError:
        """The error for an answer of the proxy other than 2xx."""
        if status == 407:
            if self.authorization is None:
                return ProxyRefused(f"{self} asks for credentials (407): set {_CREDENTIALS}")
            return ProxyRefused(f"{self} does not accept {_CREDENTIALS} (407)")
        why = f"{self} does not connect to {target} ({status})"
        return httpx.ProxyError(why) if status >= 500 else ProxyRefused(why)


def proxy_of(url: str, credentials: Secret | None) -> Proxy:
    """The proxy at a URL, which has been checked. Raises SecretError and ConfigError."""
    found = httpx.URL(url)
    host, port = found.raw_host.decode("ascii"), found.port or 80
    if credentials is None:
        return Proxy(host, port)
    text = credentials.reveal()
    user, colon, password = text.partition(":")
    if not user or not colon:
        raise ConfigError(f"{_CREDENTIALS} must hold user:password, with a colon between")
    Secret.mask_value(password)
    return Proxy(host, port, b"Basic " + b64encode(text.encode("ascii")))


@dataclass(frozen=True)
class Route:
    """How to connect. `ca_bundle` is a PEM file of authorities to trust besides the public ones.

    Raises ConfigError where that cannot be read.
    """

    proxy: Proxy | None = None
    ca_bundle: Path | None = None

    def __post_init__(self) -> None:
        if self.ca_bundle is not None:
            _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self.ca_bundle)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """One for all connections: building it reads the certificate store, 40 ms each time."""
        context = httpx.create_ssl_context(trust_env=False)
        if self.ca_bundle is not None:
            _load(context, self.ca_bundle)
        return context

    def tls_authorities(self) -> list[bytes]:
        """The root certificates (DER) that connections trust."""
        return self.tls.get_ca_certs(binary_form=True)

    def advice(self, *, certificate: bool = False, proxy: bool = False) -> str | None:
        """What to do about a certificate that is not trusted, or about a proxy that refuses."""
        if proxy:
            return _SETTINGS
        if not certificate:
            return None
        if self.ca_bundle is not None:
            return f"The authority that signed it must be in network.ca_bundle ({self.ca_bundle})"
        return "If your network intercepts TLS, name the file of its authority in network.ca_bundle"


def _load(context: ssl.SSLContext, bundle: Path) -> None:
    try:
        context.load_verify_locations(cafile=bundle)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        is_ssl = isinstance(error, ssl.SSLError)
        raise ConfigError(
            f"network.ca_bundle: {bundle} cannot be used",
            why="It holds no certificates in PEM form" if is_ssl else str(error),
            hint="Name a file of certificates that begin with -----BEGIN CERTIFICATE-----",
        ) from None
