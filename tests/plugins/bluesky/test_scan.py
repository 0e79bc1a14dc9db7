"""Nights of a Bluesky account: what is taken, what is refused, and what is asked for it."""

from collections.abc import Callable

import pytest

from archiver_bluesky.cid import cid_of_file
from archiver_bluesky.dag_cbor import encode
from support.bluesky.nights import BlueskyNights
from support.bluesky.signing import SigningKey
from support.bluesky.world import AtAccount
from support.media.samples import JPEG
from support.net.dns_server import dns_server

pytestmark = pytest.mark.slow

KINDS = "SELECT kind FROM posts ORDER BY platform_id"
TEXTS = "SELECT text FROM posts WHERE removed_at IS NULL ORDER BY platform_id"


@pytest.fixture
def alice(nights: BlueskyNights) -> AtAccount:
    """An account with a few posts, named in the config by its handle."""
    account = nights.network.account("alice.example")
    nights.follow(account)
    account.post("First")
    account.post("Second")
    return account


class TestFirstBackup:
    def test_a_handle_is_enough(self, nights: BlueskyNights, alice: AtAccount) -> None:
        report = nights.backup()
        assert report.exit_code == 0
        assert nights.column(TEXTS) == ["First", "Second"]
        assert nights.query("SELECT platform_id, handle FROM accounts") == [
            (alice.did, "alice.example")
        ]

    def test_every_kind_of_record_is_read(self, nights: BlueskyNights, alice: AtAccount) -> None:
        other = {"uri": "at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/3k", "cid": "x"}
        alice.post("Reply", reply={"root": other, "parent": other})
        alice.post("Quote", embed={"$type": "app.bsky.embed.record", "record": other})
        alice.put("app.bsky.feed.repost", None, subject=other)
        alice.put("app.bsky.feed.like", None, subject=other)
        alice.put("app.bsky.graph.follow", None, subject="did:plc:bbbbbbbbbbbbbbbbbbbbbbbb")
        nights.backup()
        assert nights.column(KINDS) == ["post", "post", "reply", "quote", "repost"]

    def test_pictures_come_from_the_server_of_the_account(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        image = {"alt": "A dot", "image": alice.upload(JPEG, "image/jpeg")}
        alice.post("Look", embed={"$type": "app.bsky.embed.images", "images": [image]})
        report = nights.backup()
        assert report.counts.stored == 1
        assert nights.column("SELECT sha256 FROM media") == [cid_of_file(JPEG).sha256.hex()]
        assert nights.column("SELECT alt_text FROM attachments") == ["A dot"]

    def test_a_picture_that_its_server_lost_is_gone_after_three_tries(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        image = {"alt": "", "image": alice.upload(JPEG, "image/jpeg")}
        alice.post("Look", embed={"$type": "app.bsky.embed.images", "images": [image]})
        alice.files.clear()
        states = []
        for _ in range(4):
            nights.backup()
            states += nights.column("SELECT state FROM renditions")
            nights.next_night()
        assert states == ["failed", "failed", "gone", "gone"]

    def test_an_account_without_posts_is_complete(self, nights: BlueskyNights) -> None:
        nights.follow(nights.network.account("empty.example"))
        assert nights.backup().exit_code == 0
        assert nights.column(TEXTS) == []

    def test_what_proves_it_is_kept_whatever_the_config_says(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        urls = nights.column("SELECT url FROM responses ORDER BY id")
        asked = [url.removeprefix(nights.network.base_url).partition("#")[0] for url in urls]
        assert asked == [
            f"/plc/{alice.did}", f"/plc/{alice.did}/log/audit",
            f"/pds-0/xrpc/com.atproto.sync.getRepo?did={alice.did.replace(':', '%3A')}",
        ]  # fmt: skip


class TestLaterNights:
    def test_an_unchanged_night_is_one_request_and_writes_nothing(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        before = nights.query("SELECT * FROM posts")
        nights.next_night()
        report = nights.backup()
        asked = [request for request in nights.network.requests if "getPosts" not in request]
        assert asked == [f"/pds-0/xrpc/com.atproto.sync.getLatestCommit?did={alice.did}"]
        assert report.exit_code == 0
        assert nights.query("SELECT * FROM posts") == before
        assert nights.column("SELECT complete FROM run_accounts") == [1, 1]

    def test_a_full_scan_reads_everything_again(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        report = nights.backup(full=True)
        assert any("getRepo" in request for request in nights.network.requests)
        assert (report.counts.new, report.counts.edited, report.counts.removed) == (0, 0, 0)

    def test_numbers_come_from_the_appview(self, nights: BlueskyNights, alice: AtAccount) -> None:
        uris = [f"at://{alice.did}/{key}" for key in alice.records]
        nights.network.counts = {uris[0]: {"likeCount": 3, "repostCount": 0, "other": 5}}
        nights.backup()
        values = "SELECT platform_id, name, value FROM metrics JOIN posts ON posts.id = post_id"
        assert sorted(nights.query(values)) == [(uris[0], "likes", 3), (uris[0], "reposts", 0)]
        nights.next_night()
        nights.network.down.add("appview")
        assert nights.backup().exit_code == 0

    def test_the_profile_is_kept_as_it_was_each_time(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        avatar = alice.upload(JPEG, "image/jpeg")
        alice.put("app.bsky.actor.profile", "self", displayName="Alice", avatar=avatar)
        nights.backup()
        nights.next_night()
        alice.put(
            "app.bsky.actor.profile",
            "self",
            displayName="Alice B.",
            description="New",
            avatar=avatar,
        )
        nights.backup()
        profiles = "SELECT title, description, avatar IS NOT NULL FROM account_profiles ORDER BY id"
        assert nights.query(profiles)[-2:] == [("Alice", None, 1), ("Alice B.", "New", 1)]
        assert nights.column("SELECT count(*) FROM media") == [1]

    def test_a_like_alone_brings_no_edit(self, nights: BlueskyNights, alice: AtAccount) -> None:
        nights.backup()
        nights.next_night()
        alice.put("app.bsky.feed.like", None, subject={"uri": "at://x/y/z", "cid": "x"})
        report = nights.backup()
        assert (report.counts.new, report.counts.edited, report.counts.removed) == (0, 0, 0)

    def test_a_deletion_is_known_at_once(self, nights: BlueskyNights, alice: AtAccount) -> None:
        uri = alice.post("A mistake")
        nights.backup()
        nights.next_night()
        alice.delete(uri)
        report = nights.backup()
        assert report.counts.removed == 1
        assert nights.column(TEXTS) == ["First", "Second"]
        assert nights.column("SELECT text FROM posts WHERE removed_at IS NOT NULL") == ["A mistake"]

    def test_where_every_post_was_deleted_all_are_removed(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        for key in list(alice.records):
            alice.delete(f"at://{alice.did}/{key}")
        assert nights.backup().counts.removed == 2
        assert nights.column(TEXTS) == []

    def test_an_edit_under_the_same_key_is_one(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        rkey = next(iter(alice.records)).partition("/")[2]
        uri = alice.put("app.bsky.feed.post", rkey, text="First, corrected")
        assert nights.backup().counts.edited == 1
        assert nights.column("SELECT number FROM revisions ORDER BY id") == [1, 1, 2]
        assert nights.column("SELECT text FROM posts WHERE platform_id = ?", uri) == [
            "First, corrected"
        ]

    def test_an_imported_post_of_long_ago_is_found(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        alice.post("From 2011", createdAt="2011-05-05T00:00:00Z")
        assert nights.backup().counts.new == 1
        assert nights.column("SELECT min(created_at) FROM posts") == ["2011-05-05T00:00:00.000Z"]

    def test_a_night_with_one_post_keeps_little_more_proof(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        for number in range(300):
            alice.post(f"Post {number}")
        nights.backup()
        first = nights.column("SELECT sum(length(body)) FROM responses")[0]
        nights.next_night()
        alice.post("One more")
        nights.backup()
        assert nights.column("SELECT sum(length(body)) FROM responses")[0] < 1.3 * first


def flipped_bit(nights: BlueskyNights, alice: AtAccount) -> None:
    def tamper(path: str, body: bytes) -> bytes:
        place = body.find(b"Second")
        return body if place < 0 else body[:place] + b"s" + body[place + 1 :]

    nights.network.tamper = tamper


def left_out_record(nights: BlueskyNights, alice: AtAccount) -> None:
    whole = alice.repository

    def lacking() -> object:
        root, blocks = whole()
        unavailable_error = encode(next(iter(alice.records.values())))
        return root, {cid: block for cid, block in blocks.items() if block != unavailable_error}

    alice.repository = lacking  # type: ignore[method-assign,assignment]  # a server that lies


def forged_signature(nights: BlueskyNights, alice: AtAccount) -> None:
    alice.key = SigningKey("mallory's")


def stale_commit(nights: BlueskyNights, alice: AtAccount) -> None:
    nights.backup()
    nights.next_night()
    rev = alice.rev
    alice.post("Third")
    nights.backup()
    nights.next_night()
    alice.delete(f"at://{alice.did}/{list(alice.records)[-1]}")
    alice.rev = rev


def other_repository(nights: BlueskyNights, alice: AtAccount) -> None:
    bob = nights.network.account("bob.example")
    bob.post("I am Bob")
    alice.repository = bob.repository  # type: ignore[method-assign]  # a server that lies


def future_commit(nights: BlueskyNights, alice: AtAccount) -> None:
    alice.rev = "7777777777777"


def forged_log(nights: BlueskyNights, alice: AtAccount) -> None:
    alice.key = SigningKey("mallory's")
    nights.network.rotation = SigningKey("mallory's rotation key")
    nights.network.update(alice)


def other_document(nights: BlueskyNights, alice: AtAccount) -> None:
    genuine = alice.key.did.removeprefix("did:key:").encode()
    stolen = SigningKey("mallory's").did.removeprefix("did:key:").encode()
    nights.network.tamper = lambda path, body: (
        body if path.endswith("audit") else body.replace(genuine, stolen)
    )


@pytest.mark.slow
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("deceive", "words"),
    [
        (flipped_bit, "A block does not have the hash in its CID"),
        (left_out_record, "lacks a record of the tree"),
        (forged_signature, "matches no key that"),
        (stale_commit, "shows an older state of the account than before"),
        (other_repository, "is of another account"),
        (future_commit, "is dated in the future"),
        (forged_log, "no key of its predecessor signed"),
        (other_document, "does not match its log"),
    ],
)
def test_what_is_not_proved_is_refused_with_its_own_sentence(
    nights: BlueskyNights, alice: AtAccount,
    deceive: Callable[[BlueskyNights, AtAccount], None], words: str, full: bool,
) -> None:  # fmt: skip
    nights.backup()
    held = nights.query("SELECT * FROM posts")
    alice.put("app.bsky.feed.like", None, subject={"uri": "at://x/y/z", "cid": "x"})
    nights.next_night()
    deceive(nights, alice)
    held = nights.query("SELECT * FROM posts") if deceive is stale_commit else held
    report = nights.backup(full=full)
    assert report.exit_code == 4
    (message,) = nights.column("SELECT message FROM run_accounts ORDER BY run_id DESC LIMIT 1")
    assert words in message
    assert nights.query("SELECT * FROM posts") == held


class TestIdentity:
    def test_a_handle_that_the_account_does_not_name_is_refused(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.network.tamper = lambda path, body: (
            body.replace(b"alice.example", b"other.example") if path.startswith("/plc") else body
        )
        assert nights.backup().exit_code == 4
        assert nights.column("SELECT count(*) FROM posts") == [0]

    def test_a_handle_is_found_in_dns_where_the_appview_is_down(
        self, nights: BlueskyNights, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice = nights.network.account("alice.org")
        nights.follow(alice)
        alice.post("First")
        nights.network.down.add("appview")
        with dns_server({"_atproto.alice.org": [f"did={alice.did}"]}) as server:
            monkeypatch.setattr("dns.asyncresolver.Resolver", server.resolver)
            assert nights.backup().exit_code == 0
        assert nights.column(TEXTS) == ["First"]
        assert nights.column("SELECT handle FROM accounts") == ["alice.org"]

    def test_a_did_needs_nobody_that_resolves_handles(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.follow(alice, alice.did)
        nights.network.down.add("appview")
        assert nights.backup().exit_code == 0
        assert nights.column(TEXTS) == ["First", "Second"]

    def test_a_handle_that_leads_nowhere_says_what_to_do(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.handle = "nobody.invalid"
        assert nights.backup().exit_code == 4
        (message,) = nights.column("SELECT message FROM run_accounts")
        assert "DID" in message

    def test_another_handle_is_another_name_of_the_same_account(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        alice.handle = "alice.new.example"
        nights.network.update(alice)
        alice.post("Renamed")
        assert nights.backup().exit_code == 0
        assert nights.query("SELECT platform_id, handle FROM accounts") == [
            (alice.did, "alice.new.example")
        ]

    def test_a_handle_in_the_config_of_somebody_else_is_not_mixed_in(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        bob = nights.network.account("bob.example")
        bob.post("I am Bob")
        nights.follow(bob)
        assert nights.backup().exit_code == 5
        assert nights.column(TEXTS) == ["First", "Second"]

    def test_a_rotated_key_signs_from_then_on(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        before = alice.key
        alice.key = SigningKey("alice's second")
        nights.network.update(alice)
        alice.key = before
        assert nights.backup(full=True).exit_code == 0  # what was signed before stays signed
        nights.clock.advance(days=1)
        alice.key = SigningKey("alice's second")
        alice.post("Third")
        assert nights.backup().counts.new == 1
        nights.clock.advance(days=1)
        alice.key = before
        alice.post("By a stolen key")
        assert nights.backup().exit_code == 4
        assert nights.column(TEXTS) == ["First", "Second", "Third"]

    def test_an_account_that_moved_is_found_on_its_new_server(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        alice.server = 1
        alice.key = SigningKey("the new server's")
        nights.network.update(alice)
        alice.post("Moved")
        report = nights.backup()
        assert (report.counts.new, report.counts.edited, report.counts.removed) == (1, 0, 0)

    def test_a_server_that_is_gone_is_left_for_the_new_one(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        nights.network.down.add("pds-0")
        alice.server = 1
        nights.network.update(alice)
        alice.post("Moved")
        assert nights.backup().counts.new == 1


class TestStates:
    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("deactivated", "is deactivated by its owner"),
            ("suspended", "is suspended by its server"),
            ("takendown", "was taken down by its server"),
        ],
    )
    def test_an_account_that_is_away_loses_nothing(
        self, nights: BlueskyNights, alice: AtAccount, state: str, words: str
    ) -> None:
        nights.backup()
        nights.next_night()
        alice.state = state
        assert nights.backup().exit_code == 5
        (message,) = nights.column("SELECT message FROM run_accounts ORDER BY run_id DESC LIMIT 1")
        assert words in message
        assert nights.column(TEXTS) == ["First", "Second"]
        nights.next_night()
        alice.state = "active"
        alice.post("Back again")
        assert nights.backup().counts.new == 1

    def test_an_identity_that_was_given_up_is_a_state(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        nights.network.give_up(alice)
        assert nights.backup().exit_code == 5
        assert nights.column(TEXTS) == ["First", "Second"]

    def test_an_appview_that_is_down_is_no_failure(
        self, nights: BlueskyNights, alice: AtAccount
    ) -> None:
        nights.backup()
        nights.next_night()
        nights.network.down.add("appview")
        alice.post("Third")
        assert nights.backup().exit_code == 0
        assert nights.column("SELECT handle FROM accounts") == ["alice.example"]
