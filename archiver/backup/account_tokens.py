"""The token of one account for its source: renewed in time, by one run at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial

import anyio
import anyio.to_thread

from archiver.clock import Clock
from archiver.errors import AccessRefused, SourceDown
from archiver.hookspecs import Http
from archiver.login import is_due, renewed
from archiver.secrets import Secret
from archiver.tokens import Login, Token, TokenStore


class NoTokens:
    """An `archiver.hookspecs.Tokens` of an account that nobody has logged in to."""

    user: None = None

    async def current(self) -> None:
        """Nobody has logged in."""

    async def renewed(self) -> None:
        """Nobody has logged in."""


@dataclass(slots=True)
class AccountTokens:
    """An `archiver.hookspecs.Tokens`; see there. `open_http` opens a client for a login."""

    store: TokenStore
    source: str
    name: str
    clock: Clock
    open_http: Callable[[Login], Http]
    _token: Token | None = field(default=None, init=False)
    _is_loaded: bool = field(default=False, init=False)
    _lock: anyio.Lock = field(default_factory=anyio.Lock, init=False)

    @property
    def user(self) -> str | None:
        """Who has logged in, empty where the server does not say; None where nobody has."""
        token = self._known()
        return None if token is None else token.login.user or ""

    async def current(self) -> Secret | None:
        """The token to be sent; None where nobody has logged in.

        Raises SecretError, SourceDown, AccessRefused.
        """
        token = self._known()
        if token is not None and is_due(token.login, self.clock.now()):
            try:
                return _as_secret(await self._renew(token))
            except SourceDown:
                if self._has_ended(token):
                    raise
        return _as_secret(token)

    async def renewed(self) -> Secret | None:
        """A new token, where the server refuses the current one; None where it cannot be renewed.

        Raises SecretError, SourceDown, AccessRefused.
        """
        token = self._known()
        return None if token is None else _as_secret(await self._renew(token))

    def _known(self) -> Token | None:
        if not self._is_loaded:
            self._token = self.store.load(self.source, self.name)
            self._is_loaded = True
        return self._token

    def _has_ended(self, token: Token) -> bool:
        end = token.login.expires_at
        return end is not None and end <= self.clock.now().isoformat()

    async def _renew(self, used: Token) -> Token | None:
        """The token that replaces `used`; whoever gets the lock first asks the server for it."""
        async with self._lock:
            with ExitStack() as stack:
                await _enter(stack, self.store.locked())
                known = self.store.load(self.source, self.name)
                if known is None or known.access_token != used.access_token:
                    self._token = known
                    return known
                if known.refresh_token is None:
                    return None
                # if the store cannot be written to, this fails before the renewal
                self.store.save(self.source, self.name, known)
                try:
                    new = await renewed(known, self.open_http(known.login), self.clock.now())
                except AccessRefused as error:
                    error.what = f"The login of {self.name} has ended: {error.what}"
                    error.hint = f"Run: archiver login {self.name}"
                    raise
                self.store.save(self.source, self.name, new)  # the old one is worth nothing now
                self._token = new
                return new


async def _enter(stack: ExitStack, lock: AbstractContextManager[None]) -> None:
    """Acquire a lock without blocking the event loop; the stack releases it."""
    await anyio.to_thread.run_sync(partial(stack.enter_context, lock))


def _as_secret(token: Token | None) -> Secret | None:
    return None if token is None else Secret(token.access_token, verbatim=True)
