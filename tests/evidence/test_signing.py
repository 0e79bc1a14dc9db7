"""Checkpoints are signed, once for each size, and a run never fails because one is not."""

import sys
from pathlib import Path

import pytest

from archiver.archive.database import reader
from archiver.evidence.notes import signers
from archiver.evidence.signing_keys import key_path, keys_on_record
from support.sealed import SealedArchive, make_sealed


@pytest.fixture
def sealed(tmp_path: Path) -> SealedArchive:
    return make_sealed(tmp_path / "here", 2)


def test_every_checkpoint_is_signed_by_the_key_on_record(sealed: SealedArchive) -> None:
    with reader(sealed.directory) as connection:
        (key,) = keys_on_record(connection)
        notes = connection.execute("SELECT note FROM checkpoints").fetchall()
    assert len(notes) == 2
    for (note,) in notes:
        assert signers(note, [key.public]) == ([key.public], True)


def test_without_the_extra_it_is_written_unsigned(
    sealed: SealedArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    made = sealed.night()
    assert made.checkpoint is not None
    assert made.checkpoint.note == made.checkpoint.text
    assert made.problem is None


def test_an_archive_that_was_put_back_signs_no_second_checkpoint_of_a_size(
    sealed: SealedArchive,
) -> None:
    with sealed.put_back_afterwards():
        lost = sealed.night().checkpoint
    made = sealed.night()
    assert lost is not None
    assert made.checkpoint is not None
    assert made.checkpoint.note == made.checkpoint.text
    assert "--accept-restore" in (made.problem or "")
    assert sealed.night().problem is not None  # also once it has grown beyond


def test_the_copies_show_it_too_where_what_was_signed_last_is_not_known(
    sealed: SealedArchive,
) -> None:
    with sealed.put_back_afterwards():
        sealed.night()
    (sealed.folder / "archive.signed.json").unlink()
    assert "--accept-restore" in (sealed.night().problem or "")


def test_a_file_of_what_was_signed_that_is_damaged_is_told(sealed: SealedArchive) -> None:
    (sealed.folder / "archive.signed.json").write_text("{}", "utf-8")
    made = sealed.night(sealed.config(""))
    assert made.checkpoint is not None
    assert "cannot be read" in (made.problem or "")


def test_a_signature_that_was_given_and_not_saved_does_not_block_later_ones(
    sealed: SealedArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between signing and the commit: what was signed is still what the ledger has."""
    with monkeypatch.context() as patched:
        patched.setattr("archiver.archive.checkpoints.insert", _killed)
        with pytest.raises(KeyboardInterrupt):
            sealed.night()
    assert sealed.night().problem is None
    assert sealed.findings() == []
    assert key_path(sealed.config()) is not None


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
