# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Sixth step: one account, several sources: what each says, and which of them a row comes from."""

import re
import sqlite3

from archiver.archive.steps.rebuild import Rebuild, rebuild
from archiver.archive.steps.statements import statements

RUN_ACCOUNTS = """
CREATE TABLE run_accounts (
    -- What one run asked and got for one account through one source.
    run_id INTEGER NOT NULL REFERENCES runs(id),
    name TEXT NOT NULL,          -- the account's label in that run
    source TEXT NOT NULL,        -- the source that was asked, by its name in archive.toml
    account_id INTEGER REFERENCES accounts(id),  -- empty when it never got that far
    started_at TEXT NOT NULL,
    finished_at TEXT,
    outcome TEXT NOT NULL,       -- running, done, fresh (skipped, nothing new expected), away (suspended, moved …, as before), partial, failed, interrupted
    error_code TEXT,             -- a short word for programs: down, plan, not_linked, suspended, …
    message TEXT,                -- the same for people
    full INTEGER NOT NULL,       -- 1: a full scan, of all there is
    complete INTEGER NOT NULL,   -- 1: the scan was complete over its time
    source_version TEXT,         -- the source's own word for the state of the account, once all of that state was read
    source_updated_at TEXT,      -- when the source last asked the platform, by its own word
    fresh_until TEXT,            -- before this, asking again brings nothing new
    view TEXT,                   -- the account's options that choose what is shown, as JSON
    unmapped INTEGER NOT NULL,   -- fields that no column or list knows, or in no known form; they are in raw
    unmapped_paths TEXT,         -- where in the records those stand, each once, as JSON; a hundred at most
    got INTEGER NOT NULL,        -- as in runs
    new INTEGER NOT NULL,
    edited INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    omitted INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    row_sha256 TEXT NOT NULL,    -- hash of this row
    PRIMARY KEY (run_id, name, source)
) STRICT;
CREATE INDEX run_accounts_account ON run_accounts(account_id, source, run_id);
"""

ACCOUNT_PROFILES = """
CREATE TABLE account_profiles (
    -- What an account called itself, and since when: a row when it is first known, and with every change that its source shows.
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    source TEXT NOT NULL,        -- the source that showed it
    seen_at TEXT NOT NULL,       -- when this archive first saw it so; it stayed so until the next row of this source
    handle TEXT,                 -- user name
    title TEXT,                  -- display name
    url TEXT,                    -- its page on the platform
    description TEXT,            -- what it says about itself
    avatar TEXT,                 -- the media key of its picture, as in account_pictures
    banner TEXT,                 -- the media key of the picture behind it
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX account_profiles_account ON account_profiles(account_id, source);
CREATE TRIGGER account_profiles_stay BEFORE UPDATE ON account_profiles
    BEGIN SELECT RAISE(ABORT, 'profiles of accounts are never changed'); END;
CREATE TRIGGER account_profiles_keep BEFORE DELETE ON account_profiles
    BEGIN SELECT RAISE(ABORT, 'profiles of accounts are never deleted'); END;
"""

ACCOUNT_PICTURES = """
CREATE TABLE account_pictures (
    -- The pictures that an account has had on its page.
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    source TEXT NOT NULL,        -- the source that showed it first
    kind TEXT NOT NULL,          -- avatar, banner
    media_key TEXT NOT NULL,     -- what names it across runs, as of a rendition; account_profiles refers to it
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

ACCOUNTS = """
CREATE TABLE accounts (
    -- One account on one platform. (platform, platform_id) is who it is; the name is a label.
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,   -- the label in archive.toml
    platform TEXT NOT NULL,      -- bluesky, facebook, …
    platform_id TEXT,            -- the platform's id for it; empty until the source gives it; @handle where only that is known
    handle TEXT,                 -- user name, as last seen; account_profiles has the earlier ones
    title TEXT,                  -- display name, as last seen
    url TEXT,                    -- its page on the platform
    first_seen_at TEXT NOT NULL, -- when this archive first saw it
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (platform, platform_id)
) STRICT;
"""

REVISIONS = """
CREATE TABLE revisions (
    -- One content of a post. A new one only when content changed; counters are not content.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    number INTEGER NOT NULL,     -- 1, 2, …
    edit INTEGER NOT NULL,       -- how many edits of the post it includes; several sources may word one edit differently
    why TEXT NOT NULL,           -- first; edited: its source shows other content than before; other_source: another source words it otherwise
    seen_at TEXT NOT NULL,       -- when this archive saw it
    source_time TEXT,            -- when it was made, where the source dates its versions
    run_id INTEGER NOT NULL REFERENCES runs(id),
    response_id INTEGER REFERENCES responses(id) DEFERRABLE INITIALLY DEFERRED,  -- the answer that showed it, where kept
    source TEXT NOT NULL,        -- the source that showed it, by its name in archive.toml
    content_version INTEGER NOT NULL,  -- the platform's list of content fields, by number
    content_sha256 TEXT NOT NULL,      -- of the content, see docs/schema.md
    wording_sha256 TEXT,         -- of what two sources have in common, see docs/schema.md; empty in rows of earlier versions
    raw TEXT NOT NULL,           -- the record, exact JSON
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (post_id, number)
) STRICT;
CREATE INDEX revisions_edits ON revisions(post_id) WHERE number > 1;
CREATE TRIGGER revisions_stay BEFORE UPDATE ON revisions
    BEGIN SELECT RAISE(ABORT, 'revisions are never changed'); END;
