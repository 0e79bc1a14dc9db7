"""Signatures over both curves of the AT protocol."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver_bluesky.baddata import BadData
from archiver_bluesky.ecdsa import K256, P256, Curve, public_key
from archiver_bluesky.keys import did_key, key_of_method, parse_did_key
from support.bluesky.signing import SigningKey

MESSAGE = base64.b64decode("oWVoZWxsb2V3b3JsZA==")

# the vectors of the AT protocol's own interoperability tests: key, old form of it, signature
VECTORS = {
    "p256": (
        "did:key:zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo",
        {"type": "EcdsaSecp256r1VerificationKey2019",
         "publicKeyMultibase": "zxdM8dSstjrpZaRUwBmDvjGXweKuEMVN95A9oJBFjkWMh"},
        "2vZNsG3UKvvO/CDlrdvyZRISOFylinBh0Jupc6KcWoJWExHptCfduPleDbG3rko3YZnn9Lw0IjpixVmexJDegg==",
        "2vZNsG3UKvvO/CDlrdvyZRISOFylinBh0Jupc6KcWoKp7O4VS9giSAah8k5IUbXIW00SuOrjfEqQ9HEkN9JGzw==",
    ),
    "k256": (
        "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc",
        {"type": "EcdsaSecp256k1VerificationKey2019",
         "publicKeyMultibase": "z25z9DTpsiYYJKGsWmSPJK2NFN8PcJtZig12K59UgW7q5t"},
        "5WpdIuEUUfVUYaozsi8G0B3cWO09cgZbIIwg1t2YKdUn/FEznOndsz/qgiYb89zwxYCbB71f7yQK5Lr7NasfoA==",
        "5WpdIuEUUfVUYaozsi8G0B3cWO09cgZbIIwg1t2YKdXYA67MYxYiTMAVfdnkDCMN9S5B3vHosRe07aORmoshoQ==",
    ),
}  # fmt: skip


@pytest.mark.parametrize("curve", VECTORS)
def test_vectors_of_the_protocol(curve: str) -> None:
    name, old_form, good, high_s = VECTORS[curve]
    key = parse_did_key(name)
    assert key.curve.name == curve
    assert did_key(key) == name
    assert key_of_method(old_form) == key
    assert key.verifies(MESSAGE, base64.b64decode(good))
    assert not key.verifies(MESSAGE, base64.b64decode(high_s))


@pytest.mark.parametrize("curve", [K256, P256], ids=lambda curve: curve.name)
class TestSignatures:
    @settings(max_examples=10)
    @given(message=st.binary(), flipped=st.integers(0, 511))
    def test_only_the_signature_of_a_message_is_its_signature(
        self, curve: Curve, message: bytes, flipped: int
    ) -> None:
        key = SigningKey("alice", curve)
        signature = key.sign(message)
        assert key.public.verifies(message, signature)
        assert not key.public.verifies(message + b"!", signature)
        assert not SigningKey("bob", curve).public.verifies(message, signature)
        number = int.from_bytes(signature, "big") ^ 1 << flipped
        assert not key.public.verifies(message, number.to_bytes(64, "big"))

    def test_a_high_s_is_refused(self, curve: Curve) -> None:
        key = SigningKey("alice", curve)
        assert not key.public.verifies(b"hello", key.sign(b"hello", high_s=True))

    @pytest.mark.parametrize(
        "signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64, b"\0" * 63 + b"\1"]
    )
    def test_what_is_no_signature_is_refused(self, curve: Curve, signature: bytes) -> None:
        assert not SigningKey("alice", curve).public.verifies(b"hello", signature)

    def test_both_forms_of_a_point_are_one_key(self, curve: Curve) -> None:
        key = SigningKey("alice", curve).public
        whole = b"\x04" + key.x.to_bytes(32, "big") + key.y.to_bytes(32, "big")
        assert public_key(curve, whole) == public_key(curve, key.compressed) == key

    def test_what_is_no_point_is_refused(self, curve: Curve) -> None:
        key = SigningKey("alice", curve).public
        x, y = key.x.to_bytes(32, "big"), key.y.to_bytes(32, "big")
        beside = (key.y ^ 1).to_bytes(32, "big")
        for encoded in (b"", x, b"\x05" + x, b"\x02" + b"\xff" * 32, b"\x04" + x + beside,
                        b"\x02" + x + y, b"\x02" + (5).to_bytes(31, "big")):  # fmt: skip
            with pytest.raises(BadData):
                public_key(curve, encoded)
