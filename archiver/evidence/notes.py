"""Signed notes and their keys, in the text formats of https://c2sp.org/signed-note.

Reading them needs no library (see `standalone`); where `cryptography` is installed, it checks the
signatures, some fifty times faster.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence

from archiver.evidence import standalone

ALGORITHM = b"\x01"
"""What stands before an Ed25519 key where it is written as text."""
KEY_SIZE = 32
_PRIVATE = "PRIVATE+KEY+"


def public_text(name: str, public_key: bytes) -> str:
    """A public key as text, `NAME+ID+KEY`, for whoever checks notes that `name` signed."""
    digest = standalone.key_id(name, public_key).hex()
    return f"{name}+{digest}+{b64encode(ALGORITHM + public_key).decode()}"


def public_key_of(text: str) -> bytes:
    """The public key in such a text. Raises ValueError."""
    name, digest, encoded = text.strip().split("+", 2)
    data = b64decode(encoded, validate=True)
    if data[:1] != ALGORITHM or len(data) != 1 + KEY_SIZE:
        raise ValueError("no Ed25519 key")
    if standalone.key_id(name, data[1:]).hex() != digest:
        raise ValueError("the id of the key is not the one of its bytes")
    return data[1:]


def private_text(name: str, seed: bytes, public_key: bytes) -> str:
    """A private key as text, in the form that the `note` package of Go has made common."""
    digest = standalone.key_id(name, public_key).hex()
    return f"{_PRIVATE}{name}+{digest}+{b64encode(ALGORITHM + seed).decode()}"


def seed_of(text: str) -> bytes:
    """The 32 bytes of the private key in such a text. Raises ValueError."""
    if not text.startswith(_PRIVATE):
        raise ValueError("it does not begin with PRIVATE+KEY")
    _, _, encoded = text.removeprefix(_PRIVATE).strip().split("+", 2)
    data = b64decode(encoded, validate=True)
    if data[:1] != ALGORITHM or len(data) != 1 + KEY_SIZE:
        raise ValueError("it holds no Ed25519 key")
    return data[1:]


def signature_line(name: str, public_key: bytes, signature: bytes) -> str:
    """The line of a signature (64 bytes), with its end."""
    encoded = b64encode(standalone.key_id(name, public_key) + signature).decode()
    return f"\u2014 {name} {encoded}\n"


def signers(note: str, keys: Sequence[bytes]) -> tuple[list[bytes], bool]:
    """Those of the keys that signed a note, and whether all of its signatures are theirs.

    Raises ValueError where it is no note.
    """
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 — an extra
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 — as above
            Ed25519PublicKey,
        )
    except ImportError:
        return standalone.signers(note, keys)
    text, signatures = standalone.split_note(note)
    found = []
    for name, signature in signatures:
        for key in keys:
            if standalone.key_id(name, key) != signature[:4]:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(signature[4:], text.encode())
            except (InvalidSignature, ValueError):
                continue
            found.append(key)
            break
    return found, len(found) == len(signatures)


def head_of(note: str) -> tuple[str, int, bytes]:
    """The log, the number of entries and the root hash of a checkpoint. Raises ValueError."""
    text, _ = standalone.split_note(note)
    log, size, encoded, end = text.split("\n")
    root = b64decode(encoded, validate=True)
    if end or not size.isdecimal() or not size.isascii() or len(root) != KEY_SIZE:
        raise ValueError("no checkpoint")
    return log, int(size), root
