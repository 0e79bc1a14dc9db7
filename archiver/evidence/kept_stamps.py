"""Time stamps that copies of checkpoints have: those that the archive lacks are named."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archiver.archive.checkpoints import origin
from archiver.config import Config
from archiver.errors import ConfigError, SecretError
from archiver.evidence.checkpoint_copies import kept_stamps
from archiver.evidence.checkpoint_targets import KeptStamp
from archiver.evidence.findings import Finding, What
from archiver.evidence.known_heads import accepted_ranges, believed_roots, is_in, known_head
from archiver.evidence.signed_heads import signed_heads
from archiver.evidence.stamped import roots_of
from archiver.evidence.time_tokens import InvalidToken, check_token
from archiver.models import time_text

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def check_kept_stamps(connection: sqlite3.Connection, config: Config) -> list[Finding]:
    """Check what copies have beyond the archive, and name what it shows to have been there."""
    try:
        kept, errors = kept_stamps(config, origin(connection), signed_heads(config))
    except SecretError:  # heads_of says so
        return []
    findings = [Finding("unchecked", each.target, str(each.error)) for each in errors]
    lacking = [stamp for stamp in kept if not _has(connection, stamp)]
    if not lacking:
        return findings
    try:
        roots = roots_of(config)
    except ConfigError as error:
        return [*findings, Finding("unchecked", "time stamps of copies", str(error))]
    return [*findings, *_findings(connection, lacking, roots)]


def _has(connection: sqlite3.Connection, stamp: KeptStamp) -> bool:
    """Whether the archive has a time stamp, for the same checkpoint: then it is checked there."""
    query = """
        SELECT 1 FROM checkpoints JOIN time_stamps ON checkpoint_id = checkpoints.id
          WHERE note = ? AND token = ?
    """
    return connection.execute(query, (stamp.note, stamp.token)).fetchone() is not None


def _findings(
    connection: sqlite3.Connection, stamps: Sequence[KeptStamp], roots: "Sequence[Certificate]"
) -> Iterator[Finding]:
    lost, log = accepted_ranges(connection), origin(connection)
    for stamp in stamps:
        if stamp.note is None:
            yield Finding("unchecked", stamp.name, "the checkpoint is not beside its time stamp")
            continue
        try:
            head = known_head(stamp.name, stamp.note, log)
            at = time_text(check_token(stamp.token, stamp.note, roots).stamped_at)
        except ValueError:  # no checkpoint: whoever checks these says so
            continue
        except InvalidToken as error:
            yield Finding(error.problem, stamp.name, f"the token does not hold: {error}")
            continue
        if is_in(head, lost):
            continue
        root = believed_roots(connection, {head.size}).get(head.size)
        was = f"a checkpoint of {head.size:,} entries was there at {at}, as its time stamp shows"
        if root == head.root:
            yield Finding("extra", stamp.name, f"{was}, which the archive does not have")
        else:
            kind: What = "rolled_back" if root is None else "rebuilt"
            yield Finding(kind, stamp.name, f"{was}, and this archive does not continue it")
