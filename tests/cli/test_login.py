"""archiver login: through the browser, by a pasted code, with a token made by hand, and out."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from archiver.cli import main
from archiver.clock import SystemClock
from archiver.config import load_config
from archiver.tokens import token_store
from support.mastodon.app import serving
from support.mastodon.world import LOCAL, FediServer
from support.running import Cli

CONFIG = """
[ayrshare]
api_key = "env:NO_KEY"
[[accounts]]
name = "press"
platform = "mastodon"
handle = "press@{host}"
server = "{origin}"

[[accounts]]
name = "acme"
platform = "instagram"
"""


@pytest.fixture
def world(cli: Cli) -> Iterator[FediServer]:
    world = FediServer(SystemClock().now)
    world.sign_up("press")
    world.sign_up("intern")
    with serving(world):
        Path("archive.toml").write_text(CONFIG.format(host=LOCAL, origin=world.origin))
        yield world


def pasting(*args: str) -> Result:
    """Run a login; whoever sits before it opens the page and pastes what it shows."""
    pasted: list[str] = []

    def prompt(*_args: object, **_options: object) -> str:
        return pasted[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "archiver.cli.login._Login._show",
            lambda _self, request, _opens: pasted.append(httpx.get(request.url).text),
        )
        patch.setattr("click.prompt", prompt)
        return CliRunner().invoke(main, ["login", *args])


def logins() -> list[str | None]:
    store = token_store(load_config(Path("archive.toml")))
    return [login.user for login in store.logins().values()]


def test_the_browser_comes_back_with_a_code(
    cli: Cli, world: FediServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def browser(url: str) -> int:
        threading.Thread(target=httpx.get, args=(url,), kwargs={"follow_redirects": True}).start()
        return 0

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("click.launch", browser)
    done = cli("login", "press")
    assert done.exit_code == 0, done.stderr
    assert "Logged in to press as press" in done.stdout
    assert re.search(r"http://127\.0\.0\.1:\d+/oauth/authorize\?", done.stderr)
    assert logins() == ["press"]
    for token in world.tokens:
        assert token not in done.stdout + done.stderr


def test_a_code_can_be_pasted(cli: Cli, world: FediServer) -> None:
    done = pasting("press", "--paste")
    assert done.exit_code == 0, done.stderr
    assert logins() == ["press"]


def test_a_login_as_another_user_is_reported(cli: Cli, world: FediServer) -> None:
    world.logged_in_user = "intern"
    done = pasting("press", "--paste")
    assert done.exit_code == 0
    assert "You are logged in as intern, and press is press" in " ".join(done.stderr.split())


def test_a_token_made_by_hand_is_kept(
    cli: Cli, world: FediServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", world.hand_out(world.accounts["press"]).access)
    assert cli("login", "press", "--token", "env:MY_TOKEN").exit_code == 0
    assert logins() == ["press"]
    done = cli("login", "press", "--token", "written-out")
    assert done.exit_code == 2
    assert "env:MASTODON_TOKEN" in done.stderr


def test_a_token_that_the_server_does_not_know_is_not_kept(
    cli: Cli, world: FediServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "made-up-0123456789-abc")
    assert cli("login", "press", "--token", "env:MY_TOKEN").exit_code == 5
    assert logins() == []


def test_who_logs_out_leaves_no_token_anywhere(cli: Cli, world: FediServer) -> None:
    pasting("press", "--paste")
    done = cli("login", "press", "--forget")
    assert done.exit_code == 0, done.stderr
    assert world.tokens == {}
    assert logins() == []
    assert cli("login", "press", "--forget").exit_code == 2


def test_a_server_that_is_down_keeps_nobody_logged_in(cli: Cli, world: FediServer) -> None:
    pasting("press", "--paste")
    world.apps.clear()
    done = cli("login", "press", "--forget")
    assert done.exit_code == 0
    assert "revoke it on the server too" in " ".join(done.stderr.split())
    assert logins() == []


def test_what_needs_no_login_says_so(cli: Cli, world: FediServer) -> None:
    done = cli("login", "acme")
    assert done.exit_code == 2
    assert "acme needs no login" in done.stderr
    assert cli("login", "nobody").exit_code == 2
    assert cli("login", "press", "--paste", "--forget").exit_code == 2


@pytest.mark.parametrize(
    ("life", "words"),
    [(None, "until it is revoked"), (timedelta(days=30, hours=1), "30 days more; renewed in time"),
     (timedelta(hours=5, minutes=9), "5 hours more; renewed in time")],
)  # fmt: skip
def test_status_says_how_long_a_token_lives(
    cli: Cli, world: FediServer, life: timedelta | None, words: str
) -> None:
    world.token_life = life
    pasting("press", "--paste")
    cli("backup", "press", "--no-media")
    done = cli("status")
    assert words in " ".join(done.stdout.split()), done.stdout + done.stderr
    (login,) = json.loads(cli("status", "--json").stdout)["logins"]
    assert (login["account"], login["user"]) == ("press", "press")
    assert (login["seconds_left"] is None) is (life is None)
    for token in world.tokens:
        assert token not in done.stdout
