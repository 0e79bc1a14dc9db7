"""A server that stands before one with the S3 API, and fails as networks and stores do."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fault = Literal["none", "503", "cut", "lost", "held"]
"""What happens to a request: it is refused; its connection ends before it is passed on, or after,
so that only the answer is lost; or it waits until the test lets it go on."""

_OWN = {"transfer-encoding", "connection", "date", "server", "content-length"}
_MAX_SECONDS = 120


class FaultyStore:
    """Passes requests on to `origin`, unless `fault` says otherwise for a method and a path."""

    def __init__(self, origin: str) -> None:
        self.upstream = origin.removeprefix("http://")
        self.origin = ""
        self.fault: Callable[[str, str], Fault] = lambda method, path: "none"
        self.asked: list[tuple[str, str]] = []
        self.reached = threading.Event()
        """A request is being held."""
        self.let_go = threading.Event()

    def fault_of(self, method: str, path: str) -> Fault:
        """What happens to this request."""
        self.asked.append((method, path))
        return self.fault(method, path)

    def times(self, method: str, path: str) -> int:
        """How often this was asked for, with the request that is being answered."""
        return self.asked.count((method, path))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: FaultyStore

    def pass_on(self) -> None:
        """Answer a request as the store behind, or fail."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        fault = self.store.fault_of(self.command, self.path.partition("?")[0])
        if fault == "503":
            self._answer(503, [], b"<Error><Code>SlowDown</Code></Error>")
            return
        if fault == "held":
            self.store.reached.set()
            self.store.let_go.wait(_MAX_SECONDS)
        if fault != "cut":
            found = http.client.HTTPConnection(self.store.upstream, timeout=_MAX_SECONDS)
            found.request(self.command, self.path, body, dict(self.headers.items()))
            answer = found.getresponse()
            data = answer.read()
            found.close()
        if fault in {"cut", "lost"}:
            self.close_connection = True
            return
        self._answer(answer.status, answer.getheaders(), data, answer.getheader("Content-Length"))

    def _answer(
        self, status: int, headers: list[tuple[str, str]], data: bytes, length: str | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _OWN:
                self.send_header(name, value)
        size = length if self.command == "HEAD" and length else str(len(data))
        self.send_header("Content-Length", size)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = pass_on  # noqa: N815 — names of http.server

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever asked is gone, or the server behind is: a test that minds sees it elsewhere."""


@contextmanager
def faulty_store(origin: str) -> Iterator[FaultyStore]:
    """A server before that of an origin, `http://127.0.0.1:5000`, for as long as the block."""
    store = FaultyStore(origin)

    class Handler(_Handler):
        pass

    Handler.store = store
    with _Server(("127.0.0.1", 0), Handler) as server:
        store.origin = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield store
        finally:
            store.let_go.set()
            server.shutdown()
            thread.join(_MAX_SECONDS)
