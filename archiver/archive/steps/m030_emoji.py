# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Thirtieth step: the pictures of an account are those of its custom emoji too."""

import sqlite3

from archiver.archive.steps.rebuild import Rebuild, rebuild

ACCOUNT_PICTURES = """
CREATE TABLE account_pictures (
    -- The pictures that an account has had on its page, and those of the custom emoji in its posts.
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    source TEXT NOT NULL,        -- the source that showed it first
    kind TEXT NOT NULL,          -- avatar, banner, emoji
    media_key TEXT NOT NULL,     -- what names it across runs, as of a rendition; account_profiles refers to it, and the addresses in post_sources.extra lead to it
    url TEXT NOT NULL,           -- where it was offered
    expected_sha256 TEXT,        -- what the source says that its bytes are: others are refused
    state TEXT NOT NULL,         -- pending, stored, gone, failed, refused, as of renditions
    reason_code TEXT,            -- why it is in this state, from the list of reason codes below
    setting TEXT,                -- the value of the setting that decided, where one did
    reason TEXT,                 -- the same for people
    media_sha256 TEXT REFERENCES media(sha256),  -- its file
    tries INTEGER NOT NULL,      -- tries in a row that ended for this reason
    next_try_at TEXT,            -- a failed one is tried again from then on
    first_seen_at TEXT NOT NULL, -- when this archive first saw it
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (account_id, kind, media_key)
) STRICT;
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table anew, with what its columns mean now; in a transaction."""
    rebuild(connection, Rebuild("account_pictures", ACCOUNT_PICTURES), ())
