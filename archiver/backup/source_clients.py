"""The clients of a run's sources: made when they are first needed, closed at its end."""

from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from typing import Any

from archiver.clock import Clock
from archiver.config import Config, Registry
from archiver.errors import ArchiverError, PluginError
from archiver.models import Account, RateLimitPolicy
from archiver.net.api import ApiClient, api_client
from archiver.net.proxy import Route
from archiver.plugin_calls import cause_of, plugin_errors
from archiver.report import Progress
from archiver.secrets import Secret


@dataclass(slots=True)
class SourceClients:
    """One client per source, and the HTTP clients that were lent to them."""

    config: Config
    plugins: Registry
    route: Route
    clock: Clock
    progress: Progress
    _clients: dict[str, Any] = field(default_factory=dict)
    _lent: list[ApiClient] = field(default_factory=list)

    def client(self, source_name: str) -> Any:
        """The client of a source.

        Raises SecretError, or PluginError where the plugin itself fails.
        """
        if source_name not in self._clients:
            source = self.plugins.source(source_name)
            settings = self.config.source_settings(source)

            def failed(error: BaseException) -> PluginError:
                return PluginError(f"The plugin for {source_name} failed", why=cause_of(error))

            with plugin_errors(failed):
                client = source.client(settings, partial(self._lend, source_name))
            self._clients[source_name] = client
        return self._clients[source_name]

    def mask_secrets(self, account: Account) -> None:
        """Blank out of all that comes back whatever may be sent for an account."""
        holders = [account.options]
        with suppress(ArchiverError):
            holders.append(self.config.source_settings(self.plugins.source(account.source)))
        for holder in holders:
            for option in fields(holder) if is_dataclass(holder) else ():
                if isinstance(secret := getattr(holder, option.name), Secret):
                    secret.mask()

    async def aclose(self) -> None:
        """Close what was lent."""
        for client in self._lent:
            await client.aclose()

    def _lend(
        self,
        source_name: str,
        base_url: str,
        rate_limit: RateLimitPolicy = RateLimitPolicy(),  # noqa: B008 — frozen
    ) -> ApiClient:
        client = api_client(
            source_name, base_url, clock=self.clock, on_wait=self._note_waiting,
            rate_limit=rate_limit, route=self.route,
        )  # fmt: skip
        self._lent.append(client)
        return client

    def _note_waiting(self, seconds: float, lane: str) -> None:
        self.progress.note(f"The source asks to wait {seconds:.0f} s ({lane or 'primary profile'})")
