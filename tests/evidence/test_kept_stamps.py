"""A copy's time stamp of what the archive has lost is named, and a broken one for what it is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, writer
from archiver.evidence.elsewhere import known_elsewhere
from archiver.evidence.files import Scope
from archiver.evidence.findings import Finding
from archiver.evidence.restored import accept_restore
from archiver.evidence.verify import verify
from support.damage import flip
from support.forging import without_triggers
from support.sealed import NOW, SealedArchive
from support.time_stamping import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def sealed(tmp_path: Path, authority: Authority) -> SealedArchive:
    roots = f'timestamp_roots = "{authority.root}"'
    sealed = SealedArchive(tmp_path / "here", f'checkpoint_copies = ["copies"]\n{roots}')
    sealed.folder.mkdir()
    sealed.night()
    sealed.stamp(authority)
    return sealed


def of_stamps(sealed: SealedArchive) -> list[Finding]:
    """What is said of the time stamps of copies, damage or not."""
    with writer(sealed.directory) as connection:
        found = known_elsewhere(connection, sealed.config())[1]
    return [finding for finding in found if "copies" in finding.subject]


def token_in_copies(sealed: SealedArchive) -> Path:
    return max((sealed.folder / "copies").glob("*.tsr"))


def test_where_the_archive_has_it_too_nothing_is_said(sealed: SealedArchive) -> None:
    assert sealed.findings() == []
    assert of_stamps(sealed) == []


def test_an_archive_that_was_put_back_is_shown_what_was_stamped_since(
    sealed: SealedArchive, authority: Authority
) -> None:
    with sealed.put_back_afterwards():
        sealed.night()
        sealed.stamp(authority)
    (found,) = of_stamps(sealed)
    assert found.what == "rolled_back"
    assert found.subject == str(token_in_copies(sealed))
    assert "was there at 2" in found.detail
    for _ in range(2):  # it goes on, without having said so
        sealed.night()
    assert [each.what for each in of_stamps(sealed)] == ["rebuilt"]
    assert sealed.kinds() == {"rolled_back", "rebuilt"} - {"rolled_back"}


def test_what_was_lost_on_record_is_no_finding(sealed: SealedArchive, authority: Authority) -> None:
    with sealed.put_back_afterwards():
        sealed.night()
        sealed.stamp(authority)
    with writer(sealed.directory) as connection:
        accept_restore(connection, known_elsewhere(connection, sealed.config())[0], NOW)
    assert of_stamps(sealed) == []
    for _ in range(3):
        sealed.night()
    sealed.stamp(authority)
    assert sealed.findings() == []
    assert of_stamps(sealed) == []


def test_a_token_whose_row_is_lost_is_named_though_its_entry_was_the_last(
    sealed: SealedArchive,
) -> None:
    """No checkpoint counts it, so whoever cuts the last entry off is not seen by the ledger."""
    with closing(sqlite3.connect(sealed.directory / DATABASE, isolation_level=None)) as connection:
        without_triggers(connection)
        (newest,) = connection.execute("SELECT max(id) FROM ledger").fetchone()
        connection.execute("DELETE FROM time_stamps")
        connection.execute("DELETE FROM ledger_rows WHERE entry_id = ?", (newest,))
        connection.execute("DELETE FROM ledger WHERE id = ?", (newest,))
    (found,) = of_stamps(sealed)
    assert (found.what, found.is_damage) == ("extra", False)
    assert "which the archive does not have" in found.detail


def test_a_checkpoint_whose_row_is_lost_is_named_by_its_token(sealed: SealedArchive) -> None:
    with closing(sqlite3.connect(sealed.directory / DATABASE, isolation_level=None)) as connection:
        without_triggers(connection)
        connection.execute("DELETE FROM checkpoints")
    assert [each.what for each in of_stamps(sealed)] == ["extra"]
    assert sealed.findings()


def test_a_damaged_token_one_of_another_and_one_without_its_checkpoint_are_told_apart(
    sealed: SealedArchive, authority: Authority, tmp_path: Path
) -> None:
    path = token_in_copies(sealed)
    token = path.read_bytes()
    for data, kind in (
        (flip(token, 8 * len(token) - 80), "broken_token"),
        (b"", "broken_token"),
        (authority.token_of("of something else"), "misplaced_token"),
        (Authority(tmp_path / "other").token_of("x"), "foreign_authority"),
    ):
        path.write_bytes(data)
        assert [each.what for each in of_stamps(sealed)] == [kind]
    next((sealed.folder / "copies").glob("*.checkpoint")).unlink()
    assert [each.what for each in of_stamps(sealed)] == ["unchecked"]


def test_what_cannot_be_read_is_said_once(sealed: SealedArchive) -> None:
    copies = sealed.folder / "copies"
    shutil.rmtree(copies)
    copies.write_text("a file in its place")
    assert [each.what for each in of_stamps(sealed)] == ["unchecked"]
    assert verify(sealed.directory, Scope(), NOW).damage == []
