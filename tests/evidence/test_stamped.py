"""Tokens that an archive has are checked, and each that does not hold is named for what it is."""

import sqlite3
from pathlib import Path

import pytest

from archiver.archive.database import reader, writer
from archiver.archive.rows import insert
from archiver.config import Config
from archiver.evidence.stamped import check_time_stamps, read_authorities
from archiver.evidence.time_tokens import check_token, trusted_roots
from archiver.models import time_text
from archiver.net.proxy import Route
from support.damage import flip
from support.sealed import SealedArchive, make_sealed
from support.time_stamping import Authority

ADDRESS = "https://tsa.example/tsr"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def sealed(tmp_path: Path) -> SealedArchive:
    return make_sealed(tmp_path / "here", 2)


def config_of(sealed: SealedArchive, authority: Authority) -> Config:
    return sealed.config(f"timestamp = ['{ADDRESS}']\ntimestamp_roots = '{authority.root}'")


def note_of(connection: sqlite3.Connection, checkpoint: int) -> str:
    query = "SELECT note FROM checkpoints WHERE id = ?"
    return str(connection.execute(query, (checkpoint,)).fetchone()[0])


def put(
    sealed: SealedArchive, authority: Authority, *, of: int, at: int, bit: int | None = None,
    shift: str = "",
) -> None:  # fmt: skip
    """Put a token of one checkpoint to another, perhaps with a flipped bit of its signature."""
    with writer(sealed.directory) as connection:
        note = note_of(connection, of)
        token = authority.token_of(note)
        checked = check_token(token, note, trusted_roots(authority.root, Route()))
        if bit is not None:
            token = flip(token, 8 * len(token) - bit)
        insert(
            connection, "time_stamps", checkpoint_id=at, authority=ADDRESS,
            received_at="2026-03-01T00:00:00.000Z",
            stamped_at=shift or time_text(checked.stamped_at), token=token, chain=checked.chain,
        )  # fmt: skip


def kinds(sealed: SealedArchive, config: Config | None, *, is_own: bool = True) -> list[str]:
    with reader(sealed.directory) as connection:
        return [found.what for found in check_time_stamps(connection, config, is_own=is_own)]


def test_tokens_that_hold_are_no_finding(sealed: SealedArchive, authority: Authority) -> None:
    assert kinds(sealed, config_of(sealed, authority)) == []
    put(sealed, authority, of=1, at=1)
    put(sealed, authority, of=2, at=2)
    assert kinds(sealed, config_of(sealed, authority)) == []


def test_a_broken_token_one_of_another_checkpoint_and_a_false_time_are_named(
    sealed: SealedArchive, authority: Authority
) -> None:
    put(sealed, authority, of=1, at=1, bit=80)
    put(sealed, authority, of=1, at=2)
    put(sealed, authority, of=2, at=2, shift="2020-01-01T00:00:00.000Z")
    expected = ["broken_token", "misplaced_token", "broken_token"]
    assert kinds(sealed, config_of(sealed, authority)) == expected


def test_a_token_of_a_foreign_authority_is_named(
    sealed: SealedArchive, authority: Authority, tmp_path: Path
) -> None:
    put(sealed, Authority(tmp_path / "other"), of=1, at=1)
    assert kinds(sealed, config_of(sealed, authority)) == ["foreign_authority"]
    assert kinds(sealed, sealed.config()) == ["foreign_authority"]


def test_of_the_archive_of_another_nobody_has_said_which_authorities_it_trusts(
    sealed: SealedArchive, authority: Authority
) -> None:
    put(sealed, authority, of=1, at=1)
    assert kinds(sealed, None, is_own=False) == ["unchecked"]
    assert kinds(sealed, config_of(sealed, authority), is_own=False) == []


def test_roots_that_cannot_be_read_leave_it_unchecked(
    sealed: SealedArchive, authority: Authority
) -> None:
    put(sealed, authority, of=1, at=1)
    config = sealed.config("timestamp_roots = 'missing.pem'")
    assert kinds(sealed, config) == ["unchecked"]


def test_an_authority_stands_by_when_it_stamped_last(
    sealed: SealedArchive, authority: Authority
) -> None:
    put(sealed, authority, of=1, at=1)
    with reader(sealed.directory) as connection:
        one, other = read_authorities(connection, [ADDRESS, "https://other.example"])
    assert (one.at is not None, one.problem) == (True, "nothing stamped since then")
    assert (other.at, other.problem) == (None, "nothing stamped yet")
    put(sealed, authority, of=2, at=2)
    with reader(sealed.directory) as connection:
        (one,) = read_authorities(connection, [ADDRESS])
    assert one.problem is None
