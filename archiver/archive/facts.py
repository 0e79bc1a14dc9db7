"""Constants of the schema, in a module that does not import sqlite-utils, which is slow."""

APPLICATION_ID = 0x61726368  # "arch": identifies the database, to `file` too

KNOWN_STEPS = frozenset({
    "m001_archive", "m002_sources", "m003_media", "m004_search", "m005_words",
    "m006_several_sources", "m007_lists", "m008_origins", "m009_visibility", "m010_care",
    "m011_resolutions", "m014_care_errors", "m015_packages", "m017_ledger", "m018_ledger_changes",
    "m019_search_by_page", "m020_signing", "m021_time_stamps",
    "m022_actors", "m023_actions", "m024_holds", "m025_erasures", "m028_films",
    "m029_missing_media", "m030_emoji", "m031_unsigned_records",
})  # fmt: skip
"""Names of all steps in schema.py."""

KNOWN_TRIGGERS = frozenset({
    "account_profiles_stay", "account_profiles_keep",
    "revisions_stay", "events_stay", "events_keep", "actions_stay", "actions_keep", "holds_keep",
    "erasures_keep",
    "ledger_stay", "ledger_keep", "ledger_rows_keep", "checkpoints_stay", "checkpoints_keep",
    "time_stamps_stay", "time_stamps_keep",
    "posts_fts_delete", "posts_fts_update",
})  # fmt: skip
"""Names of all triggers in schema.py."""

FORMER_TRIGGERS = frozenset({"account_names_stay", "account_names_keep", "posts_fts_insert"})
"""Names of triggers that earlier steps made and later ones dropped."""

ROW_HASHED = (
    "about", "environments", "runs", "accounts", "account_profiles", "run_accounts", "responses",
    "posts", "post_sources", "post_aliases", "relations", "revisions", "attachments",
    "attachment_sources",
    "media", "account_pictures", "renditions", "media_origins", "resolutions", "events", "metrics",
    "coverage", "storage_totals", "quarantine", "care", "actions", "holds",
    "packages", "package_parts", "package_posts", "erasures", "tombstones", "response_cuts",
    "signing_keys", "restores",
    "ledger", "ledger_rows", "checkpoints", "time_stamps",
)  # fmt: skip
"""The tables whose rows have a hash, and that are counted in `table_checksums`."""

GUARDED = frozenset({
    *ROW_HASHED, "table_checksums", "account_names", "sightings", "holdings", "tallies",
})  # fmt: skip
"""The tables that only this program may write to, under their former names too."""

DATABASE = "archive.db"
