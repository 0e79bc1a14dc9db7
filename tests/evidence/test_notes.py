"""Signed notes: the example of their specification and RFC 8032's, with the library and without."""

import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.evidence import notes, standalone
from archiver.evidence.notes import head_of, private_text, public_key_of, public_text, seed_of
from support.damage import flip

NAME = "PeterNeumann"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    "otpRZb6KE6RyyBwJnAM=\n"
)
"""The example of the documentation of golang.org/x/mod/sumdb/note, which made the format common."""

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]  # fmt: skip
"""Section 7.1, tests 1 to 3: public key, message, signature."""


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_are_right_and_nothing_near_them(
    key: str, message: str, signature: str
) -> None:
    public, text, signed = map(bytes.fromhex, (key, message, signature))
    assert standalone.is_signature(public, text, signed)
    assert not standalone.is_signature(public, text + b"!", signed)
    for bit in range(0, 512, 97):
        assert not standalone.is_signature(public, text, flip(signed, bit))
    too_large = int.from_bytes(signed[32:], "little") + standalone.ORDER
    assert not standalone.is_signature(public, text, signed[:32] + too_large.to_bytes(32, "little"))


@pytest.fixture(params=["with the library", "without it"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to check a signature."""
    if request.param == "without it":
        for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)


@pytest.mark.usefixtures("library")
def test_the_example_of_the_format_is_read() -> None:
    key = public_key_of(PUBLIC)
    assert public_text(NAME, key) == PUBLIC
    assert private_text(NAME, seed_of(PRIVATE), key) == PRIVATE
    assert notes.signers(NOTE, [key]) == ([key], True)
    assert notes.signers(NOTE, [bytes(32)]) == ([], False)
    assert notes.signers(NOTE.replace("problem,", "problem;"), [key]) == ([], False)


@given(bit=st.integers(0, 8 * len(NOTE.encode()) - 1))
def test_any_single_changed_bit_of_a_note_is_noticed(bit: int) -> None:
    key = public_key_of(PUBLIC)
    altered = flip(NOTE.encode(), bit).decode("utf-8", "replace")
    for signers in (notes.signers, standalone.signers)[: 1 if bit % 5 else 2]:
        with suppress(ValueError):
            assert signers(altered, [key]) != ([key], True)


@pytest.mark.parametrize("text", [
    "", "no checkpoint", "archiver/x\n5\n", "archiver/x\nfive\nAAAA\n", "archiver/x\n5\nAAAA\n",
    "archiver/x\n5\nO80jm5ypzK6Af0mg/DYPOzg/OGg8qIi4gTYbUd6NhUw=\nmore\n",
])  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        head_of(text)


@pytest.mark.parametrize("text", ["", "a+b+c", PUBLIC.replace("c7", "c8"), PUBLIC[:-4]])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        public_key_of(text)


@pytest.mark.parametrize("text", ["", PUBLIC, PRIVATE[:-4]])
def test_what_is_no_private_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        seed_of(text)
