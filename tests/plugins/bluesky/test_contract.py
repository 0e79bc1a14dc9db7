"""Bluesky keeps the contract of sources."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from archiver import Account, ConfigError
from archiver.testing import FakeHttp, FakeKit, SourceContract
from archiver_bluesky import BlueskySource
from archiver_bluesky.client import BlueskyClient, BlueskyOptions, BlueskySettings
from archiver_bluesky.dag_json import from_json
from archiver_bluesky.platform import AtprotoBluesky
from archiver_bluesky.records import key_of
from support.bluesky.kits import ACCOUNT, BASE, NOW, kit_for, network
from support.bluesky.samples import SAMPLES, record
from support.bluesky.signing import SigningKey
from support.bluesky.world import AtNetwork, tid

SETTINGS = BlueskySettings(plc=f"{BASE}/plc", appview=f"{BASE}/appview")
NUMBER = int(NOW.timestamp() * 1_000_000) << 10


class TestBluesky(SourceContract):
    platform = AtprotoBluesky()
    account = Account("me", "bluesky", "bluesky", BlueskyOptions(handle=ACCOUNT.did))
    samples = SAMPLES
    source = BlueskySource()
    settings = SETTINGS
    discovered = (f"{BASE}/pds-0",)
    revs: ClassVar[dict[str, str]] = {}  # a history that is new here has a later one

    def kit(self, history: Sequence[Mapping[str, Any]]) -> FakeKit:
        return kit_for(self._network(history))

    def tampered(self, history: Sequence[Mapping[str, Any]]) -> BlueskyClient:
        """The server signs with a key that the directory does not know."""
        made = self._network(history)
        made.accounts[ACCOUNT.did].key = SigningKey("mallory's")
        return BlueskySource().open(SETTINGS, self.account, kit_for(made))

    def _network(self, history: Sequence[Mapping[str, Any]]) -> AtNetwork:
        made = network()
        account = made.account("alice.example")
        for item in history:
            account.records[key_of(item["uri"]) or ""] = from_json(item["value"])
        later = tid(NUMBER + ((len(self.revs) + 1) << 20))
        account.rev = self.revs.setdefault(repr(history), later)
        return made

    def failing(self, status: int, body: bytes) -> BlueskyClient:
        kit = FakeKit(FakeHttp(lambda _request: (status, body)))
        return BlueskySource().open(SETTINGS, self.account, kit)

    def record(self, number: int) -> Mapping[str, Any]:
        said = record({"text": f"Post {number}"})
        return {**said, "uri": f"at://{ACCOUNT.did}/app.bsky.feed.post/{tid(NUMBER - number)}"}


class TestOptions:
    @pytest.mark.parametrize("handle", ["alice.example", "@Alice.Example", ACCOUNT.did])
    def test_a_handle_or_a_did_names_an_account(self, handle: str) -> None:
        AtprotoBluesky().check_options(BlueskyOptions(handle))

    @pytest.mark.parametrize("handle", ["", " ", "alice", "https://bsky.app/profile/x", "did:x:y"])
    def test_anything_else_is_an_error_of_the_config(self, handle: str) -> None:
        with pytest.raises(ConfigError):
            AtprotoBluesky().check_options(BlueskyOptions(handle))
