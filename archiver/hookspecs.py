"""The hooks, and the protocols of sources and platforms.

A plugin is a module or package named by an entry point of the group `archiver`. It implements one
or more hooks with `archiver.hookimpl` and imports nothing of this program but `archiver` itself.
It opens no database, store, socket or file itself: it uses what a `Kit` provides.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, BinaryIO, Protocol

from pluggy import HookimplMarker, HookspecMarker

from archiver.apis import Demo, ServedApi
from archiver.auth import OAuth
from archiver.export_writers import ExportWriter
from archiver.models import (
    Account,
    ExportedPost,
    Identity,
    Listing,
    Metric,
    Page,
    Post,
    Proof,
    QueryParams,
    Rank,
    RateLimitPolicy,
    Recognition,
    Record,
    Response,
    SourceProfile,
    Stream,
    Trust,
    Version,
    Window,
)
from archiver.resolvers import Resolver
from archiver.secrets import Secret

hookspec = HookspecMarker("archiver")

hookimpl = HookimplMarker("archiver")
"""Marks a function in a plugin as the implementation of a hook."""


class FileResponse(Protocol):
    """A response whose body is a file: for as long as its `async with` block lasts."""

    @property
    def response(self) -> Response:
        """Its status and headers; the body is in `file`."""

    @property
    def file(self) -> BinaryIO:
        """The body, to be read from its beginning; a file without a name."""

    @property
    def size(self) -> int:
        """The bytes of the body."""


class Http(Protocol):
    """A client for one API, made by the core: rate-limited, with size limits, without redirects.

    Only where the address was discovered, a GET without `headers` follows up to five redirects.
    It retries temporary failures (no connection, 5xx), and after a `429` waits as long as the
    server asks, for the lane that got it, while other lanes go on. Before that it slows a lane down
    whose quota is nearly used up. Secrets go in `headers` and in the body of a POST only; a
    `Response` never contains them.
    """

    async def get(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
    ) -> Response:
        """The response to a GET below the base URL, with any status but 408, 425, 429, 5xx.

        `lane` names whose rate limit applies (a profile). Raises SourceDown when there is no usable
        connection or the server keeps failing with 5xx, RateLimited when waiting did not help.
        """

    async def post(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        lane: str = "",
    ) -> Response:
        """The response to a POST, whose body is `json`, a `form`, or `content` as it is.

        It is sent once: only after a 429, which did nothing, again. Raises as `get` does, and
        SourceDown at once for a 5xx.
        """

    def get_file(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Mapping[str, str] | None = None,
        lane: str = "",
        max_size: int = 4_000_000_000,
    ) -> AbstractAsyncContextManager[FileResponse]:
        """The response to a GET whose body may be large: it goes to a file as it is received.

        Raises as `get` does, and SourceDown for more than `max_size` bytes.
        """


class Tokens(Protocol):
    """The token of an account that somebody has logged in to with `archiver login`.

    The core keeps it, and renews it in time. It goes into a header of requests to the server that
    handed it out, and nowhere else.
    """

    @property
    def user(self) -> str | None:
        """Who has logged in, empty where the server does not say; None where nobody has.

        Raises SecretError.
        """

    async def current(self) -> Secret | None:
        """The token; None where nobody has logged in.

        Raises SecretError, and SourceDown or AccessRefused where it has ended and cannot be
        renewed.
        """

    async def renewed(self) -> Secret | None:
        """Another token, after the server refused the present one; None where none can be had.

        Raises SecretError, SourceDown, AccessRefused.
        """


class Kit(Protocol):
    """What a source gets to read one account."""

    @property
    def tokens(self) -> Tokens:
        """The login of the account, if there is one."""

    def http(
        self,
        base_url: str,
        rates: RateLimitPolicy = RateLimitPolicy(),  # noqa: B008 — frozen
        trust: Trust = "configured",
    ) -> Http:
        """A client for the API below `base_url`.

        In one run, the same client for the same arguments, for all accounts of the source: they
        share its rate limits. Raises ConfigError for what is no base URL, and, where the address
        was discovered, SourceDown with the code `address` for one that is not allowed.
        """

    async def txt_records(self, name: str) -> Sequence[str]:
        """The TXT records of a DNS name, from the system's own resolver; empty where it has none.

        Raises SourceDown: with the code `address` for a name of a local network that
        `network.allow` does not list, with `not_installed` where the extra `dns` is missing.
        """


class Source(Protocol):
    """What history is read from: an API or an export.

    `settings` is a dataclass: its fields are the keys of the config table `[<name>]`, their types
    are checked, and `metadata={"help": "…"}` documents them. A field of type Secret is resolved
    only when its `reveal()` is called. A source may also be one that
    `Discovers`, one that `ListsProfiles`, or one that `LogsIn`.
    """

    @property
    def name(self) -> str:
        """The source's name, and that of its table in the config."""

    @property
    def settings(self) -> type[Any]:
        """The dataclass of its settings."""

    @property
    def rank(self) -> Rank:
        """Its precedence where two sources differ about a post."""

    def open(self, settings: Any, account: Account, kit: Kit) -> Any:
        """The client with which the platforms of this source read one account. Asks nothing yet.

        Raises SecretError when a key that every request needs cannot be resolved.
        """


