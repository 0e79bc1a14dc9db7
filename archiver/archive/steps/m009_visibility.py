# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Ninth step: the comment of `events` names the event of a changed visibility."""

import sqlite3

from archiver.archive.steps.rebuild import Rebuild, rebuild

EVENTS = """
CREATE TABLE events (
    -- What happened to a post, in order. Only ever added to.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    run_id INTEGER NOT NULL REFERENCES runs(id),
    at TEXT NOT NULL,            -- when this archive noticed
    what TEXT NOT NULL,          -- seen, edited, visibility_changed, missing, removed, restored, merged, separated, omitted, media_restored, expired, gone, lost, recovered, replaced, repaired
    attachment_id INTEGER REFERENCES attachments(id),  -- where it is about one attachment
    source TEXT,                 -- the source that showed it, where one did
    reason_code TEXT,            -- why, from the list of reason codes below, where there is one for it
    reason TEXT,                 -- more of it, for people
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX events_post ON events(post_id);
CREATE TRIGGER events_stay BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_keep BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table anew, with another comment; in a transaction."""
    rebuild(connection, Rebuild("events", EVENTS), ("events_post",))
