"""The source `ayrshare`: histories of ten platforms through the Ayrshare API.

Each platform is a module and an entry point of its own; here is only where they read from.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from archiver import (
    Account,
    AnswerRequest,
    Demo,
    DemoWorld,
    Identity,
    OpenHttp,
    Secret,
    ServedApi,
    Source,
    hookimpl,
)
from archiver_ayrshare import accounts
from archiver_ayrshare.client import RATE_LIMIT, AyrshareClient, Settings
from archiver_ayrshare.platform import SOURCE


class Ayrshare:
    """The source: one API key, any number of profiles."""

    name: str = SOURCE
    settings: type[Settings] = Settings

    def client(self, settings: Settings, open_http: OpenHttp) -> AyrshareClient:
        """The client that the platforms get.

        Raises SecretError when the API key cannot be resolved.
        """
        return AyrshareClient(settings, open_http(settings.base_url, RATE_LIMIT))

    async def linked(
        self, client: AyrshareClient, profile_key: Secret | None = None
    ) -> Sequence[Identity]:
        """The accounts that can be read with this key, of one profile.

        Raises SourceError.
        """
        return await accounts.linked(client, profile_key)


class AyrshareDemo:
    """A studio's ten accounts over three days, behind an emulation of the API."""

    name: str = SOURCE
    days: int = 3

    def begin(self, now: Callable[[], datetime]) -> DemoWorld:
        """The studio's world, before its first day."""
        from archiver_ayrshare.demo.story import Story  # noqa: PLC0415  # it draws: not for backups

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
