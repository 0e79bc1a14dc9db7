"""Servers on loopback whose TLS handshake comes to nothing, each in another way."""

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue

from support.loop_time import LONG, LoopTime


def reset(sock: socket.socket) -> None:
    """Reset after the first message of the client."""
    sock.recv(1 << 16)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close_unread(sock: socket.socket) -> None:
    """Close without a look at it: the kernel resets."""
    select.select([sock], [], [])


def close(sock: socket.socket) -> None:
    sock.recv(1 << 16)


def plain_http(sock: socket.socket) -> None:
    """What a web server says that expected no TLS."""
    sock.recv(1 << 16)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def silence(sock: socket.socket) -> None:
    """Nothing at all, until the client leaves."""
    while sock.recv(1 << 16):
        pass


ENDS = (reset, close_unread, close, plain_http, silence)


@contextmanager
def failing_handshakes(
    end: Callable[[socket.socket], None], loop_time: LoopTime | None = None
) -> Iterator[tuple[int, SimpleQueue[None]]]:
    """A server that does this with every connection, then closes it.

    Its port, and a queue that gets an item as each client begins. With the time of the client's
    loop, silence is long: the client has waited long enough.
    """
    begun: SimpleQueue[None] = SimpleQueue()
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(sock: socket.socket) -> None:
        with sock, suppress(OSError):
            select.select([sock], [], [])
            begun.put(None)
            if end is silence and loop_time is not None and loop_time.current is not None:
                loop_time.current.skip(LONG)
            end(sock)

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sockets.append(sock)
                threads.append(threading.Thread(target=talk, args=(sock,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1], begun
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
