"""How the ledger stands: its last checkpoint, whether that is signed, and who has it."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.archive.checkpoints import origin
from archiver.config import Config
from archiver.errors import ArchiverError
from archiver.evidence.checkpoint_copies import known_heads
from archiver.evidence.checkpoint_targets import copy_of
from archiver.evidence.signed_heads import SignedHeads, signed_heads
from archiver.evidence.signing import NOT_INSTALLED, contradiction
from archiver.evidence.signing_keys import can_sign
from archiver.evidence.stamped import AuthorityStanding, read_authorities
from archiver.evidence.standalone import split_note
from archiver.evidence.time_tokens import NOT_INSTALLED as NO_TIME_STAMPS
from archiver.evidence.time_tokens import can_check_tokens


@dataclass(frozen=True, slots=True)
class CopyStanding:
    """How many entries the newest checkpoint of a copy counts; `problem` is None where that is all.

    A command is believed to have kept what it got.
    """

    target: str
    size: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerStanding:
    """The number of entries, and the last checkpoint: when it was made, and whether it is signed.

    `problems` are sentences about what keeps checkpoints from being signed or stamped.
    """

    size: int
    at: str | None = None
    is_signed: bool = False
    problems: tuple[str, ...] = ()
    copies: tuple[CopyStanding, ...] = ()
    authorities: tuple[AuthorityStanding, ...] = ()


def read_standing(connection: sqlite3.Connection, config: Config) -> LedgerStanding:
    """How the ledger of an archive stands. Copies that cannot be read are named as such."""
    (size,) = connection.execute("SELECT coalesce(max(id), 0) FROM ledger").fetchone()
    newest = connection.execute(
        "SELECT size, at, note FROM checkpoints ORDER BY id DESC LIMIT 1"
    ).fetchone()
    if newest is None:
        return LedgerStanding(size)
    counted, at, note = newest
    problems = [] if can_sign() else [NOT_INSTALLED]
    if config.evidence.timestamp and not can_check_tokens():
        problems.append(NO_TIME_STAMPS)
    heads = SignedHeads(config.path)
    try:
        heads = signed_heads(config)
        found, _ = known_heads(config, origin(connection), heads)
        query = "SELECT coalesce(max(lost_size), 0) FROM restores"
        (lost,) = connection.execute(query).fetchone()
        problems += filter(None, [contradiction(connection, found, lost)])
    except ArchiverError as error:
        problems.append(str(error))
    copies = tuple(_copies(config, heads, origin(connection), counted))
    authorities = tuple(read_authorities(connection, config.evidence.timestamp))
    return LedgerStanding(size, at, _is_signed(note), tuple(problems), copies, authorities)


def _is_signed(note: str) -> bool:
    try:
        return bool(split_note(note)[1])
    except ValueError:
        return False


def _copies(config: Config, heads: SignedHeads, log: str, counted: int) -> Iterator[CopyStanding]:
    for target in config.evidence.checkpoint_copies:
        try:
            size = copy_of(target, heads).newest(log)
        except ArchiverError as error:
            yield CopyStanding(target, 0, str(error))
            continue
        yield CopyStanding(target, size, None if size == counted else "lacks the newest")
