"""An older copy in the place of the archive: what was lost, on the word of somebody, on record."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from archiver.actors import actor
from archiver.archive.checkpoints import origin
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.config import Config
from archiver.errors import ArchiverError, SecretError, UsageError
from archiver.evidence.checkpoint_copies import known_heads
from archiver.evidence.findings import Finding
from archiver.evidence.known_heads import KnownHead, accepted_range
from archiver.evidence.signed_heads import signed_heads
from archiver.evidence.signing_keys import can_sign, keys_on_record, load_key

PUT_BACK = frozenset({"rolled_back", "rebuilt"})
"""What `verify` finds where an older copy was put back."""


@dataclass(frozen=True, slots=True)
class LostRange:
    """Entries of the ledger from `first` to `last` that were lost."""

    first: int
    last: int


def heads_of(
    connection: sqlite3.Connection, config: Config
) -> tuple[list[KnownHead], list[Finding]]:
    """All checkpoints of the archive that its config knows of, and what of them cannot be read."""
    try:
        heads = signed_heads(config)
    except SecretError as error:
        return [], [Finding("unchecked", "checkpoints that were signed last", str(error))]
    found, errors = known_heads(config, origin(connection), heads, only_newest=False)
    return found, [Finding("unchecked", each.target, str(each.error)) for each in errors]


def key_findings(connection: sqlite3.Connection, config: Config) -> list[Finding]:
    """A finding where the key that signs here is not the one on record."""
    known = keys_on_record(connection)
    if not (known and can_sign()):
        return []
    try:
        key = load_key(config)
    except ArchiverError as error:
        return [Finding("unchecked", "signing key", str(error))]
    if key is None or key.public_text == known[-1].public_key:
        return []
    detail = f"the archive has another on record since {known[-1].at}"
    return [Finding("foreign_key", "signing key", detail)]


def accept_restore(
    connection: sqlite3.Connection,
    heads: Sequence[KnownHead],
    at: str,
    configured_actor: str | None = None,
) -> LostRange:
    """Record that what these checkpoints have beyond the archive was lost, lawfully.

    Raises UsageError where the archive has all of it.
    """
    lost = accepted_range(connection, heads)
    if lost is None:
        raise UsageError(
            "There is nothing to accept: the archive continues every known checkpoint",
            kept="Nothing was changed",
        )
    kept, newest = lost
    with transaction(connection):
        insert(
            connection, "restores", at=at, kept_size=kept, lost_size=newest.size,
            lost_note=newest.note, known_from=newest.name, actor=actor(configured_actor),
        )  # fmt: skip
    return LostRange(kept + 1, newest.size)
