"""Receivers of notifications on loopback: an HTTP server and a mail server that keep what comes."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Received:
    """What came, each request or mail as bytes with its head; what HTTP answers to it."""

    port: int = 0
    status: int = 200
    answer: bytes = b"{}"
    paths: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)

    def clear(self) -> None:
        """Forget what came until now."""
        self.paths.clear()
        self.messages.clear()


@contextmanager
def http_receiver() -> Iterator[Received]:
    """An HTTP server that takes everything; also as a proxy, whose paths are whole URLs."""
    received = Received()

    class KeepsAll(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            received.paths.append(self.path)
            received.messages.append(str(self.headers).encode() + b"\n" + body)
            self.send_response(received.status)
            self.send_header("Content-Length", str(len(received.answer)))
            self.end_headers()
            self.wfile.write(received.answer)

        do_GET = do_POST  # noqa: N815 — a name of the standard library

        def log_message(self, *_: object) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), KeepsAll), received):
        yield received


@contextmanager
def mail_receiver() -> Iterator[Received]:
    """A mail server by RFC 5321 that asks for no login."""
    received = Received()

    class Mailbox(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    self._take()
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")

        def _take(self) -> None:
            mail = b""
            while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                mail += line
            received.messages.append(mail)

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox), received):
        yield received


@contextmanager
def _serving(server: socketserver.TCPServer, received: Received) -> Iterator[None]:
    received.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
