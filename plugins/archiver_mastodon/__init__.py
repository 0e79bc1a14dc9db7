"""The source `mastodon`: accounts on Mastodon and on servers with its API.

Public posts need no key. What only its owner sees of an account needs a login: `archiver login`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archiver import Account, ExportReader, Kit, OAuth, Platform, Rank, Source, hookimpl
from archiver_mastodon.client import MastodonClient
from archiver_mastodon.outbox import MastodonExport
from archiver_mastodon.platform import Mastodon, required_handle

SCOPES = ("read:accounts", "read:statuses")
"""The OAuth scopes: reading one's own account and statuses, nothing else."""

COARSE_SCOPES = ("read",)
"""The scopes for servers that may not know finer ones (Pixelfed, older GoToSocial)."""


@dataclass(frozen=True, slots=True)
class MastodonSettings:
    """The table `[mastodon]`, which is empty: servers are found by the handles of accounts."""


class MastodonSource:
    """The source."""

    name: str = "mastodon"
    settings: type[MastodonSettings] = MastodonSettings
    rank: Rank = "native"

    def open(self, settings: MastodonSettings, account: Account, kit: Kit) -> MastodonClient:  # noqa: ARG002 — contract
        """The client for one account."""
        handle = required_handle(account.options)
        return MastodonClient(kit, account, handle, account.options.server)

    async def auth(self, settings: MastodonSettings, account: Account, kit: Kit) -> OAuth:
        """The OAuth parameters of the account's server; the client is registered for this login.

        Raises SourceError.
        """
        client = self.open(settings, account, kit)
        base_url, trust = await client.find_server()
        is_mastodon = await client.is_mastodon(kit.http(base_url, trust=trust))
        return OAuth(
            base_url,
            authorize_path="/oauth/authorize",
            token_path="/oauth/token",  # noqa: S106 — a path
            scopes=SCOPES if is_mastodon else COARSE_SCOPES,
            trust=trust,
            register_path="/api/v1/apps",
            register_form={"client_name": "archiver"},
            revoke_path="/oauth/revoke",
            user_path="/api/v1/accounts/verify_credentials",
            user_key="acct",
            user=client.handle.user,
        )


@hookimpl
def archiver_sources() -> Sequence[Source]:
    """The source of this plugin."""
    return [MastodonSource()]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """The platform of this plugin."""
    return [Mastodon()]


@hookimpl
def archiver_export_readers() -> Sequence[ExportReader]:
    """The reader of the archives that Mastodon servers make of accounts."""
    return [MastodonExport()]
