"""A kit has one client for the same address, and secrets are redacted before they are sent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archiver.backup.account_tokens import AccountTokens, NoTokens
from archiver.backup.kits import Kits, mask_secrets, open_client
from archiver.clock import DemoClock
from archiver.config import load_config
from archiver.errors import ConfigError, PluginError, SourceDown
from archiver.models import Account, RateLimitPolicy
from archiver.net.proxy import Route
from archiver.plugins import Plugins
from archiver.secrets import Secret, redact
from archiver.settings import NetworkSettings
from archiver.tokens import TokenStore
from support.net.dns_server import dns_server

pytestmark = pytest.mark.anyio
ACCOUNT = Account("acme", "threads", "own", None)


class Own:
    """A source that fails to open."""

    name = "own"
    rank = "native"

    def open(self, settings: Any, account: Account, kit: Any) -> Any:
        raise ZeroDivisionError


SOURCE: Any = Own()


@pytest.fixture
def kits(tmp_path: Path) -> Kits:
    store = TokenStore(tmp_path / "tokens.json")
    return Kits(NetworkSettings(), Route(), DemoClock(), tokens=store)


async def test_accounts_of_a_source_share_the_client_of_an_address(kits: Kits) -> None:
    first, second = kits.kit(SOURCE, ACCOUNT), kits.kit(SOURCE)
    client = first.http("https://a.example")
    assert client is second.http("https://a.example")
    others = [
        first.http("https://b.example"), first.http("https://a.example", trust="discovered"),
        first.http("https://a.example", RateLimitPolicy(requests=5)),
    ]  # fmt: skip
    assert len({id(each) for each in (client, *others)}) == 4
    await kits.aclose()


async def test_only_an_account_has_a_token(kits: Kits) -> None:
    assert isinstance(kits.kit(SOURCE, ACCOUNT).tokens, AccountTokens)
    assert isinstance(kits.kit(SOURCE).tokens, NoTokens)


async def test_a_kit_asks_the_dns_of_the_system(
    kits: Kits, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dns_server({"_atproto.alice.org": ["did=did:plc:a"]}) as server:
        monkeypatch.setattr("dns.asyncresolver.Resolver", server.resolver)
        kit = kits.kit(SOURCE, ACCOUNT)
        assert await kit.txt_records("_atproto.alice.org") == ["did=did:plc:a"]
        with pytest.raises(SourceDown):
            await kit.txt_records("_atproto.nas.local")


async def test_what_is_no_address_has_no_client(kits: Kits) -> None:
    with pytest.raises(ConfigError):
        kits.kit(SOURCE).http("not an address")


async def test_a_source_that_fails_to_open_is_named(kits: Kits) -> None:
    with pytest.raises(PluginError, match="The plugin for own failed"):
        open_client(SOURCE, None, ACCOUNT, kits.kit(SOURCE, ACCOUNT))


@dataclass(frozen=True)
class Options:
    """Options with a key."""

    key: Secret | None = None


async def test_secrets_of_the_options_are_redacted_before_they_are_used(tmp_path: Path) -> None:
    path = tmp_path / "archive.toml"
    path.write_text("[media]\n")
    secret = Secret("key-of-an-option-of-kits", verbatim=True)
    mask_secrets(load_config(path), Plugins(), [Account("a", "threads", "own", Options(secret))])
    assert redact("say key-of-an-option-of-kits") == "say [secret]"
