"""The API client: patient, bounded, and silent about secrets."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest

from archiver.errors import ConfigError, RateLimited, SourceDown
from archiver.hookspecs import Http
from archiver.models import RateLimitPolicy
from archiver.net.api import ApiClient, api_client
from archiver.net.guard import AddressGuard
from archiver.secrets import MASK, Secret
from support.net.wire import LOOPBACK, Answer, FakeClock, Reply, Wire, http, wire

pytestmark = pytest.mark.anyio


LIMITS = RateLimitPolicy(limit="x-most", used="x-made", remaining="x-left", window=600.0)


class World:
    def __init__(self, server: Wire, rate_limit: RateLimitPolicy = RateLimitPolicy()) -> None:  # noqa: B008 — frozen
        self.server = server
        self.clock = FakeClock()
        self.waits: list[tuple[float, str]] = []
        self.client: ApiClient = api_client(
            "ayrshare",
            server.url("/api/"),
            clock=self.clock,
            on_wait=lambda seconds, why: self.waits.append((seconds, why)),
            rate_limit=rate_limit,
        )


@asynccontextmanager
async def world(
    *answers: Answer,
    rate_limit: RateLimitPolicy = RateLimitPolicy(),  # noqa: B008 — frozen
) -> AsyncIterator[World]:
    async with wire(*answers) as server:
        found = World(server, rate_limit)
        async with found.client:
            yield found


async def test_an_answer_as_received() -> None:
    headers = {"ETag": '"a"', "X-Most": "300", "Set-Cookie": "a=b", "Server": "x"}
    async with world(http(404, b'{"code": 1}', headers), rate_limit=LIMITS) as api:
        http_client: Http = api.client
        response = await http_client.get(
            "/history/instagram", params={"limit": "100", "next": "a b&c"},
            headers={"Profile-Key": "p"},
        )  # fmt: skip
        assert response.source == "ayrshare"
        assert response.status == 404
        assert response.body == b'{"code": 1}'
        assert response.received_at == "2026-11-23T12:00:00.000Z"
        assert response.url == api.server.url("/api/history/instagram?limit=100&next=a+b%26c")
        assert dict(response.headers) == {
            "content-length": "11", "etag": '"a"', "x-most": "300",
        }  # fmt: skip
        assert api.server.requests[0].headers["profile-key"] == "p"
        assert "cookie" not in api.server.requests[0].headers


async def test_cookies_are_not_kept() -> None:
    async with world(http(200, b"{}", {"Set-Cookie": "a=b"})) as api:
        for _ in range(2):
            await api.client.get("x")
        assert "cookie" not in api.server.requests[1].headers
        assert api.server.connections == 1


async def test_gzip_is_undone_and_checked() -> None:
    packed = gzip.compress(b"[" + b"1," * 1000 + b"1]")
    whole = http(200, packed, {"Content-Encoding": "gzip"})
    cut = http(200, packed[:-9], {"Content-Encoding": "gzip"})
    async with world(cut, whole) as api:
        assert (await api.client.get("x")).body == gzip.decompress(packed)
        assert len(api.server.requests) == 2
    async with world(cut) as api:
        with pytest.raises(SourceDown, match="ends too early"):
            await api.client.get("x")


async def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.net.api._LARGEST_BODY", 1 << 20)
    packed = gzip.compress(bytes(1 << 24))
    async with world(http(200, packed, {"Content-Encoding": "gzip"})) as api:
        with pytest.raises(SourceDown) as caught:
            await api.client.get("x")
        assert caught.value.code == "too_large"
        assert len(api.server.requests) == 1


@pytest.mark.parametrize(
    "trouble",
    [http(500, b"{}"), http(503, b"", {"Retry-After": "4"}), http(408), http(425),
     Reply(b"", "close"), http(200, b"{", length=9, then="close"),
     http(200, b"{", length=9, then="reset")],
)  # fmt: skip
async def test_what_a_second_try_mends(trouble: Reply) -> None:
    async with world(trouble, trouble, http(200, b"{}")) as api:
        assert (await api.client.get("x")).body == b"{}"
        assert len(api.clock.slept) == 2
        assert all(0 <= seconds <= 60 for seconds in api.clock.slept)
    async with world(trouble) as api:
        with pytest.raises(SourceDown):
            await api.client.get("x")
        assert len(api.clock.slept) == 2


async def test_a_server_error_says_what_the_server_said() -> None:
    async with world(http(502, b'{"message":\n"on \x1b[31m fire"}')) as api:
        with pytest.raises(SourceDown, match="answers 502") as caught:
            await api.client.get("x")
        assert caught.value.code == "server_error"
        assert caught.value.why == '{"message": "on [31m fire"}'


async def test_an_answer_that_does_not_end_is_given_up() -> None:
    async with world(http(200, b"{", length=9999, then="drip")) as api:
        with pytest.raises(SourceDown, match="too slowly"):
            await api.client.get("x")


async def test_no_redirect_is_followed() -> None:
    async with wire(http()) as other:
        location = other.url("/steal?key=abc")
        async with world(http(307, b"", {"Location": location})) as api:
            with pytest.raises(SourceDown) as caught:
                await api.client.get("x")
            assert caught.value.code == "redirect"
            assert str(other.port) in str(caught.value)
            assert "abc" not in str(caught.value)
        assert other.connections == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 1.0), ("900", 900.0), ("-5", 300.0), (None, 300.0), ("junk", 300.0)],
)
async def test_429_is_waited_out(header: str | None, seconds: float) -> None:
    busy = http(429, b"", {"Retry-After": header} if header else {})
    async with world(busy, busy, http(200, b"{}")) as api:
        assert (await api.client.get("x", lane="a")).status == 200
        assert api.clock.slept == [seconds, seconds]
        assert [wait for wait, _ in api.waits] == [seconds, seconds]


@pytest.mark.parametrize(("header", "pause"), [("1200", "20 min"), ("86400", "60 min or more")])
async def test_a_pause_that_is_too_long_is_not_cut_short(header: str, pause: str) -> None:
    async with world(http(429, b"", {"Retry-After": header})) as api:
        with pytest.raises(RateLimited, match=f"a pause of {pause}"):
            await api.client.get("x")
        assert (len(api.server.requests), api.clock.slept) == (1, [])


async def test_429_for_ever() -> None:
    async with world(http(429, b'{"message": "slow down"}')) as api:
        with pytest.raises(RateLimited, match="slow down"):
            await api.client.get("x")
        assert len(api.server.requests) == 3


async def test_other_lanes_go_on() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        busy = request.headers["profile-key"] == "busy" and not events.is_set()
        return httpx.Response(429 if busy else 200, stream=httpx.ByteStream(b"{}"))

    class PausingClock(FakeClock):
        async def sleep(self, seconds: float) -> None:
            asleep.set()
            await events.wait()
            await super().sleep(seconds)

    events, asleep = anyio.Event(), anyio.Event()
    client = api_client(
        "x", "https://api.example", clock=PausingClock(), transport=httpx.MockTransport(answer)
    )
    async with anyio.create_task_group() as group:

        async def busy() -> None:
            assert (
                await client.get("x", headers={"Profile-Key": "busy"}, lane="busy")
            ).status == 200

        group.start_soon(busy)
        await asleep.wait()
        for _ in range(3):
            found = await client.get("x", headers={"Profile-Key": "free"}, lane="free")
            assert found.status == 200
        events.set()


class OtherWorkers:
    """Limits that others have used: what a request has to wait, and what was said to them."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.reserved: list[tuple[str, int | None]] = []
        self.paused: list[tuple[str, float]] = []

    async def reserve(self, key: str, most: int | None, window: float, longest: float) -> float:
        self.reserved.append((key, most))
        return self.waits.pop(0)

    async def pause(self, key: str, seconds: float) -> None:
        self.paused.append((key, seconds))


