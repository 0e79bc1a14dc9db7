"""Ways in which a server can answer, each breaking one rule of HTTP or of good faith."""

import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from support.transfer.faultserver import Behaviour, Talk, head, honest

HTML = b"<!doctype html><title>Sign in</title><p>This content is not available.</p>"
JSON = b'{"error": {"message": "URL signature expired", "code": 190}}'
_CHUNK = b"x" * 65536
_FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xd8\xff\xd9"


def in_place(body: bytes, content_type: str = "image/jpeg") -> Behaviour:
    """Other bytes, honestly framed."""

    def behave(talk: Talk) -> bool:
        talk.answer(body, {"content-type": content_type})
        return True

    return behave


def status(code: int, **fields: str) -> Behaviour:
    """A status with a few words, and headers (`retry_after="5"`)."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}

    def behave(talk: Talk) -> bool:
        talk.answer(b"" if code in {204, 304} else b"Out of order.", headers, status=code)
        return True

    return behave


def raw(data: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""

    def behave(talk: Talk) -> None:
        talk.send(data)

    return behave


def redirect(target: str, code: int = 302) -> Behaviour:
    """Elsewhere; `{self}` in the target is the address that was asked for."""

    def behave(talk: Talk) -> bool:
        location = target.replace("{self}", talk.asked.target)
        talk.answer(b"", {"location": location}, status=code)
        return True

    return behave


def long_number(code: int) -> Behaviour:
    """A length of 5,000 digits, which means nothing beside chunks; a redirect leads to itself."""

    def behave(talk: Talk) -> None:
        fields = {"transfer-encoding": "chunked", "content-length": "9" * 5000}
        if code == 302:
            fields["location"] = talk.asked.target
        talk.send(head(code, fields) + b"0\r\n\r\n")

    return behave


def short_with_length(talk: Talk) -> None:
    said = talk.honest(whole=True)
    talk.answer(said.body[:-1], said.headers, length=len(said.body))


def short_without_length(talk: Talk) -> None:
    said = talk.honest(whole=True)
    talk.answer(said.body[: len(said.body) // 2], said.headers, length=None)


def without_length(talk: Talk) -> None:
    said = talk.honest(whole=True)
    talk.answer(said.body, said.headers, length=None)


def more_than_length(talk: Talk) -> bool:
    """The whole file, and behind it what looks like the next answer."""
    said = talk.honest()
    talk.answer(said.body + _FORGED * 3, said.headers, status=said.status, length=len(said.body))
    return True


def gzipped(talk: Talk) -> bool:
    said = talk.honest(whole=True)
    talk.answer(gzip.compress(said.body), {**said.headers, "content-encoding": "gzip"})
    return True


def gzip_cut(talk: Talk) -> bool:
    """A gzip stream cut in half, with a length that says so: whole by HTTP's own rules."""
    said = talk.honest(whole=True)
    packed = gzip.compress(said.body)
    talk.answer(packed[: len(packed) // 2], {**said.headers, "content-encoding": "gzip"})
    return True


def gzip_flipped(talk: Talk) -> bool:
    said = talk.honest(whole=True)
    packed = bytearray(gzip.compress(said.body))
    packed[-6] ^= 1  # in the check sum
    talk.answer(bytes(packed), {**said.headers, "content-encoding": "gzip"})
    return True


@cache
def _bomb() -> bytes:
    """64 MiB that begin as a picture does, in 64 KiB."""
    packer = zlib.compressobj(9, wbits=31)
    piece = bytes(1 << 20)
    packed = packer.compress(b"\xff\xd8\xff\xe0")
    return packed + b"".join(packer.compress(piece) for _ in range(64)) + packer.flush()


def gzip_bomb(talk: Talk) -> None:
    with suppress(OSError):  # hardly anybody reads on to its end
        talk.answer(_bomb(), {"content-encoding": "gzip", "content-type": "image/jpeg"})


def empty_members(talk: Talk) -> None:
    """A gzip stream of members that hold nothing, as fast as they can be sent."""
    members = gzip.compress(b"") * 1000
    talk.send(head(200, {"content-encoding": "gzip"}) + members)
    talk.flood(members)


def empty_members_slowly(talk: Talk) -> None:
    talk.send(head(200, {"content-encoding": "gzip"}))
    talk.drip(gzip.compress(b""))


def name_in_gzip(talk: Talk) -> None:
    """A gzip header with a file name that does not end."""
    talk.send(head(200, {"content-encoding": "gzip"}) + b"\x1f\x8b\x08\x08\0\0\0\0\0\x03")
    talk.flood(_CHUNK)


def chunk_extension(talk: Talk) -> None:
    """The line before a chunk, byte by byte."""
    talk.send(head(200, {"transfer-encoding": "chunked"}) + b"5;")
    talk.drip(b"a")


def trailers(talk: Talk) -> None:
    """The whole file in chunks, and then headers behind it."""
    body = talk.honest(whole=True).body
    talk.send(head(200, {"transfer-encoding": "chunked"}))
    talk.send(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n")
    talk.drip(b"x: y\r\n")


NO_BYTES: dict[str, Behaviour] = {
    "empty gzip members": empty_members,
    "empty gzip members, slowly": empty_members_slowly,
    "a name in gzip's header": name_in_gzip,
    "a chunk's extension": chunk_extension,
    "trailers": trailers,
}
"""Answers in which something comes for ever, but no byte of a body."""


def encoded(name: str) -> Behaviour:
    """An encoding that nobody asked for."""

    def behave(talk: Talk) -> bool:
        said = talk.honest(whole=True)
        talk.answer(said.body, {**said.headers, "content-encoding": name})
        return True

    return behave


def packed(name: str) -> Behaviour:
    """A file in gzip, under an encoding of this name."""

    def behave(talk: Talk) -> bool:
        said = talk.honest(whole=True)
        talk.answer(gzip.compress(said.body), {**said.headers, "content-encoding": name})
        return True

    return behave


def typed(content_type: str) -> Behaviour:
    """The right bytes under a wrong type."""

    def behave(talk: Talk) -> bool:
        said = talk.honest(whole=True)
        talk.answer(said.body, {**said.headers, "content-type": content_type})
        return True

    return behave


def endless(talk: Talk) -> None:
    talk.send(head(200, {"content-type": "video/mp4"}) + b"\xff\xd8\xff")
    while True:
        talk.send(_CHUNK)


def endless_chunks(talk: Talk) -> None:
    talk.send(head(200, {"transfer-encoding": "chunked"}) + b"3\r\n\xff\xd8\xff\r\n")
    while True:
        talk.send(b"10000\r\n" + _CHUNK + b"\r\n")


def lengths(*values: str) -> Behaviour:
    """The file under these Content-Length headers; `{size}` is its length."""

    def behave(talk: Talk) -> None:
        body = talk.honest(whole=True).body
        said = [value.format(size=len(body)) for value in values]
        lines = "".join(f"Content-Length: {value}\r\n" for value in said)
        talk.send(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + body)

    return behave


def length_and_chunks(talk: Talk) -> None:
    """Both ways of framing at once: what request smuggling is made of."""
    body = talk.honest(whole=True).body
    fields = {"content-length": "5", "transfer-encoding": "chunked"}
    talk.send(head(200, fields) + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")


def chunks_broken_off(talk: Talk) -> None:
    """All the bytes in chunks, without the last one that says so."""
    body = talk.honest(whole=True).body
    talk.send(head(200, {"transfer-encoding": "chunked"}))
    talk.send(f"{len(body):x}\r\n".encode() + body + b"\r\n")


def chunks_garbled(talk: Talk) -> None:
    talk.send(head(200, {"transfer-encoding": "chunked"}) + b"zz\r\n" + talk.honest().body)


def many_headers(talk: Talk) -> None:
    fields = {f"x-{number}": "filler " * 4 for number in range(10_000)}
    talk.answer(talk.honest(whole=True).body, fields)


def large_header(talk: Talk) -> None:
    talk.answer(talk.honest(whole=True).body, {"x-filler": "f" * 5_000_000})


def not_yet_for_ever(talk: Talk) -> None:
    """Interim answers (102) without end."""
    while True:
        talk.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 64)


def reset_at_once(talk: Talk) -> None:
    talk.reset()


def reset_after(share: float) -> Behaviour:
    """A reset after this share of the body."""

    def behave(talk: Talk) -> None:
        said = talk.honest(whole=True)
        cut = int(len(said.body) * share)
        talk.answer(said.body[:cut], said.headers, length=len(said.body))
        talk.reset()

    return behave


def no_answer(talk: Talk) -> None:
    """The connection ends where the answer should begin."""


def stall_at_once(talk: Talk) -> None:
    talk.stall()


def stall_in_headers(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nContent-")
    talk.stall()


def stall_in_body(talk: Talk) -> None:
    said = talk.honest(whole=True)
    talk.answer(said.body[:100], said.headers, length=len(said.body))
    talk.stall()


def drip(talk: Talk) -> None:
    """One byte at a time; the clock of the test makes each of them late."""
    said = talk.honest(whole=True)
    talk.send(head(200, {**said.headers, "content-length": str(len(said.body))}))
    for byte in said.body:
        talk.send(bytes([byte]))


def cookies(talk: Talk) -> bool:
    said = talk.honest()
    talk.answer(said.body, {**said.headers, "set-cookie": "id=1; Path=/"}, status=said.status)
    return True


def closing_unannounced(talk: Talk) -> None:
    honest(talk)


def announcing_a_close(talk: Talk) -> bool:
    """`Connection: close`, and then the connection stays open all the same."""
    said = talk.honest()
    talk.answer(said.body, {**said.headers, "connection": "close"}, status=said.status)
    return True


def part_unasked(talk: Talk) -> bool:
    """206 with the beginning, where everything was asked for."""
    said = talk.honest(whole=True)
    half = len(said.body) // 2
    fields = {**said.headers, "content-range": f"bytes 0-{half - 1}/{len(said.body)}"}
    talk.answer(said.body[:half], fields, status=206)
    return True


def whole_as_part(talk: Talk) -> bool:
    """206 with everything, where everything was asked for."""
    said = talk.honest(whole=True)
    size = len(said.body)
    fields = {**said.headers, "content-range": f"bytes 0-{size - 1}/{size}"}
    talk.answer(said.body, fields, status=206)
    return True


def unasked_part(content_range: str, *, half: bool = False) -> Behaviour:
    """206 with everything (or half of it), where everything was asked for, under this range."""

    def behave(talk: Talk) -> bool:
        said = talk.honest(whole=True)
        body = said.body[: len(said.body) // 2] if half else said.body
        found = content_range.format(last=len(body) - 1, size=len(body))
        talk.answer(body, {**said.headers, "content-range": found}, status=206)
        return True

    return behave


def whole_with_status(code: int) -> Behaviour:
    """The file, honestly, under another status than 200."""

    def behave(talk: Talk) -> bool:
        said = talk.honest(whole=True)
        talk.answer(said.body, said.headers, status=code)
        return True

    return behave


def broken_then(resumed: Callable[[Talk, bytes, int], None], etag: str | None = '"a"') -> Behaviour:
    """A transfer that breaks off; `resumed` answers who asks for the rest from an offset on.

    It is told the whole file and that offset. Who asks for everything gets it.
    """
    broken = set()

    def behave(talk: Talk) -> None:
        said = talk.honest(whole=True)
        fields = {name: v for name, v in said.headers.items() if name != "etag"}
        if etag is not None:
            fields["etag"] = etag
        path = talk.asked.target.partition("?")[0]
        if path not in broken:
            broken.add(path)
            talk.answer(said.body[: len(said.body) // 2], fields, length=len(said.body))
        elif "range" in talk.asked.headers:
            resumed(talk, said.body, int(talk.asked.headers["range"][6:-1]))
        else:
            talk.answer(said.body, fields)

    return behave


def rest(
    etag: str = '"a"',
    *,
    shift: int = 0,
    grow: int = 0,
    range_: str | None = "",
    other: bool = False,
) -> Callable[[Talk, bytes, int], None]:
    """206 for the rest, lying about one thing: its start, the whole size, the range, the bytes."""

    def answer(talk: Talk, body: bytes, start: int) -> None:
        size = len(body) + grow
        fields = {"etag": etag}
        if range_ is not None:
            fields["content-range"] = range_ or f"bytes {start + shift}-{size - 1}/{size}"
        data = body[start + shift :] + b"g" * grow
        talk.answer(bytes(len(data)) if other else data, fields, status=206)

    return answer


def rest_in_many_parts(talk: Talk, body: bytes, start: int) -> None:
    data = b"--b\r\nContent-Range: bytes 0-1/2\r\n\r\n" + body[start:] + b"\r\n--b--\r\n"
    talk.answer(data, {"content-type": "multipart/byteranges; boundary=b"}, status=206)


def rest_refused(talk: Talk, body: bytes, start: int) -> None:
    talk.answer(b"", {"content-range": f"bytes */{len(body)}"}, status=416)


def everything(talk: Talk, body: bytes, start: int) -> None:
    talk.answer(body, {"etag": '"b"'})
