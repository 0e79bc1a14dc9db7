r"""The exact bytes that hashes are computed over, so that others can compute them too.

Content is hashed as canonical JSON: keys sorted by code point, no white space, everything outside
ASCII written as `\uXXXX` (UTF-16, lower-case hex), whole numbers in decimal. It is what this
prints, for a value read from JSON:

    json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

Rows are hashed in another form, which is faster to write: there are millions; see `row_sha256`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import starmap
from typing import Any

import msgspec

from archiver.media_keys import address_key
from archiver.models import Attachment, Post, Rendition

_encode = msgspec.json.Encoder(order="deterministic").encode
_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, check_circular=False
).encode
_DIGITS = {"metrics": 12}
_PLAIN = frozenset({str, int, bool, type(None)})
"""Types of values that msgspec writes as canonical JSON has them, where they are ASCII."""


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of a JSON value."""
    return _canonical(value).encode()


def sha256_of(value: Any) -> str:
    """Lower-case hex SHA-256 of the canonical bytes of a value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_of_plain(value: Any) -> str:
    """What `sha256_of` gives, several times as fast where all text is ASCII.

    For lists, and objects, of text, whole numbers, truth values and null only: fractional numbers
    are written in another form.
    """
    try:
        encoded = _encode(value)
    except (UnicodeEncodeError, OverflowError):
        return sha256_of(value)
    if not encoded.isascii() or b"\x7f" in encoded:  # canonical JSON escapes both
        return sha256_of(value)
    return hashlib.sha256(encoded).hexdigest()


def media_key(rendition: Rendition) -> str:
    """What identifies a rendition across runs: the platform's id, else its URL's `address_key`.

    Empty for an absent rendition: omitted, not offered, or with an address not understood.
    """
    if rendition.media_key:
        return rendition.media_key
    if rendition.absent:
        return ""
    if rendition.member:
        return rendition.member.rpartition("/")[2]
    return address_key(rendition.url) if rendition.url else ""


def attachment_keys(attachments: Iterable[Attachment]) -> list[str]:
    """The key of each attachment of one post, in order; repeated ones are numbered `#2`, `#3`."""
    seen: dict[str, int] = {}
    keys = []
    for attachment in attachments:
        key = attachment.platform_id or next(
            (key for r in attachment.renditions if (key := media_key(r))), attachment.kind
        )
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return keys


def content_sha256(post: Post) -> str:
    """The hash of a post's content: the platform's content fields, and the attachments.

    Of attachments it holds kind, key and alt text in order, never addresses or sizes; of what only
    this source knows, what is content.
    """
    attached = [
        [attachment.kind, key, attachment.alt_text]
        for attachment, key in zip(post.attachments, attachment_keys(post.attachments), strict=True)
    ]
    fields = dict(post.content)
    content: dict[str, Any] = {"attachments": attached, "fields": fields}
    if extra := {each.name: each.value for each in post.extra if each.is_content}:
        content["extra"] = extra
    elif {*map(type, fields)} <= {str} and {*map(type, fields.values())} <= _PLAIN:
        return sha256_of_plain(content)
    return sha256_of(content)


def fingerprint(post: Post, content_version: int) -> bytes:
    """A hash of everything that is compared when a post is saved; equal ones are not written.

    Addresses are in it only by their media key, so rotated hosts and signatures change nothing.
    """
    parts: list[Any] = [
        content_version,
        post.created_at, post.kind, post.text, post.title, post.url, post.visibility, post.author,
        post.edited_at, post.id_only, dict(post.content),
        [(alias.scheme, alias.value) for alias in post.aliases],
        [(relation.kind, relation.platform_id, relation.url) for relation in post.relations],
        [(metric.name, metric.value) for metric in post.metrics],
        [
            (
                a.kind, a.platform_id, a.alt_text, a.width, a.height, a.duration_ms,
                [(m.name, m.value) for m in a.metrics],
                [
                    (r.role, media_key(r), _absence(r), r.content_type, r.width, r.height,
                     r.bitrate)
                    for r in a.renditions
                ],
            )
            for a in post.attachments
        ],
    ]  # fmt: skip
    if post.extra:
        parts.append([(each.name, each.value, each.is_content) for each in post.extra])
    if post.emoji:
        parts.append([(code, address_key(url)) for code, url in sorted(post.emoji.items())])
    if expected := [(r.sha256, r.size) for a in post.attachments for r in a.renditions if r.sha256]:
        parts.append(expected)
    if post.removed_at is not None:
        parts.append(post.removed_at)
    try:
        return hashlib.sha256(_encode(parts)).digest()
    except (UnicodeEncodeError, OverflowError, TypeError):  # values that msgspec cannot encode
        return hashlib.sha256(canonical_json(parts)).digest()


def _absence(rendition: Rendition) -> str | list[str] | None:
    """Why there is no file, with the text of an address that was not understood."""
    if rendition.absent == "address_not_understood" and rendition.url:
        return [rendition.absent, rendition.url]
    return rendition.absent


def row_digest(table: str, row: Mapping[str, Any]) -> str:
    r"""The hash of a row, in lower-case hex: of its table's name and all its columns.

    It is the SHA-256 of the row as a JSON object of its columns by name, with the table's name
    under the empty key, without `row_sha256` and without columns that are NULL: so a column that
    a later version adds changes no hash. The bytes are those of RFC 8785 (keys sorted, no white
    space, UTF-8, only `"`, `\` and control characters escaped), with BLOBs as base64 and
    fractional numbers as text, as `repr` writes them.

    Raises UnicodeEncodeError for text that is not Unicode, which only damage can cause.
    """
    columns: dict[str, Any] = {name: value for name, value in row.items() if value is not None}
    columns.pop("row_sha256", None)
    columns[""] = table
    if type(columns.get("value")) is float:  # the only column that holds fractions, in metrics
        columns["value"] = repr(columns["value"])
    return hashlib.sha256(_encode(columns)).hexdigest()


def encoded_rows(table: str, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> list[bytes]:
    """The bytes that `row_digest` hashes, of rows without fractional numbers, and much faster.

    `columns` are sorted, and the values of each row are in that order. Raises as `row_digest` does.
    """
    return list(map(_encode, starmap(_row_form(table, tuple(columns)), rows)))


@lru_cache(256)
def _row_form(table: str, columns: tuple[str, ...]) -> type[msgspec.Struct]:
    """A class whose objects are encoded as rows are hashed, without a dict for each."""
    return msgspec.defstruct(
        "Row", [(name, Any, None) for name in columns], tag=table, tag_field="",
        omit_defaults=True, gc=False,
    )  # fmt: skip


def shortened(table: str, digest: str) -> str:
    """The hash of a row as the row has it: those of `metrics` are many and small, so twelve digits.

    The ledger commits to the whole hash.
    """
    return digest[: _DIGITS.get(table)]


def row_sha256(table: str, row: Mapping[str, Any]) -> str:
    """The hash of a row as its column `row_sha256` has it, see `row_digest` and `shortened`."""
    return shortened(table, row_digest(table, row))
