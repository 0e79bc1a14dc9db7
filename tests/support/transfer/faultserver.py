"""A server on loopback that stands before an honest one and breaks HTTP in every way it can.

It speaks through raw sockets, so that nothing keeps it from lying. A request that no rule is meant
for is passed on, and answered as the honest server does.

with fault_server(upstream, loop_time) as server:
    server.rule("/media/", short_by(1))          # every request whose target has that in it
    server.rule("/api/history/", status(503), times=2)
"""

import http.client
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from typing import NoReturn
from urllib.parse import urlsplit

from support.loop_time import LONG, LoopTime, OwnTimeLoop

_BETWEEN = 10.0
"""Seconds from one message to the next where they go on for ever: no limit for a read is so low."""
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    target: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Honest:
    """What the server behind answers; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Talk:
    """One request and the socket that it came on."""

    def __init__(self, server: "FaultServer", sock: socket.socket, asked: Asked) -> None:
        self.asked = asked
        self.sock = sock
        self.server = server

    def honest(self, *, whole: bool = False) -> Honest:
        """The honest answer; `whole` asks as if no range had been asked for."""
        drop = {"range", "if-range"} if whole else set()
        headers = {name: v for name, v in self.asked.headers.items() if name not in drop}
        return self.server.ask(self.asked.target, headers)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(
        self, body: bytes, headers: dict[str, str] | None = None, *, status: int = 200,
        length: int | None = -1,
    ) -> None:  # fmt: skip
        """Send an answer; `length` other than the body's is a lie, None tells none."""
        fields = dict(headers or {})
        if length is not None:
            fields["content-length"] = str(len(body) if length == -1 else length)
        self.send(head(status, fields) + body)

    def reset(self) -> None:
        """End the connection with a RST instead of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def settle(self, seconds: float = 0.0) -> None:
        """Wait until the other side has read all that was sent, and let it wait so much longer."""
        if (loop := self._loop()) is not None:
            loop.skip(seconds, self._is_heard).result()

    def flood(self, data: bytes) -> NoReturn:
        """Send this again and again, as fast as it is taken; the other side takes its time."""
        self.settle()
        # what is sent has then arrived but for a little: time passes after it, not before
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        while True:
            self.send(data)
            if (loop := self._loop()) is not None:
                loop.skip_at_once(_BETWEEN, self._is_heard).result()

    def drip(self, data: bytes) -> NoReturn:
        """Send this again and again, slower than any limit on sizes is reached."""
        while True:
            self.send(data)
            self.settle(_BETWEEN)

    def stall(self) -> None:
        """Say nothing more until the other side gives up."""
        if (loop := self._loop()) is not None:
            loop.skip(LONG, self._is_heard)
        while self.sock.recv(1 << 16):
            pass

    def _loop(self) -> OwnTimeLoop | None:
        """The event loop of the other side, unless that has left: the next run has another one.

        The order matters: who is still there belongs to the loop that was there before.
        """
        loop = self.server.loop_time.current
        return loop if self._is_heard() else None

    def _is_heard(self) -> bool:
        """Whether the other side still waits: later, time counts for what it does next."""
        try:
            return not select.select([self.sock], [], [], 0)[0]
        except (OSError, ValueError):
            return False  # closed here meanwhile


Behaviour = Callable[[Talk], bool | None]
"""Answers one request. True keeps the connection for the next one."""


def head(status: int, fields: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} So\r\n{lines}\r\n".encode("latin-1")


@dataclass
class Rule:
    part: str
    behaviour: Behaviour
    times: int | None


@dataclass
class FaultServer:
    """See the module. `asked` holds every request in order of arrival."""

    upstream: str
    loop_time: LoopTime
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _rules: list[Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: set[socket.socket] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rule(self, part: str, behaviour: Behaviour, *, times: int | None = None) -> None:
        """Behave so for requests whose target has `part` in it, so many times (None: for ever)."""
        with self._lock:
            self._rules.append(Rule(part, behaviour, times))

    def clear(self) -> None:
        """Be honest from now on."""
        with self._lock:
            self._rules.clear()

    def ask(self, target: str, headers: dict[str, str]) -> Honest:
        """What the honest server says."""
        upstream = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port or 80)
        try:
            passed = {name: v for name, v in headers.items() if name not in {"host", "connection"}}
            connection.request("GET", target, headers=passed)
            answer = connection.getresponse()
            body = answer.read()
            kept = {n.lower(): v for n, v in answer.getheaders() if n.lower() not in _HOP}
            return Honest(answer.status, kept, body)
        finally:
            connection.close()

    def take(self, target: str) -> Behaviour:
        with self._lock:
            for rule in self._rules:
                if rule.part in target:
                    if rule.times is not None:
                        rule.times -= 1
                        if not rule.times:
                            self._rules.remove(rule)
                    return rule.behaviour
        return honest

    def serve(self, sock: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self._open.add(sock)
        reader = sock.makefile("rb")
        try:
            with suppress(OSError, ValueError, http.client.HTTPException):
                while (asked := _read(reader)) is not None:
                    self.asked.append(asked)
                    if not self.take(asked.target)(Talk(self, sock, asked)):
                        break
        finally:
            with suppress(OSError):
                reader.close()
            self._end(sock)

    def _end(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.discard(sock)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    def hang_up(self) -> None:
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def honest(talk: Talk) -> bool:
    """Pass on what the server behind says."""
    said = talk.honest()
    talk.answer(said.body, said.headers, status=said.status)
    return True


def _read(reader: BufferedReader) -> Asked | None:
    lines = []
    while line := reader.readline(1 << 16):
        if line in {b"\r\n", b"\n"}:
            break
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    if not lines:
        return None
    pairs = (text.partition(":") for text in lines[1:])
    return Asked(lines[0].split(" ")[1], {name.lower(): value.strip() for name, _, value in pairs})


@contextmanager
def fault_server(upstream: str, loop_time: LoopTime) -> Iterator[FaultServer]:
    """A fault server in threads of its own, until the block ends.

    By `loop_time` go those who ask it.
    """
    server = FaultServer(upstream, loop_time)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    server.port = listener.getsockname()[1]
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                thread = threading.Thread(target=server.serve, args=(sock,), daemon=True)
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        server.hang_up()
        for thread in threads:
            thread.join()
