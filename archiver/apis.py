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
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from archiver.models import Account

if TYPE_CHECKING:  # each command knows this contract, and only `serve` makes what it is about
    from archiver.served_records import (
        ApiAnswer,
        ApiRequest,
        HistoryAccount,
        HistoryPost,
        HistoryQuery,
        SourceFreshness,
    )

AsgiScope = MutableMapping[str, Any]
AsgiReceive = Callable[[], Awaitable[MutableMapping[str, Any]]]
AsgiSend = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiApp(Protocol):
    """An application that answers the requests of a server, according to ASGI 3."""

    def __call__(
        self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend, /
    ) -> Awaitable[None]:
        """Answer one request."""


class HistoryBackend(Protocol):
    """Read-only access to a snapshot of the archive, for one request."""

    @property
    def cursor_secret(self) -> bytes:
        """A key to sign cursors with; it stays the same until the token changes."""

    def admits(self, token: str) -> bool:
        """Whether this is the token that clients of this server must send."""

    def accounts(self) -> "Sequence[HistoryAccount]":
        """All accounts, in the order in which they were added to the archive."""

    def posts(self, query: "HistoryQuery") -> "Iterator[HistoryPost]":
        """The posts, newest first, those without a time last; read lazily."""

    def freshness(self, query: "HistoryQuery") -> "SourceFreshness":
        """The freshness at the last run of the account, or at the last one before `as_of`."""


AnswerRequest = Callable[["ApiRequest", HistoryBackend], "ApiAnswer"]
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
