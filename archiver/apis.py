"""The contract of plugins that can answer an API, from a made-up world or from the archive.

A plugin that knows an API well enough to answer it may bring two things:

- a `ServedApi`, by which `archiver serve` answers that API from the archive. The plugin reads
  requests and writes answers; the records come from a `HistoryBackend`, which the core lends it.
- a `Demo`: a made-up world behind that API, which `archiver demo` serves on this machine and backs
  up.

Neither opens a socket, a file or the database: the core runs the server, and the ASGI application
(https://asgi.readthedocs.io/en/latest/specs/www.html) that a demo hands it.
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
    """An application that a server hands its requests to, by the rules of ASGI 3."""

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
    """One answer: an HTTP status, the exact bytes of the body, and headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryAccount:
    """An account of the archive. `name` is its label; `first_seen_at` is as the archive writes it.

    `id` means something to the HistoryBackend alone.
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
    """Which posts of an account: all that were not removed, unless it says otherwise.

    `after` is the `mark` of the last post of the page before. `as_of` asks for what was known
    then; `removed` for posts too that were removed. `stream` is None for all streams, `since` and
    `until` are inclusive, `platform_id` asks for one post.
    """

    account: HistoryAccount
    after: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    stream: Stream | None = None
    as_of: datetime | None = None
    removed: bool = False
    platform_id: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryPost:
    """A post of the archive.

    `record` is the exact text of its JSON, as the source sent it; None where nothing but its id
    was known at the time. `mark` says where the page behind it begins. `file_url` gives, for an
    address of a file in the record, the one that this server has the file at, or None; it is None
    itself where there is no such file.
    """

    platform_id: str
    author: str | None
    mark: str
    record: str | None
    file_url: Callable[[str], str | None] | None = None


@dataclass(frozen=True, slots=True)
class SourceFreshness:
    """When a source last updated what it says of an account, and until when it says the same."""

    updated_at: str
    fresh_until: str


class HistoryBackend(Protocol):
    """The archive, as it is lent for one request: one state of it, read only."""

    @property
    def cursor_secret(self) -> bytes:
        """What cursors can be sealed with: it outlives a restart, but not another token."""

    def admits(self, token: str) -> bool:
        """Whether this is the token that clients of this server send."""

    def accounts(self) -> Sequence[HistoryAccount]:
        """All accounts, in the order in which they came into the archive."""

    def posts(self, query: HistoryQuery) -> Iterator[HistoryPost]:
        """The posts, newest first, those without a time last; read as they are taken."""

    def freshness(self, query: HistoryQuery) -> SourceFreshness:
        """How fresh the account is by its last run, or the last one until `as_of`."""


AnswerRequest = Callable[[ApiRequest, HistoryBackend], ApiAnswer]
"""Answers one request from the archive. It is called from several threads at once."""


class ServedApi(Protocol):
    """An API that a plugin can answer from the archive, for `archiver serve`."""

    @property
    def name(self) -> str:
        """Its name, one lower-case word; the source's, as a rule."""

    def begin(self, accounts: Sequence[Account]) -> AnswerRequest:
        """What answers requests as long as a server runs.

        `accounts` are those of the config, in its order. Where the settings of one are wrong, its
        `options` is None.
        """


class DemoWorld(Protocol):
    """A made-up world behind an API, as it is on some day."""

    @property
    def app(self) -> AsgiApp:
        """The API and the media that it names, as one application."""

    def serve_at(self, origins: Sequence[str]) -> str:
        """Hear where the application is served, and say how it is backed up.

        `origins` are addresses such as `http://127.0.0.1:8000`, one or more. The answer is TOML:
        the table of the source, and an `[[accounts]]` entry for each account.
        """

    def begin_day(self, day: int) -> Sequence[str]:
        """Let everything happen that happens on that day (1, 2, …), and say it in sentences."""

    def sent_files(self) -> Mapping[str, int]:
        """The media files that were asked for and sent so far, by path, with bytes sent of each."""


class Demo(Protocol):
    """What a plugin shows of itself with `archiver demo`."""

    @property
    def name(self) -> str:
        """Its name, one lower-case word; the source's, as a rule."""

    @property
    def days(self) -> int:
        """How many days its story has."""

    def begin(self, now: Callable[[], datetime]) -> DemoWorld:
        """A new world, before its first day. `now` tells the time there, in UTC."""
