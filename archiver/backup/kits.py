"""The kits of a run's sources, with HTTP clients that are made when they are first needed."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from msgspec import Struct

from archiver.backup.account_tokens import AccountTokens, NoTokens
from archiver.clock import Clock
from archiver.config import Config, Registry
from archiver.errors import ArchiverError, PluginError
from archiver.hookspecs import Kit, Source, Tokens
from archiver.models import Account, RateLimitPolicy, Trust
from archiver.net.api import ApiClient, OnWait, api_client
from archiver.net.guard import AddressGuard
from archiver.net.proxy import Route
from archiver.net.rates import SharedLimits
from archiver.net.txt_records import txt_records
from archiver.plugin_calls import cause_of, plugin_errors
from archiver.secrets import Secret
from archiver.settings import NetworkSettings
from archiver.tokens import Login, TokenStore

_ClientKey = tuple[str, str, RateLimitPolicy, Trust]


@dataclass(slots=True)
class Kits:
    """Makes the kits of a run, and closes their HTTP clients at its end."""

    network: NetworkSettings
    route: Route
    clock: Clock
    on_wait: OnWait | None = None
    tokens: TokenStore | None = None
    limits: SharedLimits | None = None
    _clients: dict[_ClientKey, ApiClient] = field(default_factory=dict)

    def kit(self, source: Source, account: Account | None = None) -> Kit:
        """The kit of a source for one account; without an account, one without a token."""
        if account is None or self.tokens is None:
            return SourceKit(self, source.name, NoTokens())

        def open_http(login: Login) -> ApiClient:
            return self.http(source.name, login.base_url, RateLimitPolicy(), login.trust)

        tokens = AccountTokens(self.tokens, source.name, account.name, self.clock, open_http)
        return SourceKit(self, source.name, tokens)

    def login(self, source: Source, account: Account) -> Login | None:
        """The login of an account; None where nobody has logged in. Raises SecretError."""
        if self.tokens is None:
            return None
        return self.tokens.logins().get((source.name, account.name))

    def http(
        self, source_name: str, base_url: str, rates: RateLimitPolicy, trust: Trust
    ) -> ApiClient:
        """A client for an API; the same one for the same arguments.

        Raises ConfigError, SourceDown.
        """
        key = (source_name, base_url, rates, trust)
        if key not in self._clients:
            guard = self.guard() if trust != "configured" else None
            self._clients[key] = api_client(
                source_name, base_url, clock=self.clock, on_wait=self.on_wait, rate_limit=rates,
                route=self.route, guard=guard, shared=self.limits,
            )  # fmt: skip
        return self._clients[key]

    def guard(self) -> AddressGuard:
        """The guard of what was discovered."""
        return AddressGuard(self.network.allow, https_only=self.network.https_only)

    async def aclose(self) -> None:
        """Close all clients."""
        for client in self._clients.values():
            await client.aclose()


class SourceKit(Struct, frozen=True):
    """An `archiver.hookspecs.Kit`; see there."""

    kits: Kits
    source_name: str
    tokens: Tokens

    def http(
        self,
        base_url: str,
        rates: RateLimitPolicy = RateLimitPolicy(),  # noqa: B008 — frozen
        trust: Trust = "configured",
    ) -> ApiClient:
        """A client for the API below `base_url`.

        Raises ConfigError, SourceDown.
        """
        return self.kits.http(self.source_name, base_url, rates, trust)

    async def txt_records(self, name: str) -> Sequence[str]:
        """The TXT records of a name. Raises SourceDown."""
        return await txt_records(name, self.kits.guard())


def open_client(source: Source, settings: Any, account: Account, kit: Kit) -> Any:
    """The client with which a source reads an account.

    Raises SecretError, or PluginError where the plugin itself fails.
    """

    def failed(error: BaseException) -> PluginError:
        return PluginError(f"The plugin for {source.name} failed", why=cause_of(error))

    with plugin_errors(failed):
        return source.open(settings, account, kit)


def mask_secrets(config: Config, plugins: Registry, accounts: Iterable[Account]) -> None:
    """Redact the secrets of these accounts from now on, before any of them is sent."""
    for account in accounts:
        holders = [account.options]
        with suppress(ArchiverError):
            holders.append(config.source_settings(plugins.source(account.source)))
        for holder in holders:
            for option in fields(holder) if is_dataclass(holder) else ():
                if isinstance(secret := getattr(holder, option.name), Secret):
                    secret.mask()
