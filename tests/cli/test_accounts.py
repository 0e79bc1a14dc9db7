"""archiver accounts lists what the config has, and what a key has linked."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from archiver.cli import main
from archiver.cli.shell import Shell
from archiver.models import Identity
from archiver.plugins import Loaded, Origin, Plugins
from support.plugin_samples import Cards, Shelf, shelf_plugins
from support.running import Cli

CONFIG = """
[[accounts]]
name = "mine"
platform = "cards"
source = "shelf"
"""
ACME = Identity("cards", "1", handle="acme", title="Acme\x1b[31m\nInc", url="https://a.example/")
NOTES = Identity("notes", "2", handle='"quoted" name', title=None)
OTHER = Identity("elsewhere", "3", handle="acme")


@pytest.fixture
def config(cli: Cli) -> Path:
    """A config in the current folder, with one account."""
    path = Path("archive.toml")
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def shell(*linked: Identity) -> Shell:
    """A shell with the plugins of the samples."""
    return Shell(_plugins=shelf_plugins(*linked))


def test_the_accounts_in_the_config(cli: Cli, config: Path) -> None:
    done = cli("accounts", shell=shell())
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].split() == ["mine", "cards", "shelf", "ok"]
    answer = json.loads(cli("accounts", "--json", shell=shell()).stdout)
    assert answer == {
        "accounts": [
            {"name": "mine", "platform": "cards", "source": "shelf", "line": 2, "problem": None}
        ],
        "resolvers": [],
    }


def test_what_keeps_videos_behind_their_pages_from_being_fetched_is_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver_ytdlp.installed.version", lambda name: "2025.01.15")
    settings = '[ayrshare]\napi_key = "env:KEY"\n[media]\nresolve = ["tiktok"]\n'
    account = '[[accounts]]\nname = "clips"\nplatform = "tiktok"\nown = true\n'
    Path("archive.toml").write_text(settings + account)
    done = cli("accounts")
    assert done.exit_code == 0
    said = " ".join(done.stderr.split())
    assert "clips: yt-dlp 2025.01.15 is older than 2026.7.4, which closed a hole: pip" in said
    (notice,) = json.loads(cli("accounts", "--json").stdout)["resolvers"]
    assert notice["account"] == "clips"


def test_a_wrong_one_is_named(cli: Cli, config: Path) -> None:
    config.write_text(CONFIG + "colour = 1\n")
    done = cli("accounts", shell=shell())
    assert done.exit_code == 2
    assert done.stdout.splitlines()[1].split() == ["mine", "cards", "shelf", "wrong"]
    assert 'line 6: "colour" is not known' in done.stderr.replace("\n         ", " ")
    assert (
        "colour"
        in json.loads(cli("accounts", "--json", shell=shell()).stdout)["accounts"][0]["problem"]
    )


BLUESKY = 'platform = "bluesky"\nhandle = "acme.example"\n'
MASTODON = 'platform = "mastodon"\nhandle = "acme@social.example"\n'
THREADS = 'platform = "threads"\n'


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (f'{BLUESKY}[bluesky]\nplc = "plc.directory"\n', '"plc" in [bluesky]'),
        (f'{BLUESKY}[bluesky]\nappview = "https://u:p@a.example"\n', '"appview" in [bluesky]'),
        (f'{MASTODON}server = "social"\n', '"server" in the account "mine"'),
        (f'{THREADS}[ayrshare]\napi_key = "env:X"\nbase_url = "api"\n', '"base_url" in [ayrshare]'),
        (THREADS, '"api_key" is missing in [ayrshare]'),
    ],
    ids=["plc", "appview", "server", "base_url", "no key"],
)
def test_addresses_and_settings_of_the_source_are_checked_too(
    cli: Cli, config: Path, lines: str, named: str
) -> None:
    config.write_text(f'[[accounts]]\nname = "mine"\n{lines}')
    done = cli("accounts")
    assert done.exit_code == 2
    assert done.stdout.splitlines()[1].split()[-1] == "wrong"
    assert named in " ".join(done.stderr.split())


def test_no_accounts_yet(cli: Cli, config: Path) -> None:
    config.write_text("[archive]\n")
    done = cli("accounts", shell=shell())
    assert done.exit_code == 2
    assert "no accounts yet" in done.stderr
    words = " ".join(done.stderr.split())
    assert 'platform = "bluesky", handle = "you.bsky.social"' in words
    assert words.index("needs no key") < words.index("--discover")


def test_no_config(cli: Cli) -> None:
    done = cli("accounts", shell=shell())
    assert done.exit_code == 2
    assert "archiver init" in done.stderr


class TestDiscover:
    """What is linked comes as lines to paste."""

    def test_lines_that_can_be_pasted(self, cli: Cli, config: Path) -> None:
        linked = shell(ACME, NOTES, NOTES, OTHER)
        done = cli("accounts", "--discover", "--source", "shelf", shell=linked)
        assert done.exit_code == 0
        assert "4 accounts linked" in done.stderr
        assert "\x1b" not in done.stdout
        assert "# Acme\\x1b[31m Inc, acme, https://a.example/" in done.stdout
        assert "# cards is in the config already, as mine\n# [[accounts]]" in done.stdout
        assert "# no plugin here reads this platform\n# [[accounts]]" in done.stdout
        assert tomllib.loads(done.stdout)["accounts"] == [
            {"name": "quoted-name-notes", "platform": "notes"},  # its source goes without saying
            {"name": "quoted-name-notes-2", "platform": "notes"},
        ]

    def test_without_a_source_the_only_one_is_asked(self, cli: Cli, config: Path) -> None:
        done = cli("accounts", "--discover", shell=shell(NOTES))
        assert done.exit_code == 0, done.stderr
        assert "1 account linked" in done.stderr

    def test_where_several_sources_could_be_asked_one_must_be_named(
        self, cli: Cli, config: Path
    ) -> None:
        drawer = Shelf((NOTES,))
        drawer.name = "drawer"
        both = Plugins((
            *shelf_plugins().loaded,
            Loaded(Origin("drawer", "drawer"), (drawer,), (Cards("notes", "drawer"),)),
        ))  # fmt: skip
        done = cli("accounts", "--discover", shell=Shell(_plugins=both))
        assert done.exit_code == 2
        assert "There are these: drawer, shelf" in done.stderr
        config.write_text(f"[drawer]\n{CONFIG}")
        done = cli("accounts", "--discover", shell=Shell(_plugins=both))
        assert tomllib.loads(done.stdout)["accounts"][0]["platform"] == "notes"

    def test_for_programs(self, cli: Cli, config: Path) -> None:
        done = cli("accounts", "--discover", "--source", "shelf", "--json", shell=shell(ACME))
        (linked,) = json.loads(done.stdout)["linked"]
        assert linked["name"] == "acme-cards"
        assert linked["platform_id"] == "1"
        assert linked["configured"] == ["mine"]
        assert linked["readable"] is True

    def test_another_profile(self, cli: Cli, config: Path) -> None:
        options = ["accounts", "--discover", "--source", "shelf", "--profile-key"]
        done = cli(*options, "env:ACME", shell=shell(NOTES))
        (account,) = tomllib.loads(done.stdout)["accounts"]
        assert account["profile_key"] == "env:ACME"
        done = cli(*options, "L1teral-key", shell=shell(NOTES))
        assert done.exit_code == 2
        assert "L1teral" not in done.stderr

    def test_nothing_linked(self, cli: Cli, config: Path) -> None:
        done = cli("accounts", "--discover", "--source", "shelf", shell=shell())
        assert done.exit_code == 5
        assert "no accounts linked" in done.stderr

    def test_an_unknown_source(self, cli: Cli, config: Path) -> None:
        done = cli("accounts", "--discover", "--source", "shlef", shell=shell())
        assert done.exit_code == 2
        assert 'Did you mean "shelf"?' in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp437"])
def test_what_is_appended_to_the_config_is_utf_8_on_every_console(
    cli: Cli, config: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Identity("notes", "2", handle="müll", title="Größe ☕")
    command = ["accounts", "--discover", "--source", "shelf"]
    done = CliRunner(charset=encoding).invoke(main, command, obj=shell(found))
    assert done.exit_code == 0, done.stderr
    text = done.stdout_bytes.decode("utf-8")
    assert tomllib.loads(text)["accounts"][0]["platform"] == "notes"
    assert ("Größe ☕" in text) is (encoding == "utf-8")


def test_what_a_platform_needs_besides_stands_above_its_entry(cli: Cli, config: Path) -> None:
    class NeedyCards(Cards):
        setup_note = "Cards need a table\nof their own: " + "and more words " * 10

    needy = Plugins((
        Loaded(Origin("shelf", "shelf"), (Shelf((NOTES,)),), (NeedyCards("notes"),)),
    ))  # fmt: skip
    done = cli("accounts", "--discover", shell=Shell(_plugins=needy))
    lines = done.stdout.splitlines()
    note = lines[lines.index("[[accounts]]") - 3 : lines.index("[[accounts]]")]
    assert note[0].startswith("# Cards need a table of their own: and more")
    assert max(map(len, note)) <= 80
    assert len(tomllib.loads(done.stdout)["accounts"]) == 1
