"""Public keys as text."""

from typing import Any

import pytest

from archiver_bluesky.baddata import BadData
from archiver_bluesky.ecdsa import K256, P256
from archiver_bluesky.keys import did_key, key_of_method, parse_did_key
from support.bluesky.signing import SigningKey


@pytest.mark.parametrize("curve", [K256, P256], ids=lambda curve: curve.name)
def test_a_key_comes_back_from_its_text(curve: Any) -> None:
    key = SigningKey("alice", curve).public
    text = did_key(key)
    assert parse_did_key(text) == key
    multikey = {"type": "Multikey", "publicKeyMultibase": text.removeprefix("did:key:")}
    assert key_of_method(multikey) == key


@pytest.mark.parametrize(
    "text",
    [None, 5, "", "did:key:", "did:key:z", "did:key:zQ3sh0", "did:key:mAAAA", "zQ3shok",
     "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "did:key:z" + "1" * 500],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: object) -> None:
    with pytest.raises(BadData):
        parse_did_key(text)


@pytest.mark.parametrize(
    "method",
    [{}, {"type": "Multikey"}, {"type": "Ed25519VerificationKey2020", "publicKeyMultibase": "z11"},
     {"type": ["Multikey"], "publicKeyMultibase": "z11"},
     {"type": "EcdsaSecp256k1VerificationKey2019", "publicKeyMultibase": "z11"}],
)  # fmt: skip
def test_a_method_without_a_key_is_refused(method: Any) -> None:
    with pytest.raises(BadData):
        key_of_method(method)
