"""What is said of the schema without making it is true of the schema that is made."""

from archiver.archive import facts
from archiver.archive.schema import migrations, model


def names(kind: str) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = ?"
    return {name for (name,) in model().execute(query, (kind,))}


def test_the_known_steps_are_those_of_the_schema_in_order() -> None:
    steps = [migration.name for migration in migrations._migrations]
    assert set(steps) == facts.KNOWN_STEPS
    assert steps == sorted(steps)


def test_the_known_triggers_are_those_of_the_schema() -> None:
    assert names("trigger") == facts.KNOWN_TRIGGERS


def test_every_table_with_a_row_hash_is_named_and_no_other() -> None:
    hashed = {
        table
        for table in names("table")
        if any(
            column[1] == "row_sha256" for column in model().execute(f"PRAGMA table_info({table})")
        )
    }
    assert hashed == set(facts.ROW_HASHED)
    assert len(facts.ROW_HASHED) == len(hashed)


def test_rows_come_before_the_rows_that_refer_to_them() -> None:
    """Whoever restores tables in this order never refers to a row that is not there yet."""
    order = {table: number for number, table in enumerate(facts.ROW_HASHED)}
    for table in facts.ROW_HASHED:
        for reference in model().execute(f"PRAGMA foreign_key_list({table})"):
            assert order[reference[2]] <= order[table], f"{table} refers to {reference[2]}"


def test_file_recognises_an_archive_by_its_application_id() -> None:
    assert facts.APPLICATION_ID.to_bytes(4, "big") == b"arch"
