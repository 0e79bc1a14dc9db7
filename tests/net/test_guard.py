"""The address guard: every way to write an address that is not public, and no packet sent."""

import socket
import threading
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, NoReturn

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import ConfigError, MediaError, MediaRefused
from archiver.net.addresses import is_public
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard, GuardedBackend, resolve
from archiver.net.transport import Transport
from archiver.urls import normalize_url
from support.net.wire import FakeClock, http, wire

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.7", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
PRIVATE_6 = [
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254",
    "0:0:0:0:0:ffff:10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "64:ff9b:1:ffff::8.8.8.8", "2002:7f00:1::", "2002:c0a8:101::1",
    "2001:0:7f00:1::1", "2001:0:808:808:0:0:80ff:fffe", "2001::1", "2001:db8::1", "3fff::1",
    "5f00::1", "100::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
    "4000::1", "::ffff:0:127.0.0.1",
]  # fmt: skip
SPELLINGS = [
    *(f"http://{address}/" for address in PRIVATE),
    *(f"https://{address}/" for address in PRIVATE),
    *(f"https://[{address}]/" for address in PRIVATE_6),
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0x7f.0.0.1/",
    "http://0177.0.0.1/", "http://017700000001/", "http://127.1/", "http://127.0.1/",
    "http://127.0.0.1./", "http://127.0.0.01/", "http://1.1.1.1.1/", "http://256.1.1.1/",
    "http://１２７.0.0.1/", "http://127。0。0。1/", "http://①②⑦.0.0.1/", "http://127%2e0.0.1/",
    "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1/", "http://::1/",
    "http://[v1.fe80::a]/", "http://[127.0.0.1]/", "http://[]/",
    "http://user@example.com/", "http://user:pw@example.com/", "http://:@example.com/",
    "http://example.com%2f@127.0.0.1/", "http://example.com%00/", "http://example.com%2fx/",
    "http://example.com\\@127.0.0.1/", "http:\\\\127.0.0.1/", "http:/\\127.0.0.1/",
    "http://exam ple.com/", "http://exam\nple.com/", "http://example.com\r\nX: y/",
    "http://example.com\x01/", "http://example.com\u2028/", "http://example.com /",
    "http://９３.184.216.34/", "http://a℀b.example/", "http://example.com／@127.0.0.1/",
    "\\\\127.0.0.1/", "/\\127.0.0.1/", "\\/127.0.0.1/", "http://127.0.0.1\\.example.com/",
    "http://exa\u00admple.com:22/", "http:///x", "http://", "http:127.0.0.1", "//127.0.0.1/", "",
    "http://example.com:22/", "https://example.com:6379/", "http://example.com:443/",
    "https://example.com:80/", "http://example.com:0/", "http://example.com:99999/",
    "http://example.com:8080/", "http://example.com:+80/", "http://example.com: 80/",
    "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "data:text/html,x",
    "javascript:alert(1)", "ws://example.com/", "http+unix://%2ftmp%2fs/", "HTTP://127.0.0.1/",
    "http://-a-.example/", "http://a..b/", "http://.example.com/", f"http://{'a' * 300}/",
    "http://localhost:22/",
]  # fmt: skip
PUBLIC = "93.184.216.34"


class Connector:
    """Writes down who was called, and calls nobody."""

    def __init__(self) -> None:
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> NoReturn:
        self.connected.append((host, port))
        raise httpx.ConnectError("nobody there")