async def test_a_limit_is_shared_with_other_programs() -> None:
    others, clock = OtherWorkers(0, 7, 0, 901), FakeClock()
    said = {"X-Most": "300", "X-Made": "1"}
    answers = http(200, b"{}", said), http(429, b"", {"Retry-After": "30"}), http(200, b"{}", said)
    async with wire(*answers) as server:
        client = api_client(
            "x", server.url(), clock=clock, rate_limit=LIMITS, shared=others
        )  # fmt: skip
        async with client:
            await client.get("x", lane="a")
            await client.get("x", lane="a")
            with pytest.raises(RateLimited, match="are taken"):
                await client.get("x", lane="a")
    assert others.reserved == [("x 127.0.0.1 a", most) for most in (None, 300, 300, 300)]
    assert others.paused == [("x 127.0.0.1 a", 30.0)]
    assert clock.slept == [7, 30]


@pytest.mark.parametrize(
    ("most", "made", "left", "slept"),
    [("300", "10", "", []), ("300", "280", "", [600 / 21]), ("300", "300", "", [600.0]),
     ("x", "1", "", []), ("0", "0", "", []), ("300", "900", "", [600.0]), ("300", "", "", []),
     ("300", "", "290", []), ("300", "", "20", [600 / 21]), ("300", "0", "0", [600.0]),
     ("9" * 5000, "1", "", []), ("300", "-5", "²", [])],
)  # fmt: skip
async def test_the_quota_is_not_run_into(
    most: str, made: str, left: str, slept: list[float]
) -> None:
    headers = {"X-Most": most, "X-Made": made, "X-Left": left}
    async with world(http(200, b"{}", headers), http(200, b"{}"), rate_limit=LIMITS) as api:
        for _ in range(2):
            await api.client.get("x", lane="a")
        assert api.clock.slept == pytest.approx(slept)


