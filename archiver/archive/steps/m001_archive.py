# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""The first step: tables, search and views. What later steps changed of them stands there."""

import sqlite3
from uuid import uuid4

from archiver.archive.steps.statements import statements
from archiver.canonical import row_sha256

TABLES = """
CREATE TABLE about (
    -- What this archive is. `archive_id` tells it from every other: a copy has the same.
    name TEXT PRIMARY KEY,       -- archive_id
    value TEXT NOT NULL,
    row_sha256 TEXT NOT NULL     -- hash of this row, see docs/schema.md
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    -- One execution of `archiver backup`.
    id INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,    -- when it began
    finished_at TEXT,            -- when it ended; empty while it runs, or when it was killed
    outcome TEXT NOT NULL,       -- running, done, partial, failed, interrupted
    exit_code INTEGER,           -- what the program told the shell
    version TEXT NOT NULL,       -- of this program
    asked TEXT NOT NULL,         -- JSON: accounts and options of the command line
    got INTEGER NOT NULL,        -- records received
    new INTEGER NOT NULL,        -- posts seen for the first time
    edited INTEGER NOT NULL,     -- posts whose content had changed
    removed INTEGER NOT NULL,    -- posts found removed, at the second look
    stored INTEGER NOT NULL,     -- renditions whose file was stored
    bytes INTEGER NOT NULL,      -- bytes of media received
    omitted INTEGER NOT NULL,    -- renditions found withheld by the platform
    failed INTEGER NOT NULL,     -- renditions that were tried and could not be had
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;

CREATE TABLE accounts (
    -- One account on one platform. (platform, platform_id) is who it is; the name is a label.
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,   -- the label in archive.toml
    platform TEXT NOT NULL,      -- bluesky, facebook, …
    platform_id TEXT,            -- the platform's id for it; empty until the source tells; @handle where only that is known
    handle TEXT,                 -- user name, as last seen; account_names has those before it
    title TEXT,                  -- display name, as last seen
    url TEXT,                    -- its page on the platform
    first_seen_at TEXT NOT NULL, -- when this archive met it
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (platform, platform_id)
) STRICT;

CREATE TABLE account_names (
    -- What an account was called, and since when: a row when it is first known, and with every change.
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    seen_at TEXT NOT NULL,       -- when this archive first saw it so; it stayed so until the next row
    handle TEXT,                 -- user name
    title TEXT,                  -- display name
    url TEXT,                    -- its page on the platform
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX account_names_account ON account_names(account_id);
CREATE TRIGGER account_names_stay BEFORE UPDATE ON account_names
    BEGIN SELECT RAISE(ABORT, 'names of accounts are never changed'); END;
CREATE TRIGGER account_names_keep BEFORE DELETE ON account_names
    BEGIN SELECT RAISE(ABORT, 'names of accounts are never deleted'); END;

CREATE TABLE run_accounts (
    -- What one run asked and got for one account.
    run_id INTEGER NOT NULL REFERENCES runs(id),
    name TEXT NOT NULL,          -- the account's label in that run
    account_id INTEGER REFERENCES accounts(id),  -- empty when it never got that far
    started_at TEXT NOT NULL,
    finished_at TEXT,
    outcome TEXT NOT NULL,       -- running, done, fresh (skipped, nothing new expected), partial, failed, interrupted
    error_code TEXT,             -- a short word for programs: down, plan, not_linked, …
    message TEXT,                -- the same for people
    full INTEGER NOT NULL,       -- 1: looked at all there is
    complete INTEGER NOT NULL,   -- 1: the look was complete over its time
    source_updated_at TEXT,      -- when the source last asked the platform, by its own word
    fresh_until TEXT,            -- before this, asking again brings nothing new
    view TEXT,                   -- the account's options that choose what is shown, as JSON
    unread INTEGER NOT NULL,     -- fields met that no column or list knows, or in no known form; they are in raw
    unread_paths TEXT,           -- where in the records those stand, each once, as JSON; a hundred at most
    got INTEGER NOT NULL,        -- as in runs
    new INTEGER NOT NULL,
    edited INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    omitted INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    row_sha256 TEXT NOT NULL,    -- hash of this row
    PRIMARY KEY (run_id, name)
) STRICT;

CREATE INDEX run_accounts_account ON run_accounts(account_id, run_id);

CREATE TABLE responses (
    -- Answers of a source, as received; which are kept is a setting.
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs(id),
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    source TEXT NOT NULL,        -- ayrshare, …
    url TEXT NOT NULL,           -- what was asked, without secrets
    status INTEGER NOT NULL,     -- HTTP status
    received_at TEXT NOT NULL,
    headers TEXT NOT NULL,       -- JSON, those that matter later
    body_sha256 TEXT NOT NULL,   -- of the body before compression
    body BLOB NOT NULL,          -- the body, compressed with zlib
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;

CREATE TABLE posts (
    -- One post: what an account published, in its newest content.
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    platform TEXT NOT NULL,
    platform_id TEXT NOT NULL,   -- the record's id, exactly
    created_at TEXT,             -- when it was published, by the platform's word
    text TEXT,
    title TEXT,
    url TEXT,                    -- its page on the platform
    kind TEXT NOT NULL,          -- post, reel, story, saved_story, spotlight, reply, quote, repost, pin, video
    visibility TEXT,             -- as the platform words it: public, connections, unlisted, …
    author TEXT,                 -- who wrote it, as last seen
    alt_texts TEXT,              -- the alt texts of what is attached, one a line, for searching
    first_seen_at TEXT NOT NULL, -- when this archive first saw it
    last_seen_at TEXT NOT NULL,  -- when its content or state last changed here; coverage proves presence
    edited_at TEXT,              -- when an edit was noticed, or happened by the platform's word
    removed_at TEXT,             -- when it was first missed, once a second look confirmed it
    raw TEXT NOT NULL,           -- the latest record whose content or media differ, exact JSON
    row_sha256 TEXT NOT NULL,    -- hash of this row, see docs/schema.md
    UNIQUE (account_id, platform_id)
) STRICT;
CREATE INDEX posts_created ON posts(created_at DESC);
CREATE INDEX posts_account_created ON posts(account_id, created_at DESC);
CREATE INDEX posts_removed ON posts(created_at DESC) WHERE removed_at IS NOT NULL;
CREATE INDEX posts_edited ON posts(created_at DESC) WHERE edited_at IS NOT NULL;
CREATE INDEX posts_expiring ON posts(account_id, created_at) WHERE kind IN ('story');
CREATE INDEX posts_text_end ON posts(lower(substr(text, -2))) WHERE text IS NOT NULL;
CREATE INDEX posts_title_end ON posts(lower(substr(title, -2))) WHERE title IS NOT NULL;
CREATE INDEX posts_alt_texts_end ON posts(lower(substr(alt_texts, -2))) WHERE alt_texts IS NOT NULL;

CREATE TABLE sightings (
    -- Bookkeeping of the program: what the last look knew of each post.
    post_id INTEGER PRIMARY KEY REFERENCES posts(id),
    fingerprint BLOB NOT NULL,       -- of everything a save looks at; equal means nothing to do
    content_version INTEGER,         -- the platform's list of content fields, by number
    content_sha256 TEXT,             -- of the content as that list has it; empty: no content seen yet
    missing_at TEXT,                 -- first complete look that did not show the post
    missing_updated_at TEXT,         -- the source's own lastUpdated at that look
    view TEXT NOT NULL,              -- the options of the account under which it was last shown
    record_sha256 BLOB,              -- of the record with that fingerprint: its very bytes need not be read again,
    reader BLOB,                     -- by the same code, which this tells from other code; empty: unknown
    unread TEXT,                     -- what that code did not read of it, as JSON; empty: nothing
    row_sha256 TEXT NOT NULL         -- hash of this row
) STRICT;
CREATE INDEX sightings_missing ON sightings(post_id) WHERE missing_at IS NOT NULL;

CREATE TABLE post_aliases (
    -- Other ids of the same post, by which other sources find it.
    post_id INTEGER NOT NULL REFERENCES posts(id),
    scheme TEXT NOT NULL,        -- postId, shortcode, cid, …
    value TEXT NOT NULL,
    row_sha256 TEXT NOT NULL,    -- hash of this row
    PRIMARY KEY (post_id, scheme, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_aliases_value ON post_aliases(scheme, value);

CREATE TABLE relations (
    -- Other posts that a post answers, quotes, reposts or shares.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    kind TEXT NOT NULL,          -- reply_to, quotes, reposts, shares
    platform_id TEXT,            -- the other post's id, where it is told
    url TEXT,                    -- its page, where it is told
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX relations_post ON relations(post_id);
CREATE INDEX relations_platform_id ON relations(platform_id);

CREATE TABLE revisions (
    -- One content of a post. A new one only when content changed; counters are not content.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    number INTEGER NOT NULL,     -- 1, 2, …
    seen_at TEXT NOT NULL,       -- when this archive saw it
    run_id INTEGER NOT NULL REFERENCES runs(id),
    response_id INTEGER REFERENCES responses(id) DEFERRABLE INITIALLY DEFERRED,  -- the answer that showed it, where kept
    source TEXT NOT NULL,        -- ayrshare, …
    content_version INTEGER NOT NULL,  -- the platform's list of content fields, by number
    content_sha256 TEXT NOT NULL,      -- of the content, see docs/schema.md
    raw TEXT NOT NULL,           -- the record, exact JSON
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (post_id, number)
) STRICT;
CREATE INDEX revisions_edits ON revisions(post_id) WHERE number > 1;
CREATE TRIGGER revisions_stay BEFORE UPDATE ON revisions
    BEGIN SELECT RAISE(ABORT, 'revisions are never changed'); END;

CREATE TABLE attachments (
    -- One thing attached to a post. It keeps its row when the post is edited.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    position INTEGER NOT NULL,   -- 0, 1, …
    key TEXT NOT NULL,           -- what names it within the post: the platform's media id, else a media key
    kind TEXT NOT NULL,          -- image, video, gif, audio, link, other
    platform_id TEXT,            -- the platform's media id
    alt_text TEXT,
    width INTEGER,               -- pixels, by the platform's word
    height INTEGER,
    duration_ms INTEGER,         -- milliseconds
    withheld INTEGER NOT NULL,   -- 1 while the platform withholds its file
    first_revision INTEGER,      -- number of the first revision it was attached in
    last_revision INTEGER,       -- number of the last one
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (post_id, key)
) STRICT;

CREATE TABLE media (
    -- One file that we hold, named by its hash. Many renditions may share one.
    sha256 TEXT PRIMARY KEY,     -- of the bytes, lower-case hex
    path TEXT NOT NULL,          -- relative to the archive folder: media/ab/…
    size INTEGER NOT NULL,       -- bytes
    content_type TEXT NOT NULL,  -- told from the bytes, never from the server
    width INTEGER,               -- pixels, from the file
    height INTEGER,
    duration_ms INTEGER,         -- milliseconds, from the file
    stored_at TEXT NOT NULL,
    verified_at TEXT,            -- when `archiver verify` last read it back
    lost_at TEXT,                -- when it was found lost or damaged; empty while we hold it
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT, WITHOUT ROWID;

CREATE TABLE renditions (
    -- One file that the source offers for an attachment, or says that it does not.
    id INTEGER PRIMARY KEY,
    attachment_id INTEGER NOT NULL REFERENCES attachments(id),
    role TEXT NOT NULL,          -- original, variant, thumbnail, preview, cover
    media_key TEXT NOT NULL,     -- what names it across runs: media id or URL path; '' where there is no file
    url TEXT,                    -- where it was offered; such addresses expire
    content_type TEXT,           -- by the source's word
    width INTEGER,               -- pixels, by the source's word
    height INTEGER,
    bitrate INTEGER,             -- bits per second
    state TEXT NOT NULL,         -- pending, stored, skipped, omitted, gone, failed, refused
    reason TEXT,                 -- why it is in this state
    media_sha256 TEXT REFERENCES media(sha256),  -- its file; while it waits: the one that was lost
    tries INTEGER NOT NULL,      -- tries in a row that ended for this reason
    next_try_at TEXT,            -- a failed one is tried again from then on
    published_at TEXT,           -- the post's created_at: the newest are fetched first
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE UNIQUE INDEX renditions_identity ON renditions(attachment_id, role, media_key);
CREATE INDEX renditions_queue ON renditions(state, published_at DESC, id)
    WHERE state IN ('pending', 'failed');
CREATE INDEX renditions_absent ON renditions(state, published_at DESC, id)
    WHERE state IN ('omitted', 'gone', 'refused');
CREATE INDEX renditions_skipped ON renditions(reason) WHERE state = 'skipped';
CREATE INDEX renditions_media ON renditions(media_sha256) WHERE media_sha256 IS NOT NULL;

CREATE TABLE events (
    -- What happened to a post, in order. Only ever added to.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    run_id INTEGER NOT NULL REFERENCES runs(id),
    at TEXT NOT NULL,            -- when this archive noticed
    what TEXT NOT NULL,          -- seen, edited, missing, removed, returned, omitted, media_returned, expired, gone, lost, healed, replaced, mended
    attachment_id INTEGER REFERENCES attachments(id),  -- where it is about one attachment
    reason TEXT,
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX events_post ON events(post_id);
CREATE TRIGGER events_stay BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_keep BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TABLE metrics (
    -- A number about a post or an attachment at a time; a row only when the value moved.
    post_id INTEGER NOT NULL REFERENCES posts(id),
    attachment_id INTEGER NOT NULL,  -- 0: about the post itself
    name TEXT NOT NULL,          -- likes, comments, organic.likes, …
    seen_at TEXT NOT NULL,
    value ANY NOT NULL,          -- whole or fractional number
    row_sha256 TEXT NOT NULL,    -- hash of this row, its first twelve digits
    PRIMARY KEY (post_id, attachment_id, name, seen_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE coverage (
    -- Stretches of an account's history known to be complete. Between two is a gap.
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    stream TEXT NOT NULL,        -- posts, stories
    newest TEXT,                 -- the newest post of the stretch, by time; empty: no posts at all
    oldest TEXT,                 -- the oldest
    reached_start INTEGER NOT NULL,  -- 1: nothing older exists
    next TEXT,                   -- where an unfinished walk goes on
    reason TEXT,                 -- why it does not reach further back
    run_id INTEGER NOT NULL REFERENCES runs(id),  -- the run that last confirmed or extended it
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX coverage_account ON coverage(account_id, stream, newest DESC);

CREATE TABLE holdings (
    -- How many files each account has here: kept as they come and go, since counting takes long.
    account_id INTEGER PRIMARY KEY,  -- 0: the archive as a whole, where accounts may share files
    files INTEGER NOT NULL,      -- each once; without those that were lost
    size INTEGER NOT NULL,       -- bytes
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;

CREATE TABLE quarantine (
    -- Records that could not be read, whole.
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs(id),
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    reason TEXT NOT NULL,
    raw_sha256 TEXT NOT NULL,    -- so that the same record is kept once
    raw TEXT NOT NULL,           -- the record, exact text
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (account_id, raw_sha256)
) STRICT;

CREATE TABLE tallies (
    -- What each table should add up to, so that a row deleted or added by other hands shows.
    name TEXT PRIMARY KEY,       -- of the table
    rows INTEGER NOT NULL,       -- how many it has
    sum INTEGER NOT NULL         -- of the first twelve digits of every row_sha256, modulo 2^62
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE posts_fts USING fts5(
    text, title, alt_texts, content="posts", content_rowid="id", tokenize="trigram"
);
CREATE VIRTUAL TABLE posts_fts_terms USING fts5vocab(posts_fts, instance);
CREATE TRIGGER posts_fts_insert AFTER INSERT ON posts BEGIN
    INSERT INTO posts_fts(rowid, text, title, alt_texts)
    VALUES (new.id, new.text, new.title, new.alt_texts);
END;
CREATE TRIGGER posts_fts_delete AFTER DELETE ON posts BEGIN
    INSERT INTO posts_fts(posts_fts, rowid, text, title, alt_texts)
    VALUES ('delete', old.id, old.text, old.title, old.alt_texts);
END;
CREATE TRIGGER posts_fts_update AFTER UPDATE OF text, title, alt_texts ON posts BEGIN
    INSERT INTO posts_fts(posts_fts, rowid, text, title, alt_texts)
    VALUES ('delete', old.id, old.text, old.title, old.alt_texts);
    INSERT INTO posts_fts(rowid, text, title, alt_texts)
    VALUES (new.id, new.text, new.title, new.alt_texts);
END;
"""

