"""Tokens of real authorities hold, and those of others, of something else or altered do not."""

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from archiver.errors import ConfigError
from archiver.evidence.time_tokens import (
    InvalidToken,
    can_check_tokens,
    check_token,
    token_request,
    trusted_roots,
)
from archiver.net.proxy import Route
from support.damage import flip
from support.time_stamping import Authority

NOTE = "archiver/1\n5\nAAAA\n"
DATA = Path(__file__).parents[1] / "data" / "time_stamps"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.token_of(NOTE)


def roots_of(authority: Authority) -> list[x509.Certificate]:
    return trusted_roots(authority.root, Route())


def problem_of(token: bytes, note: str, roots: list[x509.Certificate], nonce: int = 0) -> str:
    with pytest.raises(InvalidToken) as caught:
        check_token(token, note, roots, nonce or None)
    return caught.value.problem


def test_a_token_says_when_a_note_was_there(authority: Authority, token: bytes) -> None:
    before = datetime.now(UTC) - timedelta(minutes=5)
    checked = check_token(token, NOTE, roots_of(authority))
    assert before < checked.stamped_at < datetime.now(UTC) + timedelta(minutes=5)
    assert checked.chain.endswith(authority.root.read_text())
    assert checked.chain.count("BEGIN CERTIFICATE") == 2


def test_a_token_of_one_authority_is_refused_as_another_s(token: bytes, tmp_path: Path) -> None:
    assert problem_of(token, NOTE, roots_of(Authority(tmp_path))) == "foreign_authority"
    assert problem_of(token, NOTE, trusted_roots(None, Route())) == "foreign_authority"


def test_an_authority_of_the_same_name_is_another_one(tmp_path: Path, authority: Authority) -> None:
    forger = Authority(tmp_path, name=authority.name)
    assert problem_of(forger.token_of(NOTE), NOTE, roots_of(authority)) == "foreign_authority"


def test_a_token_of_something_else_is_named_as_such(authority: Authority, token: bytes) -> None:
    assert problem_of(token, f"{NOTE}\n", roots_of(authority)) == "misplaced_token"


def test_an_answer_to_another_request_is_refused(authority: Authority) -> None:
    request = token_request(NOTE)
    token = authority.stamp(request.query)
    roots = roots_of(authority)
    assert request.nonce is not None
    assert check_token(token, NOTE, roots, request.nonce)
    assert problem_of(token, NOTE, roots, request.nonce + 1) == "broken_token"


def test_a_flipped_bit_in_what_is_signed_is_found(authority: Authority, token: bytes) -> None:
    """What is not signed, such as numbers of versions, is guarded by the hash of the row."""
    roots = roots_of(authority)
    start = token.index(b"\x18\x0f20")  # the time, in what is signed
    for bit in (0, 3, 8 * 5, 8 * 10):
        with pytest.raises(InvalidToken):
            check_token(flip(token, 8 * (start + 2) + bit), NOTE, roots)
    assert problem_of(flip(token, 8 * (len(token) - 9)), NOTE, roots) == "broken_token"
    assert problem_of(token[:-40], NOTE, roots) == "broken_token"
    assert problem_of(b"<html>", NOTE, roots) == "broken_token"


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_any_flipped_bit_is_found_or_changes_nothing_that_a_token_says(step: int) -> None:
    """No signature covers two numbers of versions, and the name of the algorithm of the signature,
    which nobody looks at. In an archive, the hash of the row covers these too."""
    token, note = (DATA / "token.tsr").read_bytes(), (DATA / "note.txt").read_text("utf-8")
    roots = trusted_roots(DATA / "root.pem", Route())
    right = check_token(token, note, roots)
    unnoticed = set()
    for bit in range(0, 8 * len(token), step):
        with suppress(InvalidToken):
            assert check_token(flip(token, bit), note, roots) == right
            unnoticed.add(bit // 8)
    assert len(unnoticed) <= 10
    start = token.index(right.stamped_at.strftime("%Y%m%d%H%M%S").encode())
    assert unnoticed.isdisjoint(range(start, start + 14))


def test_a_chain_that_has_expired_since_still_holds_at_its_time() -> None:
    """Kept from an authority whose certificates held for a minute."""
    roots = trusted_roots(DATA / "root.pem", Route())
    assert roots[0].not_valid_after_utc < datetime.now(UTC)
    token, note = (DATA / "token.tsr").read_bytes(), (DATA / "note.txt").read_text("utf-8")
    assert check_token(token, note, roots).stamped_at < roots[0].not_valid_after_utc


def test_a_chain_that_had_expired_when_it_stamped_does_not(tmp_path: Path) -> None:
    late = Authority(tmp_path, until=datetime.now(UTC) - timedelta(hours=1))
    assert problem_of(late.token_of(NOTE), NOTE, roots_of(late)) == "broken_token"


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text("none")
    with pytest.raises(ConfigError, match="holds no certificates"):
        trusted_roots(tmp_path / "roots.pem", Route())
    with pytest.raises(ConfigError, match="No such file"):
        trusted_roots(tmp_path / "missing.pem", Route())


def test_without_the_extra_nothing_can_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_check_tokens()
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    assert not can_check_tokens()