async def test_a_429_without_a_time_means_a_window() -> None:
    async with world(http(429), http(200, b"{}"), rate_limit=LIMITS) as api:
        await api.client.get("x")
        assert api.clock.slept == [600.0]


async def test_headers_of_other_names_are_ignored() -> None:
    headers = {"X-RateLimit-Max": "300", "X-RateLimit-Count": "300", "X-Left": "0"}
    async with world(http(200, b"{}", headers)) as api:
        for _ in range(2):
            await api.client.get("x")
        assert api.clock.slept == []


async def test_the_usual_headers_need_no_name() -> None:
    headers = {
        "X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "2026-11-23T12:02:00Z", "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
    }  # fmt: skip
    async with world(http(200, b"{}", headers), http(200, b"{}")) as api:
        for _ in range(2):
            await api.client.get("x")
        assert api.clock.slept == [120.0]


async def test_a_429_waits_for_the_reset_where_it_names_no_time() -> None:
    headers = {"RateLimit-Remaining": "0", "RateLimit-Reset": "40"}
    async with world(http(429, b"", headers), http(200, b"{}"), rate_limit=LIMITS) as api:
        await api.client.get("x")
        assert api.clock.slept == [40.0]


async def test_a_limit_that_no_header_states_is_counted() -> None:
    counted = RateLimitPolicy(requests=10, window=60.0)
    async with world(http(200, b"{}"), rate_limit=counted) as api:
        for _ in range(9):
            await api.client.get("x")
        assert api.clock.slept == []
        for _ in range(2):
            await api.client.get("x")
        assert api.clock.slept == [30.0, 30.0]
        await api.client.get("x", lane="other")
        assert len(api.clock.slept) == 2


@pytest.mark.parametrize(
    ("body", "kind", "sent"),
    [
        ({"json": {"a": [1]}}, "application/json", b'{"a": [1]}'),
        ({"form": {"grant": "code", "k": "a b&c"}}, "application/x-www-form-urlencoded",
         b"grant=code&k=a+b%26c"),
        ({"content": b"\x00\xff"}, "application/octet-stream", b"\x00\xff"),
        ({}, "application/octet-stream", b""),
    ],
)  # fmt: skip
async def test_what_is_posted(body: dict[str, Any], kind: str, sent: bytes) -> None:
    async with world(http(201, b"{}")) as api:
        response = await api.client.post("/token", headers={"Authorization": "b"}, **body)
        assert response.status == 201
        (request,) = api.server.requests
        assert (request.method, request.target) == ("POST", "/api/token")
        assert (request.headers["content-type"], request.body) == (kind, sent)
        assert request.headers["authorization"] == "b"


async def test_a_post_is_not_sent_twice() -> None:
    for reply in (http(500), Reply(b"", "close"), http(200, b"{", length=9, then="close")):
        async with world(reply, http(200, b"{}")) as api:
            with pytest.raises(SourceDown):
                await api.client.post("x", json={})
            assert len(api.server.requests) == 1


async def test_a_post_that_was_refused_for_its_rate_is_sent_again() -> None:
    async with world(http(429, b"", {"Retry-After": "3"}), http(200, b"{}")) as api:
        assert (await api.client.post("x", json={})).status == 200
        assert api.clock.slept == [3.0]


async def test_a_large_answer_goes_to_a_file() -> None:
    whole = bytes(range(256)) * 4096
    packed = http(200, gzip.compress(whole), {"Content-Encoding": "gzip", "ETag": '"a"'})
    cut = http(200, whole, length=len(whole) + 9, then="close")
    async with world(cut, packed) as api, api.client.get_file("x", params={"did": "a"}) as answer:
        assert answer.file.read() == whole
        assert answer.size == len(whole)
        assert (answer.response.status, answer.response.body) == (200, b"")
        assert answer.response.headers["etag"] == '"a"'
        assert api.server.requests[1].target == "/api/x?did=a"


async def test_a_file_that_is_too_large_is_given_up() -> None:
    async with world(http(200, bytes(1001))) as api:
        with pytest.raises(SourceDown) as caught:
            async with api.client.get_file("x", max_size=1000):
                pass
        assert caught.value.code == "too_large"


async def test_a_file_that_is_refused_says_why() -> None:
    refused = http(400, b'{"error": "RepoNotFound"}')
    async with world(refused) as api, api.client.get_file("x") as answer:
        assert answer.response.status == 400
        assert answer.file.read() == b'{"error": "RepoNotFound"}'
    with pytest.raises(SourceDown, match="On fire"):
        async with world(http(500, b"on fire")) as api, api.client.get_file("x"):
            pass


