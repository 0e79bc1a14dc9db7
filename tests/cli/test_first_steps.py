"""From nothing to a first archive, by the commands alone, against the demo world."""

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver_ayrshare.demo.world import World
from support.running import Cli
from support.served_world import serve

PLATFORMS = ("bluesky", "instagram", "threads", "twitter")


@pytest.fixture
def world(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world that is served, with a fresh config in the current folder that points to it."""
    world = World(lambda: datetime.now(UTC))
    monkeypatch.setenv("AYRSHARE_API_KEY", world.api_key)
    assert cli("init").exit_code == 0
    config = Path("archive.toml")
    with serve(world) as server:
        text = config.read_text("utf-8")
        text = text.replace("# [ayrshare]\n# ", "[ayrshare]\n")
        text = text.replace("# base_url = ", f'base_url = "{server.base_url}" # ')
        config.write_text(text.replace("allow = []", 'allow = ["127.0.0.0/8"]'), "utf-8")
        yield world


def discover(cli: Cli, *options: str) -> str:
    """What is linked, as lines to paste."""
    done = cli("accounts", "--discover", *options)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_from_a_key_to_an_archive(cli: Cli, world: World) -> None:
    for platform in PLATFORMS:
        world.account(platform)
    world.account("threads").publish("Good morning")
    lines = discover(cli)
    accounts = tomllib.loads(lines)["accounts"]
    assert {account["platform"] for account in accounts} == set(PLATFORMS)
    (name,) = [account["name"] for account in accounts if account["platform"] == "threads"]
    with Path("archive.toml").open("a", encoding="utf-8") as config:
        config.write(lines)
    listed = json.loads(cli("accounts", "--json").stdout)["accounts"]
    assert [account["problem"] for account in listed] == [None] * len(PLATFORMS)

    done = cli("backup", name, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["new"] == 1
    assert cli("status").exit_code == 0
    assert cli("verify").exit_code == 0

    again = discover(cli)
    assert tomllib.loads(again) == {}, "what is in the config already comes as remarks"


def test_another_profile(cli: Cli, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add_profile("acme-profile", "Acme").account("bluesky")
    monkeypatch.setenv("ACME", "acme-profile")
    accounts = tomllib.loads(discover(cli, "--profile-key", "env:ACME"))["accounts"]
    assert {account["profile_key"] for account in accounts} == {"env:ACME"}


@pytest.mark.parametrize(("key", "code"), [("wrong", 5), ("", 2)])
def test_a_key_that_does_not_work(
    key: str, code: int, cli: Cli, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AYRSHARE_API_KEY", key)
    done = cli("accounts", "--discover")
    assert done.exit_code == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
