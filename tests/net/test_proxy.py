"""Whoever can reach the network only through a proxy, which may open TLS, backs up all the same."""

import logging
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from archiver.errors import ConfigError, MediaError, MediaRefused, SecretError, SourceDown
from archiver.net import guard as guard_module
from archiver.net.api import api_client
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard
from archiver.net.proxy import Proxy, Route, proxy_of
from archiver.secrets import Secret
from archiver_ayrshare.demo.specs import photo
from net.test_tls import CERTIFICATE, EXPIRED, tls_server
from support.net.proxies import ProxyServer, proxy_server
from support.net.wire import LOOPBACK, FakeClock, http, wire
from support.nights import nights

pytestmark = pytest.mark.anyio

ALLOWED = (*LOOPBACK, "media.example")
CANARY = "archiver:canary-4711/+="


def through(
    server: ProxyServer, credentials: str | None = None, bundle: Path | None = None
) -> Route:
    return Route(proxy_of(server.url, Secret(credentials) if credentials else None), bundle)


def media_client(route: Route, allow: Sequence[str] = ALLOWED) -> MediaClient:
    return MediaClient(AddressGuard(allow), FakeClock(), route=route)


async def fetch(media: MediaClient, url: str) -> bytes:
    async with media, media.open(url) as stream:
        return b"".join([chunk async for chunk in stream.chunks()])


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What this machine's DNS knows: nothing, until a test puts it there."""
    known: dict[str, list[str]] = {}

    async def resolve(host: str, port: int) -> Sequence[str]:
        if host not in known:
            raise OSError("Name or service not known")
        return known[host]

    monkeypatch.setattr(guard_module, "resolve", resolve)
    return known


async def test_https_goes_through_connect_and_only_the_proxy_gets_its_credentials(
    names: dict[str, list[str]],
) -> None:
    async with tls_server() as (port, asked), proxy_server(CANARY) as proxy:
        route = through(proxy, CANARY, CERTIFICATE)
        assert await fetch(media_client(route), f"https://media.example:{port}/a") == b"x"
        assert proxy.lines == [f"CONNECT media.example:{port} HTTP/1.1"]
        assert asked == ["media.example"]


async def test_the_api_goes_through_it_too() -> None:
    async with tls_server() as (port, _), proxy_server(CANARY) as proxy:
        route = through(proxy, CANARY, CERTIFICATE)
        url = f"https://media.example:{port}/api"
        async with api_client("shelf", url, clock=FakeClock(), route=route) as api:
            assert (await api.get("/user")).body == b"x"
        assert proxy.lines == [f"CONNECT media.example:{port} HTTP/1.1"]


async def test_http_is_asked_for_by_the_whole_address() -> None:
    async with wire(http(200, b"{}")) as server, proxy_server(CANARY) as proxy:
        route = through(proxy, CANARY)
        assert await fetch(media_client(route), server.url("/a b?c=d")) == b"{}"
        async with api_client("shelf", server.url("/api"), clock=FakeClock(), route=route) as api:
            assert (await api.get("user", params={"a": "b"})).body == b"{}"
        assert proxy.lines == [
            f"GET http://127.0.0.1:{server.port}/a%20b?c=d HTTP/1.1",
            f"GET http://127.0.0.1:{server.port}/api/user?a=b HTTP/1.1",
        ]
        assert [r.target for r in server.requests] == ["/a%20b?c=d", "/api/user?a=b"]
        assert not any("proxy-authorization" in r.headers for r in server.requests)


async def test_redirects_go_through_it_and_connections_to_it_are_kept() -> None:
    hop = http(302, b"", {"Location": "/b"})
    async with wire(hop, http(200, b"x")) as server, proxy_server() as proxy:
        assert await fetch(media_client(through(proxy)), server.url("/a")) == b"x"
        assert len(proxy.lines) == 2
        assert len({id(writer) for writer in proxy.writers}) == 3  # one from us, two to the origin


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, r"asks for credentials \(407\): set"),
        ("archiver:wrong-one", r"does not accept .*407"),
    ],
)
async def test_a_proxy_that_wants_other_credentials_is_named(
    scheme: str, given: str | None, said: str, names: dict[str, list[str]]
) -> None:
    async with proxy_server(CANARY) as proxy:
        route = through(proxy, given)
        with pytest.raises(MediaError, match=said) as caught:
            await fetch(media_client(route), f"{scheme}://media.example:81/a")
        assert caught.value.code == "proxy"
        assert f"127.0.0.1:{proxy.port}" in str(caught.value)
        assert "network.proxy_credentials" in str(caught.value)
        clock = FakeClock()
        async with api_client("shelf", f"{scheme}://localhost:81", clock=clock, route=route) as api:
            with pytest.raises(SourceDown, match=said) as down:
                await api.get("x")
        assert (down.value.code, clock.slept) == ("proxy", [])
        assert "wrong-one" not in f"{caught.value} {down.value} {route!r}"


