"""A year of nights: the messages of docs/scheduling.md are all that are sent, each once."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from archiver.archive import runs
from archiver.archive.database import writer
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.backup import room
from archiver.config import Config, load_config
from archiver.errors import ArchiverError, ConfigError, StorageError
from archiver.models import timestamp
from archiver.unattended import night_report
from archiver.unattended.care_log import CareEntry, CareOutcome, add_care
from archiver.unattended.health import TokenExpiry
from archiver.unattended.night_report import NightReport
from support.fresh import ROOT

pytestmark = pytest.mark.slow

FIRST = datetime(2026, 1, 1, 3, 17, tzinfo=UTC)
CONFIG = """
[archive]
directory = "archive"

[health]
min_free = "1GB"

[notify]
on_failure = ["json://127.0.0.1/"]

[[accounts]]
name = "acme-instagram"
platform = "instagram"

[[accounts]]
name = "acme-bluesky"
platform = "bluesky"
"""
NAMES = ("acme-instagram", "acme-bluesky")
OUTAGE, LONG_OUTAGE = (20, 21), range(40, 46)
DEAD = range(100, 110)
BROKEN_CONFIG = range(120, 122)
REFUSED = range(150, 153)
REMOVED, OMITTED = 170, 180
FULL = range(200, 204)
WRONG_CLOCK = range(230, 232)
SUSPENDED = range(250, 260)
COPY_FAILS = 266
DAMAGED, REPAIRED = range(280, 283), 283
NIGHTLY = 450_000_000  # bytes
FIRST_DISK, SECOND_DISK = 90_000_000_000, 1_000_000_000_000
SILENT_FROM, SILENT_TO = 290, 330
TOKEN_ENDS, RENEWED = 350, 352
UNREACHABLE = 283


class Disk(NamedTuple):
    """What `shutil.disk_usage` gives, in bytes."""

    total: int
    used: int
    free: int


def _night(connection: sqlite3.Connection, day: int, at: str) -> None:
    """The rows of one run, as a backup of that night writes them."""
    run_id = runs.begin_run(connection, at, "test", {})
    found = {(name, "test"): runs.Counts() for name in NAMES}
    for name in NAMES:
        runs.begin_account(connection, run_id, name, "test", at)
        counts = found[name, "test"]
        outcome, code = "done", None
        if day in OUTAGE or day in LONG_OUTAGE:
            outcome, code = "failed", "down"
        elif name == NAMES[0] and day in REFUSED:
            outcome, code = "failed", "refused"
        elif name == NAMES[1] and day in SUSPENDED:
            outcome, code = ("failed" if day == SUSPENDED[0] else "away"), "suspended"
        elif name == NAMES[0] and day == REMOVED:
            counts.removed = 2
        elif name == NAMES[0] and day == OMITTED:
            counts.omitted = 3
        runs.end_account(
            connection, run_id, name, "test",
            {"outcome": outcome, "error_code": code, "finished_at": at, **counts.columns()},
        )  # fmt: skip
    runs.end_run(
        connection, run_id, at, outcome="done", exit_code=0, accounts=found, received=NIGHTLY
    )


def _care(connection: sqlite3.Connection, day: int, at: str) -> None:
    """What [care] does in a night: some files are verified, and once a week all is copied.

    A copy that failed is made again a day later.
    """
    if day <= REPAIRED:
        damaged = int(day in DAMAGED)
        outcome: CareOutcome = "damaged" if damaged else "partial"
        add_care(connection, CareEntry("verify", at, outcome, 9, 9, damaged))
    if day % 7 == 0 or day == COPY_FAILS + 1:
        fails = day == COPY_FAILS
        code = "not_mounted" if fails else None
        add_care(connection, CareEntry("copy", at, "failed" if fails else "done", 9, 9, 0,
                                       "/mnt/usb/archive", code))  # fmt: skip


def _disk(day: int) -> Disk:
    """The disk fills up by what is fetched; after it was full, there is a larger one."""
    free = SECOND_DISK if day >= FULL[-1] + 1 else max(0, FIRST_DISK - day * NIGHTLY)
    return Disk(10 * free, 0, free)


def _publish(connection: sqlite3.Connection, day: int, at: str) -> None:
    """A post of each account, but for the silent one."""
    with transaction(connection):
        for account_id, name in enumerate(NAMES, 1):
            if name == NAMES[1] and SILENT_FROM <= day < SILENT_TO:
                continue
            number = f"{name}-{day}"
            insert(
                connection, "posts", account_id=account_id, platform=name[5:], platform_id=number,
                kind="post", created_at=at, first_seen_at=at, last_seen_at=at, raw="{}",
            )  # fmt: skip


class Year:
    """365 nights, one after the other, and the messages of each."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        path = folder / "archive.toml"
        path.write_text(CONFIG)
        path.chmod(0o600)
        self.config: Config = load_config(path)
        self.connection = connection
        self.messages: list[str] = []
        self.day = 0
        with transaction(connection):
            for name in NAMES:
                insert(
                    connection, "accounts", name=name, platform=name[5:],
                    first_seen_at=timestamp(FIRST),
                )  # fmt: skip

    def pass_night(self, day: int) -> None:
        now = FIRST + timedelta(days=day)
        if day in DEAD:
            return
        machine = now + timedelta(days=400) if day in WRONG_CLOCK else now
        error: ArchiverError | None = None
        self.day = day
        if day in FULL:
            error = StorageError("The disk is full")
        elif day in BROKEN_CONFIG:
            error = ConfigError("archive.toml, line 3: there is something wrong")
        else:
            with transaction(self.connection):
                _night(self.connection, day, timestamp(machine) or "")
                _publish(self.connection, day, timestamp(now) or "")
            if day not in WRONG_CLOCK:  # as the program does not either
                _care(self.connection, day, timestamp(now) or "")
        is_wrong = day in WRONG_CLOCK or day == WRONG_CLOCK[-1] + 1
        self.report(day, machine).send(error, clock_is_wrong=is_wrong, send_by=self.sender(day))

    def report(self, day: int, now: datetime) -> NightReport:
        end = FIRST + timedelta(days=TOKEN_ENDS if day < RENEWED else 999)
        return NightReport(self.config, now, [TokenExpiry(NAMES[1], timestamp(end) or "")])

    def sender(self, day: int) -> Callable[[str, str], list[str]]:
        def send(_title: str, text: str) -> list[str]:
            if day == UNREACHABLE:
                return ["Address 1 did not take the message"]
            self.messages += [f"night {day:3}: {line}" for line in text.splitlines()]
            return []

        return send


@pytest.fixture
def year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Year]:
    with writer(tmp_path / "archive") as connection:
        connection.execute("PRAGMA synchronous = OFF")
        year = Year(tmp_path, connection)
        for module in (night_report, room):
            monkeypatch.setattr(module, "disk_usage", lambda _: _disk(year.day))
        yield year


def test_the_messages_of_a_year_are_those_of_the_docs(year: Year) -> None:
    for day in range(365):
        year.pass_night(day)
    page = (ROOT / "docs/scheduling.md").read_text("utf-8")
    listed = re.findall(r"^night +\d+: .*$", page, re.MULTILINE)
    assert "\n".join(year.messages) == "\n".join(listed)


def test_damage_that_could_not_be_logged_is_told_all_the_same(year: Year) -> None:
    year.pass_night(0)
    entry = CareEntry("verify", timestamp(FIRST) or "", "damaged", damaged=1)
    report = year.report(1, FIRST + timedelta(days=1))
    for _ in range(2):
        assert report.send(unlogged=[entry], send_by=year.sender(1)) == []
    assert year.messages == ["night   1: verify found 1 integrity error."]