class Discovers(Protocol):
    """A source that can list the accounts of a key."""

    async def discover(
        self, settings: Any, kit: Kit, profile_key: Secret | None = None
    ) -> Sequence[Identity]:
        """The accounts that this key can read, for `archiver accounts --discover`.

        Raises SourceError, SecretError.
        """


class ListsProfiles(Protocol):
    """A source that can list the profiles below a key.

    Its platforms have an option `profile_key`.
    """

    async def profiles(self, settings: Any, kit: Kit) -> Sequence[SourceProfile]:
        """All profiles below the key, for `archiver fleet add --source`; never only some of them.

        Raises SourceError, SecretError.
        """


class LogsIn(Protocol):
    """A source that an account can be logged in to, with `archiver login`."""

    async def auth(self, settings: Any, account: Account, kit: Kit) -> OAuth:
        """The OAuth parameters of the account's server.

        Raises SourceError.
        """


class Platform(Protocol):
    """One network, read through a source.

    It may also have some of these:

    - `check_options(options)` checks a combination of options, and raises ConfigError.
    - `identify`, `refetch`, `history`, `metrics` and `proofs`: see `Identifies`, `Refetches`,
      `KeepsHistory`, `CountsApart` and `Proves`.
    - `absence_note`: another possible cause, on this network, of a post that is no longer shown.
      It is added to the reason when a post is removed.
    - `setup_note`: what its accounts need besides an entry in the config, such as further keys.
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

    @property
    def listing(self) -> Listing:
        """What its pages list, read to their end: what absence from them can prove."""

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        """The `platform_id` of the post that `read` would give; None if only `read` can find it.

        Must be cheap: it is called for every record of every run. Known records are recognised by
        it, and a quarantined record shows with it that its post is not removed.
        """

    def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
        """The account's records, newest first, in pages. The core stops when it has enough.

        Raises SourceError; AccountGone where the account itself is not there any more.
        """

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        """The post of a record. A pure function: the same record always gives the same post.

        Raises RecordError when it cannot be parsed; the record is then quarantined.
        """


class Identifies(Protocol):
    """A platform that knows who an account is."""

    async def identify(self, client: Any, account: Account) -> Identity | None:
        """The identity of the account; None if the source does not say.

        Raises SourceError; AccountGone where the account itself is not there any more.
        """


class Refetches(Protocol):
    """A platform whose posts can be fetched again one by one."""

    async def refetch(self, client: Any, account: Account, platform_id: str) -> Record | None:
        """The record of a post, fetched again for fresh URLs; None if the source cannot do that.

        Raises SourceError.
        """


class Proves(Protocol):
    """A platform whose source signs its data, so that an archive can prove it offline."""

    def proofs(
        self, platform_id: str, evidence: Iterable[Response]
    ) -> Callable[[Mapping[str, Any]], Proof]:
        """A function that returns the proof of a record of this account by the saved answers.

        `evidence` are all answers that the archive keeps of the account, `Page.evidence` among
        them. It is called by `archiver verify`, without a network and without settings.
        """


class KeepsHistory(Protocol):
    """A platform whose source keeps the earlier versions of a post."""

    async def history(self, client: Any, account: Account, platform_id: str) -> Sequence[Version]:
        """All versions of a post, oldest first; the current one may be among them.

        Asked for only where a post's `edited_at` is new. Raises SourceError.
        """


class CountsApart(Protocol):
    """A platform whose metrics are not part of its records."""

    def metrics(
        self, client: Any, account: Account, platform_ids: Sequence[str]
    ) -> AsyncIterator[Mapping[str, Sequence[Metric]]]:
        """The metrics of these posts by id, in batches of any size.

        Called for recent posts in every run, for all in a full scan. Raises SourceError, which is
        reported as a note.
        """


class Package(Protocol):
    """An official export as it was downloaded: the files of all its parts, as one tree.

    Nothing can be written through it, and nothing outside of it be read. Names are paths with `/`,
    as Unicode; upper and lower case, and the two forms of accents, are the same in a search only.
    """

    @property
    def names(self) -> Sequence[str]:
        """The names of all files, in order."""

    @property
    def modified_at(self) -> str | None:
        """The time of its newest file, where that is known: about when it was made."""

    def find(self, pattern: str) -> Sequence[str]:
        """The files whose path ends with this pattern, as `tweets*.js` or `media/*.jpg`.

        `*` and `?` stand for anything but `/`. Whatever folders they are in, they are sorted as
        people count: `part2` before `part10`.
        """

    def starting(self, prefix: str) -> Sequence[str]:
        """The files whose name starts with a prefix, in order; found without a search."""

    def size(self, name: str) -> int:
        """The bytes of a file. Raises KeyError where there is none of that name."""

    def time_of(self, name: str) -> str | None:
        """The time of a file as its container has it, to two seconds; without a zone in a ZIP.

        None where there is none. Raises KeyError.
        """

    def open(self, name: str) -> BinaryIO:
        """The content of a file, from its beginning.

        What it reads raises PackageError where the package is damaged. Raises KeyError.
        """

    def records(self, name: str, key: str = "") -> Iterator[Record]:
        """The items of a JSON list, one at a time, however large the file is.

        The list is the file's value, or stands in its object under `key`, or under keys in one
        another, joined by `/`. An object in the place of a list is its one item. What precedes the
        JSON in a JavaScript file is left out.
        Raises PackageError for what is no JSON.
        """

    def json(self, name: str) -> Any:
        """The value of a JSON file that is not large. Raises PackageError."""


class ExportReader(Protocol):
    """Reads the official exports of one platform, for `archiver import`."""

    @property
    def name(self) -> str:
        """The platform's name, lower case."""

    @property
    def title(self) -> str:
        """What its exports are called in messages, such as `a Mastodon archive`."""

    @property
    def content_version(self) -> int:
        """The version of its list of content fields; see `Platform`."""

    def recognize(self, package: Package) -> Recognition | None:
        """What the package is, by its content; None if it is no export of this platform.

        Raises PackageError for an export of this platform in a form that is not read.
        """

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:
        """What people published, each post once, in any order; nothing that is private.

        Each record has all that `read` needs, such as the names of its files in the package.
        Raises PackageError.
        """

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        """The post of a record; see `Platform`. Raises RecordError."""


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


@hookspec
def archiver_export_writers() -> Sequence[ExportWriter]:  # type: ignore[empty-body]  # a specification
    """The formats that this plugin adds to `archiver export`.

    Called once, when plugins are loaded. Two formats with the same name are an error that names
    both, and so is one with the name of a format that archiver has.
    """


@hookspec
def archiver_resolvers() -> Sequence[Resolver]:  # type: ignore[empty-body]  # a specification
    """The resolvers of this plugin, which get videos from behind their pages.

    Called once, when plugins are loaded. Two resolvers with the same name are an error that names
    both.
    """


@hookspec
def archiver_export_readers() -> Sequence[ExportReader]:  # type: ignore[empty-body]  # a specification
    """The readers of official exports of this plugin, for `archiver import`.

    Called once, when plugins are loaded. Two readers for one platform are an error that names both.
    """
