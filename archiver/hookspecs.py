"""The hooks, and what a source and a platform are.

A plugin is a module or package named by an entry point of the group `archiver`. It implements one
or more hooks with `archiver.hookimpl` and imports nothing of this program but `archiver` itself.
It opens no database, store or socket itself: it gets the clients that it needs.
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
    """A client for one API, made by the core: rate-limited, with size limits, without redirects.

    It retries temporary failures (no connection, 5xx), and after a `429` waits as long as the
    server asks, for the lane that got it, while other lanes go on. Secrets go in `headers` only; a
    `Response` never contains them.
    """

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
    ) -> Response:
        """The response to a GET below the base URL, with any status but 408, 425, 429, 5xx.

        `lane` names whose rate limit applies (a profile). Raises SourceDown when there is no usable
        connection or the server keeps failing with 5xx, RateLimited when waiting did not help.
        """


class OpenHttp(Protocol):
    """Gives clients for HTTP APIs."""

    def __call__(self, base_url: str, rate_limit: RateLimitPolicy = RateLimitPolicy()) -> Http:  # noqa: B008 — frozen
        """A client for the API below `base_url`.

        With a `rate_limit` it slows down before the quota is used up. Raises ConfigError.
        """


class Source(Protocol):
    """What history is read from: an API or an export.

    `settings` is a dataclass: its fields are the keys of the config table `[<name>]`, their types
    are checked, and `metadata={"help": "…"}` documents them. A field of type Secret is resolved
    only when its `reveal()` is called.
    """

    @property
    def name(self) -> str:
        """The source's name, and that of its table in the config."""

    @property
    def settings(self) -> type[Any]:
        """The dataclass of its settings."""

    def client(self, settings: Any, open_http: OpenHttp) -> Any:
        """The client that its platforms get. `open_http(base_url)` makes a client for an HTTP API.

        Raises SecretError when a key that every request needs cannot be resolved.
        """

    async def linked(self, client: Any, profile_key: Secret | None = None) -> Sequence[Identity]:
        """The accounts that this key can read, for `archiver accounts --discover`."""


class Platform(Protocol):
    """One network, read through a source.

    It may also have an `absence_note`: another possible cause, on this network, of a post that is
    no longer shown. It is added to the reason when a post is removed. And it may have a
    `setup_note`: what its accounts need besides an entry in the config, such as further keys.
    """

    @property
    def name(self) -> str:
        """The network's name, lower case."""

    @property
    def source(self) -> str:
        """The name of the source that it is read through."""

    @property
    def options(self) -> type[Any]:
        """A dataclass: the keys of an `[[accounts]]` entry besides name, platform, source."""

    @property
    def streams(self) -> Sequence[Stream]:
        """Which streams it has: `posts`, and `stories` where posts expire."""

    @property
    def content_version(self) -> int:
        """The version of its list of content fields.

        Raise it with every change of the list, or of how these fields are read; old records are
        then read again before they are compared.
        """

    def check_options(self, options: Any) -> None:
        """Check the combination of options.

        Raises ConfigError, which says what is wrong.
        """

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        """The `platform_id` of the post that `read` would give; None if only `read` can find it.

        Must be cheap: it is called for every record of every run. Known records are recognised by
        it, and a quarantined record shows with it that its post is not removed.
        """

    async def identify(self, client: Any, account: Account) -> Identity | None:
        """The identity of the account; None if the source does not say.

        Raises SourceError.
        """

    def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
        """The account's records, newest first, in pages. The core stops when it has enough.

        Raises SourceError.
        """

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        """The post of a record. A pure function: the same record always gives the same post.

        Raises RecordError when it cannot be parsed; the record is then quarantined.
        """

    async def refetch(self, client: Any, account: Account, platform_id: str) -> Record | None:
        """The record of a post, fetched again for fresh URLs; None if the source cannot do that.

        Raises SourceError.
        """


@hookspec
def archiver_platforms() -> Sequence[Platform]:  # type: ignore[empty-body]  # a specification
    """The platforms of this plugin.

    Called once, when plugins are loaded. If two plugins have the same platform for the same source,
    that is an error that names both.
    """


@hookspec
def archiver_sources() -> Sequence[Source]:  # type: ignore[empty-body]  # a specification
    """The sources of this plugin.

    Called once, when plugins are loaded. Two sources with the same name are an error that names
    both.
    """


@hookspec
def archiver_demos() -> Sequence[Demo]:  # type: ignore[empty-body]  # a specification
    """The demos of this plugin, for `archiver demo`.

    Called once, when plugins are loaded. Two demos with the same name are an error that names both.
    """


@hookspec
def archiver_served_apis() -> Sequence[ServedApi]:  # type: ignore[empty-body]  # a specification
    """The APIs that this plugin can answer from an archive, for `archiver serve`.

    Called once, when plugins are loaded. Two APIs with the same name are an error that names both.
    """
