"""Content encodings, undone by us, because clients take a gzip stream cut short for a whole one."""

import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

_PIECE = 1 << 20
_GZIP = 31  # zlib's window bits for "gzip header and trailer, checked" (RFC 1952)


class BadEncoding(Exception):
    """The body's encoding is unknown, damaged or cut short."""


def is_plain(headers: Mapping[str, str]) -> bool:
    """Whether the body is not encoded.

    Raises BadEncoding for an encoding that is neither none nor gzip.
    """
    name = headers.get("content-encoding", "").strip().lower()
    if name in {"gzip", "x-gzip"}:
        return False
    if name not in {"", "identity"}:
        raise BadEncoding(f"the answer is encoded as {name[:40]!r}, which was not asked for")
    return True


async def gunzip(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The bytes in a gzip stream, in pieces of at most 1 MiB, however small their source.

    Raises BadEncoding where it is damaged (its CRC included) or ends too early.
    """
    member = zlib.decompressobj(_GZIP)
    begun = False
    async with aclosing(chunks):
        async for chunk in chunks:
            data = chunk
            while data:
                if member.eof:  # several members in a row are one stream
                    member = zlib.decompressobj(_GZIP)
                begun = True
                try:
                    piece = member.decompress(data, _PIECE)
                except zlib.error as error:
                    raise BadEncoding(f"the gzip stream is damaged ({error})") from None
                if piece:
                    yield piece
                data = member.unused_data if member.eof else member.unconsumed_tail
    if not begun or not member.eof:
        raise BadEncoding("the gzip stream ends too early")
