"""Twenty-eighth step: columns say what they may hold by now, subtitles and single films too.

Only the comments differ. SQLite keeps them as text, which may be replaced where nothing that is
stored changes: the second procedure of "Making Other Kinds Of Table Schema Changes" on
https://sqlite.org/lang_altertable.html. No row is read, however many there are.
"""

import sqlite3

_COMMENTS = (
    (
        "renditions",
        "-- original, variant, thumbnail, preview, cover",
        "-- original, variant, thumbnail, preview, cover, subtitles",
    ),
    (
        "events",
        "gone, lost, recovered, replaced, repaired",
        "gone, lost, recovered, replaced, repaired, resolved, imported",
    ),
    (
        "media_origins",
        "downloaded: by the resolver, which may have put it together",
        "downloaded: by the resolver, which may have put it together; imported: a single file "
        "that the user gave, details say by what it was assigned",
    ),
)


def apply(connection: sqlite3.Connection) -> None:
    """Replace the comments; in a transaction."""
    version = connection.execute("PRAGMA schema_version").fetchone()[0]
    connection.execute("PRAGMA writable_schema = ON")
    try:
        for table, old, new in _COMMENTS:
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, ?, ?) "
                "WHERE type = 'table' AND name = ?",
                (old, new, table),
            )
        connection.execute(f"PRAGMA schema_version = {version + 1}")
    finally:
        connection.execute("PRAGMA writable_schema = OFF")