def discovered(server: Wire, allow: tuple[str, ...], path: str = "/") -> ApiClient:
    guard = AddressGuard(allow)
    return api_client("ayrshare", server.url(path), clock=FakeClock(), guard=guard)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000", "https://10.0.0.1", "https://[::1]", "https://api.example:8443",
     "ftp://api.example", "https://0x7f.1", "nonsense"],
)  # fmt: skip
async def test_a_discovered_address_is_guarded_as_media_are(url: str) -> None:
    with pytest.raises(SourceDown) as caught:
        api_client("ayrshare", url, clock=FakeClock(), guard=AddressGuard())
    assert caught.value.code == "address"


async def test_a_discovered_name_that_leads_inside_is_refused() -> None:
    client = api_client("x", "https://localhost", clock=FakeClock(), guard=AddressGuard())
    async with client:
        with pytest.raises(SourceDown) as caught:
            await client.get("x")
    assert caught.value.code == "address"


async def test_a_discovered_address_that_is_allowed_is_asked() -> None:
    async with wire(http(200, b"{}")) as server, discovered(server, LOOPBACK) as client:
        assert (await client.get("x")).status == 200


async def test_a_redirect_of_a_discovered_address_is_followed_and_checked() -> None:
    async with wire(http(200, b"did:plc:1")) as other:
        moved = http(301, b"", {"Location": other.url("/there")})
        async with wire(moved) as server, discovered(server, LOOPBACK) as client:
            response = await client.get("x")
            assert (response.body, response.url) == (b"did:plc:1", other.url("/there"))
            with pytest.raises(SourceDown) as caught:
                await client.get("x", headers={"Authorization": "secret"})
            assert caught.value.code == "redirect"
        async with (
            wire(moved) as server,
            discovered(server, (f"127.0.0.1:{server.port}",)) as client,
        ):
            with pytest.raises(SourceDown) as caught:
                await client.get("x")
            assert caught.value.code == "address"


async def test_redirects_in_a_circle_end() -> None:
    circle = http(302, b"", {"Location": "/x"})
    async with wire(circle) as server, discovered(server, LOOPBACK) as client:
        with pytest.raises(SourceDown) as caught:
            await client.get("x")
        assert caught.value.code == "redirect"


async def test_secrets_stay_out_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "canary-0815/+=")
    key = Secret("env:CANARY").reveal()
    echo = f'{{"key": "{key}"}}'.encode()
    async with world(http(200, echo, {"ETag": f'"{key}"'})) as api:
        response = await api.client.get("x", params={"k": key}, headers={"Authorization": key})
        assert key.encode() not in response.body
        assert MASK.encode() in response.body
        assert "canary" not in response.url + response.headers["etag"]
        assert api.server.requests[0].headers["authorization"] == key
    for reply in (http(500, echo), http(302, b"", {"Location": f"http://x/{key}"})):
        async with world(reply) as api:
            with pytest.raises(SourceDown) as caught:
                await api.client.get("x")
            assert "canary" not in str(caught.value)


async def test_a_secret_that_cannot_be_a_header_is_not_shown() -> None:
    async with world(http()) as api:
        for header in ("schlüssel", "a\r\nX: y"):
            with pytest.raises(SourceDown) as caught:
                await api.client.get("x", headers={"Authorization": header})
            assert caught.value.code == "request"
            assert "schl" not in str(caught.value)
            assert "X: y" not in str(caught.value)
        assert not api.server.requests


async def test_a_port_that_nothing_listens_on_cannot_be_reached() -> None:
    async with wire(http()) as server:
        url = server.url()
    clock = FakeClock()
    async with api_client("ayrshare", url, clock=clock) as client:
        with pytest.raises(SourceDown, match="cannot be reached"):
            await client.get("x")
    assert len(clock.slept) == 2


@pytest.mark.parametrize(
    "url",
    ["", "api.example.com", "ftp://a/", "https://u:p@a/", "https://a/?b=c", "https://a/#b",
     "http://api.example.com/", "http://93.184.216.34/", "https://[::1"],
)  # fmt: skip
async def test_a_base_url_that_cannot_be(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^x: the address .*in the config ") as caught:
        api_client("x", url, clock=FakeClock())
    assert "u:p" not in str(caught.value)
    assert "b=c" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/api", "http://127.0.0.1:8000", "http://localhost/", "http://nas/",
     "http://10.0.0.1/", "http://api.local/", "http://[::1]:80/"],
)  # fmt: skip
async def test_a_base_url_that_can_be_used_opens_a_client(url: str) -> None:
    await api_client("x", url, clock=FakeClock()).aclose()