VIEWS = """
CREATE VIEW timeline AS
    -- All posts, newest first, as a person would read them.
    SELECT posts.id, posts.created_at, posts.platform, accounts.name AS account, posts.kind,
           coalesce(posts.title || char(10), '') || coalesce(posts.text, '') AS text,
           posts.url,
           (SELECT count(*) FROM attachments WHERE post_id = posts.id) AS attached,
           (SELECT media.path FROM attachments
              JOIN renditions ON attachment_id = attachments.id
              JOIN media ON sha256 = media_sha256 AND lost_at IS NULL
             WHERE post_id = posts.id ORDER BY position, role = 'original' DESC LIMIT 1) AS media,
           posts.edited_at, posts.removed_at
      FROM posts JOIN accounts ON accounts.id = posts.account_id
     ORDER BY posts.created_at DESC, posts.id;

CREATE VIEW missing_media AS
    -- Every file that is not here, and why. Files left out by the settings are not listed.
    SELECT accounts.name AS account, posts.platform, posts.created_at, posts.id AS post_id,
           posts.url AS post_url, attachments.position, attachments.kind, renditions.role,
           renditions.state, renditions.reason, renditions.tries, renditions.next_try_at,
           renditions.url
      FROM renditions
      JOIN attachments ON attachments.id = renditions.attachment_id
      JOIN posts ON posts.id = attachments.post_id
      JOIN accounts ON accounts.id = posts.account_id
     WHERE renditions.state IN ('pending', 'omitted', 'gone', 'failed', 'refused')
     ORDER BY posts.created_at DESC, posts.id, attachments.position;

CREATE VIEW latest_metrics AS
    -- The newest value of every number.
    SELECT post_id, attachment_id, name, max(seen_at) AS seen_at, value
      FROM metrics GROUP BY post_id, attachment_id, name;

CREATE VIEW gaps AS
    -- Stretches of time that no complete look has covered. Stories before the first are no gap.
    SELECT account, platform, stream, since, until, reason FROM (
        SELECT accounts.name AS account, accounts.platform, stream, here.oldest AS until, reason,
               (SELECT max(below.newest) FROM coverage AS below
                 WHERE below.account_id = here.account_id AND below.stream = here.stream
                   AND below.newest < here.oldest) AS since
          FROM coverage AS here JOIN accounts ON accounts.id = here.account_id
         WHERE NOT here.reached_start AND NOT EXISTS (
            SELECT 1 FROM coverage AS across
             WHERE across.account_id = here.account_id AND across.stream = here.stream
               AND across.id <> here.id AND across.newest >= here.oldest
               AND (across.oldest < here.oldest OR across.reached_start))
    ) WHERE since IS NOT NULL OR stream = 'posts'
    ORDER BY account, stream, until DESC;
"""

_ROW_HASHED = (
    "about", "runs", "accounts", "account_names", "run_accounts", "responses", "posts",
    "sightings", "post_aliases", "relations", "revisions", "attachments", "media", "renditions",
    "events", "metrics", "coverage", "holdings", "quarantine",
)  # fmt: skip


def apply(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty database, with the rows that every archive begins with."""
    for statement in statements(TABLES + VIEWS):
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO tallies VALUES (?, 0, 0)", ((table,) for table in _ROW_HASHED)
    )
    _begin(connection, "about", {"name": "archive_id", "value": uuid4().hex})
    _begin(connection, "holdings", {"account_id": 0, "files": 0, "size": 0})


def _begin(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    """The first row of a table, as the tables were then: steps may not use what changes later."""
    digest = row_sha256(table, row)
    marks = ", ".join("?" * (len(row) + 1))
    connection.execute(f"INSERT INTO {table} VALUES ({marks})", (*row.values(), digest))
    connection.execute(
        "UPDATE tallies SET rows = 1, sum = ? WHERE name = ?", (int(digest[:12], 16), table)
    )
