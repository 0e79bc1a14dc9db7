"""The time stamps that an archive has: whether each holds, and when authorities gave the last."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archiver.config import Config
from archiver.errors import ConfigError
from archiver.evidence.findings import Finding
from archiver.evidence.time_tokens import (
    InvalidToken,
    can_check_tokens,
    check_token,
    trusted_roots,
)
from archiver.models import time_text
from archiver.net.proxy import Route

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True, slots=True)
class AuthorityStanding:
    """When an authority stamped a checkpoint last, by its clock; None: never.

    `problem` is None where that is the newest checkpoint.
    """

    authority: str
    at: str | None
    problem: str | None = None


def check_time_stamps(
    connection: sqlite3.Connection, config: Config | None, *, is_own: bool = True
) -> list[Finding]:
    """What is wrong with the tokens of an archive; without a config, by the roots of TLS.

    An archive that `is_own`, of this config, has tokens of its authorities only. Of another one,
    nobody has said which it trusts: there a token of an unknown authority is no damage.
    """
    if connection.execute("SELECT 1 FROM time_stamps LIMIT 1").fetchone() is None:
        return []
    try:
        roots = roots_of(config)
    except ConfigError as error:
        return [Finding("unchecked", "time_stamps", str(error))]
    return list(stamp_findings(connection, roots, is_trust_given=is_own))


def roots_of(config: Config | None) -> "list[Certificate]":
    """The roots by which a config checks tokens; without one, those of TLS.

    Raises ConfigError where they cannot be used, or the extra `evidence` is missing.
    """
    if not can_check_tokens():
        raise ConfigError("Checking them needs the extra evidence", code="not_installed")
    file = config.evidence.timestamp_roots if config else None
    return trusted_roots(file, Route(ca_bundle=config.network.ca_bundle if config else None))


def stamp_findings(
    connection: sqlite3.Connection, roots: "Sequence[Certificate]", *, is_trust_given: bool = True
) -> Iterator[Finding]:
    """Check each token against the roots, its checkpoint, and what its row says.

    Where `is_trust_given` is false, nobody has said which authorities the archive trusts, and a
    token of an unknown one is no damage. Needs the extra `evidence`.
    """
    query = """
        SELECT time_stamps.id, stamped_at, token, note, authority FROM time_stamps
          LEFT JOIN checkpoints ON checkpoints.id = checkpoint_id ORDER BY time_stamps.id
    """
    for row_id, stamped_at, token, note, authority in connection.execute(query):
        name = f"time_stamps {row_id}"
        try:
            checked = check_token(bytes(token), str(note or ""), roots)
        except InvalidToken as error:
            is_unknown = error.problem == "foreign_authority" and not is_trust_given
            kind = "unchecked" if is_unknown else error.problem
            yield Finding(kind, name, f"the token of {authority} does not hold: {error}")
            continue
        if time_text(checked.stamped_at) != stamped_at:
            yield Finding("broken_token", name, f"the token of {authority} says another time")


def read_authorities(
    connection: sqlite3.Connection, authorities: Sequence[str]
) -> Iterator[AuthorityStanding]:
    """How each authority of the config stands, in an archive that has checkpoints."""
    query = """
        SELECT max(stamped_at), max(checkpoint_id) = (SELECT max(id) FROM checkpoints)
          FROM time_stamps WHERE authority = ?
    """
    for authority in authorities:
        at, is_newest = connection.execute(query, (authority,)).fetchone()
        problem = None
        if not is_newest:
            problem = "nothing stamped since then" if at else "nothing stamped yet"
        yield AuthorityStanding(authority, at, problem)
