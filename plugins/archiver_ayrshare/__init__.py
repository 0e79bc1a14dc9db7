"""The source `ayrshare`: histories of ten platforms through the Ayrshare API.

Each platform is a module and an entry point of its own; here is only where they read from.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from weakref import WeakValueDictionary

from archiver import (
    Account,
    AnswerRequest,
    Demo,
    DemoWorld,
    Identity,
    Kit,
    Rank,
    Secret,
    ServedApi,
    Source,
    SourceProfile,
    hookimpl,
)
from archiver_ayrshare import accounts, profiles
from archiver_ayrshare.client import RATE_LIMIT, AyrshareClient, Settings
from archiver_ayrshare.platform import SOURCE


class Ayrshare:
    """The source: one API key, any number of profiles."""

    name: str = SOURCE
    settings: type[Settings] = Settings

    rank: Rank = "middleman"

    def __init__(self) -> None:
        self._clients: WeakValueDictionary[int, AyrshareClient] = WeakValueDictionary()

    def open(self, settings: Settings, account: Account, kit: Kit) -> AyrshareClient:  # noqa: ARG002 — contract
        """The client that the platforms get: one for all accounts, which share an API key.

        Raises SecretError when the API key cannot be resolved.
        """
        return self._client(settings, kit)

    async def discover(
        self, settings: Settings, kit: Kit, profile_key: Secret | None = None
    ) -> Sequence[Identity]:
        """The accounts that can be read with this key, of one profile.

        Raises SourceError, SecretError.
        """
        return await accounts.linked(self._client(settings, kit), profile_key)

    async def profiles(self, settings: Settings, kit: Kit) -> Sequence[SourceProfile]:
        """All profiles below the API key but the primary one, which the API leaves out.

        Raises SourceError, SecretError.
        """
        return await profiles.listed(self._client(settings, kit))

    def _client(self, settings: Settings, kit: Kit) -> AyrshareClient:
        http = kit.http(settings.base_url, RATE_LIMIT)
        client = self._clients.get(id(http))  # it holds its `http`, whose id is so no other's
        if client is None:
            client = self._clients[id(http)] = AyrshareClient(settings, http)
        return client


class AyrshareDemo:
    """A studio's ten accounts over three days, behind an emulation of the API."""

    name: str = SOURCE
    days: int = 3

    def begin(self, now: Callable[[], datetime]) -> DemoWorld:
        """The studio's world, before its first day."""
        from archiver_ayrshare.demo.story import Story  # noqa: PLC0415  # needs Pillow; not for backups

        return Story(now)


class AyrshareApi:
    """The history API, answered from the archive."""

    name: str = SOURCE

    def begin(self, accounts: Sequence[Account]) -> AnswerRequest:
        """What answers requests as long as a server runs."""
        from archiver_ayrshare.emulation.archive_backend import (  # noqa: PLC0415  # not for backups
            begin_answering,
        )

        return begin_answering(accounts)


@hookimpl
def archiver_served_apis() -> Sequence[ServedApi]:
    """The one API."""
    return [AyrshareApi()]


@hookimpl
def archiver_demos() -> Sequence[Demo]:
    """The one demo."""
    return [AyrshareDemo()]


@hookimpl
def archiver_sources() -> Sequence[Source]:
    """The one source."""
    return [Ayrshare()]
