"""A server's API is found from a handle, and its refusals are told apart."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import pytest

from archiver import AccessRefused, Account, AccountGone, SourceDown
from archiver.testing import FakeKit, Request
from archiver_mastodon import MastodonSettings, MastodonSource
from archiver_mastodon.client import MastodonClient
from archiver_mastodon.platform import MastodonOptions

Answer = tuple[int, Any]
Servers = Mapping[str, Callable[[Request], Answer]]

HOME, API = "https://example.org", "https://social.example.org"
PROFILE = {"id": "109", "acct": "press", "uri": f"{API}/users/press"}
ACTOR = {
    "links": [
        {"rel": "http://webfinger.net/rel/profile-page", "href": f"{API}/@press"},
        {"rel": "self", "type": "application/activity+json", "href": f"{API}/users/press"},
    ]
}


def client_of(
    servers: Servers, *, server: str = "", token: str | None = None, known: bool = False
) -> tuple[MastodonClient, FakeKit]:
    kit = FakeKit(servers, token)
    options = MastodonOptions(handle="press@example.org", server=server)
    platform_id = PROFILE["uri"] if known else None
    account = Account("news", "mastodon", "mastodon", options, platform_id)
    return MastodonSource().open(MastodonSettings(), account, kit), kit


def answering(answers: Mapping[str, Answer]) -> Callable[[Request], Answer]:
    return lambda request: answers.get(request.path, (404, {"error": "Record not found"}))


def test_an_account_is_looked_for_on_the_host_of_its_handle() -> None:
    home = answering({"/api/v1/accounts/lookup": (200, PROFILE)})
    client, kit = client_of({HOME: home})
    assert anyio.run(client.profile) == PROFILE
    assert anyio.run(client.actor_uri) == f"{API}/users/press"
    assert [(asked.path, asked.params) for asked in kit.requests] == [
        ("/api/v1/accounts/lookup", {"acct": "press"})
    ]
    assert kit.opened == [(HOME, "configured")]


@pytest.mark.parametrize(
    "lookup", [(404, b"not here"), (200, b"<html>A home page</html>"), (302, b""), (500, b"")]
)
def test_a_server_on_another_host_is_found_by_webfinger(lookup: Answer) -> None:
    home = answering({"/api/v1/accounts/lookup": lookup, "/.well-known/webfinger": (200, ACTOR)})
    api = answering({"/api/v1/accounts/lookup": (200, PROFILE)})
    client, kit = client_of({HOME: home, API: api})
    assert anyio.run(client.profile) == PROFILE
    assert kit.opened[-1] == (API, "discovered"), "what a server names is guarded"
    assert kit.requests[-1].params == {"acct": "press@example.org"}


def test_a_token_goes_to_the_api_and_not_to_webfinger() -> None:
    home = answering({"/.well-known/webfinger": (200, ACTOR)})
    api = answering({"/api/v1/accounts/lookup": (200, PROFILE)})
    client, kit = client_of({HOME: home, API: api}, token="token-of-press")
    anyio.run(client.profile)
    sent = {request.path: request.headers.get("Authorization") for request in kit.requests}
    assert sent["/.well-known/webfinger"] is None
    assert sent["/api/v1/accounts/lookup"] == "Bearer token-of-press"


def test_a_server_that_is_named_is_not_looked_for() -> None:
    named = "https://api.example.org"
    api = answering({"/api/v1/accounts/lookup": (200, PROFILE)})
    client, kit = client_of({named: api}, server=named)
    anyio.run(client.profile)
    assert kit.opened == [(named, "configured")]


def test_a_server_without_a_lookup_takes_names_for_ids() -> None:
    home = answering({"/api/v1/accounts/press": (200, PROFILE)})
    client, _ = client_of({HOME: home})
    assert anyio.run(client.profile) == PROFILE


@pytest.mark.parametrize(
    ("profile", "actor"),
    [
        ({"id": "1", "uri": "https://a.example/users/p"}, "https://a.example/users/p"),
        ({"id": "1", "pleroma": {"ap_id": "https://b.example/u/p"}}, "https://b.example/u/p"),
        ({"id": "1", "url": "https://c.example/p"}, f"{API}/users/press"),
    ],
)
def test_who_an_account_is_does_not_depend_on_the_server_that_is_asked(
    profile: dict[str, Any], actor: str
) -> None:
    home = answering(
        {"/api/v1/accounts/lookup": (200, profile), "/.well-known/webfinger": (200, ACTOR)}
    )
    client, _ = client_of({HOME: home})
    assert anyio.run(client.actor_uri) == actor


def test_a_page_of_a_profile_is_its_id_where_nothing_else_is() -> None:
    home = answering({"/api/v1/accounts/lookup": (200, {"id": "1", "url": "https://c.example/p"})})
    client, _ = client_of({HOME: home})
    assert anyio.run(client.actor_uri) == "https://c.example/p"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("path", ["/api/v1/accounts/lookup", "/api/v1/accounts/109/statuses"])
def test_what_needs_a_login_names_the_command(status: int, path: str) -> None:
    answers: dict[str, Answer] = {"/api/v1/accounts/lookup": (200, PROFILE)}
    home = answering(answers | {path: (status, {"error": "no"})})
    for token, words in ((None, "only to those who are logged in"), ("old", "does not accept")):
        client, _ = client_of({HOME: home}, token=token)
        with pytest.raises(AccessRefused, match=words) as caught:
            anyio.run(client.statuses, {})
        assert caught.value.hint == "Run: archiver login news"


def test_an_account_that_was_known_and_is_not_there_is_gone_and_else_misspelt() -> None:
    client, _ = client_of({HOME: answering({})})
    with pytest.raises(AccessRefused, match="spelt right"):
        anyio.run(client.profile)
    client, _ = client_of({HOME: answering({})}, known=True)
    with pytest.raises(AccountGone) as caught:
        anyio.run(client.profile)
    assert caught.value.state == "deleted"


def test_a_suspended_account_is_a_state() -> None:
    profile = {**PROFILE, "suspended": True}
    client, _ = client_of({HOME: answering({"/api/v1/accounts/lookup": (200, profile)})})
    with pytest.raises(AccountGone) as caught:
        anyio.run(client.profile)
    assert caught.value.state == "suspended"


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"error": "x"}', b"42", b'"x"', b"[1", b'[], "more": 5', b""]
)
def test_an_answer_that_is_no_list_of_statuses_is_an_error(body: bytes) -> None:
    answers: dict[str, Answer] = {
        "/api/v1/accounts/lookup": (200, PROFILE),
        "/api/v1/accounts/109/statuses": (200, body),
    }
    client, _ = client_of({HOME: answering(answers)})
    with pytest.raises(SourceDown, match="not in the form of Mastodon's API"):
        anyio.run(client.statuses, {})


def test_ids_cannot_lead_elsewhere() -> None:
    profile = {**PROFILE, "id": "../../oauth/token?x="}
    client, kit = client_of({HOME: answering({"/api/v1/accounts/lookup": (200, profile)})})
    with pytest.raises(AccessRefused):
        anyio.run(client.statuses, {})
    assert kit.requests[-1].path == "/api/v1/accounts/..%2F..%2Foauth%2Ftoken%3Fx%3D/statuses"


@pytest.mark.parametrize(
    ("version", "scopes"),
    [
        ("4.5.2", ("read:accounts", "read:statuses")),
        ("4.3.0+glitch", ("read:accounts", "read:statuses")),
        ("3.5.3 (compatible; Pixelfed 0.12.5)", ("read",)),
        ("2.7.2 (compatible; Pleroma 2.9.1)", ("read",)),
        ("4.0.0 (not true; really snac/2.75)", ("read",)),
        ("0.19.1 git-abcdef", ("read",)),
        (None, ("read",)),
    ],
)
def test_a_login_asks_for_as_little_as_the_server_can_tell_apart(
    version: str | None, scopes: tuple[str, ...]
) -> None:
    home = answering({"/api/v1/instance": (200, {"version": version})})
    client, kit = client_of({HOME: home})
    auth = anyio.run(MastodonSource().auth, MastodonSettings(), client.account, kit)
    assert auth.scopes == scopes
    assert auth.base_url == HOME


def test_a_login_is_asked_for_where_the_account_lives() -> None:
    home = answering({"/.well-known/webfinger": (200, ACTOR)})
    api = answering({"/api/v1/instance": (401, {"error": "This API requires a user"})})
    client, kit = client_of({HOME: home, API: api})
    auth = anyio.run(MastodonSource().auth, MastodonSettings(), client.account, kit)
    assert (auth.base_url, auth.trust, auth.scopes) == (API, "discovered", ("read",))


def test_one_status_and_its_versions() -> None:
    answers: dict[str, Answer] = {
        "/api/v1/accounts/lookup": (200, PROFILE),
        "/api/v1/statuses/7": (200, {"id": "7"}),
        "/api/v1/statuses/7/history": (200, [{"content": "a"}, 5, {"content": "b"}]),
    }
    client, _ = client_of({HOME: answering(answers)})
    record = anyio.run(client.status, "7")
    assert record is not None
    assert record.data == {"id": "7"}
    assert anyio.run(client.edits, "7") == [{"content": "a"}, {"content": "b"}]
    assert anyio.run(client.status, "8") is None
    assert anyio.run(client.edits, "8") == ()
