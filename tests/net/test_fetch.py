"""The media client: what it sends, where it follows, what it hands over."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from archiver.errors import MediaError, MediaRefused
from archiver.net.fetch import MediaClient, MediaStream
from archiver.net.guard import AddressGuard
from support.net.wire import LOOPBACK, Answer, FakeClock, Reply, Wire, http, wire

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def world(*answers: Answer) -> AsyncIterator[tuple[Wire, MediaClient]]:
    guard = AddressGuard(LOOPBACK)
    async with wire(*answers) as server, MediaClient(guard, FakeClock()) as media:
        yield server, media


async def body(stream: MediaStream) -> bytes:
    return b"".join([chunk async for chunk in stream.chunks()])


async def test_it_sends_nothing_about_us() -> None:
    async with world(http(200, b"x", {"Set-Cookie": "a=b", "Alt-Svc": "h3"})) as (server, media):
        for _ in range(2):
            async with media.open(server.url()) as stream:
                assert await body(stream) == b"x"
                assert stream.headers["CONTENT-LENGTH"] == "1"
        assert server.requests[1].headers == {
            "host": f"127.0.0.1:{server.port}",
            "user-agent": "Mozilla/5.0 (compatible; social-archiver)",
            "accept": "*/*",
            "accept-encoding": "identity",
        }


async def test_only_ranges_can_be_asked_for() -> None:
    async with world(http(206, b"x")) as (server, media):
        async with media.open(server.url(), {"Range": "bytes=5-", "If-Range": '"a"'}):
            assert server.requests[0].headers["range"] == "bytes=5-"
        with pytest.raises(ValueError, match="authorization"):
            async with media.open(server.url(), {"Authorization": "Bearer x"}):
                pass


async def test_redirects_are_followed_to_the_end() -> None:
    hops = [http(302, b"gone", {"Location": f"/{n}?a=b#c"}) for n in range(5)]
    async with world(*hops, http(200, b"x")) as (server, media):
        async with media.open(server.url()) as stream:
            assert await body(stream) == b"x"
            assert stream.url == server.url("/4?a=b")
        assert server.connections == 1


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"/a b.png", "/a%20b.png"),
        (b"{origin}/a b.png", "/a%20b.png"),
        (b"//{host}/a[1]|b\\c.png?d e#f", "/a[1]|b/c.png?d%20e"),
        ("/é.png".encode(), "/%C3%A9.png"),
        ("/é.png".encode("latin-1"), "/%E9.png"),
        (b"/a%20b%.png", "/a%20b%.png"),
        (b"../x/./y", "/x/y"),
    ],
)
async def test_a_redirect_is_followed_as_browsers_do(location: bytes, target: str) -> None:
    async with wire() as server, MediaClient(AddressGuard(LOOPBACK), FakeClock()) as media:
        host = f"127.0.0.1:{server.port}".encode()
        location = location.replace(b"{origin}", b"http://" + host).replace(b"{host}", host)
        server.answers = [
            Reply(b"HTTP/1.1 302 So\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location),
            http(200, b"x"),
        ]
        async with media.open(server.url("/my photo.png")) as stream:
            assert await body(stream) == b"x"
        assert [r.target for r in server.requests] == ["/my%20photo.png", target]


async def test_a_redirect_to_two_places_is_not_followed() -> None:
    said = b"HTTP/1.1 302 So\r\nLocation: /a\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n"
    async with world(Reply(said % b"/a"), http(200, b"x"), Reply(said % b"/b")) as (server, media):
        async with media.open(server.url()) as stream:
            assert stream.status == 200
        with pytest.raises(MediaError, match="two different Location headers"):
            async with media.open(server.url()):
                pass


async def test_headers_for_a_range_are_sent_at_every_hop() -> None:
    hop = http(302, b"", {"Location": "/next"})
    async with world(hop, http(206, b"x")) as (server, media):
        async with media.open(server.url(), {"Range": "bytes=1-"}):
            pass
        assert [r.headers.get("range") for r in server.requests] == ["bytes=1-"] * 2


@pytest.mark.parametrize("location", ["", "#top", "/file", "?"])
async def test_a_circle_is_left(location: str) -> None:
    async with world(http(301, b"", {"Location": location})) as (server, media):
        with pytest.raises(MediaError, match="redirects cannot be followed") as caught:
            async with media.open(server.url()):
                pass
        assert caught.value.code == "redirects"


async def test_six_hops_are_too_many() -> None:
    hops = [http(307, b"", {"Location": f"/{n}"}) for n in range(9)]
    async with world(*hops) as (server, media):
        with pytest.raises(MediaError, match="More than 5"):
            async with media.open(server.url()):
                pass
        assert len(server.requests) == 6


async def test_a_redirect_to_a_forbidden_address_is_refused_before_any_packet() -> None:
    async with (
        wire(http()) as secret,
        wire(http(302, b"", {"Location": secret.url()}, then="close")) as server,
    ):
        guard = AddressGuard([f"127.0.0.1:{server.port}"])
        async with MediaClient(guard, FakeClock()) as media:
            with pytest.raises(MediaRefused):
                async with media.open(server.url()):
                    pass
        assert secret.connections == 0


async def test_https_is_not_left_for_http() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://cdn.example/"})

    async with MediaClient(
        AddressGuard(), FakeClock(), transport=httpx.MockTransport(answer)
    ) as media:
        with pytest.raises(MediaRefused, match="from https to http"):
            async with media.open("https://cdn.example/"):
                pass
    assert asked == ["https://cdn.example/"]


async def test_a_redirect_without_a_target_is_an_answer() -> None:
    async with world(http(302, b"x")) as (server, media), media.open(server.url()) as stream:
        assert stream.status == 302


async def test_gzip_that_was_not_asked_for_is_undone() -> None:
    packed = gzip.compress(b"picture")
    headers = {"Content-Encoding": "gzip", "ETag": '"a"'}
    async with world(http(200, packed, headers)) as (server, media):
        async with media.open(server.url()) as stream:
            found = await body(stream)
        assert found == b"picture"
        assert "content-length" not in stream.headers
        assert "content-encoding" not in stream.headers
        assert stream.checked_end


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, gzip"])
async def test_encodings_that_cannot_be_undone(encoding: str) -> None:
    packed = gzip.compress(b"picture" * 100)[:-20]
    async with world(http(200, packed, {"Content-Encoding": encoding})) as (server, media):
        with pytest.raises(MediaError) as caught:
            async with media.open(server.url()) as stream:
                await body(stream)
        assert caught.value.code == "encoding"


async def test_chunks_prove_their_end() -> None:
    chunked = Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
    async with world(chunked) as (server, media), media.open(server.url()) as stream:
        assert stream.checked_end
        assert await body(stream) == b"x"


@pytest.mark.parametrize(
    "reply",
    [http(200, b"x", length=9, then="close"), Reply(b"", "close"), Reply(b"junk\r\n\r\n", "close"),
     http(200, b"x", length=9, then="reset")],
)  # fmt: skip
async def test_what_a_retry_may_fix_has_the_code_network(reply: Reply) -> None:
    async with world(reply) as (server, media):
        with pytest.raises(MediaError) as caught:
            async with media.open(server.url("/secret?sig=abc")) as stream:
                await body(stream)
        assert caught.value.code == "network"
        assert "abc" not in str(caught.value)


async def test_an_error_page_does_not_cost_the_connection() -> None:
    async with world(http(404, b"not here")) as (server, media):
        for _ in range(3):
            async with media.open(server.url()) as stream:
                assert stream.status == 404
        assert server.connections == 1


async def test_waiting_is_passed_on() -> None:
    async with world(http(429, b"", {"Retry-After": "7"})) as (server, media):
        async with media.open(server.url()) as stream:
            pass
        assert stream.retry_after == 7.0
