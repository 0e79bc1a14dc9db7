"""Tokens whose certificates are in any order hold, and are kept as they came."""

import random
from collections import Counter
from pathlib import Path

import pytest
from rfc3161_client import decode_timestamp_response

from archiver.archive.database import reader
from archiver.clock import SystemClock
from archiver.evidence.stamping import stamp_newest
from archiver.evidence.standalone import check
from archiver.evidence.time_tokens import check_token, trusted_roots
from archiver.evidence.token_order import with_sorted_certificates
from archiver.net.proxy import Route
from support.damage import flip
from support.sealed import make_sealed
from support.time_stamping import Authority, swapped_certificates

NOTE = "archiver/1\n5\nAAAA\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), sends_root=True)


@pytest.fixture(scope="module")
def orders(authority: Authority) -> list[bytes]:
    """One token, as OpenSSL made it and with its two certificates the other way round."""
    token = authority.token_of(NOTE)
    return [token, swapped_certificates(token, authority)]


def test_a_token_holds_in_either_order(authority: Authority, orders: list[bytes]) -> None:
    roots = trusted_roots(authority.root, Route())
    first, second = (check_token(token, NOTE, roots) for token in orders)
    assert orders[0] != orders[1]
    assert first == second


def test_they_are_sorted_for_the_library_and_what_is_sorted_stays(orders: list[bytes]) -> None:
    (done,) = {with_sorted_certificates(token) for token in orders}
    assert done in orders
    assert with_sorted_certificates(done) == done
    assert decode_timestamp_response(done).status == 0


def test_it_is_kept_as_it_came_and_openssl_reads_it_so(tmp_path: Path) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    authority = Authority(tmp_path / "authority", sends_root=True)
    with authority.served() as address:
        lines = f"timestamp = ['{address}']\ntimestamp_roots = '{authority.root}'"
        config = sealed.config(f"{lines}\n[network]\nallow = ['127.0.0.0/8']")
        for _ in range(2):
            assert [each.error for each in stamp_newest(config, Route(), SystemClock())] == [None]
            sealed.night(config)
    with reader(sealed.directory) as connection:
        kept = [
            token for (token,) in connection.execute("SELECT token FROM time_stamps ORDER BY id")
        ]
    assert kept == authority.sent
    assert len(kept) == 2
    assert list(check(sealed.directory, [str(authority.root)])) == []


@pytest.mark.parametrize("seed", range(4))
def test_what_is_damaged_is_nothing_to_stumble_over(orders: list[bytes], seed: int) -> None:
    where = random.Random(seed)
    for token in orders:
        for _ in range(500):
            damaged = flip(token, where.randrange(8 * len(token)))[: where.choice([None, 9, 200])]
            assert Counter(with_sorted_certificates(damaged)) == Counter(damaged)
    for data in (b"", b"\x30", b"\x30\x80", b"<html>", b"\x30\x84\xff\xff\xff\xff"):
        assert with_sorted_certificates(data) == data
