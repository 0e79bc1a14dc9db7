"""Whatever is altered, the ledger shows it: also where every other hash was made to fit."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.archive.checkpoints import add_checkpoint
from archiver.archive.database import DATABASE, writer
from archiver.archive.facts import ROW_HASHED
from archiver.archive.hashed_rows import with_hash
from archiver.archive.ledger import LEDGER_TABLES
from archiver.archive.merkle import GrowingTree, leaf_hash
from archiver.archive.rows import update
from archiver.evidence.files import Scope
from archiver.evidence.ledger import check_ledger
from archiver.evidence.slices import WHOLE, Slice
from archiver.evidence.verify import verify
from support.damage import raw
from support.flipping import flip_a_bit
from support.forging import forge, rebuild, settle

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"
SLICES = 3
TABLES = [table for table in ROW_HASHED if table not in LEDGER_TABLES]


@pytest.fixture(scope="module")
def whole(
    good_archive: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sqlite3.Connection]:
    """The intact archive in memory, without triggers, with a checkpoint of its newest entry."""
    directory = Path(shutil.copytree(good_archive, tmp_path_factory.mktemp("whole") / "archive"))
    with writer(directory) as connection:
        add_checkpoint(connection, NOW)
        update(connection, "media", "TRUE", (), verified_at=NOW)
        add_checkpoint(connection, NOW)
    with (
        closing(sqlite3.connect(directory / DATABASE)) as source,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as copy,
    ):
        source.backup(copy)
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name NOT LIKE '%fts%'"
        for (name,) in copy.execute(triggers).fetchall():
            copy.execute(f"DROP TRIGGER {name}")
        yield copy


@pytest.fixture
def ledger(whole: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """The same, for changes that are undone."""
    whole.execute("BEGIN")
    yield whole
    whole.rollback()


def findings(connection: sqlite3.Connection) -> dict[str, str]:
    """What is found, by its subject: the same at once, and in all slices together."""
    found = findings_in(connection, WHOLE)
    by_slices: dict[str, str] = {}
    for part in range(1, SLICES + 1):
        by_slices |= findings_in(connection, Slice(part, SLICES))
    assert by_slices.keys() == found.keys()
    return found


def findings_in(connection: sqlite3.Connection, part: Slice) -> dict[str, str]:
    """What is found in a slice."""
    factory = connection.text_factory
    try:
        return {found.subject: found.detail for found in check_ledger(connection, part)}
    finally:
        connection.text_factory = factory


def test_an_intact_ledger_has_no_findings(ledger: sqlite3.Connection) -> None:
    assert findings(ledger) == {}
    assert ledger.execute("SELECT count(*) > 50 FROM ledger").fetchone() == (1,)


ALTERED: dict[str, tuple[str, Any]] = {
    "about": ("value", "another"), "environments": ("versions", "{}"), "runs": ("got", 99),
    "accounts": ("handle", "other"),
    "account_profiles": ("title", "other"), "run_accounts": ("got", 99),
    "responses": ("status", 404), "posts": ("text", "We never said so"),
    "post_sources": ("content_version", 99), "post_aliases": ("value", "other"),
    "relations": ("kind", "other"), "revisions": ("raw", "{}"), "attachments": ("position", 99),
    "attachment_sources": ("matched_by", "other"), "media": ("size", 1),
    "account_pictures": ("url", "other"), "renditions": ("tries", 99),
    "media_origins": ("how", "other"), "resolutions": ("resolver", "other"),
    "events": ("reason", "other"), "metrics": ("value", 99), "coverage": ("reason", "other"),
    "storage_totals": ("files", 99), "quarantine": ("reason", "other"), "care": ("files", 99),
    "actions": ("actor", "other"),
    "holds": ("reason", "other"),
    "packages": ("outcome", "other"), "package_parts": ("sha256", "0" * 64),
    "package_posts": ("package_id", 99),
    "signing_keys": ("note", "other"), "restores": ("known_from", "other"),
    "erasures": ("basis", "other"), "tombstones": ("commitment", "other"),
    "response_cuts": ("records", 99),
    "time_stamps": ("authority", "other"),
}  # fmt: skip


def test_a_row_that_was_altered_with_its_hash_is_named_in_every_table(
    ledger: sqlite3.Connection,
) -> None:
    ledger.execute("PRAGMA defer_foreign_keys = ON")
    assert set(TABLES) == set(ALTERED)
    expected = {forge(ledger, table, "TRUE", **dict([ALTERED[table]])) for table in TABLES}
    assert expected - findings(ledger).keys() == set()


def test_a_row_that_was_deleted_is_named(ledger: sqlite3.Connection) -> None:
    (event_id,) = ledger.execute("SELECT max(id) FROM events").fetchone()
    ledger.execute("DELETE FROM events WHERE id = ?", (event_id,))
    settle(ledger, "events")
    assert findings(ledger).keys() == {f"events {event_id}"}


def test_a_row_that_was_added_is_named(ledger: sqlite3.Connection) -> None:
    row = with_hash("events", {"id": 999, "post_id": 1, "run_id": 1, "at": NOW, "what": "edited"})
    ledger.execute(
        f"INSERT INTO events ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
        tuple(row.values()),
    )
    settle(ledger, "events")
    assert findings(ledger) == {"events 999": "was added outside archiver"}


def test_a_row_that_was_altered_before_the_program_changed_it_is_named(archive: Path) -> None:
    with raw(archive) as connection:
        connection.row_factory = None
        name = forge(connection, "media", "TRUE", size=1)
    with writer(archive) as connection:
        update(connection, "media", "TRUE", (), verified_at=NOW)
    for scopes in ([Scope(seconds=0)], [Scope(part, 3, seconds=0) for part in (1, 2, 3)]):
        found = [each for scope in scopes for each in verify(archive, scope, NOW).findings]
        details = {each.subject: each.detail for each in found if each.what == "ledger"}
        assert "had been altered outside archiver when entry" in details[name]


def test_an_entry_that_is_missing_is_named(ledger: sqlite3.Connection) -> None:
    ledger.execute("DELETE FROM ledger WHERE id = 5")
    assert "gap" in findings(ledger)["entry 5"]


def test_an_end_that_was_cut_off_is_found_by_the_checkpoint(ledger: sqlite3.Connection) -> None:
    (newest,) = ledger.execute("SELECT max(id) FROM ledger").fetchone()
    ledger.execute("DELETE FROM ledger_rows WHERE entry_id = ?", (newest,))
    ledger.execute("DELETE FROM ledger WHERE id = ?", (newest,))
    assert "its end is missing" in findings(ledger)["ledger"]


def test_an_entry_that_was_altered_with_all_that_follow_contradicts_the_checkpoints(
    ledger: sqlite3.Connection,
) -> None:
    rebuild(ledger, lambda entry: entry.replace('"seen":6', '"seen":5'))
    found = findings(ledger)
    assert found.keys() == {f"checkpoint {number}" for number in range(1, len(found) + 1)}
    assert len(found) >= 4


def test_where_the_checkpoints_were_made_anew_too_nothing_here_can_tell(
    ledger: sqlite3.Connection,
) -> None:
    """Which is why they are given away: see docs/evidence-format.md."""
    rebuild(ledger, lambda entry: entry.replace('"seen":6', '"seen":5'))
    tree = GrowingTree()
    ledger.execute("DELETE FROM checkpoints")
    for (entry,) in ledger.execute("SELECT entry FROM ledger ORDER BY id"):
        tree.add(leaf_hash(entry.encode()))
    assert findings(ledger) == {}


# the ledger is made once, and every example is undone
@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(data=st.data())
def test_any_single_changed_bit_is_found(ledger: sqlite3.Connection, data: st.DataObject) -> None:
    ledger.execute("SAVEPOINT whole")
    try:
        _, means_something = flip_a_bit(ledger, data)
        parts = data.draw(st.sampled_from([1, SLICES]))
        slices = [Slice(number, parts) for number in range(1, parts + 1)]
        assert any(findings_in(ledger, part) for part in slices) or not means_something
    finally:
        ledger.execute("ROLLBACK TO whole")


def test_it_is_intact_after_the_file_was_rebuilt(archive: Path) -> None:
    with closing(sqlite3.connect(archive / DATABASE)) as connection:
        connection.execute("VACUUM")
    assert verify(archive, Scope(), NOW).findings == []


def test_a_part_that_unpacks_to_too_much_is_damaged(
    ledger: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.evidence.commitments._MAX_KEYS", 3)
    assert "cannot be read" in findings(ledger)["entry 1"]
