"""What an export has written so far, in a temporary database: memory does not grow with it."""

import sqlite3
from collections.abc import Iterator


class WrittenFiles:
    """The SHA-256 of each file by its name, and a line for each that could not be included.

    SQLite keeps some megabytes of it in memory, and the rest in a file that it deletes itself.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE files (name BLOB PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID"
        )
        self._database.execute("CREATE TABLE missing (id INTEGER PRIMARY KEY, line BLOB NOT NULL)")

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def add(self, name: str, sha256: str) -> None:
        """Add a file, or change the hash of one."""
        self._database.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (_data(name), sha256))

    def sha256_of(self, name: str) -> str | None:
        """The hash of a file; None where it was not written."""
        query = "SELECT sha256 FROM files WHERE name = ?"
        row = self._database.execute(query, (_data(name),)).fetchone()
        return None if row is None else str(row[0])

    def by_name(self) -> Iterator[tuple[str, str]]:
        """The hash and the name of every file, by name."""
        for digest, name in self._database.execute("SELECT sha256, name FROM files ORDER BY name"):
            yield digest, _text(name)

    def note_missing(self, line: str) -> None:
        """Add a line about a file that could not be included."""
        self._database.execute("INSERT INTO missing (line) VALUES (?)", (_data(line),))

    def missing(self) -> Iterator[str]:
        """Those lines, in order."""
        for (line,) in self._database.execute("SELECT line FROM missing ORDER BY id"):
            yield _text(line)


def _data(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
