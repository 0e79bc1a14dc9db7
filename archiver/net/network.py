"""What opens connections, and what a connection is: the guard and tests stand between by these."""

import ssl
from typing import Any, Protocol


class NetworkStream(Protocol):
    """A connection. Its errors are httpx's."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes, as soon as there are any; empty at the end.

        Raises httpx.ReadTimeout and httpx.ReadError.
        """

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes. Raises httpx.WriteTimeout and httpx.WriteError."""

    async def aclose(self) -> None:
        """Close it at once: data still in transit is discarded."""

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "NetworkStream":
        """Start TLS. Raises httpx.ConnectError and httpx.ConnectTimeout."""

    def get_extra_info(self, info: str) -> Any:
        """What is known of it; `is_readable` is true where it cannot be used again."""


class NetworkBackend(Protocol):
    """Opens connections."""

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None
    ) -> NetworkStream:
        """A connection. Raises httpx.ConnectError and httpx.ConnectTimeout."""
