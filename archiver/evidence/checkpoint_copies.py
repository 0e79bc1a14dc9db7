"""Gives checkpoints and their time stamps away after a run, and reads them back.

Only a checkpoint that is kept where the writer of the archive cannot alter it shows that the whole
ledger was made anew. What could not be delivered is delivered after the next run.
"""

import sqlite3
from collections.abc import Mapping, Sequence

from msgspec import Struct

from archiver.archive.checkpoints import origin, root_at
from archiver.config import Config
from archiver.errors import ArchiverError, StorageError
from archiver.evidence.checkpoint_targets import CheckpointCopy, GivenStamp, KeptStamp, copy_of
from archiver.evidence.known_heads import KnownHead, known_head
from archiver.evidence.signed_heads import SignedHeads


class Delivery(Struct, frozen=True):
    """What one copy got: how many checkpoints and time stamps, and why not all, if so."""

    target: str
    count: int = 0
    error: ArchiverError | None = None
    stamps: int = 0


def known_heads(
    config: Config, log: str, heads: SignedHeads, *, only_newest: bool = True
) -> tuple[list[KnownHead], list[Delivery]]:
    """The checkpoints of a log that are known beside the archive, and which copies cannot be read.

    What is no checkpoint of the log is among the errors too.
    """
    found, errors = [], []
    if log in heads.notes:
        found.append(known_head(str(heads.path), heads.notes[log], log))
    for target in config.evidence.checkpoint_copies:
        try:
            for name, note in copy_of(target, heads).heads(log, only_newest=only_newest):
                try:
                    found.append(known_head(name, note, log))
                except ValueError as error:
                    raise StorageError(
                        f"{name} is no checkpoint of this archive", why=str(error)
                    ) from None
        except ArchiverError as error:
            errors.append(Delivery(target, error=error))
    return found, errors


def deliver(
    connection: sqlite3.Connection, targets: Sequence[str], heads: SignedHeads
) -> list[Delivery]:
    """Give each copy the checkpoints and time stamps that it lacks; a new one gets the newest.

    A second call after a run gives what has been stamped since.
    """
    log = origin(connection)
    return [_deliver(connection, target, copy_of(target, heads), log) for target in targets]


def _deliver(
    connection: sqlite3.Connection, target: str, copy: CheckpointCopy, log: str
) -> Delivery:
    try:
        newest = copy.newest(log)
        lost = connection.execute("SELECT max(lost_size) FROM restores").fetchone()[0] or 0
        for name, note in copy.heads(log, only_newest=True):
            head = known_head(name, note, log)
            if head.size > lost and root_at(connection, head.size) != head.root:
                raise StorageError(
                    f"{name} has a checkpoint that this archive does not continue",
                    kept="Nothing was added to it",
                    hint="Run archiver verify",
                    code="rolled_back",
                )
        query = "SELECT size, note FROM checkpoints WHERE size > ? ORDER BY size"
        wanted = dict(connection.execute(query, (max(newest, lost),)).fetchall())
        if not newest:
            wanted = dict(list(wanted.items())[-1:])
        if wanted:
            copy.add(log, wanted)
        stamps = _stamps_for(connection, copy.stamped(log), max([newest, *wanted]), lost)
        if stamps:
            copy.add_stamps(log, stamps)
    except ValueError as error:
        return Delivery(target, error=StorageError(f"{target} has no checkpoints", why=str(error)))
    except ArchiverError as error:
        return Delivery(target, error=error)
    return Delivery(target, len(wanted), stamps=len(stamps))


def _stamps_for(
    connection: sqlite3.Connection, there: Mapping[int, set[str]], newest: int, lost: int
) -> list[GivenStamp]:
    """The time stamps that a copy lacks, since the newest one that it has.

    Only the newest checkpoint of an archive is ever stamped, and covers those before it. So a copy
    without any gets those of its newest checkpoint.
    """
    query = """
        SELECT size, token, authority FROM time_stamps JOIN checkpoints ON checkpoints.id =
          checkpoint_id WHERE size >= ? AND size > ? AND size <= ? ORDER BY time_stamps.id
    """
    since = max(there, default=newest)
    found = (GivenStamp(*row) for row in connection.execute(query, (since, lost, newest)))
    return [stamp for stamp in found if stamp.short not in there.get(stamp.size, ())]


def kept_stamps(
    config: Config, log: str, heads: SignedHeads
) -> tuple[list[KeptStamp], list[Delivery]]:
    """The time stamps that copies have of a log, and which copies cannot be read."""
    found: list[KeptStamp] = []
    errors = []
    for target in config.evidence.checkpoint_copies:
        try:
            found += copy_of(target, heads).stamps(log)
        except ArchiverError as error:
            errors.append(Delivery(target, error=error))
    return found, errors
