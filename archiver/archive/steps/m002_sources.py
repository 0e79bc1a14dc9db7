# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Second step: one word for one thing, codes beside reasons, and what each source says of a post.

Tables are made anew and their rows copied, each with a new hash where its old one was right.
"""

import re
import sqlite3

from archiver.archive.steps import m001_archive
from archiver.archive.steps.rebuild import Rebuild, rebuild
from archiver.archive.steps.statements import statements

CHECKSUMS = """
CREATE TABLE table_checksums (
    -- What each table should add up to, so that a row deleted or added outside archiver shows.
    name TEXT PRIMARY KEY,       -- of the table
    rows INTEGER NOT NULL,       -- how many it has
    sum INTEGER NOT NULL         -- of the first twelve digits of every row_sha256, modulo 2^62
) STRICT, WITHOUT ROWID;
"""

RUNS = """
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
    removed INTEGER NOT NULL,    -- posts found removed: missing from two complete scans
    stored INTEGER NOT NULL,     -- renditions whose file was stored
    bytes INTEGER NOT NULL,      -- bytes of media received
    omitted INTEGER NOT NULL,    -- renditions found withheld by the platform
    failed INTEGER NOT NULL,     -- renditions that were tried and not downloaded
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
"""

RUN_ACCOUNTS = """
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
    full INTEGER NOT NULL,       -- 1: a full scan, of all there is
    complete INTEGER NOT NULL,   -- 1: the scan was complete over its time
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
    PRIMARY KEY (run_id, name)
) STRICT;
CREATE INDEX run_accounts_account ON run_accounts(account_id, run_id);
"""

REVISIONS = """
CREATE TABLE revisions (
    -- One content of a post. A new one only when content changed; counters are not content.
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    number INTEGER NOT NULL,     -- 1, 2, …
    why TEXT NOT NULL,           -- first; edited: its source shows other content than before; other_source: another source words it otherwise
    seen_at TEXT NOT NULL,       -- when this archive saw it
    source_time TEXT,            -- when it was made, where the source dates its versions
    run_id INTEGER NOT NULL REFERENCES runs(id),
    response_id INTEGER REFERENCES responses(id) DEFERRABLE INITIALLY DEFERRED,  -- the answer that showed it, where kept
    source TEXT NOT NULL,        -- the source that showed it, by its name in archive.toml
    content_version INTEGER NOT NULL,  -- the platform's list of content fields, by number
    content_sha256 TEXT NOT NULL,      -- of the content, see docs/schema.md
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
    first_seen_at TEXT NOT NULL,     -- when this source first showed the post
    fingerprint BLOB NOT NULL,       -- of everything that a save compares; equal means nothing to do
    content_version INTEGER,         -- the platform's list of content fields, by number
    content_sha256 TEXT,             -- of the content as that list has it; empty: no content seen yet
    missing_at TEXT,                 -- first complete scan that did not show the post; empty: it was shown
    missing_updated_at TEXT,         -- the source's own lastUpdated at that scan
    view TEXT NOT NULL,              -- the options of the account under which it was last shown
    record_sha256 BLOB,              -- of the record with that fingerprint: the same bytes need not be read again,
    reader BLOB,                     -- by the same code, which this tells from other code; empty: unknown
    unmapped TEXT,                   -- the fields that this code knew no place for, as JSON; empty: none
    row_sha256 TEXT NOT NULL,        -- hash of this row
    PRIMARY KEY (post_id, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_sources_missing ON post_sources(post_id) WHERE missing_at IS NOT NULL;
"""

ATTACHMENTS = """
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
    omitted INTEGER NOT NULL,    -- 1 while the platform withholds its file
    first_revision INTEGER,      -- number of the first revision it was attached in
    last_revision INTEGER,       -- number of the last one
    row_sha256 TEXT NOT NULL,    -- hash of this row
    UNIQUE (post_id, key)
) STRICT;
"""

RENDITIONS = """
CREATE TABLE renditions (
    -- One file that the source offers for an attachment, or says that it does not.
    id INTEGER PRIMARY KEY,
    attachment_id INTEGER NOT NULL REFERENCES attachments(id),
    account_id INTEGER NOT NULL REFERENCES accounts(id),  -- the account of its post, by which the queue goes
    role TEXT NOT NULL,          -- original, variant, thumbnail, preview, cover
    media_key TEXT NOT NULL,     -- what names it across runs: media id or URL path; '' where there is no file
    url TEXT,                    -- where it was offered; such addresses expire
    content_type TEXT,           -- by the source's word
    width INTEGER,               -- pixels, by the source's word
    height INTEGER,
    bitrate INTEGER,             -- bits per second
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
    what TEXT NOT NULL,          -- seen, edited, missing, removed, restored, omitted, media_restored, expired, gone, lost, recovered, replaced, repaired
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

COVERAGE = """
CREATE TABLE coverage (
    -- Ranges of an account's history known to be complete. Between two is a gap.
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    source TEXT NOT NULL,        -- the source that was scanned
    stream TEXT NOT NULL,        -- posts, stories
    newest TEXT,                 -- the newest post of the range, by time; empty: no posts at all
    oldest TEXT,                 -- the oldest
    reached_start INTEGER NOT NULL,  -- 1: nothing older exists
    next TEXT,                   -- the cursor by which an unfinished scan is resumed
    reason_code TEXT,            -- why it does not reach further back, from the list of reason codes below
    reason TEXT,                 -- the same for people
    run_id INTEGER NOT NULL REFERENCES runs(id),  -- the run that last confirmed or extended it
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX coverage_account ON coverage(account_id, source, stream, newest DESC);
"""

STORAGE_TOTALS = """
CREATE TABLE storage_totals (
    -- How many files each account has here: kept as they come and go, since counting takes long.
    account_id INTEGER PRIMARY KEY,  -- 0: the archive as a whole, where accounts may share files
    files INTEGER NOT NULL,      -- each once; without those that were lost
    size INTEGER NOT NULL,       -- bytes
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
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
    -- Every file that is not here, and why. Files skipped because of the settings are not listed.
    SELECT accounts.name AS account, posts.platform, posts.created_at, posts.id AS post_id,
           posts.url AS post_url, attachments.position, attachments.kind, renditions.role,
           renditions.state, renditions.reason_code, renditions.reason, renditions.tries,
           renditions.next_try_at, renditions.url
      FROM renditions
      JOIN attachments ON attachments.id = renditions.attachment_id
      JOIN posts ON posts.id = attachments.post_id
      JOIN accounts ON accounts.id = posts.account_id
     WHERE renditions.state IN ('pending', 'omitted', 'not_offered', 'gone', 'failed', 'refused')
     ORDER BY posts.created_at DESC, posts.id, attachments.position;

CREATE VIEW latest_metrics AS
    -- The newest value of every number.
    SELECT post_id, attachment_id, name, max(seen_at) AS seen_at, value
      FROM metrics GROUP BY post_id, attachment_id, name;

CREATE VIEW gaps AS
    -- Ranges of time that no complete scan has covered. Stories before the first are no gap.
    SELECT account, platform, source, stream, since, until, reason_code, reason FROM (
        SELECT accounts.name AS account, accounts.platform, here.source, stream,
               here.oldest AS until, reason_code, reason,
               (SELECT max(below.newest) FROM coverage AS below
                 WHERE below.account_id = here.account_id AND below.source = here.source
                   AND below.stream = here.stream AND below.newest < here.oldest) AS since
          FROM coverage AS here JOIN accounts ON accounts.id = here.account_id
         WHERE NOT here.reached_start AND NOT EXISTS (
            SELECT 1 FROM coverage AS across
             WHERE across.account_id = here.account_id AND across.source = here.source
               AND across.stream = here.stream
               AND across.id <> here.id AND across.newest >= here.oldest
               AND (across.oldest < here.oldest OR across.reached_start))
    ) WHERE since IS NOT NULL OR stream = 'posts'
    ORDER BY account, source, stream, until DESC;
"""

_ACCOUNT_SOURCES = """
CREATE TEMP TABLE account_sources AS
    SELECT id AS account_id, coalesce(
        (SELECT source FROM revisions JOIN posts ON posts.id = post_id
          WHERE posts.account_id = accounts.id ORDER BY posts.id DESC LIMIT 1),
        (SELECT source FROM responses WHERE account_id = accounts.id LIMIT 1),
        (SELECT source FROM revisions LIMIT 1), (SELECT source FROM responses LIMIT 1), ''
    ) AS source FROM accounts;
"""
"""One source per account was what there could be; what was read through it names it."""

_POST_SOURCE = """
    coalesce(
        (SELECT source FROM revisions WHERE post_id = old.post_id ORDER BY number DESC LIMIT 1),
        (SELECT source FROM posts JOIN account_sources USING (account_id)
          WHERE posts.id = old.post_id), '')
"""

# where a file failed because of what came, the sentence was all that told why
_RENDITION_CODE = """
    CASE
        WHEN reason IS NULL THEN NULL
        WHEN reason IN ('copyright', 'not_offered', 'playlist', 'replaced') THEN reason
        WHEN reason LIKE 'videos=%' THEN 'setting_videos'
        WHEN reason LIKE 'thumbnails=%' THEN 'setting_thumbnails'
        WHEN reason = 'no URL' THEN 'no_address'
        WHEN reason = 'lost here' THEN 'lost'
        WHEN reason = 'gone (410)' THEN 'gone'
        WHEN reason = 'not found (404)' THEN 'not_found'
        WHEN reason = 'its end could not be proven' THEN 'unproven'
        WHEN reason LIKE 'a bug in archiver%' THEN 'bug'
        WHEN reason LIKE 'The file is too large%' THEN 'too_large'
        WHEN reason LIKE 'address not understood%' THEN 'address_not_understood'
        WHEN state = 'refused' OR reason LIKE 'The address is not allowed%' THEN 'address_not_allowed'
        WHEN reason LIKE '%has expired' OR reason LIKE 'The server answered 403%' THEN 'expired'
        WHEN reason LIKE 'The server answered %' THEN 'http_error'
        WHEN reason LIKE '%came in place of media' THEN 'wrong_kind'
        WHEN reason LIKE '%came where a file of kind%' THEN 'wrong_kind'
        WHEN reason LIKE 'It ends too early%' OR reason LIKE '% bytes came' THEN 'incomplete'
        WHEN reason LIKE 'The server has no rest%' THEN 'incomplete'
        WHEN reason LIKE 'The server sent another part%' THEN 'incomplete'
        WHEN reason = 'The server sends too slowly' THEN 'too_slow'
        WHEN reason LIKE '%not tried again in this run' THEN 'host_silent'
        WHEN reason LIKE '%redirects%' THEN 'redirects'
        WHEN reason LIKE '%certificate%' THEN 'certificate'
        WHEN reason LIKE '%encoding%' THEN 'encoding'
        WHEN url LIKE 'local:%' THEN 'unreadable'
        ELSE 'network'
    END
"""
_SETTING = """
    CASE
        WHEN reason LIKE 'videos=%' THEN substr(reason, 8)
        WHEN reason LIKE 'thumbnails=%' THEN substr(reason, 12)
        WHEN reason LIKE '%media.max_size is % bytes' THEN
            replace(replace(substr(reason, instr(reason, 'media.max_size is ') + 18), ',', ''),
                    ' bytes', '')
    END
"""
_COVERAGE_CODE = """
    CASE
        WHEN reason IS NULL THEN NULL
        WHEN reason LIKE '--limit%' THEN 'asked_limit'
        WHEN reason LIKE '--since%' THEN 'asked_since'
        WHEN reason = 'the source gave no more' THEN 'no_more_pages'
        WHEN reason = 'the source repeats itself' THEN 'repeated_pages'
        WHEN stream = 'stories' THEN 'stories_expire'
        ELSE 'source_limit'
    END
"""
_EVENT_CODE = """
    CASE
        WHEN what = 'seen' AND reason = 'by its id only' THEN 'id_only'
        WHEN what = 'omitted' AND reason = 'copyright' THEN 'copyright'
        WHEN what = 'gone' AND reason = 'gone (410)' THEN 'gone'
        WHEN what = 'gone' THEN 'not_found'
    END
"""
_EVENT_SOURCE = """
    CASE WHEN what IN ('seen', 'edited', 'missing', 'removed', 'returned', 'omitted',
                       'media_returned', 'expired')
        THEN (SELECT source FROM post_sources WHERE post_sources.post_id = old.post_id) END
"""
_WHAT = """
    CASE what WHEN 'returned' THEN 'restored' WHEN 'media_returned' THEN 'media_restored'
        WHEN 'healed' THEN 'recovered' WHEN 'mended' THEN 'repaired' ELSE what END
"""

REBUILDS = (
    Rebuild("runs", RUNS),
    Rebuild(
        "run_accounts", RUN_ACCOUNTS, {"unmapped": "unread", "unmapped_paths": "unread_paths"}
    ),
    Rebuild(
        "post_sources", POST_SOURCES,
        {
            "source": _POST_SOURCE,
            "record_id": "(SELECT platform_id FROM posts WHERE posts.id = old.post_id)",
            "first_seen_at":
                "coalesce((SELECT first_seen_at FROM posts WHERE posts.id = old.post_id), '')",
            "unmapped": "unread",
        },
        former="sightings",
    ),
    Rebuild(
        "revisions", REVISIONS,
        {"why": "CASE number WHEN 1 THEN 'first' ELSE 'edited' END", "source_time": "NULL"},
    ),
    Rebuild("attachments", ATTACHMENTS, {"omitted": "withheld"}),
    Rebuild(
        "renditions", RENDITIONS,
        {
            "account_id": """coalesce((SELECT account_id FROM attachments
                 JOIN posts ON posts.id = post_id WHERE attachments.id = old.attachment_id), 0)""",
            "state": "iif(state = 'skipped' AND reason = 'not_offered', 'not_offered', state)",
            "reason_code": _RENDITION_CODE,
            "setting": _SETTING,
        },
    ),
    Rebuild(
        "events", EVENTS,
        {"what": _WHAT, "source": _EVENT_SOURCE, "reason_code": _EVENT_CODE},
    ),
    Rebuild(
        "coverage", COVERAGE,
        {
            "source": """coalesce((SELECT source FROM account_sources
                WHERE account_sources.account_id = old.account_id), '')""",
            "reason_code": _COVERAGE_CODE,
        },
    ),
    Rebuild("storage_totals", STORAGE_TOTALS, former="holdings"),
)  # fmt: skip
"""The tables that are made anew, in an order in which each finds what it asks of others."""


def apply(connection: sqlite3.Connection) -> None:
    """Bring the tables of the first step to this one, whatever is in them."""
    for view in ("timeline", "missing_media", "latest_metrics", "gaps"):
        connection.execute(f"DROP VIEW IF EXISTS {view}")
    for statement in statements(CHECKSUMS + _ACCOUNT_SOURCES):
        connection.execute(statement)
    connection.execute("INSERT INTO table_checksums SELECT name, rows, sum FROM tallies")
    connection.execute("DROP TABLE tallies")
    indexes = re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+)", m001_archive.TABLES)
    for each in REBUILDS:
        rebuild(connection, each, indexes)
    connection.execute("DROP TABLE temp.account_sources")
    for statement in statements(VIEWS):
        connection.execute(statement)
