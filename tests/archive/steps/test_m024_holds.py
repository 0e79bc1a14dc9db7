"""The twenty-fourth step: an older archive can be held, and is as intact as it was."""

from pathlib import Path

from archiver.archive.database import writer
from archiver.archive.holds import matters_of_posts, place_hold_on_all
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import unpack

AT = "2026-03-03T09:00:00.000Z"


def test_posts_of_an_older_archive_can_be_held(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with writer(directory) as connection:
        place_hold_on_all(connection, "m", "a claim", "clerk", AT)
        assert matters_of_posts(connection, [1]) == {1: ("m",)}
    assert verify(directory, Scope(), AT).damage == []
