"""One request of a transfer: what its status, its length and its range mean for the file."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from archiver.clock import DemoClock
from archiver.errors import MediaError, MediaExpired, MediaGone, MediaRefused
from archiver.media import transfer as transfer_module
from archiver.media.store import ByteRange
from archiver.media.temp_file import TempFile
from archiver.media.transfer import Limits, RetryableError, Transfer, check_media, refuse_size

pytestmark = pytest.mark.anyio

ETAG = {"etag": '"v1"'}
WHOLE = b"\xff\xd8\xff" + b"0123456789" * 10


@dataclass
class Response:
    """A MediaResponse of the test's own; `then` is raised after the chunks."""

    status: int = 200
    chunks_: tuple[bytes, ...] = (WHOLE,)
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = "https://a.example/1.jpg"
    retry_after: float | None = None
    checked_end: bool = False
    then: Exception | None = None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for chunk in self.chunks_:
            yield chunk
        if self.then is not None:
            raise self.then


class Server:
    """Gives responses one after the other, and keeps the headers that it was asked with."""

    def __init__(self, *responses: Response) -> None:
        self.responses = list(responses)
        self.asked: list[dict[str, str]] = []

    @asynccontextmanager
    async def open(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Response]:
        assert url == "https://a.example/1.jpg"
        self.asked.append(dict(headers or {}))
        yield self.responses.pop(0)


def length(size: int = len(WHOLE), **more: str) -> dict[str, str]:
    return {"content-length": str(size), **more}


def broken(size: int, headers: Mapping[str, str]) -> Response:
    """The connection breaks after so many bytes."""
    error = MediaError("The file could not be fetched", code="network")
    return Response(chunks_=(WHOLE[:size],), headers=headers, then=error)


def rest(start: int, headers: Mapping[str, str], total: int = len(WHOLE)) -> Response:
    values = {"content-range": f"bytes {start}-{total - 1}/{total}", **headers}
    return Response(206, (WHOLE[start:],), values)


def transfer(part: TempFile, **options: Any) -> Transfer:
    settings: dict[str, Any] = {
        "max_size": 1_000, "limits": Limits(), "clock": DemoClock(), "on_bytes": None,
        "threads": anyio.CapacityLimiter(1),
    }  # fmt: skip
    return Transfer("https://a.example/1.jpg", part, **(settings | options))


async def run(
    tmp_path: Path, *responses: Response, **options: Any
) -> tuple[bytes, Server, Transfer]:
    """The bytes after as many tries as there are responses, each but the last to be retried."""
    server = Server(*responses)
    with TempFile(tmp_path) as part:
        moved = transfer(part, **options)
        for _ in responses[1:]:
            with pytest.raises(RetryableError):
                await moved.run(server.open)
        await moved.run(server.open)
        part.finish()
        return part.path.read_bytes(), server, moved


async def fails(tmp_path: Path, response: Response, **options: Any) -> Exception:
    with TempFile(tmp_path) as part:
        with pytest.raises((MediaError, RetryableError)) as caught:
            await transfer(part, **options).run(Server(response).open)
        return caught.value


async def test_the_bytes_come_over_with_their_headers(tmp_path: Path) -> None:
    seen: list[int] = []
    response = Response(chunks_=(WHOLE[:40], WHOLE[40:]), headers=length())
    data, server, moved = await run(tmp_path, response, on_bytes=seen.append)
    assert data == WHOLE
    assert server.asked == [{}]
    assert moved.headers == length()
    assert seen == [40, len(WHOLE) - 40]


@pytest.mark.parametrize(
    ("response", "proven"),
    [
        (Response(headers=length()), True), (Response(checked_end=True), True), (Response(), False),
        (Response(headers={"content-length": "103, 103"}), True),
        (Response(headers={"content-length": "103, 104"}), False),
    ],
)  # fmt: skip
async def test_a_file_is_proven_complete_by_a_length_or_a_marked_end(
    tmp_path: Path, response: Response, *, proven: bool
) -> None:
    _, _, moved = await run(tmp_path, response)
    assert moved.proven is proven


async def test_fewer_bytes_than_the_content_length_are_retried(tmp_path: Path) -> None:
    error = await fails(tmp_path, Response(headers=length(len(WHOLE) + 1)))
    assert isinstance(error, RetryableError)
    assert error.error.code == "short"


