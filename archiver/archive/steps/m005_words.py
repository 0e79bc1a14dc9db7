# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Fifth step: what the tables say of their columns is in the words of the documentation."""

import sqlite3

from archiver.archive.steps.rebuild import Rebuild, rebuild

ACCOUNTS = """
CREATE TABLE accounts (
    -- One account on one platform. (platform, platform_id) is who it is; the name is a label.
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,   -- the label in archive.toml
    platform TEXT NOT NULL,      -- bluesky, facebook, …
    platform_id TEXT,            -- the platform's id for it; empty until the source gives it; @handle where only that is known
    handle TEXT,                 -- user name, as last seen; account_names has the earlier ones
    title TEXT,                  -- display name, as last seen
    url TEXT,                    -- its page on the platform
    first_seen_at TEXT NOT NULL, -- when this archive first saw it
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (platform, platform_id)
) STRICT;
"""

RELATIONS = """
CREATE TABLE relations (
    -- Other posts that a post answers, quotes, reposts or shares.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    kind TEXT NOT NULL,          -- reply_to, quotes, reposts, shares
    platform_id TEXT,            -- the other post's id, where the source gives it
    url TEXT,                    -- its page, where the source gives it
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX relations_post ON relations(post_id);
CREATE INDEX relations_platform_id ON relations(platform_id);
"""

_INDEXES = ("relations_post", "relations_platform_id")


def apply(connection: sqlite3.Connection) -> None:
    """Make the tables anew, with other comments; in a transaction."""
    rebuild(connection, Rebuild("accounts", ACCOUNTS), ())
    rebuild(connection, Rebuild("relations", RELATIONS), _INDEXES)
