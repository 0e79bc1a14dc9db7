"""The twenty-fifth step: posts of an older archive can be erased, and the rest is as intact."""

from pathlib import Path

from archiver.archive.database import writer
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.retention.erasure import carry_out, plan_erasure
from support.old_archive import unpack

AT = "2026-03-03T09:00:00.000Z"


def test_posts_of_an_older_archive_can_be_erased(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with writer(directory) as connection:
        planned = plan_erasure(connection, [1], "Art. 17", "clerk", AT)
        assert carry_out(connection, directory, planned.id, "officer", AT).state == "done"
    assert not list(directory.glob("archive.db.before-*"))
    assert verify(directory, Scope(), AT).damage == []
