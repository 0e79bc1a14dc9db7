"""An archive of the first version opens, is upgraded with a copy before, and loses nothing."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import (
    DATABASE,
    KNOWN_STEPS,
    applied_steps,
    archive_lock,
    reader,
    writer,
)
from archiver.archive.schema import model
from archiver.archive.steps import m001_archive
from archiver.errors import StorageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.reasons import REASON_CODES
from support.nights import nights
from support.old_archive import PLATFORMS, live, unpack

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"
COPY = f"{DATABASE}.before-m002_sources"
RENAMED = {
    "sightings": "post_sources", "holdings": "storage_totals", "account_names": "account_profiles",
}  # fmt: skip
UNCHANGED = ("posts", "revisions", "attachments", "renditions", "media", "metrics", "relations",
             "quarantine")  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return unpack(tmp_path / "archive")


@pytest.fixture
def upgraded(old: Path) -> Iterator[sqlite3.Connection]:
    with writer(old) as connection:
        yield connection


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_an_upgraded_archive_verifies_and_the_copy_is_what_it_was(old: Path) -> None:
    before = rows(old / DATABASE, "SELECT * FROM renditions")
    with writer(old) as connection:
        assert applied_steps(connection) == KNOWN_STEPS
    assert verify(old, Scope(), NOW).findings == []
    assert rows(old / COPY, "SELECT * FROM renditions") == before
    assert rows(old / COPY, "PRAGMA integrity_check") == [("ok",)]


def test_an_upgraded_archive_has_the_schema_of_a_new_one(upgraded: sqlite3.Connection) -> None:
    query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite_%'"
    assert sorted(upgraded.execute(query)) == sorted(model().execute(query))


def test_every_row_is_still_there(old: Path, upgraded: sqlite3.Connection) -> None:
    for table in re.findall(r"^CREATE TABLE (\w+)", m001_archive.TABLES, re.MULTILINE):
        if table == "tallies":
            continue
        count = f"SELECT count(*) FROM {table}"
        now = upgraded.execute(f"SELECT count(*) FROM {RENAMED.get(table, table)}").fetchall()
        assert rows(old / COPY, count) == now, table


def test_a_backup_of_the_same_accounts_adds_nothing_to_it(tmp_path: Path) -> None:
    with nights(tmp_path, *PLATFORMS) as world:
        live(world, backup=lambda **_: None, repair=lambda: None)
        unpack(world.directory)
        with writer(world.directory):
            pass
        before, aliases = world.dump(*UNCHANGED), world.dump("post_aliases")["post_aliases"]
        world.next_night()
        report = world.backup(full=True)
        assert report.exit_code == 0
        assert vars_of(report.counts) == {"got": 13}
        assert world.dump(*UNCHANGED) == before
        assert set(aliases) <= set(world.dump("post_aliases")["post_aliases"]), "more may be known"
        assert verify(world.directory, Scope(), NOW).findings == []


def vars_of(counts: object) -> dict[str, int]:
    columns: dict[str, int] = counts.columns()  # type: ignore[attr-defined]  # of runs.Counts
    return {name: count for name, count in columns.items() if count}


def test_sources_are_those_that_the_revisions_name(upgraded: sqlite3.Connection) -> None:
    for table in ("post_sources", "coverage", "revisions"):
        assert upgraded.execute(f"SELECT DISTINCT source FROM {table}").fetchall() == [
            ("ayrshare",)
        ], table
    of_ids = (
        "SELECT count(*) FROM post_sources JOIN posts ON id = post_id WHERE record_id = platform_id"
    )
    assert upgraded.execute(of_ids).fetchone() == (14,)


def test_events_have_one_word_for_one_state(upgraded: sqlite3.Connection) -> None:
    found = {what for (what,) in upgraded.execute("SELECT what FROM events")}
    assert found == {
        "seen", "edited", "missing", "removed", "restored", "omitted", "media_restored", "gone",
        "lost", "recovered", "repaired",
    }  # fmt: skip
    told = "SELECT DISTINCT what, source FROM events WHERE what IN ('seen', 'lost') ORDER BY what"
    assert upgraded.execute(told).fetchall() == [("lost", None), ("seen", "ayrshare")]


def test_every_reason_has_its_code_and_the_value_of_its_setting(
    upgraded: sqlite3.Connection,
) -> None:
    query = """
        SELECT DISTINCT state, reason_code, setting FROM renditions
         WHERE reason IS NOT NULL ORDER BY state, reason_code
    """
    assert upgraded.execute(query).fetchall() == [
        ("gone", "not_found", None),
        ("not_offered", "not_offered", None),
        ("refused", "too_large", "12000"),
        ("skipped", "playlist", None),
        ("skipped", "setting_thumbnails", "false"),
        ("skipped", "setting_videos", "best"),
    ]


def test_files_of_a_post_are_in_the_queue_of_its_account(upgraded: sqlite3.Connection) -> None:
    strays = """
        SELECT count(*) FROM renditions JOIN attachments ON attachments.id = attachment_id
          JOIN posts ON posts.id = post_id WHERE posts.account_id <> renditions.account_id
    """
    assert upgraded.execute(strays).fetchone() == (0,)


def test_the_first_revision_has_its_own_reason(upgraded: sqlite3.Connection) -> None:
    query = "SELECT why, count(*) FROM revisions GROUP BY why"
    assert dict(upgraded.execute(query)) == {"first": 14, "edited": 1}


def test_events_and_revisions_can_still_not_be_changed(
    upgraded: sqlite3.Connection,
) -> None:
    for table in ("events", "revisions"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            upgraded.execute(f"UPDATE {table} SET id = id")


OLD_REASONS = {
    "The server answered 500": "http_error",
    "The server answered 403: the URL is not valid (any more)": "expired",
    "The URL has expired": "expired",
    "HTML came in place of media": "wrong_kind",
    "image/png came where a file of kind video belongs": "wrong_kind",
    "It ends too early for image/jpeg, and no length was given": "incomplete",
    "17 of 2048 bytes came": "incomplete",
    "The server sends too slowly": "too_slow",
    "cdn.example did not answer; not tried again in this run": "host_silent",
    "cdn.example redirects in a circle": "redirects",
    "certificate verify failed: self-signed certificate": "certificate",
    "All connection attempts failed": "network",
    "lost here": "lost",
    "no URL": "no_address",
    "replaced": "replaced",
    "copyright": "copyright",
    "its end could not be proven": "unproven",
    "a bug in archiver: KeyError": "bug",
}


def test_sentences_of_the_first_version_become_codes(old: Path) -> None:
    with closing(sqlite3.connect(old / DATABASE)) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM renditions ORDER BY id")]
        for row_id, reason in zip(ids, OLD_REASONS, strict=False):
            values = (reason, row_id)
            connection.execute(
                "UPDATE renditions SET state = 'failed', reason = ? WHERE id = ?", values
            )
        connection.commit()
    with writer(old) as connection:
        query = "SELECT reason, reason_code FROM renditions ORDER BY id LIMIT ?"
        found = dict(connection.execute(query, (len(OLD_REASONS),)))
    assert found == OLD_REASONS
    assert set(found.values()) <= REASON_CODES.keys()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE attachments SET alt_text = 'other' WHERE id = 1",
        "UPDATE attachments SET alt_text = CAST(x'ff41' AS TEXT) WHERE id = 1",
        "UPDATE renditions SET attachment_id = 4711 WHERE id = 1",
        "DELETE FROM renditions WHERE id = 2",
        "DELETE FROM tallies WHERE name = 'coverage'",
    ],
)
def test_what_was_damaged_before_is_still_seen_as_damage(old: Path, damage: str) -> None:
    with closing(sqlite3.connect(old / DATABASE)) as connection:
        connection.execute(damage)
        connection.commit()
    with writer(old):
        pass
    assert verify(old, Scope(), NOW).damage != []


def test_an_index_of_the_user_s_own_is_kept_where_it_still_fits(old: Path) -> None:
    with closing(sqlite3.connect(old / DATABASE)) as connection:
        connection.execute("CREATE INDEX mine ON renditions(bitrate)")
        connection.execute("CREATE INDEX old_words ON attachments(withheld)")
    with writer(old) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "mine" in names
    assert "old_words" not in names


def test_who_only_reads_an_old_archive_has_it_upgraded_first(
    old: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with reader(old) as connection:
        assert connection.execute("SELECT count(*) FROM post_sources").fetchone() == (14,)
    assert [record.getMessage() for record in caplog.records] == [
        f"The database as it was before this version is in {old / COPY}"
    ]


def test_an_old_archive_that_somebody_writes_to_is_left_alone(old: Path) -> None:
    before = (old / DATABASE).read_bytes()
    with (
        archive_lock(old),
        pytest.raises(StorageError, match="earlier version") as caught,
        reader(old),
    ):
        pass
    assert caught.value.code == "schema_too_old"
    assert (old / DATABASE).read_bytes() == before


def test_a_foreign_trigger_is_refused_before_anything_is_upgraded(old: Path) -> None:
    with closing(sqlite3.connect(old / DATABASE)) as connection:
        connection.execute(
            "CREATE TRIGGER evil AFTER UPDATE ON sightings BEGIN DELETE FROM metrics; END"
        )
    with pytest.raises(StorageError, match="triggers"), writer(old):
        pass
    assert not (old / COPY).exists()