"""

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

ATTACHMENTS = """
CREATE TABLE attachments (
    -- One thing attached to a post. It keeps its row when the post is edited.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    position INTEGER NOT NULL,   -- 0, 1, …
    key TEXT NOT NULL,           -- what names it within the post: the platform's media id, else a media key
    source TEXT NOT NULL,        -- the source that names it so; what others call it is in attachment_sources
    kind TEXT NOT NULL,          -- image, video, gif, audio, link, other
    platform_id TEXT,            -- the platform's media id
    alt_text TEXT,
    width INTEGER,               -- pixels, by the platform's word
    height INTEGER,
    duration_ms INTEGER,         -- milliseconds
    omitted INTEGER NOT NULL,    -- 1 while the platform withholds its file
    first_revision INTEGER,      -- number of the first revision it was attached in
    last_revision INTEGER,       -- number of the last one
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (post_id, key)
) STRICT;
"""

ATTACHMENT_SOURCES = """
CREATE TABLE attachment_sources (
    -- What other sources call an attachment that one source showed first.
    attachment_id INTEGER NOT NULL REFERENCES attachments(id),
    source TEXT NOT NULL,        -- the source, by its name in archive.toml
    key TEXT NOT NULL,           -- what names it within the post there
    matched_by TEXT NOT NULL,    -- the rule by which they are one: id, position, bytes
    row_sha256 TEXT NOT NULL,    -- hash of this row
    PRIMARY KEY (attachment_id, source, key)
) STRICT, WITHOUT ROWID;
"""

RENDITIONS = """
CREATE TABLE renditions (
    -- One file that a source offers for an attachment, or says that it does not.
    id INTEGER PRIMARY KEY,
    attachment_id INTEGER NOT NULL REFERENCES attachments(id),
    account_id INTEGER NOT NULL REFERENCES accounts(id),  -- the account of its post, by which the queue goes
    source TEXT NOT NULL,        -- the source that offers it
    role TEXT NOT NULL,          -- original, variant, thumbnail, preview, cover
    media_key TEXT NOT NULL,     -- what names it across runs: media id or URL path; '' where there is no file
    url TEXT,                    -- where it was offered; such addresses expire
    content_type TEXT,           -- by the source's word
    width INTEGER,               -- pixels, by the source's word
    height INTEGER,
    bitrate INTEGER,             -- bits per second
    expected_sha256 TEXT,        -- what the source says that its bytes are: others are refused
    expected_size INTEGER,       -- bytes, by the source's word
    state TEXT NOT NULL,         -- pending, stored, skipped, omitted, not_offered, gone, failed, refused
    reason_code TEXT,            -- why it is in this state, from the list of reason codes below
    setting TEXT,                -- the value of the setting that decided, where one did
    reason TEXT,                 -- the same for people
    media_sha256 TEXT REFERENCES media(sha256),  -- its file; while it waits: the one that was lost
    tries INTEGER NOT NULL,      -- tries in a row that ended for this reason
    next_try_at TEXT,            -- a failed one is tried again from then on
    published_at TEXT,           -- the post's created_at: the newest are fetched first
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE UNIQUE INDEX renditions_identity ON renditions(attachment_id, role, media_key);
CREATE INDEX renditions_pending ON renditions(account_id, published_at DESC, id)
    WHERE state = 'pending';
CREATE INDEX renditions_failed ON renditions(account_id, published_at DESC, id)
    WHERE state = 'failed';
CREATE INDEX renditions_unfinished ON renditions(state, published_at DESC, id)
    WHERE state IN ('pending', 'failed');
CREATE INDEX renditions_absent ON renditions(state, published_at DESC, id)
    WHERE state IN ('omitted', 'not_offered', 'gone', 'refused');
CREATE INDEX renditions_skipped ON renditions(reason_code, setting) WHERE state = 'skipped';
CREATE INDEX renditions_media ON renditions(media_sha256) WHERE media_sha256 IS NOT NULL;
"""

EVENTS = """
CREATE TABLE events (
    -- What happened to a post, in order. Only ever added to.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    run_id INTEGER NOT NULL REFERENCES runs(id),
    at TEXT NOT NULL,            -- when this archive noticed
    what TEXT NOT NULL,          -- seen, edited, missing, removed, restored, merged, separated, omitted, media_restored, expired, gone, lost, recovered, replaced, repaired
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

CHECKSUMS = """
INSERT OR IGNORE INTO table_checksums (name, rows, sum)
    VALUES ('attachment_sources', 0, 0), ('account_pictures', 0, 0);
"""

_ACCOUNT_SOURCES = """
CREATE TEMP TABLE account_sources AS
    SELECT id AS account_id, coalesce(
        (SELECT source FROM coverage WHERE account_id = accounts.id LIMIT 1),
        (SELECT source FROM responses WHERE account_id = accounts.id LIMIT 1),
        (SELECT source FROM coverage LIMIT 1), (SELECT source FROM responses LIMIT 1), ''
    ) AS source FROM accounts;
"""
"""One source per account was what there could be; what was read through it names it."""

_OF_ACCOUNT = """
    coalesce((SELECT source FROM account_sources WHERE account_id = old.account_id), '')
"""
_OF_POST = """
    coalesce((SELECT source FROM post_sources WHERE post_id = old.post_id LIMIT 1), '')
"""
_OF_ATTACHMENT = """
    coalesce((SELECT source FROM attachments WHERE attachments.id = old.attachment_id), '')
"""
_EDITS = (
    "(SELECT count(*) FROM {table} AS r WHERE r.post_id = old.post_id AND why = 'edited'{until})"
)

REBUILDS = (
    Rebuild("accounts", ACCOUNTS),
    Rebuild("run_accounts", RUN_ACCOUNTS, {"source": _OF_ACCOUNT, "source_version": "NULL"}),
    Rebuild(
        "account_profiles", ACCOUNT_PROFILES,
        {"source": _OF_ACCOUNT, "description": "NULL", "avatar": "NULL", "banner": "NULL"},
        former="account_names",
    ),
    Rebuild(
        "revisions", REVISIONS,
        {
            "edit": _EDITS.format(table="archiver_old", until=" AND r.number <= old.number"),
            "wording_sha256": "NULL",
        },
    ),
    Rebuild(
        "post_sources", POST_SOURCES,
        {
            "record_id":
                "coalesce((SELECT platform_id FROM posts WHERE posts.id = old.post_id), record_id)",
            "matched_by": "NULL",
            "edit": _EDITS.format(table="revisions", until=""),
            "removed_at": "(SELECT removed_at FROM posts WHERE posts.id = old.post_id)",
            "extra": "NULL", "said": "NULL", "raw": "NULL",
        },
        key=("post_id", "source"),
    ),
    Rebuild("attachments", ATTACHMENTS, {"source": _OF_POST}),
    Rebuild(
        "renditions", RENDITIONS,
        {"source": _OF_ATTACHMENT, "expected_sha256": "NULL", "expected_size": "NULL"},
    ),
    Rebuild("events", EVENTS),
)  # fmt: skip
"""The tables that are made anew, in an order in which each finds what it asks of others."""


def apply(connection: sqlite3.Connection) -> None:
    """Make the tables anew, with the source of each row where there may be several."""
    for statement in statements(
        _ACCOUNT_SOURCES + ATTACHMENT_SOURCES + ACCOUNT_PICTURES + CHECKSUMS
    ):
        connection.execute(statement)
    scripts = "".join(each.script for each in REBUILDS)
    indexes = frozenset(re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+)", scripts)) | {
        "account_names_account"
    }
    for each in REBUILDS:
        rebuild(connection, each, indexes)
    connection.execute("DROP TABLE temp.account_sources")
