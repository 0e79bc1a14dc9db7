"""Answers put together at random from headers and bodies that media servers have no use for."""

import gzip
import random
from collections import Counter
from pathlib import Path

import anyio

from archiver.errors import ArchiverError
from archiver.media.download import Downloader
from archiver.media.transfer import Limits
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard
from support.media.samples import GIF, JPEG, MP4, PNG
from support.net.wire import LOOPBACK, FakeClock, Reply, wire

_NAMES = (
    b"Content-Length", b"Transfer-Encoding", b"Content-Encoding", b"Content-Range", b"Location",
    b"Retry-After", b"ETag", b"Last-Modified", b"Date", b"Content-Type", b"Accept-Ranges",
    b"Connection", b"Set-Cookie", b"Trailer",
)  # fmt: skip
_VALUES = (
    b"", b"0", b"5", b"-5", b"1.5", b"1e9", b"120, 60", b"9" * 18, b"9" * 19, b"9" * 5000, b"none",
    "٣".encode(), b"chunked", b"gzip", b"identity", b"br", b"close", b"bytes 0-4/5",
    b"bytes 0-4/*", b"bytes */5", b'"a"', b'W/"a"', b"\x01", b"\xff\xfe", b"image/jpeg", b"/",
    b"/x", b"//127.0.0.1/x", b":https://[", b"http://[::1", b"https://127.0.0.1:1/", b"?", b"#",
    b"/%", b"/%zz?%ff", b"http:/\\x", b"HTTP://127.0.0.1", b"//", b"///", b"/\xc3\xa9", b"..//[",
    b"://", b"a:b", b"mailto:x", b"http://\xef\xbc\x8e/", b"http://a%2fb/",
    b"Mon, 01 Jan 2001 00:00:00 GMT", b"Mon, 01 Jan 0000 00:00:00 GMT",
    b"Mon, 01 Jan 2001 00:00:00 -9999",
)  # fmt: skip
_STATUSES = (
    200, 200, 200, 206, 204, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 410, 416, 418, 429,
    500, 503, 999, 100, 101,
)  # fmt: skip
_BODIES = (
    b"", JPEG, PNG, GIF, MP4, b"<html>", b"{}", gzip.compress(JPEG), gzip.compress(JPEG)[:50],
    b"5\r\nhello\r\n0\r\n\r\n", b"%x\r\n" % len(JPEG) + JPEG + b"\r\n0\r\n\r\n", bytes(range(256)),
)  # fmt: skip


def answer(dice: random.Random) -> bytes:
    """One answer."""
    fields = [(dice.choice(_NAMES), dice.choice(_VALUES)) for _ in range(dice.randint(0, 4))]
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    return b"HTTP/1.1 %d So\r\n%b\r\n" % (dice.choice(_STATUSES), lines) + dice.choice(_BODIES)


async def download(folder: Path, dice: random.Random, count: int) -> Counter[str]:
    """Download so many of them; how often each outcome came. Raises what is no outcome."""
    outcomes: Counter[str] = Counter()
    async with (
        wire(lambda _: Reply(answer(dice), "close")) as server,
        MediaClient(AddressGuard(LOOPBACK), FakeClock()) as media,
    ):
        limits = Limits(tries=1)
        downloader = Downloader(media.open, folder, FakeClock(), max_size=1 << 20, limits=limits)
        for _ in range(count):
            expects = dice.choice(["image", "video", None])
            try:
                with anyio.fail_after(240):
                    (await downloader.fetch(server.url(), expects=expects)).discard()
                outcomes["stored"] += 1
            except ArchiverError as error:
                outcomes[error.code] += 1
    return outcomes
