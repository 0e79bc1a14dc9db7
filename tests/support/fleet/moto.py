"""moto, a server of others that speaks the S3 API, on a port of this machine."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from obstore.store import S3Store

from archiver.media.object_store import open_bucket
from support.fresh import ROOT
from support.mastodon.peers import free_port, program

_MOTO = ROOT / ".venv-peers" / "bin" / "moto_server"


class MotoServer:
    """A running server. It keeps objects in memory, and takes any key."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def bucket(self, name: str, *, conditional_put: str = "etag") -> S3Store:
        """A bucket of that name, which is made if need be."""
        name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + "-media"
        assert httpx.put(f"{self.origin}/{name}", timeout=60).status_code in {200, 409}
        if conditional_put == "etag":
            return open_bucket(f"s3://{name}/a", endpoint=self.origin, key="key", secret="secret")
        return S3Store(
            name, prefix="a", endpoint=self.origin, access_key_id="key",
            secret_access_key="secret", client_options={"allow_http": True},
            conditional_put=conditional_put,
        )  # fmt: skip


@contextmanager
def moto_server(folder: Path) -> Iterator[MotoServer]:
    """moto, from the package of that name."""
    if not _MOTO.exists():
        pytest.skip("moto is not installed: run make mastodon-peers")
    port = free_port()
    with program((_MOTO, "-H", "127.0.0.1", "-p", str(port)), "Running on", folder):
        yield MotoServer(f"http://127.0.0.1:{port}")
