# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Fourth step: a search folds accents, width and normal forms, and finds earlier versions.

How texts are folded is part of the step, as it was when the step was released.
"""

import json
import re
import sqlite3
import unicodedata
from collections.abc import Container, Iterable, Iterator
from typing import Any

from archiver.archive.steps.rebuild import Rebuild, rebuild
from archiver.archive.steps.statements import statements

POSTS = """
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
    removed_at TEXT,             -- when it was first missed, once a second scan confirmed it
    search_text TEXT,            -- title, text and alt texts as the search compares them, where that is not their lower case
    earlier_text TEXT,           -- the same of earlier versions, so that a search finds those too
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
"""

SEARCH = """
CREATE VIRTUAL TABLE posts_fts USING fts5(
    text, title, alt_texts, search_text, earlier_text,
    content="posts", content_rowid="id", tokenize="trigram"
);
CREATE VIRTUAL TABLE posts_fts_terms USING fts5vocab(posts_fts, instance);
CREATE TRIGGER posts_fts_insert AFTER INSERT ON posts BEGIN
    INSERT INTO posts_fts(rowid, text, title, alt_texts, search_text, earlier_text)
    VALUES (new.id, new.text, new.title, new.alt_texts, new.search_text, new.earlier_text);
END;
CREATE TRIGGER posts_fts_delete AFTER DELETE ON posts BEGIN
    INSERT INTO posts_fts(posts_fts, rowid, text, title, alt_texts, search_text, earlier_text)
    VALUES ('delete', old.id, old.text, old.title, old.alt_texts, old.search_text, old.earlier_text);
END;
CREATE TRIGGER posts_fts_update AFTER UPDATE OF text, title, alt_texts, search_text, earlier_text ON posts BEGIN
    INSERT INTO posts_fts(posts_fts, rowid, text, title, alt_texts, search_text, earlier_text)
    VALUES ('delete', old.id, old.text, old.title, old.alt_texts, old.search_text, old.earlier_text);
    INSERT INTO posts_fts(rowid, text, title, alt_texts, search_text, earlier_text)
    VALUES (new.id, new.text, new.title, new.alt_texts, new.search_text, new.earlier_text);
END;
"""

ALIASES = """
DROP INDEX post_aliases_value;
CREATE INDEX post_aliases_value ON post_aliases(value, scheme);
"""

_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")
_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)

# as bytes: damaged text cannot be handed to a function
_TEXTS = ", ".join(f"CAST(old.{name} AS BLOB)" for name in ("title", "text", "alt_texts"))
_EARLIER = """
    (SELECT CAST(json_group_array(raw) AS BLOB) FROM revisions
      WHERE post_id = old.id
        AND number < (SELECT max(number) FROM revisions WHERE post_id = old.id))
"""
REBUILD = Rebuild(
    "posts", POSTS,
    {
        "search_text": f"archiver_folded({_TEXTS})",
        "earlier_text": f"archiver_earlier({_TEXTS}, CAST(old.raw AS BLOB), {_EARLIER})",
    },
)  # fmt: skip


def apply(connection: sqlite3.Connection) -> None:
    """Make `posts` and its search index anew, with what is compared beside what was published."""
    connection.create_function("archiver_folded", 3, _folded, deterministic=True)
    connection.create_function("archiver_earlier", 5, _earlier, deterministic=True)
    connection.execute("DROP TABLE posts_fts_terms")
    connection.execute("DROP TABLE posts_fts")
    indexes = re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+)", POSTS)
    rebuild(connection, REBUILD, indexes)
    for statement in statements(SEARCH + ALIASES):
        connection.execute(statement)
    connection.execute("INSERT INTO posts_fts(posts_fts) VALUES ('rebuild')")


def _folded(*texts: bytes | None) -> str | None:
    texts_with_folds = [(text, _fold(text)) for text in map(_text, texts) if text]
    found = (f"{line}\n" for text, line in texts_with_folds if line != _index_folds(text))
    return "".join(found) or None


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = _INVISIBLE.sub("", _MARKS.sub("", apart)).translate(_STROKES)
    return unicodedata.normalize("NFC", plain)


def _index_folds(text: str) -> str:
    """The text as the search index folds it: lower case, one character for one."""
    return "".join(lower if len(lower := one.lower()) == 1 else one for one in text)


def _earlier_column(before: Iterable[str], now: Iterable[str | None]) -> str | None:
    """The texts of earlier versions, folded, that are not shown now."""
    shown = {_fold(text) for text in now if text}
    folded = (
        " ".join(_fold(text).splitlines()) for text in before if text and _fold(text) not in shown
    )
    return "".join(f"{line}\n" for line in dict.fromkeys(folded)) or None


def _earlier(
    title: bytes | None, text: bytes | None, alt_texts: bytes | None, raw: bytes | None,
    raws: bytes | None,
) -> str | None:  # fmt: skip
    """The texts of earlier revisions, which hold records alone: what stands where today's stands."""
    now = [_text(title), _text(text), *(_text(alt_texts) or "").splitlines()]
    try:
        earlier = [json.loads(record) for record in json.loads(raws or b"[]")]
        places = set(_places(json.loads(raw or b"null"), {part for part in now if part}))
    except ValueError:  # damaged, which its hash says
        return None
    before = [
        value for record in earlier for place in places if (value := _value_at(record, place))
    ]
    return _earlier_column(before, now)


def _places(
    value: Any, wanted: Container[str], *path: str | int
) -> Iterator[tuple[str | int, ...]]:
    """Where in a record these texts stand."""
    if isinstance(value, str):
        if value in wanted:
            yield path
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _places(item, wanted, *path, key)


def _value_at(value: Any, path: tuple[str | int, ...]) -> str | None:
    for key in path:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return None
    return value if isinstance(value, str) else None


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
