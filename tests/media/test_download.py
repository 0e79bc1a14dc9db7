"""Downloads: right, or an error that says why; and nothing left behind."""

import asyncio
import gzip
import hashlib
import math
import os
import random
import stat
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from anyio import to_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.errors import (
    MediaError,
    MediaExpired,
    MediaGone,
    MediaRefused,
    StorageError,
)
from archiver.media import temp_file as part_module
from archiver.media import transfer
from archiver.media.download import Download, Downloader
from archiver.media.transfer import Limits
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard
from support.loop_time import running_loop
from support.media.samples import (
    DOCX,
    FRAGMENT,
    GIF,
    HTML,
    INIT_SEGMENT,
    JPEG,
    MP4,
    PDF,
    PNG,
    movie,
    picture,
    webm,
    zipped,
)
from support.net.wire import LOOPBACK, Answer, FakeClock, Reply, Request, Wire, http, wire

pytestmark = pytest.mark.anyio

LARGE = JPEG[:-2] + random.Random(1).randbytes(50_000).replace(b"\xff", b"\x00") + b"\xff\xd9"
OLD = {"Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}
YOUNG = {"Last-Modified": "Mon, 23 Nov 2026 11:59:30 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}
STRONG = {"ETag": '"v1"'}


class World:
    def __init__(self, server: Wire, media: MediaClient, tmp: Path, **options: Any) -> None:
        self.server = server
        self.clock = FakeClock()
        self.tmp = tmp
        self.seen: list[int] = []
        settings = {
            "max_size": 1 << 20,
            "on_bytes": self.seen.append,
            "jitter": lambda: 1.0,
        }
        self.downloader = Downloader(media.open, tmp, self.clock, **{**settings, **options})

    async def fetch(self, path: str = "/file", **more: Any) -> Download:
        return await self.downloader.fetch(self.server.url(path), **more)

    def is_clean(self) -> bool:
        return not list(self.tmp.iterdir())


@asynccontextmanager
async def world(tmp: Path, *answers: Answer, **options: Any) -> AsyncIterator[World]:
    guard = AddressGuard(LOOPBACK)
    async with wire(*answers) as server, MediaClient(guard, FakeClock()) as media:
        yield World(server, media, tmp, **options)


async def fails(tmp: Path, *answers: Answer, expects: str = "image", **options: Any) -> MediaError:
    """The error of a download that must fail; nothing may be left of it."""
    async with world(tmp, *answers, **options) as it:
        with pytest.raises(MediaError) as caught:
            await it.fetch(expects=expects)
        assert it.is_clean()
        return caught.value


def is_right(found: Download, data: bytes) -> bool:
    return (
        found.path.read_bytes() == data
        and found.size == len(data)
        and found.sha256 == hashlib.sha256(data).hexdigest()
    )


async def test_a_file_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    headers = {"Content-Type": "text/plain", "Set-Cookie": "a=b", **STRONG, **OLD}
    async with world(tmp_path, http(200, JPEG, headers)) as it:
        found = await it.fetch(expects="image")
        assert is_right(found, JPEG)
        assert (found.content_type, found.extension) == ("image/jpeg", "jpg")
        assert (found.width, found.height) == (40, 30)
        assert dict(found.served) == {
            "content-type": "text/plain", "etag": '"v1"',
            "last-modified": OLD["Last-Modified"], "date": OLD["Date"],
        }  # fmt: skip
        assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
        assert sum(it.seen) == len(JPEG)
        found.discard()
        assert it.is_clean()


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [(401, MediaError, "http_401"), (403, MediaExpired, "expired"), (404, MediaGone, "gone"),
     (410, MediaGone, "gone"), (204, MediaError, "empty"), (302, MediaError, "http_302"),
     (400, MediaError, "http_400"), (451, MediaError, "http_451"), (416, MediaError, "http_416")],
)  # fmt: skip
async def test_statuses_that_end_it(
    tmp_path: Path, status: int, kind: type[MediaError], code: str
) -> None:
    async with world(tmp_path, http(status)) as it:
        with pytest.raises(kind) as caught:
            await it.fetch()
        assert caught.value.code == code
        assert len(it.server.requests) == 1
        assert it.clock.slept == []
        if isinstance(caught.value, MediaGone):
            assert caught.value.final == (status == 410)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_statuses_that_a_retry_fixes(tmp_path: Path, status: int) -> None:
    answers = [http(status, b"", {"Retry-After": "7"}), http(status), http(200, JPEG)]
    async with world(tmp_path, *answers) as it:
        assert is_right(await it.fetch(), JPEG)
        assert it.clock.slept == [7.0, 4.0]


async def test_tries_are_bounded(tmp_path: Path) -> None:
    async with world(tmp_path, http(503)) as it:
        with pytest.raises(MediaError) as caught:
            await it.fetch()
        assert caught.value.code == "http_503"
        assert it.clock.slept == [2, 4, 8, 16]
        assert it.is_clean()


async def test_a_server_that_asks_to_wait_for_long_is_left_for_later(tmp_path: Path) -> None:
    error = await fails(tmp_path, http(429, b"", {"Retry-After": "900"}))
    assert error.code == "http_429"


@pytest.mark.parametrize(
    ("body", "expects", "code"),
    [(HTML, "image", "html"), (b'{"error": 1}', "image", "json"), (b"", "image", "empty"),
     (b"<Error/>", "video", "xml"), (b"<svg></svg>", "image", "svg"), (b"nope", "image", "text"),
     (b"%PDF-1.4", "image", "pdf"), (JPEG, "video", "wrong_kind"),
     (b"#EXTM3U\n", "image", "wrong_kind"), (b"\x00\x01\x02", "image", "unknown"),
     (PNG, "playlist", "wrong_kind"), (zipped("a.txt"), "document", "zip"),
     (HTML, "document", "html"), (b"", "document", "empty"), (b"MZ", "document", "executable"),
     (b'{"error": 1}', "document", "json"), (PDF, "video", "pdf")],
)  # fmt: skip
async def test_something_else_in_place_of_media(
    tmp_path: Path, body: bytes, expects: str, code: str
) -> None:
    error = await fails(tmp_path, http(200, body), expects=expects)
    assert error.code == code


async def test_an_endless_page_is_left_early(tmp_path: Path) -> None:
    page = Reply(b"HTTP/1.1 200 OK\r\n\r\n" + HTML + b" " * 8000, "hang")
    assert (await fails(tmp_path, page)).code == "html"


@pytest.mark.parametrize(
    ("body", "expects"),
    [(MP4, "image"), (GIF, "gif"), (MP4, "gif"), (MP4, "video"), (PNG, None),
     (PDF, "document"), (DOCX, "document"), (PNG, "document"), (MP4, "playlist"),
     (b"\x00\x01", None), (b"\x00\x01", "document")],
)  # fmt: skip
async def test_what_fits(tmp_path: Path, body: bytes, expects: str | None) -> None:
    async with world(tmp_path, http(200, body)) as it:
        assert is_right(await it.fetch(expects=expects), body)


@pytest.mark.parametrize("body", [b"#EXTM3U\n", b'<?xml version="1.0"?><MPD xmlns="x"></MPD>'])
@pytest.mark.parametrize("expects", ["playlist", "video", "gif", "audio", None])
async def test_a_playlist_is_known_by_its_bytes_and_never_taken_for_the_file(
    tmp_path: Path, body: bytes, expects: str | None
) -> None:
    async with world(tmp_path, http(200, body, {"Content-Type": "video/mp4"})) as it:
        found = await it.fetch(expects=expects)
        assert is_right(found, body)
        assert found.is_playlist


@pytest.mark.parametrize("expects", ["video", "gif", "playlist"])
@pytest.mark.parametrize(
    ("body", "code"), [(FRAGMENT, "incomplete"), (INIT_SEGMENT, "incomplete"),
                       (movie(tracks=(b"soun",)), "wrong_kind"), (webm(2), "wrong_kind"),
                       (b"fLaC\x00\x00\x00\x22", "wrong_kind")]
)  # fmt: skip
async def test_a_segment_of_a_video_or_its_audio_track_is_not_the_video(
    tmp_path: Path, body: bytes, code: str, expects: str
) -> None:
    error = await fails(tmp_path, http(200, body, {"Content-Type": "video/mp4"}), expects=expects)
    assert error.code == code


async def test_an_unknown_kind_is_kept_when_served_as_media(tmp_path: Path) -> None:
    async with world(tmp_path, http(200, b"\x00new", {"Content-Type": "image/newest"})) as it:
        found = await it.fetch(expects="image")
        assert (found.content_type, found.extension) == ("application/octet-stream", "bin")


async def test_a_slow_disk_is_not_taken_for_a_slow_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, run_sync = part_module.TempFile.flush, to_thread.run_sync
    deadlines: list[float] = []

    async def watched(*args: Any, **options: Any) -> None:
        deadlines.append(anyio.current_effective_deadline())
        await run_sync(*args, **options)

    async with world(tmp_path, http(200, LARGE, {"Content-Type": "image/jpeg"})) as it:

        def slow(part: part_module.TempFile) -> None:
            it.clock.seconds += 3600
            flush(part)

        monkeypatch.setattr(part_module, "CHUNK_SIZE", 4096)
        monkeypatch.setattr(part_module.TempFile, "flush", slow)
        monkeypatch.setattr(transfer, "to_thread", SimpleNamespace(run_sync=watched))
        assert is_right(await it.fetch(), LARGE)
    assert deadlines
    assert set(deadlines) == {math.inf}


@pytest.mark.parametrize("data", [LARGE, JPEG[:-2] + bytes(1 << 19) + b"\xff\xd9"])
async def test_no_file_is_made_or_written_by_the_thread_of_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    threads: list[int] = []

    def watch(module: object, name: str) -> None:
        call = getattr(module, name)

        def watched(*args: Any) -> Any:
            threads.append(threading.get_ident())
            return call(*args)

        monkeypatch.setattr(module, name, watched)

    watch(part_module, "create_file")
    watch(part_module.TempFile, "flush")
    watch(part_module.TempFile, "finish")
    async with world(tmp_path, http(200, data)) as it:
        assert is_right(await it.fetch(), data)
    assert len(threads) >= 3
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("declared", [True, False])
async def test_too_large(tmp_path: Path, declared: bool) -> None:
    answer = http(200, LARGE, length=-1 if declared else None)
    async with world(tmp_path, answer, max_size=1000) as it:
        with pytest.raises(MediaRefused, match="1,000 bytes") as caught:
            await it.fetch()
        assert caught.value.code == "too_large"
        assert it.is_clean()
        assert not declared or not it.seen


@pytest.mark.parametrize(
    "short",
    [
        http(200, LARGE[:9000], length=len(LARGE), then="close"),
        http(200, LARGE[:9000], length=len(LARGE), then="reset"),
        Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close"),
        Reply(b"", "close"),
        Reply(b"garbage\r\n\r\n", "close"),
    ],
)
async def test_cut_short_without_a_validator_starts_again(tmp_path: Path, short: Reply) -> None:
    async with world(tmp_path, short, http(200, LARGE)) as it:
        assert is_right(await it.fetch(), LARGE)
        assert "range" not in it.server.requests[1].headers
    assert (await fails(tmp_path_of(tmp_path), short)).code == "network"


def tmp_path_of(tmp_path: Path) -> Path:
    folder = tmp_path / "second"
    folder.mkdir()
    return folder


def ranged(data: bytes, **changes: str) -> Callable[[Request], Reply]:
    """A server that honours ranges, but for the headers that are changed."""

    def answer(request: Request) -> Reply:
        first = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        headers = {
            "Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}", **STRONG, **changes
        }  # fmt: skip
        return http(206, data[first:], {name: value for name, value in headers.items() if value})

    return answer


def cut(headers: dict[str, str]) -> Reply:
    return http(200, LARGE[:9000], headers, length=len(LARGE), then="close")


async def test_a_transfer_is_resumed_where_it_broke(tmp_path: Path) -> None:
    async with world(tmp_path, cut(STRONG), ranged(LARGE)) as it:
        found = await it.fetch()
        assert is_right(found, LARGE)
        resumed = it.server.requests[1].headers
        assert resumed["range"] == "bytes=9000-"
        assert resumed["if-range"] == '"v1"'
        assert sum(it.seen) == len(LARGE)
        assert found.served["etag"] == '"v1"'


async def test_an_old_date_is_a_validator_too(tmp_path: Path) -> None:
    rest = ranged(LARGE, ETag="", **{"Last-Modified": OLD["Last-Modified"]})
    async with world(tmp_path, cut(OLD), rest) as it:
        assert is_right(await it.fetch(), LARGE)
        assert it.server.requests[1].headers["if-range"] == OLD["Last-Modified"]


@pytest.mark.parametrize(
    "headers",
    [{}, {"ETag": 'W/"v1"'}, {"ETag": '"\xe9"'}, YOUNG, {"ETag": "v1"},
     {**STRONG, "Accept-Ranges": "none"}, {"Last-Modified": OLD["Last-Modified"]},
     {**OLD, "Last-Modified": "junk"}],
)  # fmt: skip
async def test_what_is_no_validator_is_not_used(tmp_path: Path, headers: dict[str, str]) -> None:
    async with world(tmp_path, cut(headers), http(200, LARGE)) as it:
        assert is_right(await it.fetch(), LARGE)
        assert "range" not in it.server.requests[1].headers


class Short:
    """An answer of a client that does not notice that bytes are missing."""

    status = 200
    headers: Mapping[str, str] = {"content-length": str(len(JPEG) + 1)}
    url = "https://cdn.example/a"
    retry_after: float | None = None
    checked_end = True

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield JPEG


async def test_lengths_are_compared_whatever_the_client_says(tmp_path: Path) -> None:
    @asynccontextmanager
    async def opener(url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Short]:
        yield Short()

    downloader = Downloader(opener, tmp_path, FakeClock(), max_size=1 << 20)
    with pytest.raises(MediaError) as caught:
        await downloader.fetch("https://cdn.example/a")
    assert caught.value.code == "short"
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240 — it is over


OTHER = LARGE[:5_000] + b"changed" + LARGE[5_007:]
LONGER = OTHER[:-2] + bytes(100) + OTHER[-2:]


@pytest.mark.parametrize(
    "rest",
    [
        http(200, OTHER, {"ETag": '"v2"'}),
        ranged(OTHER, ETag='"v2"'),
        ranged(LONGER),
        ranged(OTHER, ETag=""),
        ranged(OTHER, ETag='W/"v1"'),
        ranged(OTHER, **{"Content-Range": f"bytes 0-{len(OTHER) - 1}/{len(OTHER)}"}),
        ranged(OTHER, **{"Content-Range": f"bytes 9000-{len(OTHER) - 1}/{len(OTHER) + 1}"}),
        ranged(OTHER, **{"Content-Range": f"bytes 9000-{len(OTHER) - 2}/{len(OTHER)}"}),
        ranged(OTHER, **{"Content-Range": f"bytes 9000-{len(OTHER) - 1}/*"}),
        ranged(OTHER, **{"Content-Range": ""}),
        ranged(OTHER, **{"Content-Range": "", "Content-Type": "multipart/byteranges"}),
        http(416, b"", {"Content-Range": "bytes */5"}),
    ],
)
async def test_a_changed_file_is_never_joined_to_an_old_part(tmp_path: Path, rest: Answer) -> None:
    async with world(tmp_path, cut(STRONG), rest, http(200, OTHER)) as it:
        assert is_right(await it.fetch(), OTHER)


async def test_a_part_that_was_not_asked_for(tmp_path: Path) -> None:
    whole = http(206, LARGE, {"Content-Range": f"bytes 0-{len(LARGE) - 1}/{len(LARGE)}"})
    async with world(tmp_path, whole) as it:
        assert is_right(await it.fetch(), LARGE)
    part = http(206, LARGE[:99], {"Content-Range": f"bytes 0-98/{len(LARGE)}"})
    assert (await fails(tmp_path_of(tmp_path), part)).code == "range"


async def test_a_rest_that_breaks_again_is_resumed_again(tmp_path: Path) -> None:
    def rest(request: Request) -> Reply:
        reply = ranged(LARGE)(request)
        head, _, body = reply.data.partition(b"\r\n\r\n")
        return Reply(head + b"\r\n\r\n" + body[:10_000], "close")

    async with world(tmp_path, cut(STRONG), rest, rest, rest, ranged(LARGE)) as it:
        assert is_right(await it.fetch(), LARGE)


@pytest.mark.parametrize("data", [JPEG, PNG, GIF, MP4, picture("WEBP"), picture("BMP")])
async def test_without_a_length_the_format_shows_whether_it_is_complete(
    tmp_path: Path, data: bytes
) -> None:
    async with world(tmp_path, http(200, data, length=None)) as it:
        found = await it.fetch()
        assert is_right(found, data)
        found.discard()
    assert (await fails(tmp_path, http(200, data[:-9], length=None))).code == "short"


@pytest.mark.parametrize(("length", "is_proven"), [(-1, True), (None, False)])
async def test_a_file_whose_end_cannot_be_checked_says_so(
    tmp_path: Path, length: int | None, is_proven: bool
) -> None:
    async with world(tmp_path, http(200, b"ID3" + bytes(3000), length=length)) as it:
        found = await it.fetch(expects="audio")
        assert found.is_proven is is_proven
        found.discard()


@pytest.mark.parametrize("pillow_format", ["GIF", "PNG", "JPEG", "WEBP"])
async def test_a_picture_of_one_pixel_is_a_placeholder(tmp_path: Path, pillow_format: str) -> None:
    pixel = picture(pillow_format, (1, 1))
    async with world(tmp_path, http(200, pixel)) as it:
        with pytest.raises(MediaError, match="one pixel") as caught:
            await it.fetch(expects="image")
        assert caught.value.code == "placeholder"
        assert it.is_clean()
    async with world(tmp_path, http(200, picture(pillow_format, (1, 2)))) as it:
        (await it.fetch(expects="image")).discard()


async def test_gzip_is_undone_or_an_error(tmp_path: Path) -> None:
    packed = gzip.compress(JPEG)
    headers = {"Content-Encoding": "gzip", **STRONG}
    async with world(tmp_path, http(200, packed, headers)) as it:
        found = await it.fetch()
        assert is_right(found, JPEG)
        found.discard()
    assert (await fails(tmp_path, http(200, packed[:-9], headers))).code == "encoding"
    assert (await fails(tmp_path, http(200, b"x", {"Content-Encoding": "br"}))).code == "encoding"
    bomb = http(200, gzip.compress(JPEG + bytes(1 << 24)), headers)
    assert (await fails(tmp_path, bomb)).code == "too_large"


async def test_a_slow_drip_is_stopped(tmp_path: Path) -> None:
    for limits in (Limits(tries=1, window=5.0), Limits(tries=1, window=1e9, grace=5.0)):
        async with world(tmp_path, http(200, JPEG), limits=limits) as it:
            it.clock.tick = 10.0
            with pytest.raises(MediaError) as caught:
                await it.fetch()
            assert caught.value.code == "slow"
            assert it.is_clean()


async def test_a_fast_transfer_is_not(tmp_path: Path) -> None:
    limits = Limits(window=0.0, grace=1.0, min_rate=1.0)
    async with world(tmp_path, http(200, LARGE), limits=limits) as it:
        it.clock.tick = 0.001
        assert is_right(await it.fetch(), LARGE)


async def test_headers_that_never_end_are_given_up(tmp_path: Path) -> None:
    drip = Reply(b"HTTP/1.1 200 OK\r\nX: ", "drip")
    error = await fails(tmp_path, drip, limits=Limits(tries=2))
    assert "did not answer in time" in str(error)


async def test_waiting_for_a_connection_is_not_the_servers_fault(tmp_path: Path) -> None:
    """Where large files take all connections to a host, the next one waits for minutes."""
    headers = {"Connection": "close"}
    large = http(200, JPEG, headers, length=len(JPEG) + 3, then="hang")
    found: list[int] = []

    async def fetch(it: World) -> None:
        found.append((await it.fetch()).size)

    async with (
        wire(large, http(200, OTHER)) as server,
        MediaClient(AddressGuard(LOOPBACK), FakeClock(), per_host=1) as media,
        anyio.create_task_group() as group,
    ):
        it = World(server, media, tmp_path, limits=Limits(tries=1, min_rate=0.001))
        it.clock.tick = 31.0
        for _ in range(2):
            group.start_soon(fetch, it)
        for count in range(1, 4):
            while sum(it.seen) < len(JPEG) + count - 1:
                await anyio.lowlevel.checkpoint()
            await asyncio.wrap_future(running_loop().skip(25.0))
            for writer in server.writers:
                writer.write(b" ")
    assert found == [len(JPEG) + 3, len(OTHER)]


async def test_an_expired_url_is_not_asked_for(tmp_path: Path) -> None:
    async with world(tmp_path, http(200, JPEG)) as it:
        with pytest.raises(MediaExpired):
            await it.fetch("/a?x-expires=1000000000")
        assert not it.server.requests
        await it.fetch("/a?x-expires=1000000000", even_if_expired=True)


async def test_forbidden_addresses_are_refused_without_a_second_try(tmp_path: Path) -> None:
    async with world(tmp_path, http()) as it:
        with pytest.raises(MediaRefused):
            await it.downloader.fetch("http://169.254.169.254/latest/meta-data")
        assert it.clock.slept == []
        assert it.is_clean()


async def test_a_full_disk_is_an_error_of_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(part_module, "os", SimpleNamespace(**{**vars(os), "write": full}))
    async with world(tmp_path, http(200, JPEG)) as it:
        with pytest.raises(StorageError, match="disk is full") as caught:
            await it.fetch()
        assert caught.value.code == "full"
        assert it.is_clean()
    with pytest.raises(StorageError):
        async with world(tmp_path / "nowhere", http(200, JPEG)) as it:
            await it.fetch()


FAULTS = st.sampled_from(
    [
        cut(STRONG), cut({}), cut(OLD), http(500), http(429), Reply(b"", "close"),
        http(200, LARGE[:700], STRONG, length=len(LARGE), then="reset"),
        http(206, LARGE[5:], {"Content-Range": f"bytes 5-{len(LARGE) - 1}/{len(LARGE)}", **STRONG}),
        http(416), http(200, HTML), http(200, gzip.compress(LARGE)[:-1],
                                         {"Content-Encoding": "gzip"}),
        http(404), http(403), http(200, LARGE[:-40], length=None),
    ]
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(FAULTS, max_size=6), st.booleans())
async def test_whatever_happens_the_bytes_are_right_or_absent(
    tmp_path: Path, faults: list[Reply], resumes: bool
) -> None:
    def healthy(request: Request) -> Reply:
        if resumes and "range" in request.headers:
            return ranged(LARGE)(request)
        return http(200, LARGE, STRONG)

    async with world(tmp_path, *faults, healthy) as it:
        for _ in range(len(faults) + 1):
            try:
                found = await it.fetch(expects="image")
            except MediaError:
                assert it.is_clean()
                continue
            assert is_right(found, LARGE)
            found.discard()
            break
        else:
            pytest.fail("a clean run does not repair it")
