"""What others did to the schema is found before anything is written, and put back."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Migrations

from archiver.archive import schema
from archiver.archive.database import (
    DATABASE,
    KNOWN_STEPS,
    KNOWN_TRIGGERS,
    applied_steps,
    reader,
    writer,
)
from archiver.archive.rows import update
from archiver.errors import StorageError
from archiver.evidence.copy import copy_archive
from archiver.evidence.files import Scope
from archiver.evidence.findings import Finding
from archiver.evidence.repair import Repaired, repair
from archiver.evidence.schema import check_schema
from archiver.evidence.verify import verify
from support.bad_archives import BAD, Bad
from support.damage import run_sql

NOW = "2026-11-23T00:00:00.000Z"
LATER = "2027-11-23T00:00:00.000Z"
OF_THE_SCHEMA = [bad for bad in BAD if bad.finding == "schema"]
WITH_TRIGGERS = [bad for bad in OF_THE_SCHEMA if bad.name.startswith("trigger_")]


def dump(archive: Path) -> list[str]:
    """All that the database says, as SQL."""
    with closing(sqlite3.connect(archive / DATABASE)) as connection:
        return list(connection.iterdump())


def findings(archive: Path) -> list[Finding]:
    return verify(archive, Scope(), NOW).findings


def put_right(archive: Path) -> Repaired:
    return repair(archive, verify(archive, Scope(), NOW), NOW)


def named(name: str) -> Bad:
    (bad,) = [bad for bad in BAD if bad.name == name]
    return bad


@pytest.mark.parametrize("bad", OF_THE_SCHEMA, ids=lambda bad: bad.name)
def test_verify_writes_nothing_where_the_schema_is_not_ours(bad: Bad, archive: Path) -> None:
    bad.damage(archive)
    before = dump(archive)
    found = verify(archive, Scope(), LATER)
    assert [finding.what for finding in found.damage] == ["schema"]
    assert found.files > 5
    assert dump(archive) == before


@pytest.mark.parametrize(
    "bad",
    [bad for bad in OF_THE_SCHEMA if bad.name != "table_without_its_references"],
    ids=lambda bad: bad.name,
)
def test_repair_puts_the_schema_back(bad: Bad, archive: Path, good_archive: Path) -> None:
    bad.damage(archive)
    assert put_right(archive).schema == 1
    assert findings(archive) == []
    with reader(archive) as here, reader(good_archive) as good:
        query = "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2"
        assert here.execute(query).fetchall() == good.execute(query).fetchall()


def test_repair_never_touches_a_table(archive: Path) -> None:
    named("table_without_its_references").damage(archive)
    before = dump(archive)
    assert not put_right(archive)
    assert dump(archive) == before


def test_posts_saved_while_the_trigger_was_gone_are_found_after_the_repair(archive: Path) -> None:
    run_sql(archive, "DROP TRIGGER posts_fts_update")
    with writer(archive) as connection:
        update(connection, "posts", "id = 1", (), text="Nobody finds this")
    assert put_right(archive).schema == 1
    assert findings(archive) == []


def test_an_index_that_the_rows_of_today_do_not_fit_is_left_for_a_copy(archive: Path) -> None:
    named("dropped_unique_index").damage(archive)
    run_sql(archive, "UPDATE renditions SET (attachment_id, role, media_key) = (SELECT "
        "attachment_id, role, media_key FROM renditions WHERE id = 1) WHERE id = 2")  # fmt: skip
    before = dump(archive)
    assert put_right(archive).schema == 0
    assert dump(archive) == before


def test_a_table_under_the_name_of_our_view_stays(archive: Path) -> None:
    run_sql(archive, "DROP VIEW gaps; CREATE TABLE gaps (mine TEXT); INSERT INTO gaps VALUES (1)")
    before = dump(archive)
    assert put_right(archive).schema == 0
    assert dump(archive) == before


def test_what_users_add_for_themselves_is_noted_and_left_alone(archive: Path) -> None:
    run_sql(archive, """
        CREATE TABLE notes (post_id INTEGER, note TEXT);
        CREATE INDEX posts_author ON posts(author);
        CREATE VIEW loud AS SELECT * FROM posts WHERE text LIKE '%!';
        CREATE TRIGGER notes_kept BEFORE DELETE ON notes BEGIN SELECT RAISE(ABORT, 'no'); END;
        ANALYZE;
    """)  # fmt: skip
    found = verify(archive, Scope(), NOW)
    assert found.damage == []
    assert sorted(finding.subject for finding in found.findings if finding.what == "extra") == [
        "index posts_author", "table notes", "trigger notes_kept", "view loud",
    ]  # fmt: skip
    with writer(archive):
        pass


@pytest.mark.parametrize("bad", WITH_TRIGGERS, ids=lambda bad: bad.name)
def test_nothing_is_saved_under_a_trigger_of_other_hands(bad: Bad, archive: Path) -> None:
    bad.damage(archive)
    before = dump(archive)
    with pytest.raises(StorageError, match="verify") as raised, writer(archive):
        pass
    assert raised.value.code == "foreign_trigger"
    assert dump(archive) == before


def test_a_copy_of_an_archive_with_a_foreign_trigger_is_not_made(
    archive: Path, tmp_path: Path
) -> None:
    named("trigger_that_swallows_edits").damage(archive)
    copied = copy_archive(archive, tmp_path / "copy")
    assert not copied.done
    assert [finding.what for finding in copied.damage] == ["schema"]


def test_an_archive_of_an_older_version_is_held_against_the_schema_of_its_time(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Migrations("archiver")
    later._migrations = [
        *schema.migrations._migrations,
        Migrations._Migration("m003_more", lambda db: db.execute("CREATE TABLE more (x)")),
    ]
    monkeypatch.setattr(schema, "migrations", later)
    monkeypatch.setattr(schema, "KNOWN_STEPS", KNOWN_STEPS | {"m003_more"})
    with reader(archive) as connection:
        assert applied_steps(connection) == KNOWN_STEPS
        schema.model.cache_clear()
        assert list(check_schema(connection)) == []
    whole = schema.model(KNOWN_STEPS | {"m003_more"})
    assert whole.execute("SELECT count(*) FROM more").fetchone() == (0,)
    schema.model.cache_clear()


def test_the_writer_knows_every_trigger_of_the_schema() -> None:
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    assert {name for (name,) in schema.model().execute(query)} == KNOWN_TRIGGERS
