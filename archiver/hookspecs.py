"""The hooks, and what a source and a platform are.

A plugin is a module or package named by an entry point of the group `archiver`. It implements one
or more hooks with `archiver.hookimpl` and imports nothing of this program but `archiver` itself.
It opens nothing: no database, no store, no socket. What it needs is handed to it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from pluggy import HookimplMarker, HookspecMarker

from archiver.apis import Demo, ServedApi
from archiver.models import (
    Account,
    Identity,
    Page,
    Post,
    RateLimitPolicy,
    Record,
    Response,
    Stream,
    Window,
)
from archiver.secrets import Secret

hookspec = HookspecMarker("archiver")

hookimpl = HookimplMarker("archiver")
"""Marks a function in a plugin as the implementation of a hook."""


class Http(Protocol):
    """A client for one API, lent by the core: paced, bounded, following no redirect.

    It retries what may be better later (no connection, 5xx) and waits out `429` for the lane that
    got it, while other lanes go on. Secrets go in `headers` only; they never reach what a
    `Response` holds.
    """

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
    ) -> Response:
        """The answer to one GET below the base URL, whatever its status but 408, 425, 429 and 5xx.

        `lane` names whose limits apply (a profile). Raises SourceDown when there is no usable
        connection or the server keeps failing with 5xx, RateLimited when waiting did not help.
        """


class OpenHttp(Protocol):
    """Gives clients for HTTP APIs."""

    def __call__(self, base_url: str, rate_limit: RateLimitPolicy = RateLimitPolicy()) -> Http:  # noqa: B008 — frozen
        """A client for the API below `base_url`.

        With a `rate_limit` it slows down before the quota is used up. Raises ConfigError.
        """


class Source(Protocol):
    """Where history is read from.

    `settings` is a dataclass: its fields are the keys of the config table `[<name>]`, their types
    are checked, and `metadata={"help": "…"}` explains them. A field of type Secret is resolved
    only by its own `reveal()`.
    """

    @property
    def name(self) -> str:
        """The source's name, and that of its table in the config."""

    @property
    def settings(self) -> type[Any]:
        """The dataclass of its settings."""

    def client(self, settings: Any, open_http: OpenHttp) -> Any:
        """What its platforms are handed. `open_http(base_url)` gives a client for an HTTP API.

        Raises SecretError when a key that everything needs cannot be resolved.
        """

    async def linked(self, client: Any, profile_key: Secret | None = None) -> Sequence[Identity]:
        """The accounts that this key can read, for `archiver accounts --discover`."""


class Platform(Protocol):
    """One network, read through a source.

    It may also have an `absence_note`: what else it can mean on this network that a post is no
    longer shown. It is added to the reason when one vanishes.
    """

    @property
    def name(self) -> str:
        """The network's name, lower case."""

    @property
    def source(self) -> str:
        """The name of the source that it is read through."""

    @property
    def options(self) -> type[Any]:
        """A dataclass: what an `[[accounts]]` entry may say besides name, platform and source."""

    @property
    def streams(self) -> Sequence[Stream]:
        """Which streams it has: `posts`, and `stories` where posts expire."""

    @property
    def content_version(self) -> int:
        """The number of its list of content fields.

        A change of the list, or of how it is read, raises it; old records are then read again
        before they are compared.
        """

    def check_options(self, options: Any) -> None:
        """Say what is wrong with a combination of options.

        Raises ConfigError.
        """

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        """The `platform_id` of the post that `read` would give, or None where it takes reading.

        Cheap: it is asked of every record of every run, before anything else. Known records are
        found by it, and a record in quarantine proves by it that its post is still shown.
        """

    async def identify(self, client: Any, account: Account) -> Identity | None:
        """Who the account is, or None where the source cannot tell.

        Raises SourceError.
        """

    def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
        """The account's records, newest first, page by page, until the core stops asking.

        Raises SourceError.
        """

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        """The post that a record tells of. Pure: the same record gives the same post, for ever.

        Raises RecordError when there is no post in it; the record is then quarantined.
        """

    async def refetch(self, client: Any, account: Account, platform_id: str) -> Record | None:
        """The post's record asked for anew, for fresh URLs; None where the source cannot.

        Raises SourceError.
        """


@hookspec
def archiver_platforms() -> Sequence[Platform]:  # type: ignore[empty-body]  # a specification
    """The platforms that this plugin brings.

    Called once, when plugins are loaded. Two plugins that bring the same platform for the same
    source are an error that names both.
    """


@hookspec
def archiver_sources() -> Sequence[Source]:  # type: ignore[empty-body]  # a specification
    """The sources that this plugin brings.

    Called once, when plugins are loaded. Two sources of one name are an error that names both.
    """


@hookspec
def archiver_demos() -> Sequence[Demo]:  # type: ignore[empty-body]  # a specification
    """What this plugin shows with `archiver demo`.

    Called once, when plugins are loaded. Two demos of one name are an error that names both.
    """


@hookspec
def archiver_served_apis() -> Sequence[ServedApi]:  # type: ignore[empty-body]  # a specification
    """The APIs that this plugin can answer from the archive, for `archiver serve`.

    Called once, when plugins are loaded. Two APIs of one name are an error that names both.
    """
