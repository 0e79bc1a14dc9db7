"""All that a report says of an archive, in a period and of chosen accounts, read from its rows."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from archiver.archive.actions import Action, actions_between, settings_on_record
from archiver.archive.holds import Hold, holds
from archiver.archive.row_objects import mappings, objects
from archiver.errors import UsageError

END_OF_TIME = "9999"
"""Compares later than every time of an archive: a period without an end."""
MOST_LISTED = 1000
"""So many omitted files are listed one by one; all are counted."""


@dataclass(frozen=True, slots=True)
class AuditPeriod:
    """From a time on, and before another one; and the labels of the accounts, all if none.

    Posts belong to it by when they were published, all else by when it happened.
    """

    since: str = ""
    until: str = END_OF_TIME
    accounts: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The period in words."""
        words = [f"from {self.since[:10]}"] if self.since else []
        if self.until != END_OF_TIME:
            words.append(f"before {self.until[:10]}")
        return " and ".join(words) or "of all time"


@dataclass(frozen=True, slots=True)
class KnownRange:
    """A range of time that was scanned completely; `reached_start`: nothing older exists."""

    source: str
    stream: str
    oldest: str | None
    newest: str | None
    reached_start: bool


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """A range of time that no scan has covered, and why. `since` is None where it is open."""

    source: str
    stream: str
    since: str | None
    until: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class AskedAndGot:
    """How often an account was asked for through a source, and what came of it."""

    source: str
    runs: int
    full: int
    complete: int
    failed_runs: int
    got: int
    new: int
    edited: int
    removed: int
    stored: int
    omitted: int
    failed: int
    last_at: str | None


@dataclass(frozen=True, slots=True)
class AbsentFiles:
    """How many files of an account are not here, for one reason."""

    state: str
    reason: str | None
    count: int


@dataclass(frozen=True, slots=True)
class AuditedAccount:
    """What the archive has of an account. `first` and `last` are when posts were published."""

    name: str
    platform: str
    platform_id: str | None
    handle: str | None
    url: str | None
    posts: int
    first: str | None
    last: str | None
    reviewed: int
    events: Mapping[str, int]
    ranges: Sequence[KnownRange]
    gaps: Sequence[CoverageGap]
    asked: Sequence[AskedAndGot]
    absent: Sequence[AbsentFiles]


@dataclass(frozen=True, slots=True)
class AuditedRun:
    """A run, by whom and with which version, what it was asked and what it got.

    `asked` are its options by name.
    """

    id: int
    started_at: str
    finished_at: str | None
    outcome: str
    exit_code: int | None
    actor: str | None
    environment_id: int | None
    version: str
    asked: Any
    got: int
    new: int
    edited: int
    removed: int
    stored: int
    omitted: int
    failed: int


@dataclass(frozen=True, slots=True)
class AuditedFailure:
    """An account that a run could not read, or only in part, and why."""

    run_id: int
    at: str
    name: str
    source: str
    outcome: str
    error_code: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class WithheldFile:
    """A file that its platform withholds."""

    account: str
    post_id: int
    created_at: str | None
    url: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class CareTaken:
    """A verify, or a copy."""

    what: str
    at: str
    outcome: str
    files: int
    damaged: int
    target: str | None
    actor: str | None


@dataclass(frozen=True, slots=True)
class LedgerState:
    """How long the ledger is, and its newest checkpoint. `signatures` are lines of its note.

    `clock_gone_back` counts the entries that are dated earlier than one before them.
    """

    entries: int
    checkpoints: int
    clock_gone_back: int
    newest_at: str | None = None
    size: int | None = None
    root: str | None = None
    signatures: int = 0


@dataclass(frozen=True, slots=True)
class AuditedTimeStamp:
    """That an authority stamped a checkpoint of so many entries: when by its clock, and by ours."""

    stamped_at: str
    received_at: str
    size: int
    authority: str


