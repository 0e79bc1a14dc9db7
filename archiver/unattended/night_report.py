"""After a run: what is wrong with the archive now, and which messages that makes due."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from shutil import disk_usage

from archiver.archive.database import reader
from archiver.backup.room import Room
from archiver.config import Config
from archiver.disks import existing_parent
from archiver.errors import ArchiverError, StorageError
from archiver.models import time_text
from archiver.unattended.alerts import (
    SentAlerts,
    alerts_path,
    load_sent_alerts,
    message_of,
    save_sent_alerts,
)
from archiver.unattended.care_log import CareEntry
from archiver.unattended.forecast import forecast_concerns, growth
from archiver.unattended.health import (
    Concern,
    Severity,
    TokenExpiry,
    care_concerns,
    concerns_of,
    read_health,
    room_concerns,
)
from archiver.unattended.news import break_before, digest, run_news
from archiver.unattended.overdue import due_news, overdue_concerns
from archiver.unattended.sending import send

FAILED_RUN = "backup"
"""The cause that a run failed as a whole."""

_WEEK = timedelta(days=7)
Send = Callable[[str, str], list[str]]
"""Sends a message with this title and text; returns why it did not reach some of the addresses."""


@dataclass(frozen=True, slots=True)
class NightReport:
    """Sends the addresses of `[notify]` what has changed since the last message."""

    config: Config
    now: datetime
    tokens: Collection[TokenExpiry] = ()

    def send(
        self, error: ArchiverError | None = None, *, clock_is_wrong: bool = False,
        unlogged: Collection[CareEntry] = (), send_by: Send | None = None,
    ) -> list[str]:  # fmt: skip
        """Send what is due; returns why a message did not reach somebody, a line each.

        `error` is what ended the run; `clock_is_wrong`: this machine's clock differs from others;
        `unlogged` is care whose result could not be written to the archive.
        Ages mean nothing by a wrong clock, and after a run that failed as a whole they only follow
        from that: then nothing else is sent, and nothing else is over.
        What could not be delivered is sent after the next run. Raises ConfigError where Apprise is
        not installed, StorageError where it cannot be saved what was sent.
        """
        if not self.config.notify.on_failure:
            return []
        path = alerts_path(self.config.path)
        sent = load_sent_alerts(path)
        before = deepcopy(sent)
        concerns = self._own_concerns(error, clock_is_wrong=clock_is_wrong)
        for entry in unlogged:
            concerns += care_concerns(entry, self.now)
        over: dict[str, str] = {}
        try:
            with reader(self.config.archive.directory) as connection:
                if error is None and not clock_is_wrong:
                    known = {concern.cause for concern in concerns}
                    found = self._concerns(connection)
                    concerns += [each for each in found if each.cause not in known]
                    over = sent.over_without(concerns)
                if error is None:
                    sent.events += self._events(connection, sent, clock_is_wrong=clock_is_wrong)
        except StorageError as unreadable:  # what was wrong in it may be so still
            if error is None:
                concerns.append(_of_error(unreadable))
        failures = self._send(sent, concerns, over, send_by or self._by_apprise)
        if sent != before:
            save_sent_alerts(path, sent)
        return failures

    def _own_concerns(self, error: ArchiverError | None, *, clock_is_wrong: bool) -> list[Concern]:
        concerns = [] if error is None else [_of_error(error)]
        if clock_is_wrong:
            text = "this machine's clock differs from the source's, or from that of an earlier run"
            concerns.append(Concern("clock", Severity.WARNING, text))
        with suppress(OSError):
            free = disk_usage(existing_parent(self.config.archive.directory)).free
            concerns += room_concerns(free, self.config.health.min_free)
        return concerns

    def _concerns(self, connection: sqlite3.Connection) -> list[Concern]:
        names = [entry.name for entry in self.config.accounts]
        health = read_health(connection, names)
        archive = self.config.archive
        room = Room(archive.directory, archive.reserve).left()
        return [
            *concerns_of(health, self.tokens, self.now, self.config.health.late_after),
            *forecast_concerns(growth(connection, self.now), room),
            *overdue_concerns(connection, self.config.retention, self.now),
        ]

    def _events(
        self, connection: sqlite3.Connection, sent: SentAlerts, *, clock_is_wrong: bool
    ) -> Iterator[str]:
        """What happened, and the digest where a week is over.

        A break is none where it was sent that the runs of that time failed, or the clock is wrong.
        """
        settings = self.config.notify
        gap = break_before(connection, self.config.health.late_after)
        if gap is not None and not clock_is_wrong and FAILED_RUN not in sent.causes:
            yield gap
        if settings.changes:
            yield from run_news(connection)
        if settings.digest and sent.is_digest_due(self.now):
            sent.digest_at = time_text(self.now)
            yield digest(connection, self.now - _WEEK)
            if not clock_is_wrong:
                yield from due_news(connection, self.config.retention, self.now)

    def _send(
        self, sent: SentAlerts, concerns: list[Concern], over: Mapping[str, str], send_by: Send
    ) -> list[str]:
        new = sent.new_among(concerns)
        if not (new or over or sent.events):
            return []
        failures = send_by(*message_of(new, list(over.values()), sent.events))
        if len(failures) >= len(self.config.notify.on_failure):
            sent.failed_at = time_text(self.now)
        else:
            sent.mark_sent(concerns, over)
        return failures

    def _by_apprise(self, title: str, text: str) -> list[str]:
        return send(self.config.notify.on_failure, title, text, self.config.network)


def _of_error(error: ArchiverError) -> Concern:
    """What ended a run, without its message: that may quote what others wrote."""
    words = {2: "the configuration is wrong", 6: "the archive cannot be written or read"}
    why = words.get(error.exit_code, "it failed")
    text = f"the backup did not run: {why} ({error.code})"
    return Concern(FAILED_RUN, Severity.CRITICAL, text, error.code)
