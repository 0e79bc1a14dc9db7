"""The contract of plugins that can answer an API, from an archive or with made-up data.

A plugin may bring:

- a `ServedApi`, with which `archiver serve` answers an API from an archive. The plugin parses
  requests and makes responses; the records come from a `HistoryBackend` of the core.
- a `Demo`: made-up accounts behind an API, which `archiver demo` serves on this machine and backs
  up.

Neither opens a socket, a file or the database: the core runs the server, and the ASGI application
(https://asgi.readthedocs.io/en/latest/specs/www.html) of a demo.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from archiver.models import Account, Stream

AsgiScope = MutableMapping[str, Any]
AsgiReceive = Callable[[], Awaitable[MutableMapping[str, Any]]]
AsgiSend = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiApp(Protocol):
    """An application that answers the requests of a server, according to ASGI 3."""

    def __call__(
        self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend, /
    ) -> Awaitable[None]:
        """Answer one request."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to an API: `path` is below its base URL, without a leading slash.

    `params` are the decoded pairs of the query in their order; header names are lower case.
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """One response: an HTTP status, the exact bytes of the body, and headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryAccount:
    """An account of the archive. `name` is its label; `first_seen_at` is as the archive writes it.

    Only the HistoryBackend interprets `id`.
    """

    id: int
    name: str
    platform: str
    platform_id: str | None
    handle: str | None
    title: str | None
    url: str | None
    first_seen_at: str


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which posts of an account to return: by default all that were not removed.

    `after` is the `mark` of the last post of the previous page. `as_of` selects what was known
    then; `removed` includes removed posts. `stream` is None for all streams, `since` and `until`
    are inclusive, `platform_id` selects one post. `source` is the source whose records the API has.
    """

    account: HistoryAccount
    after: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    stream: Stream | None = None
    as_of: datetime | None = None
    removed: bool = False
    platform_id: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """What is attached to a post: its kind, its alt text, and an address of its file or link."""

    kind: str
    url: str
    alt_text: str | None


@dataclass(frozen=True, slots=True)
class HistoryContent:
    """What is known of a post that only other sources than the API's have shown."""

    created_at: str | None
    title: str | None
    text: str | None
    url: str | None
    files: tuple[HistoryFile, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryPost:
    """A post of the archive.

    `record` is the exact text of its JSON, as the source that was asked for sent it. It is None
    where that source has not shown the post; `content` then has what others have shown, and is None
    too where only the id was known at the time. `mark` is where the next page begins. `file_url`
    maps the address of a file in the record to the address of that file on this server, or to None;
    it is None itself where this server has no file of the record.
    """

    platform_id: str
    author: str | None
    mark: str
    record: str | None
    file_url: Callable[[str], str | None] | None = None
    content: HistoryContent | None = None


@dataclass(frozen=True, slots=True)
class SourceFreshness:
    """When a source last updated its data about an account, and until when they stay the same."""

    updated_at: str
    fresh_until: str


class HistoryBackend(Protocol):
    """Read-only access to a snapshot of the archive, for one request."""

    @property
    def cursor_secret(self) -> bytes:
        """A key to sign cursors with; it stays the same until the token changes."""

    def admits(self, token: str) -> bool:
        """Whether this is the token that clients of this server must send."""

    def accounts(self) -> Sequence[HistoryAccount]:
        """All accounts, in the order in which they were added to the archive."""

    def posts(self, query: HistoryQuery) -> Iterator[HistoryPost]:
        """The posts, newest first, those without a time last; read lazily."""

    def freshness(self, query: HistoryQuery) -> SourceFreshness:
        """The freshness at the last run of the account, or at the last one before `as_of`."""


AnswerRequest = Callable[[ApiRequest, HistoryBackend], ApiAnswer]
"""Answers one request from the archive. It may be called in several threads at once."""


class ServedApi(Protocol):
    """An API that a plugin can answer from an archive, for `archiver serve`."""

    @property
    def name(self) -> str:
        """Its name, one lower-case word; usually that of the source."""

    def begin(self, accounts: Sequence[Account]) -> AnswerRequest:
        """A function that answers requests, called when a server starts.

        `accounts` are those of the config, in its order. An account with invalid settings has
        `options` None.
        """


class DemoWorld(Protocol):
    """Made-up accounts behind an API, at one of the days of a demo."""

    @property
    def app(self) -> AsgiApp:
        """The API and its media files, as one application."""

    def serve_at(self, origins: Sequence[str]) -> str:
        """The config with which to back up the application, which is served at `origins`.

        `origins` are one or more addresses such as `http://127.0.0.1:8000`. The config is TOML: the
        table of the source, and an `[[accounts]]` entry for each account.
        """

    def begin_day(self, day: int) -> Sequence[str]:
        """Apply the changes of a day (1, 2, …); the result describes them in sentences."""

    def sent_files(self) -> Mapping[str, int]:
        """The media files sent so far: the bytes sent, by path."""


class Demo(Protocol):
    """A demo of a plugin, for `archiver demo`."""

    @property
    def name(self) -> str:
        """Its name, one lower-case word; usually that of the source."""

    @property
    def days(self) -> int:
        """The number of its days."""

    def begin(self, now: Callable[[], datetime]) -> DemoWorld:
        """A new world, before its first day. `now` gives the time of the demo, in UTC."""
