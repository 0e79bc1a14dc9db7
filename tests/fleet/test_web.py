"""The page of a fleet in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from archiver.fleet.web import fleet_app
from archiver.webserver import listen, origin_of, running
from support.fleet.fleets import FleetBench


@contextmanager
def served(address: str) -> Iterator[httpx.Client]:
    sock = listen("127.0.0.1", 0)
    app = fleet_app(address, timedelta(days=3))
    with running(app, [sock], quiet=True), httpx.Client(base_url=origin_of(sock)) as client:
        yield client


@pytest.mark.peers
def test_it_shows_the_fleet_to_people_and_programs(fleet: FleetBench) -> None:
    fleet.add("acme", 2)
    with served(fleet.address) as client:
        shown = client.get("/")
        assert "<td>acme</td>" in shown.text
        assert "default-src 'none'" in shown.headers["content-security-policy"]
        assert 'accounts{tenant="acme"} 2' in client.get("/metrics").text
        assert client.get("/status.json").json()["tenants"][0]["accounts"] == 2
        assert client.get("/other").status_code == 404
        assert client.post("/").status_code == 405


def test_without_a_database_it_says_so() -> None:
    with served("postgresql://nobody@127.0.0.1:9/none") as client:
        answer = client.get("/")
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)
    assert "nobody" not in answer.text
