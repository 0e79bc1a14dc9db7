"""Each way in which the API can misbehave, against a whole backup: nothing is lost or made up."""

import gzip
from pathlib import Path

import pytest

from archiver.net import api
from archiver_ayrshare.demo.specs import photo
from support.torture.oracle import Dump
from support.transfer import behaviours as b
from support.transfer.faultserver import Behaviour, Talk
from support.transfer.worlds import Behind, behind, settled
from transfer.test_faults import recover

HISTORY = "/api/history/"
DOWN, REFUSED, FINE = 4, 5, 0


def in_utf_16(talk: Talk) -> bool:
    talk.answer(talk.honest().body.decode().encode("utf-16"))
    return True


def with_a_mark(talk: Talk) -> bool:
    talk.answer(b"\xef\xbb\xbf" + talk.honest().body)
    return True


def cut(talk: Talk) -> bool:
    body = talk.honest().body
    talk.answer(body[: len(body) * 2 // 3])
    return True


def bomb(talk: Talk) -> bool:
    talk.answer(gzip.compress(b'{"posts": ["' + b"a" * 9_000_000), {"content-encoding": "gzip"})
    return True


def forged(talk: Talk) -> bool:
    """A second, forged history behind the first, where the next answer will be looked for."""
    body = b'{"status": "success", "posts": [{"id": "1", "post": "Never published"}]}'
    more = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    said = talk.honest()
    talk.answer(said.body + more, said.headers, length=len(said.body))
    return True


CASES: dict[str, tuple[Behaviour, int]] = {
    "web page": (b.in_place(b.HTML), DOWN),
    "nothing": (b.in_place(b""), DOWN),
    "a number": (b.in_place(b"17"), DOWN),
    "another object": (b.in_place(b'{"hello": "there"}'), DOWN),
    "posts as text": (b.in_place(b'{"posts": "none"}'), DOWN),
    "JSON cut, length right": (cut, DOWN),
    "short with length": (b.short_with_length, DOWN),
    "short without length": (b.short_without_length, DOWN),
    "gzip cut": (b.gzip_cut, DOWN),
    "gzip whole": (b.gzipped, FINE),
    "gzip in name only": (b.encoded("gzip"), FINE),
    "encoded as UTF-8": (b.encoded("UTF-8"), FINE),
    "203": (b.whole_with_status(203), FINE),
    "brotli": (b.encoded("br"), DOWN),
    "bomb": (bomb, DOWN),
    "endless": (b.endless, DOWN),
    "endless chunks": (b.endless_chunks, DOWN),
    "chunks broken off": (b.chunks_broken_off, DOWN),
    "two lengths": (b.lengths("5", "7"), DOWN),
    "garbage": (b.raw(b"\x16\x03\x01\r\n\r\n"), DOWN),
    "10,000 headers": (b.many_headers, DOWN),
    "reset": (b.reset_at_once, DOWN),
    "reset in the middle": (b.reset_after(0.5), DOWN),
    "no answer": (b.no_answer, DOWN),
    "silence": (b.stall_at_once, DOWN),
    "silence in the body": (b.stall_in_body, DOWN),
    "interim answers for ever": (b.not_yet_for_ever, DOWN),
    **{name: (behaviour, DOWN) for name, behaviour in b.NO_BYTES.items()},
    "UTF-16": (in_utf_16, DOWN),
    "a byte order mark": (with_a_mark, FINE),
    "400": (b.status(400), DOWN),
    "401": (b.status(401), REFUSED),
    "402": (b.status(402), REFUSED),
    "403": (b.status(403), REFUSED),
    "404": (b.status(404), DOWN),
    "500": (b.status(500), DOWN),
    "503, a year": (b.status(503, retry_after="99999999999"), DOWN),
    "204": (b.status(204), DOWN),
    "redirect to itself": (b.redirect("{self}"), DOWN),
    "redirect elsewhere": (b.redirect("http://127.0.0.1:9/steal"), DOWN),
    "more than its length": (forged, FINE),
    "closes unannounced": (b.closing_unannounced, FINE),
    "set-cookie": (b.cookies, FINE),
    **{
        f"429, {words}": (b.status(429, retry_after=words), DOWN)
        for words in ("5", "-5", "1e3", "99999999999", "120, 60", "", "soon", "1.5",
                      "Mon, 02 Mar 2026 09:10:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT")
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large is so after two megabytes."""
    monkeypatch.setattr(api, "_LARGEST_BODY", 2_000_000)


def furnish(world: Behind) -> None:
    account = world.world.account("threads")
    account.publish("Good morning", media=[photo()])
    account.publish("Good night")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """What three nights without faults leave of what `furnish` publishes."""
    with behind(tmp_path_factory.mktemp("reference"), "threads") as world:
        furnish(world)
        world.backup_reference()
        world.world.next_night()
        world.backup_reference()
        world.world.next_night()
        assert world.backup_reference(full=True, now=True).exit_code == 0
        return settled(world.reference)


@pytest.mark.parametrize("name", CASES)
def test_an_answer_that_comes_wrong_costs_nothing(
    tmp_path: Path, reference: Dump, name: str
) -> None:
    behaviour, exit_code = CASES[name]
    with behind(tmp_path, "threads") as world:
        furnish(world)
        world.backup()
        before = world.world.dump("posts", "revisions", "media")
        world.world.next_night()
        world.faults.rule(HISTORY, behaviour)

        report = world.backup()

        assert report.exit_code == exit_code, report.accounts[0].error
        assert world.world.dump("posts", "revisions", "media") == before
        if exit_code:
            assert report.accounts[0].error is not None
            assert report.accounts[0].error.hint
        world.check_sound()
        recover(world, reference)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [(401, REFUSED), (402, REFUSED), (403, REFUSED), (404, DOWN), (500, DOWN)],
)
def test_a_profile_is_refused_or_down_in_any_words(
    tmp_path: Path, code: int, exit_code: int
) -> None:
    with behind(tmp_path, "threads") as world:
        furnish(world)
        world.faults.rule("/api/user", b.status(code))
        assert world.backup().exit_code == exit_code


def test_the_target_of_a_redirect_gets_no_key(tmp_path: Path) -> None:
    other = tmp_path / "thief"
    other.mkdir()
    with behind(tmp_path, "threads") as world, behind(other, "threads") as thief:
        furnish(world)
        for part in ("/api/history/", "/api/user"):
            world.faults.rule(part, b.redirect(f"{thief.faults.origin}/steal"))
        assert world.backup().exit_code == 4
        assert thief.faults.asked == []
        assert thief.faults.connections == 0
