"""Giving checkpoints away after a run, and having them stamped; what `status` says of both."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from archiver.cli.shell import Shell
from archiver.cli.text import Coloured, safe, table, wrap
from archiver.errors import ArchiverError
from archiver.human import ago

if TYPE_CHECKING:
    import sqlite3

    from archiver.config import Config
    from archiver.evidence.standing import LedgerStanding


def deliver_checkpoints(shell: Shell, config: "Config") -> None:
    """Give the copies what they lack; warn of what could not be given, which is tried again."""
    from archiver.archive.database import reader
    from archiver.evidence.checkpoint_copies import deliver
    from archiver.evidence.signed_heads import signed_heads

    if not config.evidence.checkpoint_copies:
        return
    try:
        with reader(config.archive.directory) as connection:
            deliveries = deliver(connection, config, signed_heads(config))
    except ArchiverError as error:
        shell.warn(f"Checkpoints were not given to their copies: {error}")
        return
    for delivery in deliveries:
        if delivery.error is not None:
            shell.warn(f"A checkpoint was not given to {delivery.target}: {delivery.error}")


def stamp_checkpoint(shell: Shell, config: "Config") -> None:
    """Ask the time stamp authorities; warn of what did not come, which is asked for again."""
    from archiver.backup.routes import route_of
    from archiver.clock import SystemClock
    from archiver.evidence.stamping import stamp_newest

    if not config.evidence.timestamp:
        return
    try:
        stampings = stamp_newest(config, route_of(config.network), SystemClock())
    except ArchiverError as error:
        shell.warn(f"The checkpoint was not stamped: {error}")
        return
    for stamping in stampings:
        if stamping.error is not None:
            shell.warn(f"The checkpoint was not stamped by {stamping.authority}: {stamping.error}")


def ledger_standing(connection: "sqlite3.Connection", config: "Config") -> "LedgerStanding":
    """What `status` says of ledger and checkpoints."""
    from archiver.evidence.standing import read_standing

    return read_standing(connection, config)


def ledger_lines(standing: "LedgerStanding", now: datetime) -> str:
    """The same for people; empty before the first run."""
    if not standing.size:
        return ""
    newest = ago(standing.at, now, advise=False) if standing.at else "never"
    state = "signed" if standing.is_signed else Coloured("not signed", "yellow")
    parts = [f"Ledger: {standing.size:,} entries; last checkpoint {newest}, {state}."]
    parts += [wrap(safe(text), first="  ", rest="  ") for text in standing.problems]
    rows = [
        (each.target, f"{each.size:,}" if each.size else "none",
         Coloured(each.problem, "yellow") if each.problem else "up to date")
        for each in standing.copies
    ]  # fmt: skip
    if rows:
        parts.append(table(rows, ["CHECKPOINTS IN", "ENTRIES", ""], right=[1], whole=[0]))
    rows = [
        (each.authority, ago(each.at, now, advise=False) if each.at else "never",
         Coloured(each.problem, "yellow") if each.problem else "up to date")
        for each in standing.authorities
    ]  # fmt: skip
    if rows:
        parts.append(table(rows, ["TIME STAMPS BY", "LAST", ""], whole=[0]))
    return "\n".join(parts)


def ledger_json(standing: "LedgerStanding") -> dict[str, Any]:
    """The same for programs."""
    from dataclasses import asdict

    return asdict(standing)