async def test_with_a_strong_validator_only_the_rest_is_requested(tmp_path: Path) -> None:
    data, server, _ = await run(tmp_path, broken(40, length() | ETAG), rest(40, ETAG))
    assert data == WHOLE
    assert server.asked[1] == {"Range": "bytes=40-", "If-Range": '"v1"'}


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"etag": 'W/"v1"'}, {"etag": "v1"}, {"accept-ranges": "none", **ETAG},
        {"last-modified": "Mon, 23 Nov 2026 11:59:30 GMT", "date": "Mon, 23 Nov 2026 12:00:00 GMT"},
        {"last-modified": "Mon, 23 Nov 2026 11:00:00 GMT"}, {"last-modified": "nonsense"},
    ],
)  # fmt: skip
async def test_without_one_the_whole_is_requested_again(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    again = Response(headers=length())
    data, server, _ = await run(tmp_path, broken(40, length() | headers), again)
    assert data == WHOLE
    assert server.asked[1] == {}


async def test_a_date_that_is_a_minute_old_is_a_validator(tmp_path: Path) -> None:
    dates = {
        "last-modified": "Mon, 23 Nov 2026 11:59:00 GMT", "date": "Mon, 23 Nov 2026 12:00:00 GMT",
    }  # fmt: skip
    _, server, _ = await run(tmp_path, broken(40, length() | dates), rest(40, dates))
    assert server.asked[1]["If-Range"] == dates["last-modified"]


@pytest.mark.parametrize(
    "answer",
    [
        rest(40, {"etag": '"v2"'}), rest(40, {}), rest(39, ETAG), rest(40, ETAG, len(WHOLE) + 1),
        Response(206, (b"x",), {"content-range": "bytes 40-40/*", **ETAG}), Response(206, (b"x",)),
        Response(416, ()), rest(40, ETAG | {"content-length": "1"}),
    ],
)  # fmt: skip
async def test_a_rest_that_may_be_of_another_file_starts_the_transfer_over_at_once(
    tmp_path: Path, answer: Response
) -> None:
    server = Server(broken(40, length() | ETAG), answer, Response(headers=length()))
    with TempFile(tmp_path) as part:
        moved = transfer(part)
        with pytest.raises(RetryableError):
            await moved.run(server.open)
        with pytest.raises(RetryableError) as caught:
            await moved.run(server.open)
        assert caught.value.wait == 0.0
        assert part.size == 0
        await moved.run(server.open)
        assert part.size == len(WHOLE)
    assert server.asked[2] == {}


async def test_a_server_that_ignores_the_range_sends_the_whole_again(tmp_path: Path) -> None:
    whole = Response(headers=length() | ETAG)
    data, _, _ = await run(tmp_path, broken(40, length() | ETAG), whole)
    assert data == WHOLE


@pytest.mark.parametrize(
    ("headers", "proven"),
    [
        ({}, False), ({"content-range": f"bytes 0-{len(WHOLE) - 1}/{len(WHOLE)}"}, True),
        ({"content-range": f"bytes 0-{len(WHOLE) - 1}/*"}, False),
    ],
)  # fmt: skip
async def test_a_206_that_was_not_asked_for_may_be_the_whole(
    tmp_path: Path, headers: dict[str, str], *, proven: bool
) -> None:
    data, _, moved = await run(tmp_path, Response(206, (WHOLE,), headers))
    assert data == WHOLE
    assert moved.proven is proven


@pytest.mark.parametrize("value", ["bytes 5-102/103", "bytes 0-50/103"])
async def test_a_206_of_another_part_is_not_taken(tmp_path: Path, value: str) -> None:
    error = await fails(tmp_path, Response(206, (WHOLE,), {"content-range": value}))
    assert isinstance(error, RetryableError)
    assert error.error.code == "range"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (204, MediaError, "empty"), (403, MediaExpired, "expired"), (404, MediaGone, "gone"),
        (410, MediaGone, "gone"), (400, MediaError, "http_400"), (501, MediaError, "http_501"),
    ],
)  # fmt: skip
async def test_a_status_that_no_retry_can_change_is_an_error(
    tmp_path: Path, status: int, kind: type[MediaError], code: str
) -> None:
    error = await fails(tmp_path, Response(status))
    assert type(error) is kind
    assert error.code == code
    assert getattr(error, "final", None) == {404: False, 410: True}.get(status)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_status_that_may_pass_is_retried_when_the_server_says(
    tmp_path: Path, status: int
) -> None:
    error = await fails(tmp_path, Response(status, retry_after=7.0))
    assert isinstance(error, RetryableError)
    assert error.wait == 7.0


