"""The health of an archive: how old the last good run, verify and copy are, and what is wrong.

It is read from the rows of the archive alone, so it is known also where the scheduler is dead.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import pairwise

from archiver.archive.packages import EXPORT
from archiver.archive.row_objects import objects
from archiver.archive.runs import IS_BACKUP
from archiver.archive.storage_totals import ARCHIVE_TOTAL, storage_totals
from archiver.errors import AWAY, TEMPORARY, AccessRefused
from archiver.human import ago, counted, parse_time, size_text
from archiver.models import CLOCKS_AGREE
from archiver.tokens import SOON
from archiver.unattended.care_log import CareEntry, newest_care

_CARE_LATE = timedelta(days=35)
_CRITICAL_FACTOR = 2
_POSTS_OF_A_PACE = 20
_ROOM_WARNING = 3
_SILENCE_FACTOR = 3
_SHORTEST_SILENCE = timedelta(days=14)


class Severity(IntEnum):
    """How bad a concern is; the numbers are the exit codes of monitoring plugins.

    Source: https://www.monitoring-plugins.org/doc/guidelines.html
    """

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """The last runs of an account: `last_good` ended without a failure.

    `stories_at` is the time of the newest scan of its stories, None where it has none;
    `newest_posts` are the times of its newest posts, newest first.
    """

    name: str
    last_good: str | None = None
    last_outcome: str | None = None
    error_code: str | None = None
    stories_at: str | None = None
    newest_posts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TokenExpiry:
    """When the token of an account's login ends, as the archive writes times."""

    account: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class ArchiveHealth:
    """What is known of an archive. `run_started` and `exit_code` are those of the last run.

    `files` and `size` (bytes) count every file once.
    """

    run_started: str | None
    exit_code: int | None
    accounts: Sequence[AccountHealth]
    care: Sequence[CareEntry]
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that somebody should look at. `text` has labels and numbers only.

    `cause` names it across runs, such as `late:acme-instagram`; `detail` is what of it is worth a
    message of its own when it changes.
    """

    cause: str
    severity: Severity
    text: str
    detail: str = ""

    @property
    def state(self) -> str:
        """What it is compared by: the text may hold an age, which changes every night."""
        return f"{self.severity.name} {self.detail}".rstrip()


def read_health(connection: sqlite3.Connection, names: Collection[str]) -> ArchiveHealth:
    """The health of an archive; `names` are the labels of the accounts in the config."""
    last = connection.execute(
        f"SELECT started_at, exit_code FROM runs WHERE outcome <> 'running' AND {IS_BACKUP} "
        "ORDER BY id DESC LIMIT 1"
    ).fetchone()
    files, size = storage_totals(connection).get(ARCHIVE_TOTAL, (0, 0))
    known = {account.name: account for account in _accounts(connection)}
    accounts = [known.get(name, AccountHealth(name)) for name in dict.fromkeys(names)]
    run_started, exit_code = last or (None, None)
    return ArchiveHealth(run_started, exit_code, accounts, newest_care(connection), files, size)


def _accounts(connection: sqlite3.Connection) -> Iterator[AccountHealth]:
    """An account without a row of its own never got past its login: it is known by its label."""
    not_export = f"source <> '{EXPORT}'"  # an import says nothing about the next backup
    query = f"""
        SELECT name,
               (SELECT finished_at FROM run_accounts WHERE name = labels.name AND {not_export}
                   AND outcome IN ('done', 'fresh') ORDER BY run_id DESC LIMIT 1) AS last_good,
               (SELECT outcome FROM run_accounts WHERE name = labels.name AND {not_export}
                   AND outcome <> 'running' ORDER BY run_id DESC LIMIT 1) AS last_outcome,
               (SELECT error_code FROM run_accounts WHERE name = labels.name AND {not_export}
                   AND outcome <> 'running' ORDER BY run_id DESC LIMIT 1) AS error_code,
               (SELECT max(newest) FROM coverage JOIN accounts ON accounts.id = account_id
                 WHERE accounts.name = labels.name AND stream = 'stories') AS stories_at
          FROM (SELECT DISTINCT name FROM run_accounts) AS labels
    """
    newest = """
        SELECT created_at FROM posts
         WHERE account_id = (SELECT id FROM accounts WHERE name = ?) AND created_at IS NOT NULL
         ORDER BY created_at DESC LIMIT ?
    """
    for account in list(objects(connection.execute(query), AccountHealth)):
        times = [row[0] for row in connection.execute(newest, (account.name, _POSTS_OF_A_PACE))]
        yield replace(account, newest_posts=times)


def room_concerns(free: int, min_free: int) -> Iterator[Concern]:
    """What is wrong with the free space of the archive's disk; both are in bytes."""
    if free < min_free * _ROOM_WARNING:
        severity = Severity.CRITICAL if free < min_free else Severity.WARNING
        yield Concern("disk", severity, f"the disk of the archive has {size_text(free)} left")


