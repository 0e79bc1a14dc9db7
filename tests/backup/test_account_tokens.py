"""A token is renewed in time, by one run only, and never lost on the way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from archiver.backup.account_tokens import AccountTokens
from archiver.clock import DemoClock
from archiver.errors import AccessRefused, SecretError, SourceDown
from archiver.models import timestamp
from archiver.testing import FakeHttp, Request
from archiver.tokens import Login, Token, TokenStore

Answer = Callable[[Request], tuple[int, Any]]
LIFE = timedelta(days=60)


class Renewals:
    """A server that hands out numbered tokens."""

    def __init__(self) -> None:
        self.count = 0
        self.status = 200
        self.http = FakeHttp(self.answer)

    def answer(self, _request: Request) -> tuple[int, Any]:
        if self.status != 200:
            return self.status, {"error": "invalid_grant"}
        self.count += 1
        return 200, {
            "access_token": f"access-{self.count}-new-of-the-server",
            "refresh_token": f"refresh-{self.count}-new-of-the-server",
            "expires_in": int(LIFE.total_seconds()),
        }  # fmt: skip


@pytest.fixture
def clock() -> DemoClock:
    return DemoClock()


@pytest.fixture
def store(tmp_path: Path, clock: DemoClock) -> TokenStore:
    store = TokenStore(tmp_path / "archive.tokens.json")
    login = Login(
        "https://a.example", user="press", obtained_at=timestamp(clock.now()) or "",
        expires_at=timestamp(clock.now() + LIFE), is_renewable=True, token_path="/token",
        client_id="me",
    )  # fmt: skip
    store.save("mastodon", "press", Token(login, "access-old", "refresh-old"))
    return store


@pytest.fixture
def renewals() -> Renewals:
    return Renewals()


def tokens_of(store: TokenStore, clock: DemoClock, renewals: Renewals) -> AccountTokens:
    return AccountTokens(store, "mastodon", "press", clock, lambda _login: renewals.http)


def current(tokens: AccountTokens) -> str | None:
    found = anyio.run(tokens.current)
    return None if found is None else found.reveal()


def test_a_young_token_is_used_as_it_is(
    store: TokenStore, clock: DemoClock, renewals: Renewals
) -> None:
    tokens = tokens_of(store, clock, renewals)
    assert current(tokens) == "access-old"
    assert tokens.user == "press"
    assert renewals.count == 0


def test_an_account_without_a_login_has_no_token(
    tmp_path: Path, clock: DemoClock, renewals: Renewals
) -> None:
    tokens = tokens_of(TokenStore(tmp_path / "none.json"), clock, renewals)
    assert current(tokens) is None
    assert tokens.user is None
    assert anyio.run(tokens.renewed) is None


def test_a_token_near_its_end_is_renewed_and_kept(
    store: TokenStore, clock: DemoClock, renewals: Renewals
) -> None:
    clock.advance(days=54)
    assert current(tokens_of(store, clock, renewals)) == "access-1-new-of-the-server"
    kept = store.load("mastodon", "press")
    assert kept is not None
    assert (kept.access_token, kept.refresh_token) == (
        "access-1-new-of-the-server",
        "refresh-1-new-of-the-server",
    )
    assert current(tokens_of(store, clock, renewals)) == "access-1-new-of-the-server"
    assert renewals.count == 1


def test_two_accounts_of_a_run_and_two_runs_renew_once(
    store: TokenStore, clock: DemoClock, renewals: Renewals
) -> None:
    clock.advance(days=54)
    runs = [tokens_of(store, clock, renewals) for _ in range(3)]
    found: list[str] = []

    async def ask(tokens: AccountTokens) -> None:
        secret = await tokens.current()
        assert secret is not None
        found.append(secret.reveal())

    async def together() -> None:
        async with anyio.create_task_group() as group:
            for tokens in (*runs, *runs):
                group.start_soon(ask, tokens)

    anyio.run(together)
    assert set(found) == {"access-1-new-of-the-server"}
    assert renewals.count == 1


def test_a_server_that_is_down_stops_no_run_while_the_token_lives(
    store: TokenStore, clock: DemoClock, renewals: Renewals
) -> None:
    renewals.status = 503
    clock.advance(days=54)
    assert current(tokens_of(store, clock, renewals)) == "access-old"
    clock.advance(days=7)
    with pytest.raises(SourceDown):
        current(tokens_of(store, clock, renewals))
    assert store.load("mastodon", "press") is not None


def test_a_login_that_the_server_has_ended_names_the_command(
    store: TokenStore, clock: DemoClock, renewals: Renewals
) -> None:
    renewals.status = 400
    clock.advance(days=54)
    with pytest.raises(AccessRefused, match="Run: archiver login press"):
        current(tokens_of(store, clock, renewals))


def test_a_token_that_was_refused_is_renewed_before_its_time(
    store: TokenStore, clock: DemoClock, renewals: Renewals
) -> None:
    tokens = tokens_of(store, clock, renewals)
    new = anyio.run(tokens.renewed)
    assert new is not None
    assert new.reveal() == "access-1-new-of-the-server"
    assert current(tokens) == "access-1-new-of-the-server"


def test_one_that_cannot_be_renewed_is_none(
    store: TokenStore, clock: DemoClock, renewals: Renewals
) -> None:
    store.save("mastodon", "press", Token(Login("https://a.example"), "access-by-hand"))
    assert anyio.run(tokens_of(store, clock, renewals).renewed) is None
    assert renewals.count == 0


def test_nothing_is_asked_for_that_could_not_be_kept(
    store: TokenStore, clock: DemoClock, renewals: Renewals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh token is worth one use: the answer must not be lost."""
    clock.advance(days=54)

    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("archiver.tokens.replace_privately", full)
    with pytest.raises(SecretError, match="No space left"):
        current(tokens_of(store, clock, renewals))
    assert renewals.count == 0


def test_a_login_of_another_account_is_not_taken(
    store: TokenStore, clock: DemoClock, renewals: Renewals
) -> None:
    other = replace(tokens_of(store, clock, renewals), name="other")
    assert current(other) is None


def test_a_token_that_looks_like_a_reference_is_a_token(
    store: TokenStore, clock: DemoClock, renewals: Renewals, tmp_path: Path
) -> None:
    """A server could hand out `cmd:…`, which in a config names a command to run."""
    for token in (f"cmd:touch\t{tmp_path}/ran".replace("\t", "${IFS}"), "env:HOME", "file:/x"):
        store.save("mastodon", "press", Token(Login("https://a.example"), token))
        assert current(tokens_of(store, clock, renewals)) == token
    assert not (tmp_path / "ran").exists()