@pytest.mark.parametrize(("status", "code"), [(403, "proxy"), (405, "proxy"), (502, "network")])
async def test_a_proxy_that_does_not_connect_is_named(
    status: int, code: str, names: dict[str, list[str]]
) -> None:
    said = b"HTTP/1.1 %d No\r\nContent-Length: 4\r\n\r\nshut" % status
    async with proxy_server(answer=lambda _: said) as proxy:
        with pytest.raises(
            MediaError, match=rf"does not connect to media.example:443 \({status}\)"
        ) as caught:
            await fetch(media_client(through(proxy)), "https://media.example/a")
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "sends an invalid answer"),
        (b"junk\r\n\r\n", "sends an invalid answer"),
        (b"HTTP/1.1 200 Fine\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "sends data that was not asked for"),
    ],
)
async def test_a_proxy_that_talks_nonsense_is_named(
    said: bytes, why: str, names: dict[str, list[str]]
) -> None:
    async with proxy_server(answer=lambda _: said) as proxy:
        with pytest.raises(MediaError, match=f"The proxy 127.0.0.1:{proxy.port} {why}") as caught:
            await fetch(media_client(through(proxy)), "https://media.example/a")
        assert caught.value.code == "network"


async def test_a_proxy_that_is_down_is_named() -> None:
    async with proxy_server() as proxy:
        pass
    route = through(proxy)
    said = f"he proxy 127.0.0.1:{proxy.port} cannot be reached"
    with pytest.raises(MediaError, match=said) as caught:
        await fetch(media_client(route), "http://127.0.0.1:81/a")
    assert caught.value.code == "network"
    async with api_client("shelf", "http://127.0.0.1:81", clock=FakeClock(), route=route) as api:
        with pytest.raises(SourceDown, match=said):
            await api.get("x")


@pytest.mark.parametrize("bundle", [None, EXPIRED])
async def test_a_certificate_of_an_authority_that_is_not_in_the_bundle_says_so(
    bundle: Path | None, names: dict[str, list[str]]
) -> None:
    hint = "name the file of its authority in network.ca_bundle" if bundle is None else str(bundle)
    async with tls_server() as (port, _), proxy_server() as proxy:
        route = through(proxy, bundle=bundle)
        with pytest.raises(MediaError) as caught:
            await fetch(media_client(route), f"https://media.example:{port}/a")
        assert (caught.value.code, hint in str(caught.value)) == ("certificate", True)
        url = f"https://media.example:{port}/api"
        async with api_client("shelf", url, clock=FakeClock(), route=route) as api:
            with pytest.raises(SourceDown) as down:
                await api.get("x")
        assert (down.value.code, hint in str(down.value)) == ("certificate", True)


async def test_public_authorities_are_trusted_besides_the_bundle() -> None:
    assert len(Route().tls.get_ca_certs()) > 10
    more = Route(ca_bundle=CERTIFICATE).tls.get_ca_certs()
    assert len(more) == len(Route().tls.get_ca_certs()) + 1


