"""Public keys as DIDs write them (https://atproto.com/specs/cryptography#public-key-encoding)."""

from collections.abc import Mapping
from typing import Any

from archiver_bluesky.baddata import BadData
from archiver_bluesky.ecdsa import K256, P256, Curve, PublicKey, public_key

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LONGEST = 200
_PREFIXES = {b"\xe7\x01": K256, b"\x80\x24": P256}  # multicodec, as varints
_OLD_FORMS = {
    "EcdsaSecp256k1VerificationKey2019": K256,
    "EcdsaSecp256r1VerificationKey2019": P256,
}
_DID_KEY = "did:key:"


def parse_did_key(text: object) -> PublicKey:
    """A key from `did:key:z…`. Raises BadData."""
    if not isinstance(text, str) or not text.startswith(_DID_KEY):
        raise BadData("A key is not a did:key", "identity")
    return _of_multikey(_of_multibase(text.removeprefix(_DID_KEY)))


def did_key(key: PublicKey) -> str:
    """A key as `did:key:z…`."""
    prefix = next(prefix for prefix, curve in _PREFIXES.items() if curve is key.curve)
    return f"{_DID_KEY}z{_base58(prefix + key.compressed)}"


def key_of_method(method: Mapping[str, Any]) -> PublicKey:
    """The key of a verification method of a DID document, in the current form or that of 2022.

    The old form, still written by the directory's older servers, has a point without a prefix, and
    says the curve in its `type`. Raises BadData.
    """
    data = _of_multibase(method.get("publicKeyMultibase"))
    kind = method.get("type")
    old: Curve | None = _OLD_FORMS.get(kind) if isinstance(kind, str) else None
    if old is None and kind != "Multikey":
        raise BadData("The document has a signing key of an unknown type", "identity")
    return _of_multikey(data) if old is None else public_key(old, data)


def _of_multikey(data: bytes) -> PublicKey:
    if (curve := _PREFIXES.get(data[:2])) is None:
        raise BadData("A key is of a curve that the AT protocol does not have", "identity")
    return public_key(curve, data[2:])


def _of_multibase(text: object) -> bytes:
    """The bytes of `z…`: base58, as Bitcoin writes it."""
    if not isinstance(text, str) or not text.startswith("z") or len(text) > _LONGEST:
        raise BadData("A key is not in base58", "identity")
    digits = text[1:]
    number = 0
    for letter in digits:
        if (value := _VALUES.get(letter)) is None:
            raise BadData("A key is not in base58", "identity")
        number = number * 58 + value
    zeros = len(digits) - len(digits.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _base58(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    letters = []
    while number:
        number, digit = divmod(number, 58)
        letters.append(_ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(letters))
