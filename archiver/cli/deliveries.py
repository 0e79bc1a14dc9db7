"""Giving checkpoints away after a run, and having them stamped; what `status` says of both."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from archiver.cli.shell import Shell
from archiver.cli.text import Coloured, safe, table, wrap
from archiver.human import ago

if TYPE_CHECKING:
    import sqlite3

    from archiver.config import Config
    from archiver.evidence.standing import LedgerStanding


def give_checkpoint_away(shell: Shell, config: "Config", *, with_stamps: bool = True) -> bool:
    """See `giving.give_away`; warns of what failed. Whether the archive got time stamps."""
    if not (config.evidence.checkpoint_copies or config.evidence.timestamp):
        return False
    from archiver.backup.routes import route_of
    from archiver.clock import SystemClock
    from archiver.evidence.giving import give_away

    route = route_of(config.network)
    given = give_away(config, route, SystemClock(), with_stamps=with_stamps)
    for problem in given.problems:
        shell.warn(problem)
    return given.stamps > 0


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
