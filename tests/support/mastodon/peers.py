"""Servers of others that speak Mastodon's API, as programs on ports of this machine."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[3]
MOCK = ROOT / ".venv-peers" / "bin" / "mastodon_mock"
MOCK_TOKEN = "mock_token"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def program(command: Sequence[str | Path], ready: str, folder: Path) -> Iterator[None]:
    """Run a program from the line in which it says that it is ready until the block ends."""
    process = subprocess.Popen(
        [str(part) for part in command], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        heard = b""
        for line in process.stdout:
            heard += line
            if re.search(ready, line.decode(errors="replace")):
                break
        else:
            pytest.fail(f"it did not start: {heard.decode(errors='replace')}")
        drained = threading.Thread(target=process.stdout.read, daemon=True)
        drained.start()  # a full pipe would stop it
        yield
        process.kill()
        drained.join(60)
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()


class MockServer:
    """mastodon-mock, and its user `testuser`."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.http = httpx.Client(
            base_url=origin, headers={"Authorization": f"Bearer {MOCK_TOKEN}"}, timeout=60
        )

    def publish(self, text: str, **said: Any) -> dict[str, Any]:
        """Post a status."""
        return self._done(self.http.post("/api/v1/statuses", json={"status": text, **said}))

    def upload(self, body: bytes, description: str) -> str:
        """Upload a picture; its id."""
        files = {"file": ("boat.jpg", body, "image/jpeg")}
        answer = self.http.post("/api/v2/media", files=files, data={"description": description})
        return str(self._done(answer)["id"])

    def edit(self, status_id: str, text: str) -> None:
        """Change a status."""
        self._done(self.http.put(f"/api/v1/statuses/{status_id}", json={"status": text}))

    def delete(self, status_id: str) -> None:
        """Take a status down."""
        self._done(self.http.delete(f"/api/v1/statuses/{status_id}"))

    @staticmethod
    def _done(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def mastodon_mock(folder: Path) -> Iterator[MockServer]:
    """mastodon-mock, from the package of that name."""
    if not MOCK.exists():
        pytest.skip("mastodon-mock is not installed: run make mastodon-peers")
    port = free_port()
    command = (MOCK, "serve", "--in-memory", "--host", "127.0.0.1", "--port", str(port))
    with program(command, "Uvicorn running", folder):
        server = MockServer(f"http://127.0.0.1:{port}")
        with server.http:
            yield server


class SnacServer:
    """snac2, and its user `press`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.program = shutil.which("snac") or pytest.skip("snac2 is not installed")
        self.base = folder / "snac"
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"

    def prepare(self) -> None:
        """Make the server's folder and its user."""
        self._run("init", self.base, said=f"127.0.0.1\n{self.port}\nlocalhost:{self.port}\n\n\n")
        settings = self.base / "server.json"
        said = json.loads(settings.read_text()) | {"protocol": "http"}
        settings.write_text(json.dumps(said))
        self._run("adduser", self.base, said="press\n")

    def publish(self, text: str, *files: Path) -> None:
        """Post a note."""
        self._run("note", self.base, "press", text, *files)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve what was posted; nothing of it is sent to other servers."""
        for queue in (self.base / "queue", self.base / "user" / "press" / "queue"):
            for waiting in queue.iterdir():
                waiting.unlink()
        with program([self.program, "httpd", self.base], "httpd start", self.base):
            yield

    def _run(self, *args: str | Path, said: str = "") -> None:
        command = [self.program, *map(str, args)]
        subprocess.run(command, input=said.encode(), check=True, capture_output=True, timeout=60)


def snac(folder: Path) -> SnacServer:
    """snac2, from the package of that name."""
    server = SnacServer(folder, free_port())
    server.prepare()
    return server
