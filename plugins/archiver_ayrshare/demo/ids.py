"""Ids that look like each platform's own, and are the same in every run."""

import hashlib

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BASE32 = "234567abcdefghijklmnopqrstuvwxyz"


def digest(*parts: object) -> bytes:
    """A hash of these parts, 32 bytes."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=32).digest()


def number(below: int, *parts: object) -> int:
    """A whole number from 0 up to, not including, `below`."""
    return int.from_bytes(digest(*parts)[:12], "big") % below


def digits(count: int, *parts: object) -> str:
    """So many decimal digits, the first of which is not 0."""
    least = 10 ** (count - 1)
    return str(least + number(9 * least, *parts))


def letters(count: int, *parts: object) -> str:
    """So many characters of the URL-safe base 64 alphabet, 43 at most."""
    return _encode(count, _BASE64, parts)


def base32(count: int, *parts: object) -> str:
    """So many characters of the alphabet that the AT protocol sorts by, 51 at most."""
    return _encode(count, _BASE32, parts)


def sortable(count: int, value: int) -> str:
    """A whole number in that alphabet, padded, so that text order is number order."""
    text = ""
    for _ in range(count):
        value, rest = divmod(value, 32)
        text = _BASE32[rest] + text
    return text


def uuid(*parts: object) -> str:
    """Something in the form of a UUID."""
    text = digest(*parts).hex()[:32]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-9{text[17:20]}-{text[20:]}"


def hex_digits(count: int, *parts: object) -> str:
    """So many lower-case hex digits, 64 at most."""
    return digest(*parts).hex()[:count]


def _encode(count: int, alphabet: str, parts: tuple[object, ...]) -> str:
    value = int.from_bytes(digest(*parts), "big")
    text = []
    for _ in range(count):
        value, rest = divmod(value, len(alphabet))
        text.append(alphabet[rest])
    return "".join(text)
