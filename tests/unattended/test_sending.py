"""Messages and pings reach real receivers, and carry no secret."""

import os
import sys
from base64 import b64encode
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from archiver.binding import ProxyAddress
from archiver.clock import SystemClock
from archiver.errors import ConfigError
from archiver.net.proxy import Route
from archiver.secrets import Secret
from archiver.settings import NetworkSettings
from archiver.unattended.sending import ping, send
from support.receivers import http_receiver, mail_receiver

CANARY = "canary-5up3r-s3cret"
DIRECT = NetworkSettings()
TITLE, TEXT = "Social media backup: 1 to look at", f"acme failed (refused {CANARY})."


@pytest.fixture(autouse=True)
def canary() -> None:
    Secret(CANARY).mask()


def to(address: str) -> list[Secret]:
    return [Secret(address)]


def test_ntfy_and_a_webhook_get_the_message_without_the_secret() -> None:
    with http_receiver() as received:
        for scheme in ("ntfy", "json"):
            address = f"{scheme}://127.0.0.1:{received.port}/topic"
            assert send(to(address), TITLE, TEXT, DIRECT) == []
    assert len(received.messages) == 2
    for message in received.messages:
        assert b"acme failed (refused [secret])" in message
        assert CANARY.encode() not in message


def test_a_mailbox_gets_it() -> None:
    with mail_receiver() as received:
        address = (
            f"mailto://127.0.0.1:{received.port}/?mode=insecure&from=a@b.example&to=c@d.example"
        )
        assert send(to(address), TITLE, TEXT, DIRECT) == []
    (mail,) = received.messages
    parsed = message_from_bytes(mail, policy=default)
    body = parsed.get_body(("plain", "html"))
    assert parsed["Subject"] == TITLE
    assert body is not None
    assert "acme failed (refused [secret])" in body.get_content()
    assert CANARY not in str(parsed)


def test_what_does_not_arrive_is_said_without_the_address() -> None:
    with http_receiver() as received:
        received.status = 500
        addresses = [
            Secret(f"json://user:{CANARY}@127.0.0.1:{received.port}/"), Secret("nothing://here"),
            Secret("env:NOT_SET_ANYWHERE"),
        ]  # fmt: skip
        failures = send(addresses, TITLE, TEXT, DIRECT)
    assert len(failures) == 3
    assert "Address 1 did not take the message" in failures[0]
    assert "Address 2 is none that Apprise knows" in failures[1]
    assert "NOT_SET_ANYWHERE" in failures[2]
    assert CANARY not in "".join(failures)


def test_messages_go_by_the_proxy_of_the_config_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "*")
    with http_receiver() as proxy:
        network = NetworkSettings(
            proxy=ProxyAddress(f"http://127.0.0.1:{proxy.port}"),
            proxy_credentials=Secret("user:pass word"),
        )
        assert send(to("json://ntfy.example/hook"), TITLE, TEXT, network) == []
    assert proxy.paths == ["http://ntfy.example/hook"]
    login = b64encode(b"user:pass word")
    assert b"Proxy-Authorization: Basic " + login in proxy.messages[0]
    assert os.environ["HTTP_PROXY"] == "http://127.0.0.1:9", "as it was"
    assert "http_proxy" not in os.environ


def test_without_apprise_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError) as raised:
        send(to("json://127.0.0.1/"), TITLE, TEXT, DIRECT)
    assert "social-archiver[notify]" in str(raised.value)


@pytest.mark.anyio
async def test_pings_are_distinguished_by_their_paths(tmp_path: Path) -> None:
    with http_receiver() as received:
        address = Secret(f"http://127.0.0.1:{received.port}/ping/3f5a-uuid")
        assert await ping(address, "start", Route(), SystemClock()) is None
        assert await ping(address, "success", Route(), SystemClock()) is None
        assert await ping(address, "fail", Route(), SystemClock()) is None
        received.status = 404
        failure = await ping(address, "success", Route(), SystemClock())
    assert received.paths[:3] == [
        "/ping/3f5a-uuid/start",
        "/ping/3f5a-uuid",
        "/ping/3f5a-uuid/fail",
    ]
    assert failure is not None
    assert "3f5a-uuid" not in failure


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["no url", "http://example.com/x", "env:NOT_SET_ANYWHERE"])
async def test_a_ping_that_cannot_be_sent_says_why(address: str) -> None:
    failure = await ping(Secret(address), "start", Route(), SystemClock())
    assert failure is not None
    assert "could not be sent" in failure
