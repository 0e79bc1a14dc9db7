"""An application on a port of this machine: started, waited for, and stopped whole."""

import threading

import httpx
import pytest

from archiver.apis import AsgiReceive, AsgiScope, AsgiSend
from archiver.errors import UsageError
from archiver.webserver import (
    listen,
    listen_on_loopback,
    origin_of,
    running,
    wait_until_interrupted,
)


class Application:
    """Answers with a word, and notes when it is told that the server starts and stops."""

    def __init__(self, *, starts: bool = True) -> None:
        self.told: list[str] = []
        self._starts = starts

    async def __call__(self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"here"})
            return
        for phase in ("startup", "shutdown"):
            self.told.append((await receive())["type"])
            outcome = "complete" if self._starts else "failed"
            await send({"type": f"lifespan.{phase}.{outcome}"})
            if not self._starts:
                return


def test_it_answers_as_long_as_the_block_lasts() -> None:
    sock = listen("127.0.0.1", 0)
    with running(Application(), [sock]) as thread:
        assert httpx.get(origin_of(sock), timeout=120).text == "here"
    assert not thread.is_alive()
    assert sock.fileno() == -1, "the socket is closed"


def test_an_application_gets_lifespan_events() -> None:
    app = Application()
    with running(app, [listen("127.0.0.1", 0)], lifespan=True):
        assert app.told == ["lifespan.startup"]
    assert app.told == ["lifespan.startup", "lifespan.shutdown"]


def test_an_application_that_does_not_start_is_an_error() -> None:
    with (
        pytest.raises(RuntimeError, match="did not start"),
        running(Application(starts=False), [listen("127.0.0.1", 0)], lifespan=True, quiet=True),
    ):
        pass


def test_a_port_in_use_is_an_error_with_a_hint() -> None:
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    with sock, pytest.raises(UsageError, match=f"127.0.0.1 port {port}") as caught:
        listen("127.0.0.1", port)
    assert "--port 0" in (caught.value.hint or "")


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(UsageError, match="cannot be listened on"):
        listen("192.0.2.1", 0)


def test_all_loopback_addresses_share_one_port() -> None:
    sockets = listen_on_loopback()
    try:
        names = [sock.getsockname() for sock in sockets]
        assert len({port for _, port in names}) == 1
        assert names[0][0] == "127.0.0.1"
    finally:
        for sock in sockets:
            sock.close()


def test_the_address_of_ipv6_stands_in_brackets() -> None:
    try:
        sock = listen("::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6")
    with sock:
        assert origin_of(sock) == f"http://[::1]:{sock.getsockname()[1]}"


def test_waiting_ends_when_the_server_does() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    wait_until_interrupted(thread)
    assert not thread.is_alive()
