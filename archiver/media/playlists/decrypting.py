"""Decrypts segments (AES-128 in CBC mode, padded: RFC 8216 section 4.3.2.4)."""

import os
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, NoReturn

from archiver.errors import MediaError
from archiver.media.disk import CHUNK_SIZE, create_file, storage_error

_BLOCK = 16


@cache
def can_decrypt() -> bool:
    """Whether the library for it is installed."""
    return find_spec("cryptography") is not None


def decrypt(source: Path, target: Path, key: bytes, iv: bytes) -> None:
    """Write the decrypted bytes of a segment; a file of an earlier try is replaced.

    Raises MediaError where they are not what the key belongs to, StorageError.
    """
    try:
        target.unlink(missing_ok=True)
        if source.stat().st_size % _BLOCK:
            _refuse()
        with source.open("rb") as encrypted, os.fdopen(create_file(target), "wb") as plain:
            plain.writelines(_decrypted(encrypted, key, iv))
    except OSError as error:
        raise storage_error(error, f"write into {target.parent}") from error


def _decrypted(encrypted: BinaryIO, key: bytes, iv: bytes) -> Iterator[bytes]:
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415 — of an extra
    from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415 — as above
    from cryptography.hazmat.primitives.ciphers.modes import CBC  # noqa: PLC0415 — as above
    from cryptography.hazmat.primitives.padding import PKCS7  # noqa: PLC0415 — as above

    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    unpadder = PKCS7(8 * _BLOCK).unpadder()
    while data := encrypted.read(CHUNK_SIZE):
        yield unpadder.update(decryptor.update(data))
    try:
        yield unpadder.update(decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        _refuse()


def _refuse() -> NoReturn:
    raise MediaError(
        "The file could not be fetched",
        why="A segment cannot be decrypted with the key that belongs to it",
        code="bad_playlist",
    )
