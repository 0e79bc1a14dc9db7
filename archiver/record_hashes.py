"""The hashes by which an unchanged record is recognised: of its text, and without signatures.

Meta, TikTok and others sign the address of a file anew for every answer. So in values of a record
that are nothing but an address, the second hash is only of what `archiver.media_keys.address_key`
keeps. An address that people published is content, and stays whole.
"""

import hashlib
import re
from typing import Any

from archiver.media_keys import unsigned_address
from archiver.models import Post, Record

FORM = 3
"""Counts the ways in which records were hashed; part of what identifies the code that read one."""

_BEGINNING = re.compile(r"https?:(?:/|\\/){2}[^?]")
"""How an address begins."""


def exact_sha256(record: Record) -> bytes:
    """The hash of a record's exact text."""
    return _sha256(record.raw)


def unsigned_sha256(record: Record) -> bytes:
    """The hash of a record's text, its addresses without their signatures."""
    return _sha256(_unsigned(record.raw))


def second_hash(record: Record, post: Post) -> bytes | None:
    """The hash without signatures to keep of a record that was parsed as this post.

    None where nothing is signed, or where the post itself has an address with a signature.
    """
    unsigned = _unsigned(record.raw)
    if unsigned == record.raw or _has_signed(_published(post)):
        return None
    return _sha256(unsigned)


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _unsigned(raw: str) -> str:
    """The text, without the signatures of JSON texts in it that are nothing but an address.

    Such a text begins at the last quotation mark before its first question mark. Looking for those
    takes half as long as a regular expression.
    """
    pieces: list[str] = []
    kept = begin = 0
    while (mark := raw.find("?", begin)) >= 0:
        start = raw.rfind('"', begin, mark) + 1
        begin = mark + 1
        if start and _BEGINNING.match(raw, start):
            end = raw.find('"', begin)
            address = raw[start:end]
            if end > begin and address.split(None, 1) == [address]:  # without white space
                pieces += (raw[kept:start], _without_signature(address))
                kept, begin = end, end + 1
    return "".join((*pieces, raw[kept:])) if pieces else raw


def _without_signature(address: str) -> str:
    if "\\" in address:  # the escapes that encoders of JSON use in addresses
        address = address.replace("\\/", "/").replace("\\u0026", "&")
    return unsigned_address(address)


def _is_signed(text: str) -> bool:
    return _unsigned(f'"{text}"') != f'"{text}"'


def _published(post: Post) -> list[Any]:
    """All texts of a post but the addresses of its files."""
    return [
        post.text, post.title, post.url, post.content,
        *[relation.url for relation in post.relations],
        *[alias.value for alias in post.aliases],
        *[attachment.alt_text for attachment in post.attachments],
        *[each.value for each in post.extra],
    ]  # fmt: skip


def _has_signed(value: Any) -> bool:
    """Whether there is a text in a value that is an address with a signature."""
    if isinstance(value, str):
        return "?" in value and _is_signed(value)
    if isinstance(value, dict):
        return any(map(_has_signed, value)) or any(map(_has_signed, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_signed, value))