class Names:
    """A resolver whose answers are given; each further question gets the next answer."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def client(guard: AddressGuard, connector: Connector, names: Names | None = None) -> MediaClient:
    backend = GuardedBackend(guard, resolver=names or Names([PUBLIC]), connector=connector)
    return MediaClient(guard, FakeClock(), backend=backend)


async def fetch(media: MediaClient, url: str) -> None:
    async with media, media.open(url):
        pass


def test_there_are_enough_spellings() -> None:
    assert len(SPELLINGS) >= 60


@pytest.mark.anyio
@pytest.mark.parametrize("url", SPELLINGS)
async def test_no_spelling_leads_anywhere(url: str) -> None:
    connector, names = Connector(), Names([PUBLIC])
    with pytest.raises(MediaRefused):
        await fetch(client(AddressGuard(), connector, names), url)
    assert connector.connected == []
    assert names.asked == []


@pytest.mark.anyio
@pytest.mark.parametrize("url", SPELLINGS)
async def test_no_redirect_leads_anywhere(url: str) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        # httpx would write a bad header differently: hand it over as it is
        headers = [(b"location", url.encode())]
        return httpx.Response(302, headers=headers, stream=httpx.ByteStream(b""))

    media = MediaClient(AddressGuard(), FakeClock(), transport=httpx.MockTransport(answer))
    with pytest.raises(MediaError):  # "" is the same place: a circle
        await fetch(media, "http://first.example/")
    assert {found.host for found in asked} <= {"first.example", "first.example."}


@pytest.mark.anyio
@pytest.mark.parametrize("address", PRIVATE + PRIVATE_6)
@pytest.mark.parametrize("others", [[], [PUBLIC], ["2606:2800:220:1::1", PUBLIC]])
async def test_a_name_with_any_bad_address_is_refused(address: str, others: list[str]) -> None:
    connector = Connector()
    with pytest.raises(MediaRefused, match="public internet"):
        await fetch(
            client(AddressGuard(), connector, Names([*others, address])), "https://cdn.example/a"
        )
    assert connector.connected == []


@pytest.mark.anyio
async def test_a_name_is_resolved_once_and_the_checked_address_dialled() -> None:
    connector, names = Connector(), Names([PUBLIC], ["127.0.0.1"])
    with pytest.raises(MediaError) as caught:
        await fetch(client(AddressGuard(), connector, names), "https://cdn.example/a")
    assert caught.value.code == "network"
    assert connector.connected == [(PUBLIC, 443)]
    assert names.asked == ["cdn.example"]


@pytest.mark.anyio
async def test_every_checked_address_is_tried() -> None:
    connector = Connector()
    with pytest.raises(MediaError):
        await fetch(
            client(AddressGuard(), connector, Names(["2606:2800:220:1::1", PUBLIC])), "http://a.b/"
        )
    assert connector.connected == [("2606:2800:220:1::1", 80), (PUBLIC, 80)]


@pytest.mark.anyio
async def test_a_listener_hears_nothing() -> None:
    async with wire(http()) as server:
        for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "127.1", "2130706433"):
            for scheme in ("http", "https"):
                with pytest.raises(MediaRefused):
                    await fetch(
                        MediaClient(AddressGuard(), FakeClock()),
                        f"{scheme}://{host}:{server.port}/",
                    )
        assert server.connections == 0


@pytest.mark.anyio
async def test_names_are_resolved_by_the_system() -> None:
    async with wire(http(200, b"x")) as server:
        media = MediaClient(AddressGuard(["127.0.0.0/8", "::1"]), FakeClock())
        await fetch(media, f"http://localhost:{server.port}/")
        assert server.requests[0].headers["host"] == f"localhost:{server.port}"


@pytest.mark.anyio
async def test_names_that_take_long_keep_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    enough = threading.Event()
    usual = socket.getaddrinfo

    def getaddrinfo(host: bytes, *rest: Any, **more: Any) -> Any:
        if host.startswith(b"slow"):
            enough.wait()
        return usual("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(resolve, f"slow{number}.example", 443)
            await anyio.lowlevel.checkpoint()
            assert await resolve("honest.example", 443) == ["127.0.0.1"]
            tasks.cancel_scope.cancel()
    finally:
        enough.set()


@pytest.mark.anyio
async def test_a_name_that_cannot_be_resolved_may_be_tried_again() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    guard = AddressGuard()
    for resolver in (unknown, Names([])):
        backend = GuardedBackend(guard, resolver=resolver, connector=Connector())
        with pytest.raises(MediaError) as caught:
            await fetch(MediaClient(guard, FakeClock(), backend=backend), "https://gone.example/")
        assert caught.value.code == "network"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a?b=c#d", "http://example.com", "HTTPS://EXAMPLE.COM/",
        "https://example.com:443/", "http://example.com:80/", "https://bücher.example/ü",
        "https://a_b.example/", f"https://{PUBLIC}/", "https://[2606:2800:220:1::1]/",
        "https://[64:ff9b::8.8.8.8]/", "https://example.com./", "https://3com.example/",
        " http://example.com/\t", "http://example.com/\r\nX: y", "http://example.com/\x01",
        "//example.com/my photo.png", "https://example.com/a\\b",
    ],
)  # fmt: skip
def test_public_addresses_pass(url: str) -> None:
    found = str(AddressGuard().check(url))
    assert found == normalize_url(url).partition("#")[0]


def test_https_only_refuses_http() -> None:
    guard = AddressGuard(https_only=True)
    guard.check("https://example.com/")
    with pytest.raises(MediaRefused, match="https_only"):
        guard.check("http://example.com/")
    with pytest.raises(MediaRefused):
        guard.check_answers("example.com", 80, [PUBLIC])


@pytest.mark.parametrize(
    ("entry", "passes", "refused"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/", "http://127.0.0.2:8000/"),
        ("127.0.0.0/8", "https://127.9.9.9:1/", "http://10.0.0.1/"),
        ("127.0.0.0/8", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::127.0.0.1]/"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000/", "http://127.0.0.1:8001/"),
        ("media.local", "http://media.local:99/", "http://x.media.local:99/"),
        ("Media.Local.:99", "http://MEDIA.local:99/", "http://media.local:98/"),
        ("[::1]:99", "http://[::1]:99/", "http://[::1]/"),
        ("fd00::/8", "http://[fd00::1]:99/", "http://[fc00::1]:99/"),
        ("::1", "http://[::1]/", "http://[::2]/"),
        ("bücher.example:8080", "http://bücher.example:8080/", "http://bucher.example:8080/"),
    ],
)
def test_what_is_allowed_is_freed(entry: str, passes: str, refused: str) -> None:
    guard = AddressGuard([entry], https_only=True)
    guard.check(passes, secure=True)
    with pytest.raises(MediaRefused):
        guard.check(refused)


def test_a_name_in_an_allowed_network_is_freed_by_its_addresses_alone() -> None:
    guard = AddressGuard(["10.0.0.0/8:8080"])
    guard.check("http://nas.example:8080/")
    guard.check_answers("nas.example", 8080, ["10.1.1.1"])
    for answers in (["127.0.0.1"], [PUBLIC], ["10.1.1.1", PUBLIC]):
        with pytest.raises(MediaRefused):
            guard.check_answers("nas.example", 8080, answers)
    with pytest.raises(MediaRefused):
        guard.check("http://nas.example:8081/")


@pytest.mark.parametrize(
    "entry",
    ["", "http://a/", "a/b", "1.2.3.4/99", "127.1", "0x7f.1", "a:b", "a:99999", "a:0", "[::1",
     "[a]", "10.0.0.1/8", "user@host", "a b", "*", "*.example.com"],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_is_named(entry: str) -> None:
    with pytest.raises(ConfigError, match=r"network\.allow"):
        AddressGuard([entry])


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_accepted_or_refused_by_the_guard(text: str) -> None:
    for url in (text, f"http://{text}/", f"https://example.com/{text}", f"http://a.b:{text}"):
        try:
            found = AddressGuard().check(url)
        except MediaRefused:
            continue
        assert found.scheme in {"http", "https"}
        assert found.port in {None, 80, 443}
        assert not found.userinfo
        try:
            assert is_public(ip_address(found.host))
        except ValueError:
            assert found.raw_host


@pytest.mark.anyio
async def test_the_transport_asks_the_backend_for_the_name() -> None:
    names = Names(["10.0.0.1"])
    transport = Transport(
        connections=1,
        per_host=1,
        backend=GuardedBackend(AddressGuard(), resolver=names, connector=Connector()),
    )
    with pytest.raises(MediaRefused):
        await transport.handle_async_request(httpx.Request("GET", "http://cdn.example/"))
    assert names.asked == ["cdn.example"]
