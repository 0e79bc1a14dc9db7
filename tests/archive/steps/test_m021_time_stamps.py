"""The twenty-first step: checkpoints of an older archive can be stamped, and it stays intact."""

import sqlite3
from pathlib import Path

import pytest

from archiver.archive.checkpoints import add_checkpoint
from archiver.archive.database import writer
from archiver.archive.rows import insert
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import unpack

AT = "2026-03-03T09:00:00.000Z"


def test_a_token_is_kept_for_good_with_its_checkpoint(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with writer(directory) as connection:
        add_checkpoint(connection, AT)
        insert(
            connection, "time_stamps", checkpoint_id=1, authority="https://tsa.example",
            received_at=AT, stamped_at=AT, token=b"token", chain="",
        )  # fmt: skip
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            connection.execute("UPDATE time_stamps SET stamped_at = ''")
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            connection.execute("DELETE FROM time_stamps")
    assert verify(directory, Scope(), AT).damage == []