async def test_a_server_that_asks_to_wait_for_long_is_left_to_a_later_run(tmp_path: Path) -> None:
    error = await fails(tmp_path, Response(503, retry_after=121.0))
    assert isinstance(error, MediaError)


@pytest.mark.parametrize("headers", [length(1_001), {}])
async def test_a_file_that_is_too_large_is_refused_by_its_length_or_its_bytes(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    error = await fails(tmp_path, Response(chunks_=(WHOLE[:3] + b"0" * 998,), headers=headers))
    assert isinstance(error, MediaRefused)
    assert error.code == "too_large"


PART = ByteRange(10, 30)


def part_of(start: int, end: int, body: bytes, **more: str) -> Response:
    """A 206 that says that it is these bytes of the file."""
    headers = {"content-range": f"bytes {start}-{end - 1}/{len(WHOLE)}", **more}
    return Response(206, (body,), headers)


async def test_a_part_of_a_file_is_asked_for_and_resumed_within_it(tmp_path: Path) -> None:
    first = part_of(10, 30, WHOLE[10:14], **ETAG)
    first.then = MediaError("The file could not be fetched", code="network")
    second = part_of(14, 30, WHOLE[14:30], **ETAG)
    data, server, _ = await run(tmp_path, first, second, span=PART, any_bytes=True)
    assert data == WHOLE[10:30]
    assert server.asked == [
        {"Range": "bytes=10-29"}, {"Range": "bytes=14-29", "If-Range": '"v1"'},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "response",
    [Response(headers=length()), part_of(0, 20, WHOLE[:20]), part_of(10, 31, WHOLE[10:31])],
)
async def test_another_part_than_asked_for_is_no_part(tmp_path: Path, response: Response) -> None:
    error = await fails(tmp_path, response, span=PART, any_bytes=True)
    assert isinstance(error, MediaError)
    assert error.code == "range"


async def test_a_changed_file_is_downloaded_from_its_start(tmp_path: Path) -> None:
    first = part_of(10, 30, WHOLE[10:14], **ETAG)
    first.then = MediaError("The file could not be fetched", code="network")
    changed = part_of(14, 30, b"x" * 16, etag='"v2"')
    last = part_of(10, 30, b"x" * 20, etag='"v2"')
    data, _, _ = await run(tmp_path, first, changed, last, span=PART, any_bytes=True)
    assert data == b"x" * 20


async def test_a_playlist_may_be_no_larger_than_playlists_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_module, "LARGEST_PLAYLIST", 10_000)
    text = b"#EXTM3U\n" + b"#" * 9_000
    error = await fails(tmp_path, Response(chunks_=(text, b"#" * 9_000)), max_size=1 << 30)
    assert isinstance(error, MediaRefused)
    assert error.code == "playlist_too_long"


async def test_a_web_page_is_noticed_before_it_ends(tmp_path: Path) -> None:
    page = (b"<!doctype html><html>" + b" " * 5_000, b"never read")
    response = Response(chunks_=page, then=AssertionError("read to its end"))
    error = await fails(tmp_path, response, max_size=10_000)
    assert isinstance(error, MediaError)
    assert error.code == "html"


async def test_a_server_that_is_too_slow_is_left(tmp_path: Path) -> None:
    clock = DemoClock()

    class Slow(Response):
        async def chunks(self) -> AsyncGenerator[bytes, None]:
            while True:
                await clock.sleep(31.0)
                yield b"\xff\xd8\xff"

    error = await fails(tmp_path, Slow(), clock=clock)
    assert isinstance(error, RetryableError)
    assert error.error.code == "slow"


@pytest.mark.parametrize("word", ["a document", "a picture"])
def test_what_may_be_a_document_is_accepted_where_one_may_come(word: str) -> None:
    head = b"%PDF-1.7" if word == "a document" else b"\xff\xd8\xff"
    check_media(head, documents=True)
    if word == "a document":
        with pytest.raises(MediaError, match="PDF came in place of media"):
            check_media(head)


def test_a_size_is_refused_with_the_setting_that_says_so() -> None:
    with pytest.raises(MediaRefused, match=r"media\.max_size is 1,000 bytes") as caught:
        refuse_size(1_000, 2_000)
    assert caught.value.why == "It has 2,000 bytes"
