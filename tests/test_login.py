"""A login with PKCE, its renewal and its end, at a server that checks every step."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.auth import OAuth
from archiver.clock import DemoClock
from archiver.errors import AccessRefused, SourceDown, UsageError
from archiver.login import (
    LoginRequest,
    begin_login,
    code_of,
    code_of_redirect,
    finish_login,
    is_due,
    renewed,
    revoke,
    token_by_hand,
    with_user,
)
from archiver.net.api import ApiClient, api_client
from archiver.secrets import Secret, redact
from archiver.testing import FakeHttp
from archiver.tokens import Login, Token
from support.mastodon.app import serving
from support.mastodon.world import FediServer

T = TypeVar("T")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REDIRECT = "http://127.0.0.1:5000/login"


@pytest.fixture
def clock() -> DemoClock:
    return DemoClock()


@pytest.fixture
def world(clock: DemoClock) -> Iterator[FediServer]:
    world = FediServer(clock.now)
    world.sign_up("press")
    with serving(world):
        yield world


def auth_of(world: FediServer) -> OAuth:
    return OAuth(
        world.origin, "/oauth/authorize", "/oauth/token", ("read:accounts",),
        register_path="/api/v1/apps", register_form={"client_name": "archiver"},
        revoke_path="/oauth/revoke", user_path="/api/v1/accounts/verify_credentials",
        user_key="acct",
    )  # fmt: skip


def asking(world: FediServer, question: Callable[[ApiClient], Awaitable[T]]) -> T:
    """What a client of the world is answered."""

    async def ask() -> T:
        async with api_client("mastodon", world.origin, clock=DemoClock()) as http:
            return await question(http)

    return anyio.run(ask)


def begun(world: FediServer, redirect_uri: str = REDIRECT) -> LoginRequest:
    return asking(world, lambda http: begin_login(auth_of(world), http, redirect_uri))


def code_from_browser(request: LoginRequest) -> str:
    """What the browser of somebody who says yes is sent back with."""
    answer = httpx.get(request.url)
    assert answer.status_code == 307, answer.text
    return code_of(answer.headers["location"], request.state)


def logged_in(world: FediServer) -> Token:
    request = begun(world)
    code = code_from_browser(request)
    return asking(world, lambda http: finish_login(request, http, code, NOW))


def test_a_code_is_exchanged_for_a_token(world: FediServer) -> None:
    token = logged_in(world)
    assert world.tokens[token.access_token].account.user == "press"
    assert token.login.scope == "read:accounts"
    assert (token.login.expires_at, token.login.is_renewable) == (None, False)
    known = asking(world, lambda http: with_user(token, auth_of(world), http))
    assert known.login.user == "press"


def test_a_code_that_is_shown_can_be_pasted(world: FediServer) -> None:
    request = begun(world, auth_of(world).paste_redirect)
    code = code_of(f"  {httpx.get(request.url).text}\n", request.state)
    token = asking(world, lambda http: finish_login(request, http, code, NOW))
    assert token.access_token in world.tokens


def test_a_code_is_useless_without_its_verifier(world: FediServer) -> None:
    """PKCE: it takes the verifier, which never left this program."""
    request = begun(world)
    code = code_from_browser(request)
    thief = replace(request, verifier="x" * 64)
    with pytest.raises(AccessRefused, match="invalid_grant"):
        asking(world, lambda http: finish_login(thief, http, code, NOW))


def test_nothing_of_a_login_is_shown(world: FediServer) -> None:
    request = begun(world)
    code = code_from_browser(request)
    token = asking(world, lambda http: finish_login(request, http, code, NOW))
    for secret in (request.verifier, request.client_secret, code, token.access_token):
        assert secret is not None
        assert secret not in redact(f"an echo of {secret}")
        assert secret not in repr((request, token))
    assert request.verifier not in request.url


def test_every_login_has_a_state_and_a_verifier_of_its_own(world: FediServer) -> None:
    first, second = begun(world), begun(world)
    assert first.state != second.state
    assert first.verifier != second.verifier
    assert len(first.verifier) >= 43


def test_a_token_that_ends_is_renewed(world: FediServer, clock: DemoClock) -> None:
    world.token_life = timedelta(days=60)
    token = logged_in(world)
    assert token.login.expires_at == "2026-05-01T09:00:00.000Z"
    assert token.login.is_renewable
    new = asking(world, lambda http: renewed(token, http, NOW + timedelta(days=55)))
    assert new.access_token != token.access_token
    assert new.login.expires_at == "2026-06-25T09:00:00.000Z"
    with pytest.raises(AccessRefused, match="invalid_grant"):
        asking(world, lambda http: renewed(token, http, NOW))


def test_a_token_is_revoked(world: FediServer) -> None:
    token = logged_in(world)
    asking(world, lambda http: revoke(token, http))
    assert world.tokens == {}


def test_a_server_that_gives_back_the_same_refresh_token_keeps_it_alive() -> None:
    """Our client blanks known secrets out of what it receives: this one is known."""
    token = Token(
        Login("https://a.example", token_path="/t"),
        "access-1-0123456789abcdef",
        "refresh-1-0123456789abcdef",
    )
    token.mask()
    body = {
        "access_token": "access-2-0123456789abcdef",
        "refresh_token": redact("refresh-1-0123456789abcdef"),
        "expires_in": "9",
    }
    http = FakeHttp(lambda _request: (200, body))
    new = anyio.run(renewed, token, http, NOW)
    assert new.access_token == "access-2-0123456789abcdef"
    assert new.refresh_token == "refresh-1-0123456789abcdef"
    assert new.login.expires_at == "2026-03-02T09:00:09.000Z"


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {}), (200, []), (200, b"<html>"), (200, {"access_token": ""}),
     (200, {"access_token": 5}),
     (200, {"access_token": "a b"}), (200, {"access_token": "x\n"}), (302, {}), (500, {}),
     (200, {"access_token": "a1" * 20, "token_type": "mac"}),
     (200, {"access_token": "media_attachments_preview_url"}),
     (200, {"access_token": "https://social.example/media/0"}), (200, {"access_token": "short-1"})],
)  # fmt: skip
def test_an_answer_without_a_usable_token_is_the_servers_fault(status: int, body: Any) -> None:
    token = Token(Login("https://a.example"), "", "refresh-one")
    http = FakeHttp(lambda _request: (status, body))
    with pytest.raises(SourceDown):
        anyio.run(renewed, token, http, NOW)


def test_a_program_that_is_known_is_not_registered() -> None:
    own: dict[str, Any] = {"client_id": "me", "client_secret": Secret("hush-hush")}
    auth = OAuth("https://a.example", "/a", "/t", ("r",), **own)
    http = FakeHttp(lambda _request: (500, {}))
    request = anyio.run(begin_login, auth, http, REDIRECT)
    assert http.requests == []
    assert (request.client_id, request.client_secret) == ("me", "hush-hush")


def test_a_redirect_must_belong_to_the_login() -> None:
    assert code_of_redirect({"code": ["abc"], "state": ["s"]}, "s") == "abc"
    for state in (["t"], [], ["s", "s"]):
        with pytest.raises(UsageError, match="another login"):
            code_of_redirect({"code": ["abc"], "state": state}, "s")
    with pytest.raises(UsageError, match="no code"):
        code_of_redirect({"state": ["s"]}, "s")
    refused = {"state": ["s"], "error": ["access_denied"], "error_description": ["You said no"]}
    with pytest.raises(AccessRefused, match="You said no"):
        code_of_redirect(refused, "s")


@given(st.text(max_size=60))
def test_whatever_is_pasted_is_a_code_or_an_error(pasted: str) -> None:
    try:
        code = code_of(pasted, "state")
    except (UsageError, AccessRefused):
        return
    assert code.isascii()
    assert code == pasted.strip()


def test_a_token_made_by_hand_is_one_word() -> None:
    auth = OAuth("https://a.example", "/a", "/t", ())
    token = token_by_hand(auth, "made-by-hand-0123456789", NOW)
    assert (token.access_token, token.login.is_renewable) == ("made-by-hand-0123456789", False)
    letters = "qWfZrTkLmBvXcNpQsDgHjYaUeIoRtEwAxKzMbVnCd"
    assert token_by_hand(auth, letters, NOW).access_token == letters
    odd_ones = (
        "two words", "short", "password" * 4, "https://social.example/settings/applications",
        "acct:press@social.example", "settings-applications-authorizations-of-others", "aB" * 20,
    )  # fmt: skip
    for odd in odd_ones:
        with pytest.raises(UsageError):
            token_by_hand(auth, odd, NOW)


@pytest.mark.parametrize(
    ("life", "age", "due"),
    [(60, 50, False), (60, 53, True), (60, 61, True), (2, 0.5, False), (2, 1, True),
     (None, 900, False)],
)  # fmt: skip
def test_a_token_is_renewed_a_week_before_its_end_or_after_half_its_life(
    life: float | None, age: float, due: bool
) -> None:
    login = Login("https://a.example", obtained_at=_at(0), is_renewable=True)
    if life is not None:
        login = replace(login, expires_at=_at(life))
    assert is_due(login, NOW + timedelta(days=age)) is due
    assert not is_due(replace(login, is_renewable=False), NOW + timedelta(days=age))


def _at(days: float) -> str:
    return (NOW + timedelta(days=days)).isoformat()