def concerns_of(
    health: ArchiveHealth, tokens: Collection[TokenExpiry], now: datetime, late_after: timedelta
) -> list[Concern]:
    """What is wrong, the worst first. What was never set up (a copy, a verify) is not."""
    found = [*_run_concerns(health, now, late_after)]
    for account in health.accounts:
        found += _account_concerns(account, now, late_after)
        found += _silence_concerns(account, now)
    for token in tokens:
        found += _token_concerns(token, now)
    for entry in health.care:
        found += care_concerns(entry, now)
    return sorted(found, key=lambda concern: -concern.severity)


def _run_concerns(health: ArchiveHealth, now: datetime, late_after: timedelta) -> Iterator[Concern]:
    started = parse_time(health.run_started)
    if started is None:
        yield Concern("run", Severity.UNKNOWN, "no backup has run yet")
    elif started - now > CLOCKS_AGREE:
        text = "the last run is dated in the future: check the clock"
        yield Concern("clock", Severity.WARNING, text)
    elif now - started > late_after:
        severity = _late_severity(now - started, late_after)
        yield Concern("run", severity, f"the last run began {ago(health.run_started, now)}")


def _late_severity(age: timedelta, late_after: timedelta) -> Severity:
    return Severity.CRITICAL if age > _CRITICAL_FACTOR * late_after else Severity.WARNING


def _account_concerns(
    account: AccountHealth, now: datetime, late_after: timedelta
) -> Iterator[Concern]:
    name, code = account.name, account.error_code
    # the code of a refused key is one of an account that is refused, too
    if account.last_outcome == "away" or (code in AWAY and code != AccessRefused.default_code):
        yield Concern(f"away:{name}", Severity.WARNING, f"{name} is {code}", code or "")
    elif account.last_outcome == "failed" and code not in TEMPORARY:
        text = f"{name} failed ({code}), and will not recover by itself"
        yield Concern(f"failed:{name}", Severity.CRITICAL, text, code or "")
    elif account.last_good is None:
        yield Concern(f"late:{name}", Severity.WARNING, f"{name} has no good run yet")
    elif (good := parse_time(account.last_good)) and now - good > late_after:
        why = f" ({code or account.last_outcome})" if account.last_outcome != "done" else ""
        text = f"{name} had its last good run {ago(account.last_good, now)}{why}"
        yield Concern(f"late:{name}", _late_severity(now - good, late_after), text)


def _silence_concerns(account: AccountHealth, now: datetime) -> Iterator[Concern]:
    """An account is silent after three times the longest pause between its newest 20 posts."""
    times = [moment for text in account.newest_posts if (moment := parse_time(text))]
    if len(times) < _POSTS_OF_A_PACE:
        return
    longest = max(later - earlier for later, earlier in pairwise(times))
    if now - times[0] > max(_SHORTEST_SILENCE, _SILENCE_FACTOR * longest):
        text = f"{account.name} has published nothing since {times[0]:%Y-%m-%d}"
        yield Concern(f"silent:{account.name}", Severity.WARNING, text)


def _token_concerns(token: TokenExpiry, now: datetime) -> Iterator[Concern]:
    expires = parse_time(token.expires_at)
    if expires is None or expires - now > SOON:
        return
    cause, days = f"token:{token.account}", (expires - now).days
    if expires <= now:
        yield Concern(cause, Severity.CRITICAL, f"the token of {token.account} has expired")
    else:
        text = f"the token of {token.account} expires in {counted(days, 'day')}"
        yield Concern(cause, Severity.WARNING, text)


def care_concerns(entry: CareEntry, now: datetime) -> Iterator[Concern]:
    """What is wrong with one verify, copy, or making of thumbnails."""
    if entry.outcome == "failed":
        text = f"the last {entry.what} failed ({entry.error_code})"
        yield Concern(f"failed:{entry.what}", Severity.WARNING, text, entry.error_code or "")
        return
    if entry.damaged:
        text = f"{entry.what} found {counted(entry.damaged, 'integrity error')}"
        yield Concern(f"damage:{entry.what}", Severity.CRITICAL, text, str(entry.damaged))
    done = parse_time(entry.finished_at)
    if done is not None and now - done > _CARE_LATE and entry.what != "thumbnails":
        text = f"the last {entry.what} was {ago(entry.finished_at, now)}"
        yield Concern(f"late:{entry.what}", Severity.WARNING, text)
