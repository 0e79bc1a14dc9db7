# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Eighth step: how files came about that were made here; playlists that are tried again."""

import sqlite3

from archiver.archive.steps.statements import statements

MEDIA_ORIGINS = """
CREATE TABLE media_origins (
    -- How a file came about that nobody served as it is: what it was made of, and with what.
    id INTEGER PRIMARY KEY,
    media_sha256 TEXT NOT NULL REFERENCES media(sha256),  -- the file
    rendition_id INTEGER NOT NULL REFERENCES renditions(id),  -- what it was made for
    made_at TEXT NOT NULL,
    how TEXT NOT NULL,           -- joined: segments as they were served, one after the other; remuxed: the same pictures and sound in another container, nothing encoded again; resolved: found behind its page, as it was served; downloaded: by the resolver, which may have put it together
    resolver TEXT NOT NULL,      -- playlist, or the name of a resolver
    version TEXT,                -- of the resolver, or of the libraries that made the file
    page_url TEXT,               -- the page that it was behind
    playlists TEXT,              -- JSON: the playlists, each with url (without parameters) and text
    segments TEXT,               -- JSON: what was served, in order: url (without parameters), offset, size, sha256
    playlist_sha256 TEXT REFERENCES media(sha256),  -- the playlist's own file, where it was kept before a film could be made of it
    details TEXT,                -- JSON: what else the resolver said: formats, codecs, extractor
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX media_origins_media ON media_origins(media_sha256);
CREATE INDEX media_origins_playlist ON media_origins(playlist_sha256)
    WHERE playlist_sha256 IS NOT NULL;
CREATE INDEX media_origins_rendition ON media_origins(rendition_id);
CREATE INDEX renditions_playlists ON renditions(account_id, published_at DESC, id)
    WHERE state = 'not_offered' AND reason_code IN ('manifest_only', 'live', 'drm');
INSERT OR IGNORE INTO table_checksums (name, rows, sum) VALUES ('media_origins', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table and the indexes; in a transaction."""
    for statement in statements(MEDIA_ORIGINS):
        connection.execute(statement)