@dataclass(frozen=True, slots=True)
class SealChange:
    """A new signing key and why there is one, or a restore that somebody said was right."""

    at: str
    what: str
    actor: str


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting that changed, and by whose run. None: it was not set, or is not any more."""

    at: str
    actor: str
    name: str
    before: Any
    since: Any


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All that a report says. `settings` are those of the newest run, without secrets.

    `since` and `until` are None where the period has no beginning or no end.
    """

    archive_id: str
    since: str | None
    until: str | None
    period: str
    accounts: Sequence[AuditedAccount]
    runs: Sequence[AuditedRun]
    failures: Sequence[AuditedFailure]
    withheld: Sequence[WithheldFile]
    withheld_total: int
    care: Sequence[CareTaken]
    files: int
    files_never_verified: int
    ledger: LedgerState
    time_stamps: Sequence[AuditedTimeStamp]
    seal_changes: Sequence[SealChange]
    holds: Sequence[Hold]
    reviews: Sequence[Action]
    exports: Sequence[Action]
    setting_changes: Sequence[SettingChange]
    settings: Mapping[str, Any]
    environments: Mapping[int, Mapping[str, Any]]


def audit_report(connection: sqlite3.Connection, period: AuditPeriod) -> AuditReport:
    """Read a report. Raises UsageError for an account that the archive does not have."""
    accounts = _chosen(connection, period.accounts)
    between = {"since": period.since, "until": period.until}
    chosen = between | {"accounts": json.dumps([row["id"] for row in accounts])}
    names = json.dumps([row["name"] for row in accounts])
    of_names = between | {"names": names}
    withheld = list(objects(connection.execute(_WITHHELD, of_names), WithheldFile))
    files, never = connection.execute(
        "SELECT count(*), count(*) - count(verified_at) FROM media WHERE lost_at IS NULL"
    ).fetchone()
    reviews = actions_between(connection, "review", period.since, period.until)
    of_accounts = _reviewed_post_ids(connection, chosen)
    return AuditReport(
        archive_id=_archive_id(connection),
        since=period.since or None,
        until=None if period.until == END_OF_TIME else period.until,
        period=str(period),
        accounts=_accounts(connection, accounts, chosen),
        runs=list(_runs(connection, between)),
        failures=list(objects(connection.execute(_FAILURES, of_names), AuditedFailure)),
        withheld=withheld[:MOST_LISTED], withheld_total=len(withheld),
        care=list(objects(connection.execute(_CARE, between), CareTaken)),
        files=files, files_never_verified=never,
        ledger=_ledger(connection),
        time_stamps=list(objects(connection.execute(_TIME_STAMPS, between), AuditedTimeStamp)),
        seal_changes=list(objects(connection.execute(_SEAL_CHANGES, between), SealChange)),
        holds=[hold for hold in holds(connection) if hold.placed_at < period.until],
        reviews=[review for review in reviews if review.post_id in of_accounts],
        exports=list(actions_between(connection, "export", period.since, period.until)),
        setting_changes=list(_setting_changes(connection, period)),
        settings=settings_on_record(connection) or {},
        environments=_environments(connection),
    )  # fmt: skip


