"""Each way in which a server can misbehave, against a whole backup.

After it the stored bytes are right or absent, the row says why, nothing is left over and the exit
code is right; then a clean run brings the archive to where it would have been without the fault.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from archiver_ayrshare.demo.specs import photo, video
from support.torture.oracle import Dump
from support.transfer import behaviours as b
from support.transfer.faultserver import Behaviour, head
from support.transfer.worlds import Behind, behind, settled

STORED = "stored"
GIVEN_UP = "took too long|too slowly|in time"
"""One silence lets several limits expire at once; which of them is told is all the same."""


@dataclass(frozen=True)
class Case:
    """A behaviour, the state that its files end in, a part of the reason, the exit code."""

    behaviour: Behaviour | Callable[[], Behaviour]
    state: str
    reason: str = ""
    exit_code: int = 3
    made: bool = False


def made(make: Callable[[], Behaviour], state: str = STORED, reason: str = "") -> Case:
    """A behaviour that remembers, and so is made anew for each test."""
    return Case(make, state, reason, 0 if state == STORED else 3, made=True)


def fine(behaviour: Behaviour) -> Case:
    return Case(behaviour, STORED, exit_code=0)


FILE_CASES = {
    "short with length": Case(b.short_with_length, "failed"),
    "short without length": Case(b.short_without_length, "failed", "ends too early"),
    "whole without length": fine(b.without_length),
    "more than its length": fine(b.more_than_length),
    "empty": Case(b.in_place(b""), "failed", "Nothing came"),
    "no content": Case(b.status(204), "failed", "Nothing came"),
    "not modified": Case(b.status(304), "failed", "304"),
    "gzip unasked": fine(b.gzipped),
    "gzip cut, length right": Case(b.gzip_cut, "failed", "gzip"),
    "gzip damaged": Case(b.gzip_flipped, "failed", "gzip"),
    "gzip bomb": Case(b.gzip_bomb, "refused", "too large"),
    "brotli": Case(b.encoded("br"), "failed", "not asked for"),
    "zstd": Case(b.encoded("zstd"), "failed", "not asked for"),
    "gzip twice": Case(b.encoded("gzip, gzip"), "failed", "not asked for"),
    "gzip in name only": fine(b.encoded("gzip")),
    **{
        f"encoded as {name!r}": fine(b.encoded(name))
        for name in ("UTF-8", "none", "identity", "binary", "aws-chunked", "", ",", "8bit, none")
    },
    "gzip within no encoding": fine(b.packed("aws-chunked, gzip")),
    "web page": Case(b.in_place(b.HTML), "failed", "HTML"),
    "json": Case(b.in_place(b.JSON), "failed", "JSON"),
    "xml": Case(b.in_place(b'<?xml version="1.0"?><Error/>'), "failed", "XML"),
    "text": Case(b.in_place(b"URL signature expired"), "failed", "Text"),
    "svg": Case(b.in_place(b"<svg onload=alert(1)></svg>"), "failed", "SVG"),
    "pdf": Case(b.in_place(b"%PDF-1.7 ..."), "failed", "PDF"),
    "program": Case(b.in_place(b"\x7fELF\x02\x01\x01" + bytes(99)), "failed", "program"),
    "zip": Case(b.in_place(b"PK\x03\x04" + bytes(99)), "failed", "ZIP"),
    "another kind": Case(b.in_place(b"ID3\x04" + bytes(999)), "failed"),
    "wrong type": fine(b.typed("text/html")),
    "no such type": fine(b.typed("\x7fx/\xff")),
    "endless": Case(b.endless, "refused", "too large"),
    "endless chunks": Case(b.endless_chunks, "refused", "too large"),
    "a length of ten terabytes": Case(b.lengths("10000000000000"), "refused", "too large"),
    "a negative length": Case(b.lengths("-5"), "failed"),
    "a length with spaces": fine(b.lengths(" {size} \t")),
    "a length twice": fine(b.lengths("{size}", "{size}")),
    "a length twice in one line": fine(b.lengths("{size}, {size}")),
    "two lengths": Case(b.lengths("5", "700"), "failed"),
    "a length in words": Case(b.lengths("many"), "failed"),
    "404, a length of 5,000 digits": Case(b.long_number(404), "failed", "404"),
    "304, a length of 5,000 digits": Case(b.long_number(304), "failed", "304"),
    "302, a length of 5,000 digits": Case(b.long_number(302), "failed", "circle"),
    "chunks without end": Case(b.chunks_broken_off, "failed"),
    "chunks garbled": Case(b.chunks_garbled, "failed"),
    "status line garbled": Case(b.raw(b"\x16\x03\x01\x02\x00\x01\r\n\r\n"), "failed"),
    "HTTP/0.9": Case(b.raw(b"\xff\xd8\xff\xe0 picture"), "failed"),
    "10,000 headers": Case(b.many_headers, "failed"),
    "5 MB of a header": Case(b.large_header, "failed"),
    "interim answers for ever": Case(b.not_yet_for_ever, "failed", "too many interim"),
    "reset at once": Case(b.reset_at_once, "failed"),
    "reset in the middle": Case(b.reset_after(0.5), "failed"),
    "closed without an answer": Case(b.no_answer, "failed"),
    "silence": Case(b.stall_at_once, "failed", GIVEN_UP),
    "silence in the headers": Case(b.stall_in_headers, "failed", GIVEN_UP),
    "silence in the body": Case(b.stall_in_body, "failed", GIVEN_UP),
    "401": Case(b.status(401), "failed", "401"),
    "403": Case(b.status(403), "failed", "403"),
    "404": Case(b.status(404), "failed", "404"),
    "418": Case(b.status(418), "failed", "418"),
    "429": Case(b.status(429), "failed", "429"),
    "429, 5": Case(b.status(429, retry_after="5"), "failed", "429"),
    "429, -5": Case(b.status(429, retry_after="-5"), "failed", "429"),
    "429, a year": Case(b.status(429, retry_after="99999999999"), "failed", "429"),
    "429, 1e3": Case(b.status(429, retry_after="1e3"), "failed", "429"),
    "429, two": Case(b.status(429, retry_after="120, 60"), "failed", "429"),
    "429, nothing": Case(b.status(429, retry_after=""), "failed", "429"),
    "429, a word": Case(b.status(429, retry_after="soon"), "failed", "429"),
    "429, a date": Case(
        b.status(429, retry_after="Mon, 02 Mar 2026 09:00:09 GMT"), "failed", "429"
    ),
    "429, a date long past": Case(
        b.status(429, retry_after="Thu, 01 Jan 1970 00:00:00 GMT"), "failed", "429"
    ),
    "500": Case(b.status(500), "failed", "500"),
    "503": Case(b.status(503, retry_after="1"), "failed", "503"),
    "a circle": Case(b.redirect("{self}"), "failed", "circle"),
    "nowhere": Case(b.status(302), "failed", "302"),
    "a long way": Case(b.redirect("{self}&again"), "failed", "redirects"),
    "to what is no address": Case(b.redirect("https://["), "refused"),
    "to file:": Case(b.redirect("file:///etc/passwd"), "refused"),
    "to ftp:": Case(b.redirect("ftp://example.com/a"), "refused"),
    "to data:": Case(b.redirect("data:image/gif;base64,R0lGODdh"), "refused"),
    "to javascript:": Case(b.redirect("javascript:alert(1)"), "refused"),
    "to a private network": Case(b.redirect("http://10.0.0.1/a"), "refused", "public"),
    "to the cloud's metadata": Case(b.redirect("http://169.254.169.254/a"), "refused", "public"),
    "with a password": Case(b.redirect("http://a:b@127.0.0.1/a"), "refused"),
    "set-cookie": fine(b.cookies),
    "closes unannounced": fine(b.closing_unannounced),
    "announces a close, stays": fine(b.announcing_a_close),
    "length and chunks": Case(b.length_and_chunks, "failed", "of 5 bytes"),
    "a part unasked": Case(b.part_unasked, "failed"),
    "the whole as a part": fine(b.whole_as_part),
    "the whole as a part that says nothing": fine(b.unasked_part("")),
    "the whole as a part of unknown size": fine(b.unasked_part("bytes 0-{last}/*")),
    "the whole as a part that lies about its end": fine(b.unasked_part("bytes 0-9/10")),
    "the whole as a part in odd letters": fine(b.unasked_part("Bytes=0-{last}/{size}")),
    "the whole as a later part": Case(b.unasked_part("bytes 7-{last}/{size}"), "failed", "part"),
    "half as a part that says nothing": Case(b.unasked_part("", half=True), "failed", "too early"),
    "half as a part of unknown size": Case(
        b.unasked_part("bytes 0-{last}/*", half=True), "failed", "too early"
    ),
    "203": fine(b.whole_with_status(203)),
    "resumed": made(lambda: b.broken_then(b.rest())),
    "resumed, no validator": made(lambda: b.broken_then(b.rest(), None)),
    "resumed, weak validator": made(lambda: b.broken_then(b.rest('W/"a"'), 'W/"a"')),
    "resumed, changed": made(lambda: b.broken_then(b.rest('"b"', other=True))),
    "resumed, no validator told": made(lambda: b.broken_then(b.rest("", other=True))),
    "resumed elsewhere": made(lambda: b.broken_then(b.rest(shift=1))),
    "resumed, another size": made(lambda: b.broken_then(b.rest(grow=1))),
    "resumed, no range": made(lambda: b.broken_then(b.rest(range_=None, other=True))),
    "resumed, a wild range": made(lambda: b.broken_then(b.rest(range_="bytes 9-1/x"))),
    "resumed, unknown size": made(lambda: b.broken_then(b.rest(range_="bytes 1-9/*"))),
    "resumed in parts": made(lambda: b.broken_then(b.rest_in_many_parts)),
    "resumed, refused": made(lambda: b.broken_then(b.rest_refused)),
    "resumed with everything": made(lambda: b.broken_then(b.everything)),
}  # fmt: skip


def furnish(world: Behind) -> None:
    """Two posts with a picture each, and a third with two, so that one origin is asked often."""
    account = world.world.account("instagram")
    world.world.settings["media"] = 'max_size = "20MB"'
    for number in range(2):
        account.publish(f"Good morning {number}", media=[photo()])
    account.publish("Two of them", media=[photo(), photo()])


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """What two nights without faults leave of what `furnish` publishes."""
    with behind(tmp_path_factory.mktemp("reference"), "instagram") as world:
        furnish(world)
        assert world.backup_reference().exit_code == 0
        world.world.next_night()
        assert world.backup_reference(full=True, now=True).exit_code == 0
        return settled(world.reference)


def recover(world: Behind, reference: Dump) -> None:
    """A clean night, and the archive says the same as the reference."""
    world.faults.clear()
    world.world.next_night()
    assert world.backup(full=True, now=True).exit_code == 0
    world.check_sound()
    assert world.difference(reference) == ""


@pytest.mark.parametrize("name", FILE_CASES)
def test_a_file_that_comes_wrong_is_right_or_absent(
    tmp_path: Path, reference: Dump, name: str
) -> None:
    case = FILE_CASES[name]
    with behind(tmp_path, "instagram") as world:
        furnish(world)
        behaviour = case.behaviour() if case.made else case.behaviour  # type: ignore[call-arg]  # what `made` says
        world.faults.rule(".jpg", behaviour)  # type: ignore[arg-type]  # one of its words

        report = world.backup()

        rows = world.world.query("SELECT state, reason FROM renditions WHERE state <> 'skipped'")
        assert {state for state, _ in rows} == {case.state}, rows
        assert all(re.search(case.reason, reason or "") for _, reason in rows), rows
        assert report.exit_code == case.exit_code
        world.check_sound()
        recover(world, reference)


def test_a_drip_is_cut_off(
    tmp_path: Path, reference: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind(tmp_path, "instagram") as world:
        furnish(world)
        world.faults.rule(".jpg", b.drip)
        clock = world.world.clock
        usual = type(clock).monotonic

        def hurried(self: object) -> float:
            clock._slept += 100
            return usual(clock)

        monkeypatch.setattr(type(clock), "monotonic", hurried)
        report = world.backup()
        monkeypatch.undo()

        assert report.exit_code == 3
        reasons = set(world.world.column("SELECT reason FROM renditions"))
        assert reasons == {"The server sends too slowly"}
        recover(world, reference)


def test_a_file_whose_end_nothing_proves_is_kept_and_says_so(tmp_path: Path) -> None:
    webm = b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(5000)
    with behind(tmp_path, "instagram") as world:
        world.world.account("instagram").publish("A film", media=[video()])
        world.faults.rule(".mp4", b.raw(head(200, {}) + webm))

        report = world.backup()

        rows = world.world.query("SELECT state, reason FROM renditions WHERE role = 'original'")
        assert (report.exit_code, rows) == (
            0,
            [("stored", "whether it is complete could not be checked")],
        )
        assert world.world.backup(now=True).counts.stored == 0


@pytest.mark.parametrize("name", b.NO_BYTES)
def test_what_gives_no_bytes_is_given_up(tmp_path: Path, name: str) -> None:
    with behind(tmp_path, "instagram") as world:
        world.world.account("instagram").publish("Good morning", media=[photo()])
        world.faults.rule(".jpg", b.NO_BYTES[name])

        report = world.backup()

        reasons = world.world.column("SELECT reason FROM renditions")
        assert (report.exit_code, reasons) == (3, ["The server sends too slowly"])
        world.check_sound()


@pytest.mark.parametrize(
    "behaviour",
    [b.short_with_length, b.gzip_cut, b.reset_at_once, b.reset_after(0.5), b.no_answer,
     b.status(429), b.status(503), b.chunks_broken_off],
)  # fmt: skip
def test_a_failure_that_happens_once_is_retried_at_once(
    tmp_path: Path, reference: Dump, behaviour: Behaviour
) -> None:
    with behind(tmp_path, "instagram") as world:
        furnish(world)
        world.faults.rule(".jpg", behaviour, times=1)
        report = world.backup()
        mended = 0 if behaviour is not b.gzip_cut else 3  # a server that packs badly does so again
        assert report.exit_code == mended
        recover(world, reference)
