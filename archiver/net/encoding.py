"""Decodes gzip bodies, and detects truncated ones, which HTTP clients accept as complete."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import aclosing
from typing import Protocol

_CHUNK_SIZE = 1 << 20
ENCODINGS = frozenset({
    "aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "pack200-gzip",
    "x-compress", "x-gzip", "zstd",
})  # fmt: skip
"""The content codings of IANA's registry, but for `identity`."""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31  # zlib's window bits for "gzip header and trailer, checked" (RFC 1952)


class BadEncoding(Exception):
    """The body's encoding is unknown, damaged or cut short."""


class Chunks(Protocol):
    """The bytes of a body as they come, until it is closed; an async generator is one."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def __anext__(self) -> Awaitable[bytes]: ...

    def aclose(self) -> Awaitable[None]:
        """Let go of the body, whether or not all of it was read."""


def is_plain(headers: Mapping[str, str]) -> bool:
    """Whether the body is not encoded, by its headers.

    Words that are no registered coding (`UTF-8`, `none`, `aws-chunked`) are ignored: servers send
    such. Raises BadEncoding for an encoding that cannot be decoded.
    """
    words = headers.get("content-encoding", "").lower().split(",")
    found = [word for word in map(str.strip, words) if word in ENCODINGS]
    if found in (["gzip"], ["x-gzip"]):
        return False
    if found:
        name = ", ".join(found)[:40]
        raise BadEncoding(f"the answer is encoded as {name!r}, which was not asked for")
    return True


async def peek_gzip(chunks: Chunks) -> tuple[bool, Chunks]:
    """Whether the body begins like gzip, whatever its header says; and the unchanged body."""
    head = b""
    while len(head) < len(_GZIP_MAGIC) and (more := await anext(chunks, None)) is not None:
        head += more
    return head.startswith(_GZIP_MAGIC), _preceded(head, chunks)


async def _preceded(head: bytes, chunks: Chunks) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        if head:
            yield head
        async for chunk in chunks:
            yield chunk


async def gunzip(chunks: Chunks) -> AsyncGenerator[bytes, None]:
    """The decoded bytes of a gzip stream, in chunks of at most 1 MiB.

    Raises BadEncoding where it is damaged (its CRC included) or ends too early.
    """
    member = zlib.decompressobj(_GZIP)
    begun = False
    async with aclosing(chunks):
        async for chunk in chunks:
            data = chunk
            while data:
                if member.eof:  # a stream may have several members (RFC 1952 section 2.2)
                    member = zlib.decompressobj(_GZIP)
                begun = True
                try:
                    decoded = member.decompress(data, _CHUNK_SIZE)
                except zlib.error as error:
                    raise BadEncoding(f"the gzip stream is damaged ({error})") from None
                if decoded:
                    yield decoded
                data = member.unused_data if member.eof else member.unconsumed_tail
    if not begun or not member.eof:
        raise BadEncoding("the gzip stream ends too early")
