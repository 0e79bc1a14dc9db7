"""archiver plugins says what is installed and where it comes from."""

import json
import re

import pytest

from archiver.cli.shell import Shell
from support.plugin_samples import shelf_plugins
from support.running import Cli


def test_the_list(cli: Cli) -> None:
    done = cli("plugins", shell=Shell(_plugins=shelf_plugins()))
    assert done.exit_code == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines == [
        ["BRINGS", "NAME", "SOURCE", "PLUGIN", "FROM"],
        ["platform", "cards", "shelf", "shelf", "shelf-plugin", "1.0"],
        ["platform", "notes", "shelf", "shelf", "shelf-plugin", "1.0"],
        ["source", "shelf", "shelf", "shelf-plugin", "1.0"],
    ]


def test_for_programs(cli: Cli) -> None:
    done = cli("plugins", "--json", shell=Shell(_plugins=shelf_plugins()))
    assert json.loads(done.stdout) == {
        "plugins": [
            {
                "name": "shelf",
                "module": "shelf_plugin",
                "distribution": "shelf-plugin",
                "version": "1.0",
                "sources": ["shelf"],
                "platforms": [
                    {"name": "cards", "source": "shelf"},
                    {"name": "notes", "source": "shelf"},
                ],
                "resolvers": [],
                "export_readers": [],
                "export_formats": [],
            }
        ],
        "problems": [],
    }


def test_resolvers_are_listed_with_their_platforms(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVER_PLUGINS", "ytdlp")
    rows = [line.split()[:3] for line in cli("plugins").stdout.splitlines()]
    assert ["resolver", "ytdlp", "ytdlp"] in rows
    (plugin,) = json.loads(cli("plugins", "--json").stdout)["plugins"]
    (resolver,) = plugin["resolvers"]
    assert resolver["name"] == "ytdlp"
    assert "youtube" in resolver["platforms"]


def test_readers_of_exports_are_listed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVER_PLUGINS", "exports")
    assert re.search(r"export reader +twitter +exports ", cli("plugins").stdout)


def test_none_at_all(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVER_PLUGINS", "")
    done = cli("plugins")
    assert (done.exit_code, done.stdout) == (0, "No plugin is loaded.\n")


def test_a_misspelt_plugin_gets_a_suggestion(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVER_PLUGINS", "instagrm")
    done = cli("plugins")
    assert done.exit_code == 2
    assert 'Did you mean "instagram"?' in done.stderr
