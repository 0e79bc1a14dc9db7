"""Signed addresses are good for their path, until they expire or are revoked."""

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from archiver.clock import START
from archiver_ayrshare.demo.signing import Scheme, is_valid, query

SIGNED: list[Scheme] = ["meta", "tiktok", "linkedin"]
END = START + timedelta(days=1)


def params(scheme: Scheme, path: str = "/a.jpg", generation: int = 3) -> dict[str, str]:
    text = query(scheme, path, expires=END, generation=generation)
    return dict(parse_qsl(text.removeprefix("?")))


@pytest.mark.parametrize("scheme", SIGNED)
def test_an_address_is_good_until_it_expires(scheme: Scheme) -> None:
    for seconds, good in ((-1, True), (0, False)):
        now = END + timedelta(seconds=seconds)
        assert is_valid(scheme, "/a.jpg", params(scheme), now=now, oldest=0) is good


@pytest.mark.parametrize("scheme", SIGNED)
def test_another_path_a_revoked_or_a_changed_signature_is_refused(scheme: Scheme) -> None:
    assert not is_valid(scheme, "/b.jpg", params(scheme), now=START, oldest=0)
    assert is_valid(scheme, "/a.jpg", params(scheme), now=START, oldest=3)
    assert not is_valid(scheme, "/a.jpg", params(scheme), now=START, oldest=4)
    for name in params(scheme):
        without = {key: value for key, value in params(scheme).items() if key != name}
        changed = without | {name: "x"}
        if not is_valid(scheme, "/a.jpg", without, now=START, oldest=0):
            assert not is_valid(scheme, "/a.jpg", changed, now=START, oldest=0)
    assert not is_valid(scheme, "/a.jpg", {}, now=START, oldest=0)


def test_every_generation_has_another_signature_and_plain_addresses_have_none() -> None:
    assert params("meta", generation=3) != params("meta", generation=4)
    assert query("plain", "/a.jpg", expires=END, generation=1) == ""
    assert is_valid("plain", "/a.jpg", {}, now=END, oldest=9)
