"""Bad archives, continued: the schema, whose rows are all intact."""

from pathlib import Path

from support.damage import bad, run_sql


@bad("schema")
def dropped_unique_index(archive: Path) -> str:
    """What it forbids could be stored twice from now on."""
    run_sql(archive, "DROP INDEX renditions_identity")
    return "index renditions_identity"


@bad("schema")
def unique_index_that_is_unique_no_more(archive: Path) -> str:
    run_sql(archive, "DROP INDEX renditions_identity; CREATE INDEX renditions_identity"
        " ON renditions(attachment_id, role, media_key)")  # fmt: skip
    return "index renditions_identity"


@bad("schema")
def dropped_index(archive: Path) -> str:
    run_sql(archive, "DROP INDEX posts_created")
    return "index posts_created"


@bad("schema")
def dropped_trigger_that_keeps_events(archive: Path) -> str:
    run_sql(archive, "DROP TRIGGER events_keep")
    return "trigger events_keep"


@bad("schema")
def dropped_trigger_that_keeps_revisions_as_they_are(archive: Path) -> str:
    run_sql(archive, "DROP TRIGGER revisions_stay")
    return "trigger revisions_stay"


@bad("schema")
def dropped_trigger_of_the_search_index(archive: Path) -> str:
    run_sql(archive, "DROP TRIGGER posts_fts_update")
    return "trigger posts_fts_update"


@bad("schema")
def trigger_that_swallows_edits(archive: Path) -> str:
    run_sql(archive, """
        CREATE TRIGGER "of ""others""; --" BEFORE INSERT ON Events WHEN new.what = 'edited'
        BEGIN SELECT RAISE(IGNORE); END""")  # fmt: skip
    return 'trigger of "others"; --'


@bad("schema")
def trigger_that_verify_would_run(archive: Path) -> str:
    run_sql(archive, """
        CREATE TRIGGER others AFTER UPDATE OF verified_at ON media
        BEGIN UPDATE posts SET text = 'We never said so' WHERE id = 1; END""")  # fmt: skip
    return "trigger others"


@bad("schema")
def view_that_shows_nothing(archive: Path) -> str:
    run_sql(archive, "DROP VIEW missing_media; CREATE VIEW missing_media AS"
        " SELECT '' AS account, '' AS state, '' AS reason WHERE 0")  # fmt: skip
    return "view missing_media"


@bad("schema")
def table_without_its_references(archive: Path) -> str:
    run_sql(archive, """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = replace(sql, ' REFERENCES runs(id)', '')
         WHERE name = 'events';""")  # fmt: skip
    return "table events"
