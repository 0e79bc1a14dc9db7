"""Tokens are kept in private, whole, and are never seen."""

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from archiver.config import load_config
from archiver.errors import SecretError
from archiver.private_files import replace_privately
from archiver.secrets import redact
from archiver.tokens import Login, Token, TokenStore, token_store

TOKEN = Token(
    Login(
        "https://social.example", user="press", scope="read",
        obtained_at="2026-03-02T09:00:00.000Z",
        expires_at="2026-05-02T09:00:00.000Z", is_renewable=True, token_path="/oauth/token",
        client_id="client",
    ),
    "access-of-press", "refresh-of-press", "secret-of-client",
)  # fmt: skip
SECRETS = ("access-of-press", "refresh-of-press", "secret-of-client")


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "archive.tokens.json")


def test_a_token_that_was_kept_is_found_by_source_and_label(store: TokenStore) -> None:
    assert store.load("mastodon", "press") is None
    store.save("mastodon", "press", TOKEN)
    store.save("mastodon", "other", Token(Login("https://b.example"), "access-of-other"))
    assert store.load("mastodon", "press") == TOKEN
    assert store.load("bluesky", "press") is None
    assert store.logins()["mastodon", "press"] == TOKEN.login
    store.forget("mastodon", "press")
    store.forget("mastodon", "press")
    assert store.load("mastodon", "press") is None
    assert list(store.logins()) == [("mastodon", "other")]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_file_is_private_from_the_beginning(store: TokenStore) -> None:
    umask = os.umask(0)
    try:
        store.save("mastodon", "press", TOKEN)
        store.save("mastodon", "press", TOKEN)
    finally:
        os.umask(umask)
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_file_that_others_can_read_is_refused(store: TokenStore) -> None:
    store.save("mastodon", "press", TOKEN)
    store.path.chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        store.load("mastodon", "press")


def test_a_token_is_blanked_out_from_the_moment_that_it_is_known(store: TokenStore) -> None:
    store.save("mastodon", "press", TOKEN)
    assert not any(secret in redact(" ".join(SECRETS)) for secret in SECRETS)
    assert not any(secret in repr(store.load("mastodon", "press")) for secret in SECRETS)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"tokens": []}', '{"tokens": {"mastodon": []}}',
             '{"tokens": {"mastodon": {"press": 5}}}', '{"tokens": {"mastodon": {"press": {}}}}',
             "[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_reported_and_not_overwritten(store: TokenStore, text: str) -> None:
    replace_privately(store.path, text.encode())
    with pytest.raises(SecretError):
        store.load("mastodon", "press")
    assert store.path.read_text() == text


def test_a_write_that_fails_leaves_what_was(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save("mastodon", "press", TOKEN)
    before = store.path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("archiver.tokens.os.fsync", full)
    with pytest.raises(SecretError, match="No space left"):
        store.save("mastodon", "press", Token(TOKEN.login, "access-anew"))
    assert store.path.read_bytes() == before
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]


def test_a_file_of_a_later_version_says_no_more_than_is_understood(store: TokenStore) -> None:
    store.save("mastodon", "press", TOKEN)
    written = json.loads(store.path.read_text())
    written["tokens"]["mastodon"]["press"] |= {"user": 5, "trust": "blind", "colour": "blue"}
    replace_privately(store.path, json.dumps(written).encode())
    login = store.logins()["mastodon", "press"]
    assert (login.user, login.trust) == (None, "discovered")


class Ring(ModuleType):
    """A keyring in memory."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.held: dict[tuple[str, str], str] = {}

    def get_keyring(self) -> object:
        return object()

    def get_password(self, service: str, user: str) -> str | None:
        return self.held.get((service, user))

    def set_password(self, service: str, user: str, password: str) -> None:
        self.held[service, user] = password

    def delete_password(self, service: str, user: str) -> None:
        del self.held[service, user]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    ring = Ring()
    monkeypatch.setitem(sys.modules, "keyring", ring)
    return ring


def test_with_a_keyring_the_file_holds_no_secret(tmp_path: Path, ring: Ring) -> None:
    store = TokenStore(tmp_path / "archive.tokens.json", in_keyring=True)
    store.save("mastodon", "press", TOKEN)
    written = store.path.read_text()
    assert not any(secret in written for secret in SECRETS)
    assert store.load("mastodon", "press") == TOKEN
    assert len(ring.held) == 1
    store.forget("mastodon", "press")
    assert ring.held == {}


def test_who_is_logged_in_is_known_without_opening_the_keyring(tmp_path: Path, ring: Ring) -> None:
    store = TokenStore(tmp_path / "archive.tokens.json", in_keyring=True)
    store.save("mastodon", "press", TOKEN)
    ring.held.clear()
    assert store.logins() == {("mastodon", "press"): TOKEN.login}
    with pytest.raises(SecretError, match="archiver login press"):
        store.load("mastodon", "press")


def test_a_keyring_that_is_chosen_later_takes_over_at_the_next_login(
    tmp_path: Path, ring: Ring
) -> None:
    path = tmp_path / "archive.tokens.json"
    TokenStore(path).save("mastodon", "press", TOKEN)
    store = TokenStore(path, in_keyring=True)
    assert store.load("mastodon", "press") == TOKEN
    store.save("mastodon", "press", TOKEN)
    assert "access-of-press" not in path.read_text()


def test_each_config_has_logins_of_its_own(tmp_path: Path) -> None:
    paths = []
    for name in ("archive.toml", "second.toml"):
        (tmp_path / name).write_text('[archive]\ndirectory = "a"\n')
        paths.append(token_store(load_config(tmp_path / name)).path.name)
    assert paths == ["archive.tokens.json", "second.tokens.json"]


def test_one_program_at_a_time_renews(store: TokenStore) -> None:
    from filelock import FileLock, Timeout

    with store.locked(), pytest.raises(Timeout):
        FileLock(f"{store.path}.lock", timeout=0).acquire()
    with store.locked():
        pass
