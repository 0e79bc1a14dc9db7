"""Bluesky against real servers: npm's `@atproto/dev-env`, with an oracle for our own arithmetic."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from archiver.clock import SystemClock
from archiver.evidence.files import Scope
from archiver.evidence.proofs import provers_among
from archiver.evidence.verify import verify
from archiver.plugins import load_plugins
from archiver.webserver import listen, origin_of, running
from archiver_bluesky.cid import cid_of_block, cid_of_file
from archiver_bluesky.dag_cbor import encode
from archiver_bluesky.keys import parse_did_key
from support.bluesky.nights import Archive
from support.bluesky.peers import PeerAccount, Peers, running_peers
from support.bluesky.trees import Blocks, build_tree
from support.media.samples import JPEG, movie

pytestmark = pytest.mark.peers

TEXTS = "SELECT text FROM posts WHERE removed_at IS NULL ORDER BY platform_id"
LAST_MESSAGE = "SELECT message FROM run_accounts ORDER BY run_id DESC LIMIT 1"


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    """The servers, started once."""
    with running_peers(tmp_path_factory.mktemp("peers")) as found:
        yield found


@pytest.fixture
def archive(tmp_path: Path, peers: Peers) -> Archive:
    """An empty archive that asks these servers; the first also resolves handles."""
    made = Archive(tmp_path, SystemClock())
    made.plc, made.appview = peers.plc, peers.servers[0]
    return made


@pytest.fixture
def alice(peers: Peers, archive: Archive, request: pytest.FixtureRequest) -> PeerAccount:
    """An account with two posts, named in the config by its handle."""
    name = f"a{abs(hash(request.node.nodeid)) % 10**9}.test"
    account = peers.account(name)
    archive.handle = name
    account.post("First")
    account.post("Second")
    return account


class TestNights:
    def test_a_first_backup_an_edit_and_a_deletion(
        self, archive: Archive, alice: PeerAccount
    ) -> None:
        uri = alice.post("A mistake")
        reply = {"uri": uri, "cid": str(cid_of_block(b""))}
        answer = alice.post("Reply", reply={"root": reply, "parent": reply})
        alice.put("app.bsky.feed.threadgate", answer.rpartition("/")[2], post=answer, allow=[],
                  createdAt="2026-11-27T10:00:00.000Z")  # fmt: skip
        alice.put("app.bsky.actor.profile", "self", displayName="Alice", description="Hello")
        report = archive.backup()
        assert report.exit_code == 0, report
        assert archive.column(TEXTS) == ["First", "Second", "A mistake", "Reply"]
        assert archive.query("SELECT platform_id, handle, title FROM accounts") == [
            (alice.did, archive.handle, "Alice")
        ]
        alice.delete(uri)
        alice.put("app.bsky.feed.post", answer.rpartition("/")[2], text="Reply, corrected",
                  createdAt="2026-11-27T10:00:00.000Z")  # fmt: skip
        counts = archive.backup().counts
        assert (counts.new, counts.edited, counts.removed) == (0, 1, 1)
        result = verify(
            archive.directory, Scope(), "2026-11-28T00:00:00.000Z",
            provers=provers_among(load_plugins().platforms),
        )  # fmt: skip
        assert result.findings == []
        assert result.proved == 5

    def test_an_image_and_a_video_are_what_their_cids_say(
        self, archive: Archive, alice: PeerAccount
    ) -> None:
        film = movie()
        image = {"alt": "A picture", "image": alice.upload(JPEG, "image/jpeg")}
        alice.post("Look", embed={"$type": "app.bsky.embed.images", "images": [image]})
        video = {"$type": "app.bsky.embed.video", "video": alice.upload(film, "video/mp4")}
        alice.post("Film", embed=video)
        assert archive.backup().exit_code == 0
        expected = {cid_of_file(data).sha256.hex() for data in (JPEG, film)}
        assert set(archive.column("SELECT sha256 FROM media")) == expected

    def test_deactivation_removes_nothing(
        self, archive: Archive, alice: PeerAccount, peers: Peers
    ) -> None:
        archive.backup()
        peers.command("deactivate", did=alice.did, server=0)
        assert archive.backup().exit_code == 5
        assert "is deactivated by its owner" in archive.column(LAST_MESSAGE)[0]
        peers.command("activate", did=alice.did, server=0)
        assert archive.backup().exit_code == 0
        assert archive.column(TEXTS) == ["First", "Second"]

    @pytest.mark.parametrize("curve", ["k256", "p256"])
    def test_a_key_is_rotated(
        self, archive: Archive, alice: PeerAccount, peers: Peers, curve: str
    ) -> None:
        archive.backup()
        peers.command("rotate", did=alice.did, server=0, curve=curve)
        assert archive.backup(full=True).exit_code == 0  # signed by the key of before, before
        if curve == "k256":  # the server itself signs with it from now on
            alice.post("Third")
            assert archive.backup().counts.new == 1

    def test_a_migration_to_another_server_changes_no_post(
        self, archive: Archive, alice: PeerAccount, peers: Peers
    ) -> None:
        image = {"alt": "", "image": alice.upload(JPEG, "image/jpeg")}
        alice.post("Look", embed={"$type": "app.bsky.embed.images", "images": [image]})
        archive.backup()
        moved = peers.command("migrate", did=alice.did, handle=f"m{archive.handle}")
        report = archive.backup()
        counts = report.counts
        assert report.exit_code == 0, archive.column(LAST_MESSAGE)
        assert (counts.new, counts.edited, counts.removed, counts.stored) == (0, 0, 0, 0)
        PeerAccount(alice.did, moved["token"], peers.servers[1]).post("Moved")
        assert archive.backup().counts.new == 1


Tamper = Callable[[bytes], bytes]


@pytest.fixture
def between(peers: Peers) -> Iterator[tuple[str, list[Tamper], list[str]]]:
    """A server between us and the first one, which changes what it hands over."""
    tampers: list[Tamper] = []
    asked: list[str] = []

    def forward(request: Request) -> Response:
        asked.append(request.url.path.rpartition(".")[2])
        answer = httpx.get(f"{peers.servers[0]}{request.url.path}?{request.url.query}")
        body = answer.content
        if request.url.path.endswith("getRepo"):
            for tamper in tampers:
                body = tamper(body)
        return Response(body, answer.status_code, {"content-type": answer.headers["content-type"]})

    sock = listen("127.0.0.1", 0)
    app = Starlette(routes=[Route("/{path:path}", forward)])
    with running(app, [sock], quiet=True):
        yield origin_of(sock), tampers, asked


def flipped(body: bytes) -> bytes:
    """One bit of a record is another."""
    place = body.index(b"Second")
    return body[:place] + b"s" + body[place + 1 :]


def left_out(body: bytes) -> bytes:
    """The block of a record is missing, and nothing else."""
    text = body.index(b"Second")
    begin = body.rindex(b"\x01\x71\x12\x20", 0, text)
    size = next(n for n in range(40, 400) if cid_of_block(body[begin + 36 : begin + n])
                == body[begin : begin + 36])  # fmt: skip
    varint = 1 if size < 128 else 2
    return body[: begin - varint] + body[begin + size :]


class TestLies:
    @pytest.mark.parametrize(
        ("tamper", "words"),
        [(flipped, "A block does not have the hash in its CID"),
         (left_out, "lacks a record of the tree")],
    )  # fmt: skip
    def test_what_a_server_changes_is_refused(
        self, archive: Archive, alice: PeerAccount, peers: Peers,
        between: tuple[str, list[Tamper], list[str]], tamper: Tamper, words: str,
    ) -> None:  # fmt: skip
        url, tampers, _ = between
        peers.command("point", did=alice.did, server=0, url=url)
        assert archive.backup().exit_code == 0
        alice.post("Third")
        tampers.append(tamper)
        assert archive.backup().exit_code == 4
        assert words in archive.column(LAST_MESSAGE)[0]
        assert archive.column(TEXTS) == ["First", "Second"]

    def test_an_unchanged_night_is_one_request_and_an_older_state_is_refused(
        self, archive: Archive, alice: PeerAccount, peers: Peers,
        between: tuple[str, list[Tamper], list[str]],
    ) -> None:  # fmt: skip
        url, tampers, asked = between
        peers.command("point", did=alice.did, server=0, url=url)
        older: list[bytes] = []

        def keep(body: bytes) -> bytes:
            older.append(body)
            return body

        tampers.append(keep)
        archive.backup()
        asked.clear()
        assert archive.backup().exit_code == 0
        assert asked == ["getLatestCommit"]
        alice.post("Third")
        assert archive.backup().counts.new == 1
        alice.post("Fourth")
        tampers.append(lambda _body: older[0])
        assert archive.backup().exit_code == 4
        assert "shows an older state of the account" in archive.column(LAST_MESSAGE)[0]
        assert archive.column(TEXTS) == ["First", "Second", "Third"]

    def test_a_signature_of_a_key_that_the_directory_does_not_know_is_refused(
        self, archive: Archive, alice: PeerAccount, peers: Peers
    ) -> None:
        assert archive.backup().exit_code == 0
        peers.command("forge", did=alice.did, server=0)
        alice.post("Third")
        assert archive.backup().exit_code == 4
        assert "matches no key that" in archive.column(LAST_MESSAGE)[0]
        assert archive.column(TEXTS) == ["First", "Second"]


class TestOracle:
    """The reference implementation agrees with ours."""

    def test_blocks_and_cids(self, peers: Peers) -> None:
        values: list[Any] = [
            {}, [], None, True, 0, -1, 23, 24, 255, 256, 65536, -(2**40), 2**53 - 1, "", "ü" * 300,
            {"b": 1, "aa": 2, "a": [{"": None}]}, {"é": "\U0001f408", "z": -24},
        ]  # fmt: skip
        found = peers.command("encode", values=values)["blocks"]
        for value, said in zip(values, found, strict=True):
            block = encode(value)
            assert base64.b64encode(block).decode() == said["block"], value
            assert str(cid_of_block(block)) == said["cid"]

    @pytest.mark.parametrize("count", [0, 1, 2, 50, 400])
    def test_trees(self, peers: Peers, count: int) -> None:
        keys = [f"app.bsky.feed.post/3k{number * 7919 % 100_003:06d}" for number in range(count)]
        blocks: Blocks = {}
        root = build_tree({key: cid_of_block(encode({"key": key})) for key in keys}, blocks)
        assert str(root) == peers.command("tree", keys=keys)["root"]

    @pytest.mark.parametrize("curve", ["k256", "p256"])
    def test_signatures(self, peers: Peers, curve: str) -> None:
        for message in (b"", b"hello", bytes(1000)):
            text = base64.b64encode(message).decode()
            signed = peers.command("sign", curve=curve, message=text)
            key = parse_did_key(signed["key"])
            signature = base64.b64decode(signed["signature"])
            assert key.verifies(message, signature)
            assert not key.verifies(message + b"!", signature)
