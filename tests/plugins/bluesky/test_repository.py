"""A signed set of records: what is taken, what is refused, and what proves it later."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archiver import timestamp
from archiver_bluesky.baddata import BadData
from archiver_bluesky.car import CarFile, write_car
from archiver_bluesky.cid import Cid, cid_of_block
from archiver_bluesky.dag_cbor import decode, encode
from archiver_bluesky.ecdsa import K256, P256, Curve
from archiver_bluesky.mst import entries_of
from archiver_bluesky.plc import KeyPeriod
from archiver_bluesky.repository import Repository, parse_commit
from archiver_bluesky.tid import time_of
from support.bluesky.signing import SigningKey
from support.bluesky.trees import Blocks, add_commit
from support.bluesky.world import AtAccount, AtNetwork

NOW = datetime(2026, 11, 23, 20, 49, tzinfo=UTC)
POSTS = "app.bsky.feed.post"


@pytest.fixture
def alice() -> AtAccount:
    """An account with a few hundred records."""
    network = AtNetwork(lambda: NOW)
    account = network.account("alice.example")
    for number in range(200):
        account.post(f"Post {number}")
        account.put("app.bsky.feed.like", None, subject={"uri": "at://x/y/z", "cid": "x"})
    return account


def keys_of(account: AtAccount) -> tuple[KeyPeriod, ...]:
    return (KeyPeriod(account.key.public, None, None),)


def read(account: AtAccount, root: Cid, blocks: Blocks, **given: Any) -> Repository:
    car = CarFile(io.BytesIO(write_car(root, blocks.items())))
    keys = given.get("keys", keys_of(account))
    return Repository(car, account.did, keys, {POSTS}.__contains__)


class TestTruth:
    def test_every_record_of_a_wanted_collection_is_kept_in_mind(self, alice: AtAccount) -> None:
        found = read(alice, *alice.repository())
        assert found.size == 400
        assert sorted(found.entries) == [POSTS]
        assert [entry.key for entry in found.entries[POSTS]] == sorted(
            key for key in alice.records if key.startswith(POSTS)
        )
        assert all(
            decode(found.block(entry)) == alice.records[entry.key] for entry in found.entries[POSTS]
        )

    def test_blocks_that_no_tree_names_are_no_records(self, alice: AtAccount) -> None:
        uri = alice.post("deleted again")
        _, before = alice.repository()
        alice.delete(uri)
        root, blocks = alice.repository()
        found = read(alice, root, {**before, **blocks})
        assert len(found.entries[POSTS]) == 200

    def test_an_account_without_records_is_one(self) -> None:
        empty = AtNetwork(lambda: NOW).account("empty.example")
        assert read(empty, *empty.repository()).size == 0

    @pytest.mark.parametrize("curve", [K256, P256], ids=lambda curve: curve.name)
    def test_both_curves_sign(self, curve: Curve) -> None:
        network = AtNetwork(lambda: NOW)
        account = network.account("alice.example", key=SigningKey("hers", curve))
        account.post("Hello")
        assert read(account, *account.repository()).key.key.curve is curve


class TestKeys:
    """Which key counts for which commit."""

    def period(self, seed: str, since: datetime | None, until: datetime | None) -> KeyPeriod:
        times = [timestamp(moment) if moment else None for moment in (since, until)]
        return KeyPeriod(SigningKey(seed).public, *times)

    def test_a_key_of_before_counts_for_commits_of_before(self, alice: AtAccount) -> None:
        change = NOW + timedelta(hours=1)
        keys = (self.period("new", change, None), self.period("alice.example", None, change))
        assert read(alice, *alice.repository(), keys=keys).key is keys[1]

    def test_a_key_that_was_replaced_signs_nothing_new(self, alice: AtAccount) -> None:
        change = NOW - timedelta(hours=1)
        keys = (self.period("new", change, None), self.period("alice.example", None, change))
        with pytest.raises(BadData, match="signed by a key that had been replaced") as caught:
            read(alice, *alice.repository(), keys=keys)
        assert caught.value.code == "signature"

    def test_without_a_key_nothing_is_proved(self, alice: AtAccount) -> None:
        with pytest.raises(BadData, match="matches no key that"):
            read(alice, *alice.repository(), keys=())


def forged(account: AtAccount) -> tuple[Cid, Blocks]:
    """Signed by somebody else."""
    account.key = SigningKey("mallory's")
    return account.repository()


def high_s(account: AtAccount) -> tuple[Cid, Blocks]:
    """With a signature that is right, in the form that is not allowed."""
    root, blocks = account.repository()
    commit = decode(blocks[root])
    del commit["sig"]
    commit["sig"] = account.key.sign(encode(commit), high_s=True)
    block = encode(commit)
    return cid_of_block(block), {**blocks, cid_of_block(block): block}


def retold(**fields: Any) -> Callable[[AtAccount], tuple[Cid, Blocks]]:
    """With fields that are signed, and not as they should be."""

    def change(account: AtAccount) -> tuple[Cid, Blocks]:
        root, blocks = account.repository()
        commit = decode(blocks[root])
        del commit["sig"]
        return add_commit(blocks, account.key, **{**commit, **fields}), blocks

    return change


def left_out(account: AtAccount) -> tuple[Cid, Blocks]:
    """A record is missing, but named."""
    root, blocks = account.repository()
    key = next(key for key in account.records if key.startswith(POSTS))
    del blocks[cid_of_block(encode(account.records[key]))]
    return root, blocks


def cut_out(account: AtAccount) -> tuple[Cid, Blocks]:
    """A record is missing, and no longer named: the tree is another one."""
    root, blocks = account.repository()
    commit = decode(blocks[root])
    account.delete(account.post("one more"))
    key = next(iter(account.records))
    del account.records[key]
    other, more = account.repository()
    commit["data"] = decode(more[other])["data"]
    block = encode(commit)
    return cid_of_block(block), {**more, cid_of_block(block): block}


def no_root(account: AtAccount) -> tuple[Cid, Blocks]:
    """The commit itself is missing."""
    root, blocks = account.repository()
    del blocks[root]
    return root, blocks


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (forged, "matches no key that"),
        (high_s, "matches no key that"),
        (left_out, "lacks a record of the tree"),
        (cut_out, "matches no key that"),
        (no_root, "does not have its root block"),
        (retold(did="did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"), "is of another account"),
        (retold(rev="yesterday"), "rev is not a TID"),
        (retold(version=4), "not a commit of a known version"),
        (retold(data="x"), "has missing or invalid fields"),
    ],
)
def test_a_tree_that_is_not_as_it_was_signed_is_refused(
    alice: AtAccount, change: Callable[[AtAccount], tuple[Cid, Blocks]], words: str
) -> None:
    keys = keys_of(alice)
    with pytest.raises(BadData, match=words):
        read(alice, *change(alice), keys=keys)


class TestProofs:
    """What is kept of a tree proves its records by itself, and little of it changes at a time."""

    def pieces(self, account: AtAccount) -> dict[Cid, bytes]:
        found = read(account, *account.repository())
        return dict(found.proofs().new_for(found.entries[POSTS]))

    def test_the_pieces_prove_every_record_that_was_wanted(self, alice: AtAccount) -> None:
        root, blocks = alice.repository()
        pieces = self.pieces(alice)
        held: dict[Cid, bytes] = {}
        for name, body in pieces.items():
            car = CarFile(io.BytesIO(body))
            assert car.root == name
            held |= {cid: car.block(cid) or b"" for cid in car}
        commit = parse_commit(root, held[root])
        assert alice.key.public.verifies(commit.signed, commit.signature)
        proved = dict(entries_of(commit.data, held.get, set()))
        collections = {
            key: cid_of_block(encode(value))
            for key, value in alice.records.items()
            if key.startswith(POSTS)
        }
        assert collections.items() <= proved.items()
        assert held.keys() <= blocks.keys()

    def test_each_piece_is_given_once(self, alice: AtAccount) -> None:
        found = read(alice, *alice.repository())
        proofs = found.proofs()
        entries = found.entries[POSTS]
        first = [name for name, _ in proofs.new_for(entries[:50])]
        rest = [name for name, _ in proofs.new_for(entries)]
        assert not set(first) & set(rest)
        assert list(proofs.new_for(entries)) == []

    def test_one_post_more_changes_one_piece_of_each_layer(self, alice: AtAccount) -> None:
        before = self.pieces(alice)
        alice.post("One more")
        after = self.pieces(alice)
        assert len(before) > 3
        assert len(after.keys() - before.keys()) <= 3


def test_a_rev_is_a_time(alice: AtAccount) -> None:
    assert abs(time_of(alice.rev) - NOW) < timedelta(seconds=1)
