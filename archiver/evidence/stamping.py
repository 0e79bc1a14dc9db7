"""Asks time stamp authorities for tokens of the newest checkpoint, and keeps them.

The tree of a checkpoint covers all entries before it, so the newest one alone is stamped: where an
authority did not answer, its next token covers what it has missed. Nothing waits for a token but
the end of the program, and that for a short time only.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from archiver.archive.database import reader, writer
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.clock import Clock
from archiver.config import Config
from archiver.errors import ArchiverError, ConfigError, SourceDown
from archiver.evidence.time_tokens import (
    NOT_INSTALLED,
    CheckedToken,
    InvalidToken,
    can_check_tokens,
    check_token,
    token_request,
    trusted_roots,
)
from archiver.models import time_text
from archiver.net.api import api_client
from archiver.net.guard import AddressGuard
from archiver.net.proxy import Route

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SECONDS = 30.0
_LARGEST_TOKEN = 200_000  # bytes; one with its chain has 3,000 to 8,000
_LOCKED_MS = 2_000
_HEADERS = {
    "Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply",
}  # fmt: skip
_FOR_OPERATORS = frozenset({"address", "certificate", "proxy"})  # what does not pass by itself
_AGAIN = "It is asked again after the next run"


@dataclass(frozen=True, slots=True)
class Stamping:
    """What asking one authority came to; `error` is None where its token is kept."""

    authority: str
    error: ArchiverError | None = None


@dataclass(frozen=True, slots=True)
class _Received:
    authority: str
    token: bytes
    checked: CheckedToken
    received_at: str


def stamp_newest(config: Config, route: Route, clock: Clock) -> list[Stamping]:
    """Have the newest checkpoint stamped by each authority of the config that has not done so.

    Raises StorageError where the archive cannot be read or written to (ArchiveLocked where another
    program writes), ConfigError for roots or an address that cannot be used.
    """
    if not config.evidence.timestamp:
        return []
    if not can_check_tokens():
        raise ConfigError(NOT_INSTALLED, code="not_installed")
    with reader(config.archive.directory) as connection:
        newest = _newest(connection)
        if newest is None:
            return []
        checkpoint_id, note = newest
        authorities = _not_asked(connection, checkpoint_id, config.evidence.timestamp)
    if not authorities:
        return []
    roots = trusted_roots(config.evidence.timestamp_roots, route)
    asking = _Asking(note, roots, route, AddressGuard(config.network.allow), clock)
    found = anyio.run(asking.ask_all, authorities)
    received = [each for each in found if isinstance(each, _Received)]
    if received:
        directory = config.archive.directory
        with (
            writer(directory, create=False, busy_ms=_LOCKED_MS) as connection,
            transaction(connection),
        ):
            for each in received:
                insert(
                    connection, "time_stamps", checkpoint_id=checkpoint_id,
                    authority=each.authority, received_at=each.received_at,
                    stamped_at=time_text(each.checked.stamped_at), token=each.token,
                    chain=each.checked.chain,
                )  # fmt: skip
    return [each if isinstance(each, Stamping) else Stamping(each.authority) for each in found]


def _newest(connection: sqlite3.Connection) -> tuple[int, str] | None:
    """The newest checkpoint: its id, and its note."""
    query = "SELECT id, note FROM checkpoints ORDER BY id DESC LIMIT 1"
    found: tuple[int, str] | None = connection.execute(query).fetchone()
    return found


def _not_asked(
    connection: sqlite3.Connection, checkpoint_id: int, authorities: Sequence[str]
) -> list[str]:
    query = "SELECT authority FROM time_stamps WHERE checkpoint_id = ?"
    done = {authority for (authority,) in connection.execute(query, (checkpoint_id,))}
    return [each for each in dict.fromkeys(authorities) if each not in done]


@dataclass(frozen=True, slots=True)
class _Asking:
    """One note, and with what authorities are asked for tokens of it."""

    note: str
    roots: "Sequence[Certificate]"
    route: Route
    guard: AddressGuard
    clock: Clock

    async def ask_all(self, authorities: Sequence[str]) -> list[_Received | Stamping]:
        """Ask all at once; in their order, a token or why there is none."""
        found: dict[str, _Received | Stamping] = {}

        async def ask(authority: str) -> None:
            try:
                found[authority] = await self._ask(authority)
            except ArchiverError as error:
                found[authority] = Stamping(authority, error)

        async with anyio.create_task_group() as group:
            for authority in authorities:
                group.start_soon(ask, authority)
        return [found[authority] for authority in authorities]

    async def _ask(self, authority: str) -> _Received:
        parts = urlsplit(authority)
        request = token_request(self.note)
        client = api_client(
            "The time stamp authority", f"{parts.scheme}://{parts.netloc}", clock=self.clock,
            route=self.route, guard=self.guard,
        )  # fmt: skip
        try:
            async with client:
                with anyio.fail_after(_SECONDS):
                    answer = await client.post(
                        parts.path, headers=_HEADERS, content=request.query,
                        max_size=_LARGEST_TOKEN,
                    )  # fmt: skip
        except TimeoutError:
            raise _failed(authority, f"It did not answer within {_SECONDS:.0f} s") from None
        except SourceDown as error:
            why = None if error.code == "server_error" else error.why  # its body is for programs
            hint = error.hint if error.code in _FOR_OPERATORS else _AGAIN
            raise SourceDown(error.what, why=why, hint=hint, code=error.code) from error
        if answer.status != 200:
            raise _failed(authority, f"It answers {answer.status}")
        try:
            checked = check_token(answer.body, self.note, self.roots, request.nonce)
        except InvalidToken as error:
            raise _failed(
                authority,
                f"The token is not kept: {error}",
                "Name the file with its root certificate in [evidence] timestamp_roots"
                if error.problem == "foreign_authority"
                else _AGAIN,
            ) from error
        return _Received(authority, answer.body, checked, time_text(self.clock.now()))


def _failed(authority: str, why: str, hint: str = _AGAIN) -> SourceDown:
    host = urlsplit(authority).hostname
    return SourceDown(f"The time stamp authority ({host}) gave no token", why=why, hint=hint)
