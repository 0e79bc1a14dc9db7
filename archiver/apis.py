"""What a plugin that can play the API of its source meets the core by.

A plugin that knows an API well enough to answer it may bring a `Demo`: a made-up world behind that
API, which `archiver demo` serves on this machine and backs up. It opens no socket: the core runs
the ASGI application (https://asgi.readthedocs.io/en/latest/specs/www.html) that it is handed.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any, Protocol

AsgiScope = MutableMapping[str, Any]
AsgiReceive = Callable[[], Awaitable[MutableMapping[str, Any]]]
AsgiSend = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiApp(Protocol):
    """An application that a server hands its requests to, by the rules of ASGI 3."""

    def __call__(
        self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend, /
    ) -> Awaitable[None]:
        """Answer one request."""


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
