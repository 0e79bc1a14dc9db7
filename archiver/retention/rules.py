"""Rules of retention: which posts are due by account, kind and age, and disposing of those.

A rule by itself only lists. Posts are disposed of when a person says so, as erasures with a
certificate, and never while they are under legal hold.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archiver.archive.holds import lasting_holds, matters_of_posts
from archiver.errors import UsageError
from archiver.models import time_text, timestamp
from archiver.retention.certificate import MakeSeal, Unsigned
from archiver.retention.erasure import (
    Erasure,
    RemoveFiles,
    carry_out,
    erasures,
    plan_erasure,
    withdraw_erasure,
)
from archiver.settings import RetentionRule

_DATES = {"published": "created_at", "first_seen": "first_seen_at", "removed": "removed_at"}
"""The column that a period begins with, by trigger."""
_NEVER = ""  # sorts before every date


@dataclass(frozen=True, slots=True)
class DuePosts:
    """The posts that are due by a rule, by row id: those that are free, and those that are held.

    `under` is how many posts the rule is for, due or not.
    """

    rule: RetentionRule
    under: int
    free: tuple[int, ...]
    held: tuple[int, ...]


def check_accounts(
    connection: sqlite3.Connection, rules: Sequence[RetentionRule], configured: Collection[str]
) -> None:
    """Raise UsageError for an account of a rule that neither archive nor config has."""
    known = {name for (name,) in connection.execute("SELECT name FROM accounts")}.union(configured)
    for rule in rules:
        if unknown := set(rule.accounts) - known:
            raise UsageError(
                f'The rule "{rule.name}" is for {min(unknown)}, which is no account',
                hint=f"There are {', '.join(sorted(known)) or 'none'}",
            )


def due_posts(
    connection: sqlite3.Connection, rules: Sequence[RetentionRule], now: datetime
) -> Iterator[DuePosts]:
    """What is due by each rule.

    Each post is under one rule: the first that is for its account and kind, and whose date it has.
    """
    for number, rule in enumerate(rules):
        condition, values = _under(rules, number)
        query = f"SELECT count(*) FROM posts WHERE {condition}"
        (under,) = connection.execute(query, values).fetchone()
        condition, values = _due(rules, number, now)
        query = f"SELECT id FROM posts WHERE {condition} ORDER BY {_DATES[rule.trigger]}, id"
        due = _column(connection, query, values)
        held = matters_of_posts(connection, due)
        yield DuePosts(rule, under, tuple(post for post in due if post not in held), tuple(held))


@dataclass(frozen=True, slots=True)
class DueCount:
    """How many posts are due by a rule: `free` ones, and those that are `held`."""

    rule: RetentionRule
    free: int
    held: int


def due_counts(
    connection: sqlite3.Connection, rules: Sequence[RetentionRule], now: datetime
) -> Iterator[DueCount]:
    """How many posts are due by each rule. Names of posts are read only where there are holds."""
    is_held = bool(lasting_holds(connection))
    for number, rule in enumerate(rules):
        condition, values = _due(rules, number, now)
        if is_held:
            due = _column(connection, f"SELECT id FROM posts WHERE {condition}", values)
            held = len(matters_of_posts(connection, due))
            yield DueCount(rule, len(due) - held, held)
        else:
            query = f"SELECT count(*) FROM posts WHERE {condition}"
            (free,) = connection.execute(query, values).fetchone()
            yield DueCount(rule, free, 0)


def posts_without_rule(connection: sqlite3.Connection, rules: Sequence[RetentionRule]) -> int:
    """How many posts are under no rule."""
    condition, values = _under_none(rules)
    (found,) = connection.execute(
        f"SELECT count(*) FROM posts WHERE {condition}", values
    ).fetchone()
    return int(found)


def dispose(
    connection: sqlite3.Connection, directory: Path, rules: Sequence[RetentionRule],
    chosen: Collection[str], who: str, now: datetime, make_seal: MakeSeal = Unsigned,
    remove_files: RemoveFiles | None = None,
) -> list[Erasure]:  # fmt: skip
    """Dispose of what is due by the rules of the names `chosen` that erase; under the lock.

    What `make_seal` makes signs the certificates and the checkpoints; `remove_files` is as for
    `carry_out`.

    What is held stays, and that it was due is on record. Before, disposals are finished that were
    interrupted. Raises UsageError where the clock is behind the archive, and as `carry_out` does:
    then it may be called again.
    """
    _check_clock(connection, now)
    at = time_text(now)
    done = _finish(connection, directory, who, at, make_seal, remove_files)
    for due in list(due_posts(connection, rules, now)):
        if due.rule.action != "erase" or due.rule.name not in chosen:
            continue
        if due.held:
            with suppress(UsageError):  # it records the attempt, and refuses it
                plan_erasure(connection, due.held, basis_of(due.rule), who, at, kind="disposal")
        if due.free:
            planned = plan_erasure(
                connection, due.free, basis_of(due.rule), who, at, kind="disposal"
            )
            done.append(
                carry_out(connection, directory, planned.id, who, at, make_seal, remove_files)
            )
    return done


def basis_of(rule: RetentionRule) -> str:
    """A rule in words, as the certificate has it."""
    trigger = rule.trigger.replace("_", " ")
    return f"{rule.name}: {rule.basis} ({rule.period} since {trigger})"


def _finish(
    connection: sqlite3.Connection, directory: Path, who: str, at: str, make_seal: MakeSeal,
    remove_files: RemoveFiles | None,
) -> list[Erasure]:  # fmt: skip
    """Finish disposals that were interrupted; what was only planned is planned anew, if due."""
    done = []
    for each in erasures(connection):
        if each.kind == "disposal" and each.state == "running":
            done.append(carry_out(connection, directory, each.id, who, at, make_seal, remove_files))
        elif each.kind == "disposal" and each.state == "planned":
            withdraw_erasure(connection, each.id, who, at)
    return done


def _check_clock(connection: sqlite3.Connection, now: datetime) -> None:
    """Raise UsageError where the clock is behind what the archive saw: ages cannot be believed."""
    query = "SELECT max(coalesce(finished_at, started_at)) FROM runs"
    (last,) = connection.execute(query).fetchone()
    if last is not None and last > time_text(now):
        raise UsageError(
            "The clock of this machine is wrong: it is behind the last run of this archive",
            kept="Nothing was disposed of",
            hint="Set the clock",
        )


def _before(rule: RetentionRule, now: datetime) -> str:
    try:
        return timestamp(rule.period.before(now)) or _NEVER
    except ValueError:  # longer than the calendar
        return _NEVER


def _column(connection: sqlite3.Connection, query: str, values: dict[str, str]) -> list[int]:
    return [post_id for (post_id,) in connection.execute(query, values)]


def _due(rules: Sequence[RetentionRule], number: int, now: datetime) -> tuple[str, dict[str, str]]:
    """The condition on posts that are due by the rule of that number, and its parameters."""
    rule = rules[number]
    condition, values = _under(rules, number)
    return f"{condition} AND {_DATES[rule.trigger]} <= :before", values | {
        "before": _before(rule, now)
    }


def _under(rules: Sequence[RetentionRule], number: int) -> tuple[str, dict[str, str]]:
    """The condition on posts that are under the rule of that number, and its parameters."""
    earlier, values = _under_none(rules[:number])
    own, own_values = _is_for(rules[number], number)
    return f"{own} AND {earlier}", values | own_values


def _under_none(rules: Sequence[RetentionRule]) -> tuple[str, dict[str, str]]:
    conditions = ["TRUE"]
    values: dict[str, str] = {}
    for number, rule in enumerate(rules):
        condition, parameters = _is_for(rule, number)
        conditions.append(f"NOT ({condition})")
        values |= parameters
    return " AND ".join(conditions), values


def _is_for(rule: RetentionRule, number: int) -> tuple[str, dict[str, str]]:
    conditions = [f"{_DATES[rule.trigger]} IS NOT NULL"]
    values: dict[str, str] = {}
    if rule.accounts:
        name = f"accounts_{number}"
        conditions.append(
            "account_id IN (SELECT id FROM accounts WHERE name IN "
            f"(SELECT value FROM json_each(:{name})))"
        )
        values[name] = json.dumps(rule.accounts)
    if rule.kinds:
        name = f"kinds_{number}"
        conditions.append(f"kind IN (SELECT value FROM json_each(:{name}))")
        values[name] = json.dumps(rule.kinds)
    return " AND ".join(conditions), values
