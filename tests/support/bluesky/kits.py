"""A network of the tests behind a kit, without a port."""

from datetime import UTC, datetime
from typing import Any

from archiver.testing import FakeKit, Request
from support.bluesky.world import AtNetwork

BASE = "https://at.example"
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


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