@pytest.mark.parametrize("text", [None, "", "no certificates", "-----BEGIN CERTIFICATE-----\nx"])
async def test_a_bundle_that_cannot_be_used_is_named(text: str | None, tmp_path: Path) -> None:
    bundle = tmp_path / "company-ca.pem"
    if text is not None:
        bundle.write_text(text)
    with pytest.raises(ConfigError, match=r"network\.ca_bundle: .*company-ca\.pem"):
        Route(ca_bundle=bundle)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/a", "https://169.254.169.254/a", "https://[::1]/a", "https://nas/a",
     "https://nas.local/a", "https://router.lan./a", "https://a.internal/a", "https://localhost/a",
     "https://cdn.example:8443/a", "https://inside.example/a", "https://user@cdn.example/a"],
)  # fmt: skip
async def test_the_guard_refuses_what_it_knows_before_the_proxy_is_asked(
    url: str, names: dict[str, list[str]]
) -> None:
    names["inside.example"] = ["93.184.216.34", "10.1.2.3"]
    names["nas.local"] = ["93.184.216.34"]
    redirect = b"HTTP/1.1 302 So\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % url.encode()
    async with proxy_server(answer=lambda _: redirect) as proxy:
        with pytest.raises(MediaRefused):
            await fetch(media_client(through(proxy), []), url)
        assert proxy.lines == []
        with pytest.raises(MediaRefused):
            await fetch(media_client(through(proxy), []), "http://cdn.example/a")
        assert proxy.lines == ["GET http://cdn.example/a HTTP/1.1"]


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ([], "http://cdn.example/a"),  # this machine cannot tell: the proxy must
        ([], "http://93.184.216.34/a"),
        (["nas.local"], "http://nas.local:81/a"),
        (["10.0.0.0/8"], "http://inside.example:81/a"),
        (["10.0.0.0/8"], "http://printer/a"),
    ],
)
async def test_the_proxy_gets_what_is_public_unknown_or_allowed(
    allow: list[str], url: str, names: dict[str, list[str]]
) -> None:
    names["inside.example"] = names["printer"] = ["10.1.2.3"]
    fine = b"HTTP/1.1 200 So\r\nContent-Length: 1\r\n\r\nx"
    async with proxy_server(answer=lambda _: fine) as proxy:
        assert await fetch(media_client(through(proxy), allow), url) == b"x"
        assert proxy.lines == [f"GET {url} HTTP/1.1"]


async def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34"]

    monkeypatch.setattr(guard_module, "resolve", resolve)
    fine = b"HTTP/1.1 200 So\r\nContent-Length: 1\r\n\r\nx"
    async with proxy_server(answer=lambda _: fine) as proxy, media_client(through(proxy)) as media:
        for _ in range(3):
            async with media.open("http://cdn.example/a"):
                pass
    assert asked == ["cdn.example"]


@pytest.mark.parametrize("text", ["alone", ":", ":password"])
async def test_credentials_are_a_user_and_a_password(text: str) -> None:
    with pytest.raises(ConfigError, match="user:password") as caught:
        proxy_of("http://proxy.example:3128", Secret(text))
    assert not isinstance(caught.value, SecretError)


def test_a_proxy_shows_no_credentials() -> None:
    proxy = proxy_of("http://proxy.example:3128", Secret(CANARY))
    assert isinstance(proxy, Proxy)
    assert "Basic" not in repr(proxy) + str(proxy) + repr(Route(proxy))
    assert str(proxy) == "the proxy proxy.example:3128"


@pytest.mark.parametrize(("given", "exit_code"), [(CANARY, 0), ("archiver:canary-0815", 4)])
def test_a_backup_goes_through_it_and_its_credentials_are_nowhere(
    given: str,
    exit_code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PROXY_USER_PASSWORD", given)
    caplog.set_level(logging.DEBUG)
    with (
        nights(tmp_path, "threads") as world,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(proxy_server(CANARY)) as proxy,
    ):
        world.account("threads").publish("Good morning", media=[photo()])
        world.settings["network"] = (
            f'proxy = "{proxy.url}"\nproxy_credentials = "env:PROXY_USER_PASSWORD"'
        )

        report = world.backup()

        assert report.exit_code == exit_code, report.accounts[0].error
        assert report.counts.stored == (not exit_code)
        assert proxy.lines
        assert bool(world.media_requests) == (not exit_code)
        said = [caplog.text, repr(report), repr(world.config()), str(report.accounts[0].error)]
        files = [path.read_bytes() for path in world.directory.rglob("*") if path.is_file()]
        everything = "\n".join(said).encode() + b"".join(files)
        for canary in (b"canary", b64encode(given.encode()), b"Basic "):
            assert canary not in everything
