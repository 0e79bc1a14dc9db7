"""Checkpoints are stamped by real authorities, and what fails in that is tried again."""

import sys
from pathlib import Path

import pytest

from archiver.archive.database import reader
from archiver.clock import SystemClock
from archiver.config import Config
from archiver.errors import ArchiveLocked, ArchiverError, ConfigError
from archiver.evidence.stamping import stamp_newest
from archiver.net.proxy import Route
from support.sealed import SealedArchive, make_sealed
from support.time_stamping import Authority


@pytest.fixture
def sealed(tmp_path: Path) -> SealedArchive:
    return make_sealed(tmp_path / "here", 1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def stamped_by(sealed: SealedArchive, roots: Path, *addresses: str) -> Config:
    allowed = '[network]\nallow = ["127.0.0.0/8"]'
    lines = f"timestamp = {list(addresses)}\ntimestamp_roots = '{roots}'\n{allowed}"
    return sealed.config(lines)


def stamp(config: Config) -> dict[str, ArchiverError | None]:
    return {each.authority: each.error for each in stamp_newest(config, Route(), SystemClock())}


def stamps(sealed: SealedArchive) -> list[tuple[int, str]]:
    with reader(sealed.directory) as connection:
        query = "SELECT checkpoint_id, authority FROM time_stamps ORDER BY id"
        return connection.execute(query).fetchall()


def test_the_newest_checkpoint_is_stamped_once_by_each(
    sealed: SealedArchive, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    roots = tmp_path / "roots.pem"
    roots.write_text(authority.root.read_text() + other.root.read_text())
    with authority.served() as one, other.served() as two:
        config = stamped_by(sealed, roots, one, two)
        assert stamp(config) == {one: None, two: None}
        assert stamp(config) == {}
        assert stamps(sealed) == [(1, one), (1, two)]
        sealed.night(config)
        assert stamp(config) == {one: None, two: None}
    assert stamps(sealed)[2:] == [(2, one), (2, two)]
    sealed.evidence = f"timestamp_roots = '{roots}'"
    assert sealed.kinds() == set()


def test_an_authority_that_fails_is_asked_again_and_the_others_are_not(
    sealed: SealedArchive, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", status=500)
    roots = tmp_path / "roots.pem"
    roots.write_text(authority.root.read_text() + other.root.read_text())
    with authority.served() as one, other.served() as two:
        config = stamped_by(sealed, roots, one, two)
        errors = stamp(config)
        assert errors[one] is None
        assert "answers 500" in str(errors[two])
        other.status = 200
        assert stamp(config) == {two: None}
    assert len(authority.asked) == 1


@pytest.mark.parametrize(
    ("answer", "why"), [(b"<html>", "it cannot be read"), (b"0" * 200_001, "too large")]
)
def test_what_is_no_token_is_not_kept(
    sealed: SealedArchive, authority: Authority, answer: bytes, why: str
) -> None:
    authority.answers.append(answer)
    with authority.served() as address:
        errors = stamp(stamped_by(sealed, authority.root, address))
    assert why in str(errors[address])
    assert stamps(sealed) == []


def test_a_token_of_an_authority_that_is_not_trusted_is_not_kept(
    sealed: SealedArchive, authority: Authority, tmp_path: Path
) -> None:
    with authority.served() as address:
        errors = stamp(stamped_by(sealed, Authority(tmp_path / "other").root, address))
    assert "below no trusted root" in str(errors[address])
    assert "timestamp_roots" in str(getattr(errors[address], "hint", None))
    assert stamps(sealed) == []


def test_an_answer_to_an_earlier_request_is_not_kept(
    sealed: SealedArchive, authority: Authority
) -> None:
    with reader(sealed.directory) as connection:
        (note,) = connection.execute("SELECT note FROM checkpoints").fetchone()
    authority.answers.append(authority.token_of(note))
    with authority.served() as address:
        errors = stamp(stamped_by(sealed, authority.root, address))
    assert "not kept" in str(errors[address])


def test_a_private_address_is_asked_only_where_the_config_allows_it(
    sealed: SealedArchive, authority: Authority
) -> None:
    with authority.served() as address:
        config = sealed.config(f"timestamp = ['{address}']\ntimestamp_roots = '{authority.root}'")
        errors = stamp(config)
    assert "127.0.0.1 is not on the public internet" in str(errors[address])
    assert authority.asked == []


def test_without_authorities_nothing_is_needed_and_with_them_the_extra(
    sealed: SealedArchive, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    assert stamp(sealed.config()) == {}
    with pytest.raises(ConfigError, match="pip install"):
        stamp(stamped_by(sealed, authority.root, "https://tsa.example/tsr"))


def test_an_archive_that_another_program_writes_to_is_stamped_later(
    sealed: SealedArchive, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archiver.archive.database import writer

    monkeypatch.setattr("archiver.evidence.stamping._LOCKED_MS", 1)
    with authority.served() as address:
        config = stamped_by(sealed, authority.root, address)
        with writer(sealed.directory), pytest.raises(ArchiveLocked):
            stamp(config)
        assert stamp(config) == {address: None}
