"""Blobs: files that a record names by their CID, which is their SHA-256."""

import re
from typing import Any, NamedTuple

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid, parse_cid

_LARGEST = 2**53
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)


class Blob(NamedTuple):
    """A file: `size` is in bytes, None where the record does not say it (posts of early 2023)."""

    cid: Cid
    content_type: str | None
    size: int | None


def parse_blob(value: Any) -> Blob | None:
    """A blob from its JSON in a record, in the current form or that of early 2023; else None.

    https://atproto.com/specs/data-model#blob-type
    """
    if not isinstance(value, dict):
        return None
    ref, size, kind = value.get("ref"), value.get("size"), value.get("mimeType")
    link = ref.get("$link") if isinstance(ref, dict) else value.get("cid")
    try:
        cid = parse_cid(link)
    except BadData:
        return None
    return Blob(
        cid,
        kind if isinstance(kind, str) and _MEDIA_TYPE.fullmatch(kind) else None,
        size if type(size) is int and 0 < size < _LARGEST else None,
    )
