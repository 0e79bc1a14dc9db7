"""An older copy that was lawfully put back: on record, no finding, and signed again later."""

from pathlib import Path

import pytest

from archiver.archive.database import reader, writer
from archiver.errors import UsageError
from archiver.evidence.checkpoint_targets import copy_of
from archiver.evidence.restored import LostRange, accept_restore, heads_of
from archiver.evidence.signed_heads import signed_heads
from support.sealed import NOW, SealedArchive, make_sealed


@pytest.fixture
def sealed(tmp_path: Path) -> SealedArchive:
    return make_sealed(tmp_path / "here", 2)


def accept(sealed: SealedArchive) -> LostRange:
    with writer(sealed.directory) as connection:
        found, _ = heads_of(connection, sealed.config())
        return accept_restore(connection, found, NOW)


@pytest.mark.parametrize("nights", [0, 1])
def test_what_was_lost_is_on_record_and_no_finding_any_more(
    sealed: SealedArchive, nights: int
) -> None:
    """Also where the archive went on before anybody noticed."""
    with sealed.put_back_afterwards():
        lost = [sealed.night().checkpoint for _ in range(3)][-1]
    for _ in range(nights):
        sealed.night()
    assert sealed.kinds() <= {"rolled_back", "rebuilt"} != set()
    assert lost is not None
    assert accept(sealed).last == lost.size
    assert sealed.findings() == []
    with reader(sealed.directory) as connection:
        row = connection.execute("SELECT lost_size, lost_note FROM restores").fetchone()
        entry = connection.execute("SELECT entry FROM ledger ORDER BY id DESC").fetchone()[0]
    assert row == (lost.size, lost.note)
    assert '"restore_accepted":1' in entry


def test_checkpoints_are_signed_again_beyond_what_was_lost(sealed: SealedArchive) -> None:
    with sealed.put_back_afterwards():
        lost = [sealed.night().checkpoint for _ in range(3)][-1]
    assert lost is not None
    accept(sealed)
    signed: list[int] = []
    for _ in range(5):
        made = sealed.night()
        assert made.checkpoint is not None
        if made.problem is None:
            signed.append(made.checkpoint.size)
        else:
            assert made.checkpoint.size <= lost.size
    assert signed
    assert min(signed) > lost.size
    assert sealed.findings() == []
    with reader(sealed.directory) as connection:
        log = connection.execute("SELECT note FROM checkpoints").fetchone()[0].split("\n")[0]
    heads = signed_heads(sealed.config())
    assert copy_of(str(sealed.folder / "copies"), heads).newest(log) == signed[-1]


def test_there_is_nothing_to_accept_where_nothing_was_lost(sealed: SealedArchive) -> None:
    with pytest.raises(UsageError, match="nothing to accept"):
        accept(sealed)
