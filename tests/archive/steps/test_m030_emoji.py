"""The thirtieth step: the pictures of before stay, and are intact as before."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from archiver.archive.hashed_rows import with_hash, write_rows
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import apply_steps_before, unpack

AT = "2026-03-03T09:00:00.000Z"


def test_a_picture_of_before_is_kept_and_its_row_is_intact(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m017_ledger", "m030_emoji")
        row = {
            "id": 1, "account_id": 1, "source": "ayrshare", "kind": "avatar", "media_key": "k",
            "url": "https://a.example/1.png", "state": "pending", "tries": 0, "first_seen_at": AT,
        }  # fmt: skip
        write_rows(connection, "account_pictures", [with_hash("account_pictures", row)])
        connection.commit()
    with writer(directory) as connection:
        found = connection.execute("SELECT kind, url, state FROM account_pictures").fetchall()
    assert found == [("avatar", "https://a.example/1.png", "pending")]
    assert verify(directory, Scope(), AT).damage == []
