"""An archive with posts that stay, and one that is to go: with a picture, and edited."""

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from archiver import Account, Page, Post, Record, Response, Window
from archiver.archive.database import DATABASE, writer
from archiver.evidence import standalone
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.retention.erasure import Erasure, carry_out, plan_erasure
from support.gazette import GazetteWorld, Kiosk, png

NOW = "2026-03-20T00:00:00.000Z"
SECRET = "Agent Kowalski lives behind the mill"
EARLIER = "Agent Kowalski moved yesterday"


class KeepingKiosk(Kiosk):
    """A source whose answers are kept, each with all posts."""

    async def pages(self, client: GazetteWorld, account: Account, window: Window) -> Any:
        records = client.kiosk_records()
        body = json.dumps({"posts": records, "count": len(records)}).encode()
        response = Response("kiosk", "https://kiosk.example/history", 200, {}, body, NOW)
        yield Page(
            tuple(Record(json.dumps(raw), raw) for raw in records), response=response,
            reached_start=True,
        )  # fmt: skip


class WithoutIds(Kiosk):
    """A source that does not know the ids of the network."""

    def record_id(self, record: Any) -> str | None:
        return f"export:t:{record['created']}"

    def read(self, record: Any, account: Account) -> Post:
        post = super().read(record, account)
        return replace(post, platform_id=f"export:t:{record['created']}", aliases=())


def places_of(directory: Path, marks: Collection[bytes]) -> set[tuple[bytes, str]]:
    """Where each mark stands in an archive folder, whatever the case: in names and bytes of files.

    What stands in a compressed column is found too, and named as `table.column`.
    """
    found = set()
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        data = name.encode() + (path.read_bytes() if path.is_file() else b"")
        found |= {(mark, name) for mark in marks if mark.lower() in data.lower()}
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        for column, data in _compressed(connection):
            found |= {(mark, column) for mark in marks if mark.lower() in data.lower()}
    return found


def _compressed(connection: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    for table, column in (("responses", "body"), ("ledger_rows", "keys")):
        for (data,) in connection.execute(f"SELECT {column} FROM {table}"):
            if data is not None:
                yield f"{table}.{column}", zlib.decompress(data)


def erase_where(directory: Path, condition: str) -> dict[str, Any]:
    """Erase the posts of a condition; returns what the certificate says."""
    with writer(directory, create=False) as connection:
        query = f"SELECT id FROM posts WHERE {condition}"
        chosen = [post_id for (post_id,) in connection.execute(query)]
        planned = plan_erasure(connection, chosen, "Art. 17", "clerk", NOW)
        done = carry_out(connection, directory, planned.id, "officer", NOW)
    said: dict[str, Any] = json.loads(done.certificate or "")
    return said


@dataclass
class Erasing:
    """A world with two posts that stay, and an edited one with a picture that is to go."""

    world: GazetteWorld
    directory: Path

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        with writer(self.directory, create=False) as connection:
            yield connection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.directory / DATABASE)) as connection:
            return connection.execute(sql).fetchall()

    def erase(self, *posts: int) -> Erasure:
        with self.open() as connection:
            planned = plan_erasure(connection, posts or [self.secret], "Art. 17", "clerk", NOW)
            return carry_out(connection, self.directory, planned.id, "officer", NOW)

    @property
    def secret(self) -> int:
        return int(self.rows("SELECT id FROM posts WHERE platform_id IN ('g:2', 'k2')")[0][0])

    def traces(self) -> list[str]:
        """Where anything of the erased post stands, in the bytes of all files and in answers."""
        answers = b"".join(
            zlib.decompress(body)
            for (body,) in self.rows("SELECT body FROM responses WHERE body IS NOT NULL")
        )
        found = [f"{name} in an answer" for name, mark in self._marks().items() if mark in answers]
        return found + self.traces_in_files()

    def traces_in_files(self) -> list[str]:
        """The same, in the bytes and names of all files."""
        return [
            f"{name} in {path.relative_to(self.directory)}"
            for path in sorted(self.directory.rglob("*")) if path.is_file()
            for name, mark in self._marks().items() if mark in path.read_bytes()
        ] + [
            str(path.name) for path in self.directory.rglob("*")
            if sha256(png("2-0")).hexdigest() in path.name
        ]  # fmt: skip

    @staticmethod
    def _marks() -> dict[str, bytes]:
        """By name. Each is of five bytes or more, for random salts may have any four."""
        return {
            "text": SECRET.encode(), "earlier": EARLIER.encode(), "folded": SECRET.lower().encode(),
            "trigram": b"kowals", "id": b'"g:2"', "own": png("2-0"),
            "hash": sha256(png("2-0")).hexdigest().encode(),
            "raw hash": sha256(png("2-0")).digest(),
        }  # fmt: skip

    def damage(self) -> list[Any]:
        return [
            *verify(self.directory, Scope(), NOW).damage, *standalone.check(self.directory)
        ]  # fmt: skip
