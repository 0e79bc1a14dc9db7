"""What `status` says of the ledger: when it was signed last, why not, and who has it."""

import sys
from pathlib import Path

import pytest

from archiver.archive.database import reader, writer
from archiver.evidence.standing import LedgerStanding, read_standing
from support.sealed import SealedArchive, make_sealed


def standing(
    sealed: SealedArchive, evidence: str = 'checkpoint_copies = ["copies"]'
) -> LedgerStanding:
    config = sealed.config(evidence)
    with reader(sealed.directory) as connection:
        return read_standing(connection, config)


def test_of_a_signed_archive_all_is_well(tmp_path: Path) -> None:
    found = standing(make_sealed(tmp_path / "here", 1))
    assert (found.is_signed, found.problems) == (True, ())
    (copy,) = found.copies
    assert (copy.size, copy.problem) == (found.size, None)


def test_an_archive_without_a_run_has_no_checkpoint(tmp_path: Path) -> None:
    sealed = SealedArchive(tmp_path)
    with writer(sealed.directory):
        pass
    found = standing(sealed)
    assert (found.at, found.is_signed, found.copies) == (None, False, ())


def test_a_missing_extra_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = SealedArchive(tmp_path)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    sealed.night()
    found = standing(sealed)
    assert not found.is_signed
    assert "social-archiver[evidence]" in found.problems[0]


def test_an_archive_that_was_put_back_is_said(tmp_path: Path) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    with sealed.put_back_afterwards():
        sealed.night()
    found = standing(sealed)
    assert "--accept-restore" in found.problems[0]


def test_a_copy_that_lacks_the_newest_or_cannot_be_read_is_said(tmp_path: Path) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    sealed.night(sealed.config(""))
    found = standing(sealed, 'checkpoint_copies = ["copies", "archive.toml/x", "git:nowhere"]')
    lacks, empty, unreadable = found.copies
    assert lacks.problem == empty.problem == "lacks the newest"
    assert "git:" in (unreadable.problem or "")