def _chosen(connection: sqlite3.Connection, names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of the accounts that were named, or of all."""
    query = "SELECT id, name, platform, platform_id, handle, url FROM accounts ORDER BY name"
    found = list(mappings(connection.execute(query)))
    known = [row["name"] for row in found]
    for name in names:
        if name not in known:
            raise UsageError(
                f"The archive has no account {name}",
                hint=f"It has: {', '.join(known) or 'none yet'}",
            )
    return [row for row in found if not names or row["name"] in names]


def _archive_id(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM about WHERE name = 'archive_id'").fetchone()
    return row[0] if row else "unknown"


_OF_PERIOD = """
    account_id IN (SELECT value FROM json_each(:accounts))
       AND (created_at >= :since OR :since = '')
       AND (created_at < :until OR created_at IS NULL AND :since = '')
"""
_POSTS = f"""
    SELECT account_id, count(*), min(created_at), max(created_at),
           count((SELECT max(id) FROM actions WHERE post_id = posts.id AND what = 'review'))
      FROM posts WHERE {_OF_PERIOD} GROUP BY account_id
"""
_EVENTS = """
    SELECT account_id, what, count(*) FROM events JOIN posts ON posts.id = post_id
     WHERE at >= :since AND at < :until
       AND account_id IN (SELECT value FROM json_each(:accounts)) GROUP BY account_id, what
"""
_ASKED = """
    SELECT account_id, source, count(*) AS runs, sum(full) AS full, sum(complete) AS complete,
           sum(outcome IN ('failed', 'partial', 'interrupted')) AS failed_runs,
           sum(got) AS got, sum(new) AS new, sum(edited) AS edited, sum(removed) AS removed,
           sum(stored) AS stored, sum(omitted) AS omitted, sum(failed) AS failed,
           max(finished_at) AS last_at
      FROM run_accounts WHERE started_at >= :since AND started_at < :until
       AND account_id IN (SELECT value FROM json_each(:accounts)) GROUP BY account_id, source
"""
_ABSENT = """
    SELECT account_id, state, reason, count(*) AS count FROM renditions
     WHERE state IN ('pending', 'failed', 'omitted', 'not_offered', 'gone', 'refused')
       AND account_id IN (SELECT value FROM json_each(:accounts))
       AND (published_at >= :since OR :since = '')
       AND (published_at < :until OR published_at IS NULL AND :since = '')
     GROUP BY account_id, state, reason ORDER BY count(*) DESC
"""
_RANGES = """
    SELECT source, stream, oldest, newest, reached_start FROM coverage
     WHERE account_id = ? AND newest IS NOT NULL ORDER BY source, stream, newest
"""
_GAPS = """
    SELECT source, stream, since, until, reason FROM gaps
     WHERE account = :name AND coalesce(since, '') < :end AND coalesce(until, '9999') >= :begin
"""
_RUNS = """
    SELECT id, started_at, finished_at, outcome, exit_code, actor, environment_id, version, asked,
           got, new, edited, removed, stored, omitted, failed
      FROM runs WHERE started_at >= :since AND started_at < :until ORDER BY id
"""
_TIME_STAMPS = """
    SELECT stamped_at, received_at, size, authority
      FROM time_stamps JOIN checkpoints ON checkpoints.id = checkpoint_id
     WHERE stamped_at >= :since AND stamped_at < :until ORDER BY time_stamps.id
"""
_FAILURES = """
    SELECT run_id, started_at AS at, name, source, outcome, error_code, message FROM run_accounts
     WHERE started_at >= :since AND started_at < :until
       AND outcome IN ('failed', 'partial', 'interrupted')
       AND name IN (SELECT value FROM json_each(:names)) ORDER BY run_id, name
"""
_WITHHELD = """
    SELECT account, post_id, created_at, post_url AS url, reason FROM missing_media
     WHERE state = 'omitted' AND account IN (SELECT value FROM json_each(:names))
       AND (created_at >= :since OR :since = '') AND coalesce(created_at, '') < :until
"""
_CARE = """
    SELECT what, finished_at AS at, outcome, files, damaged, target, actor FROM care
     WHERE what IN ('verify', 'copy') AND finished_at >= :since AND finished_at < :until ORDER BY id
"""


_SEAL_CHANGES = """
    SELECT at, 'signing key: ' || reason AS what, actor FROM signing_keys
     WHERE at >= :since AND at < :until
     UNION ALL
    SELECT at, 'restore accepted: ' || (lost_size - kept_size) || ' entries of the ledger lost',
           actor FROM restores WHERE at >= :since AND at < :until
     ORDER BY at
"""


def _runs(connection: sqlite3.Connection, between: Mapping[str, str]) -> Iterator[AuditedRun]:
    for run in objects(connection.execute(_RUNS, between), AuditedRun):
        asked = run.asked
        with suppress(ValueError):  # damaged: shown as it is
            asked = json.loads(asked)
        yield replace(run, asked=asked)


def _ranges(connection: sqlite3.Connection, account_id: int) -> Iterator[KnownRange]:
    for known in objects(connection.execute(_RANGES, (account_id,)), KnownRange):
        yield replace(known, reached_start=bool(known.reached_start))


def _accounts(
    connection: sqlite3.Connection, rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, str]
) -> list[AuditedAccount]:
    posts = {row[0]: row[1:] for row in connection.execute(_POSTS, chosen)}
    events: dict[int, dict[str, int]] = {}
    for account_id, what, count in connection.execute(_EVENTS, chosen):
        events.setdefault(account_id, {})[what] = count
    asked = _by_account(connection, _ASKED, chosen)
    absent = _by_account(connection, _ABSENT, chosen)
    found = []
    for row in rows:
        account_id = row["id"]
        count, first, last, reviewed = posts.get(account_id, (0, None, None, 0))
        gap = {"name": row["name"], "begin": chosen["since"], "end": chosen["until"]}
        audited = AuditedAccount(
            row["name"], row["platform"], row["platform_id"], row["handle"], row["url"],
            count, first, last, reviewed, events.get(account_id, {}),
            list(_ranges(connection, account_id)),
            list(objects(connection.execute(_GAPS, gap), CoverageGap)),
            [AskedAndGot(**each) for each in asked.get(account_id, [])],
            [AbsentFiles(**each) for each in absent.get(account_id, [])],
        )  # fmt: skip
        found.append(audited)
    return found


def _by_account(
    connection: sqlite3.Connection, query: str, chosen: Mapping[str, str]
) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in mappings(connection.execute(query, chosen)):
        found.setdefault(row.pop("account_id"), []).append(row)
    return found


def _reviewed_post_ids(
    connection: sqlite3.Connection, chosen: Mapping[str, str]
) -> frozenset[int | None]:
    """The posts of the accounts that somebody reviewed."""
    query = """
        SELECT post_id FROM actions JOIN posts ON posts.id = post_id
         WHERE account_id IN (SELECT value FROM json_each(:accounts))
    """
    return frozenset(row[0] for row in connection.execute(query, chosen))


def _ledger(connection: sqlite3.Connection) -> LedgerState:
    entries, gone_back = connection.execute(
        "SELECT count(*), sum(instr(entry, '\"clock_gone_back\":') > 0) FROM ledger"
    ).fetchone()
    (count,) = connection.execute("SELECT count(*) FROM checkpoints").fetchone()
    query = "SELECT at, size, root, note FROM checkpoints ORDER BY id DESC LIMIT 1"
    newest = connection.execute(query).fetchone()
    if newest is None:
        return LedgerState(entries, count, gone_back or 0)
    at, size, root, note = newest
    signatures = sum(line.startswith("\u2014 ") for line in note.splitlines())
    return LedgerState(entries, count, gone_back or 0, at, size, root, signatures)


def _setting_changes(
    connection: sqlite3.Connection, period: AuditPeriod
) -> Iterator[SettingChange]:
    """What changed in the period; the first settings on record are no change."""
    before: Mapping[str, Any] | None = None
    for action in actions_between(connection, "configuration_change", "", period.until):
        now = action.details
        if before is not None and action.at >= period.since:
            for name in sorted(before.keys() | now.keys()):
                if (old := before.get(name)) != (new := now.get(name)):
                    yield SettingChange(action.at, action.actor, name, old, new)
        before = now


def _environments(connection: sqlite3.Connection) -> dict[int, Mapping[str, Any]]:
    return dict(_versions(connection))


def _versions(connection: sqlite3.Connection) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, versions in connection.execute("SELECT id, versions FROM environments ORDER BY id"):
        yield number, json.loads(versions)
