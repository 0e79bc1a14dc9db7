# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Thirty-first step: a record has a hash of its exact text, and one without signatures."""

import sqlite3

from archiver.archive.steps.rebuild import Rebuild, rebuild

POST_SOURCES = """
CREATE TABLE post_sources (
    -- What each source says of a post, when it last said so, and what tells its record again.
    post_id INTEGER NOT NULL REFERENCES posts(id),
    source TEXT NOT NULL,            -- its name in archive.toml
    record_id TEXT,                  -- the id of the record there; empty: it has none
    matched_by TEXT,                 -- the rule by which the record was taken for this post, where its id did not tell: an alias, or wording
    first_seen_at TEXT NOT NULL,     -- when this source first showed the post
    edit INTEGER NOT NULL,           -- how many edits of the post it has shown, as in revisions
    fingerprint BLOB NOT NULL,       -- of everything that a save compares; equal means nothing to do
    content_version INTEGER,         -- the platform's list of content fields, by number
    content_sha256 TEXT,             -- of the content as that list has it; empty: no content seen yet
    missing_at TEXT,                 -- first complete scan that did not show the post; empty: it was shown
    missing_updated_at TEXT,         -- the source's own lastUpdated at that scan
    removed_at TEXT,                 -- when it was removed by the word of this source
    view TEXT NOT NULL,              -- the options of the account under which it was last shown
    record_sha256 BLOB,              -- of the record with that fingerprint: the same bytes need not be read again,
    unsigned_sha256 BLOB,            -- the same without what only signs its addresses; empty: nothing does, or it is content
    reader BLOB,                     -- by the same code, which this tells from other code; empty: unknown
    unmapped TEXT,                   -- the fields that this code knew no place for, as JSON; empty: none
    extra TEXT,                      -- what only this source knows, as JSON: by name its value, and whether it is content
    said TEXT,                       -- where there are several sources: its columns of the post, as JSON
    raw TEXT,                        -- its record, exact JSON, where the post has another
    row_sha256 TEXT NOT NULL,        -- hash of this row
    PRIMARY KEY (post_id, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_sources_missing ON post_sources(post_id) WHERE missing_at IS NOT NULL;
CREATE INDEX post_sources_record ON post_sources(record_id, source);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table anew, with the second hash; in a transaction."""
    added = {"unsigned_sha256": "NULL"}
    indexes = {"post_sources_missing", "post_sources_record"}
    rebuild(
        connection, Rebuild("post_sources", POST_SOURCES, added, key=("post_id", "source")), indexes
    )
