"""Bluesky keeps the contract of sources."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from archiver import Account, ConfigError
from archiver.testing import FakeHttp, FakeKit, Request, SourceContract
from archiver_bluesky import BlueskySource
from archiver_bluesky.client import BlueskyClient, BlueskyOptions, BlueskySettings
from archiver_bluesky.dag_json import from_json
from archiver_bluesky.platform import AtprotoBluesky
from archiver_bluesky.records import key_of
from support.bluesky.samples import SAMPLES, record
from support.bluesky.world import AtNetwork, tid

BASE = "https://at.example"
SETTINGS = BlueskySettings(plc=f"{BASE}/plc", appview=f"{BASE}/appview")
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
NUMBER = int(NOW.timestamp() * 1_000_000) << 10


def network() -> AtNetwork:
    """An empty network."""
    made = AtNetwork(lambda: NOW)
    made.base_url = BASE
    return made


ACCOUNT = network().account("alice.example")
"""The same identity in every network that is made so."""


def kit_for(made: AtNetwork) -> FakeKit:
    """A kit whose servers are a network's."""

    def server(part: str) -> Any:
        def answer(request: Request) -> tuple[int, bytes]:
            query = [
                (name, value)
                for name, given in request.params.items()
                for value in ([given] if isinstance(given, str) else given)
            ]
            status, _, body = made.answer(f"/{part}/{request.path.lstrip('/')}", query)
            return status, body

        return answer

    parts = ("plc", "appview", "pds-0", "pds-1")
    return FakeKit({f"{BASE}/{part}": server(part) for part in parts})


class TestBluesky(SourceContract):
    platform = AtprotoBluesky()
    account = Account("me", "bluesky", "bluesky", BlueskyOptions(handle=ACCOUNT.did))
    samples = SAMPLES

    def client(self, history: Sequence[Mapping[str, Any]]) -> BlueskyClient:
        made = network()
        account = made.account("alice.example")
        for item in history:
            account.records[key_of(item["uri"]) or ""] = from_json(item["value"])
        return BlueskySource().open(SETTINGS, self.account, kit_for(made))

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
