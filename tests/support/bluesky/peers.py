"""Two real PDSes and a PLC directory, run with Node: what npm's `@atproto/dev-env` brings.

`make bluesky-peers` installs them. Where they are not installed, the tests that need them are
skipped, and say so.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

FOLDER = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class PeerAccount:
    """An account on a real server, with the token that writes to it."""

    did: str
    token: str
    server_url: str

    def call(self, name: str, **body: Any) -> Any:
        """Call a procedure of the account's server."""
        return _json(
            httpx.post(
                f"{self.server_url}/xrpc/{name}", json=body, headers=self._headers, timeout=120
            )
        )

    def put(self, collection: str, rkey: str, **record: Any) -> str:
        """Write a record, over what has its key."""
        found = self.call(
            "com.atproto.repo.putRecord", repo=self.did, collection=collection, rkey=rkey,
            record={"$type": collection, **record},
        )  # fmt: skip
        return str(found["uri"])

    def post(self, text: str, **fields: Any) -> str:
        """Publish a post; the result is its URI."""
        record = {
            "$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-11-27T10:00:00.000Z",
            **fields,
        }  # fmt: skip
        found = self.call(
            "com.atproto.repo.createRecord", repo=self.did, collection=record["$type"],
            record=record,
        )  # fmt: skip
        return str(found["uri"])

    def delete(self, uri: str) -> None:
        """Take a record back."""
        collection, rkey = uri.split("/")[-2:]
        self.call("com.atproto.repo.deleteRecord", repo=self.did, collection=collection, rkey=rkey)

    def upload(self, data: bytes, content_type: str) -> Any:
        """A file, to be named in a record."""
        headers = {**self._headers, "content-type": content_type}
        url = f"{self.server_url}/xrpc/com.atproto.repo.uploadBlob"
        return _json(httpx.post(url, content=data, headers=headers, timeout=120))["blob"]

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Peers:
    """Where the directory, the two servers and their control are."""

    plc: str
    servers: list[str]
    control: str

    def command(self, name: str, **given: Any) -> Any:
        """Run one of the commands of `peers/server.mjs`."""
        return _json(httpx.post(f"{self.control}/{name}", json=given, timeout=120))

    def account(self, handle: str, server: int = 0) -> PeerAccount:
        """A new account."""
        made = self.command("account", server=server, handle=handle)
        return PeerAccount(made["did"], made["token"], self.servers[server])


@contextmanager
def running_peers(folder: Path) -> Iterator[Peers]:
    """The servers, from a process that ends with the block; their data are in the folder."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").exists():
        pytest.skip("no real PDS: install Node and run `make bluesky-peers`")
    environ = {**os.environ, "TMPDIR": str(folder), "LOG_ENABLED": "false"}
    with (folder / "stderr").open("wb") as errors, subprocess.Popen(
        [node, "server.mjs"], cwd=FOLDER, env=environ, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=errors,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, (folder / "stderr").read_text()
            yield Peers(**json.loads(said))
        finally:
            process.kill()


def _json(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()
