"""Values of DAG-CBOR as JSON, both ways (https://atproto.com/specs/data-model#json-representation).

Links are `{"$link": "bafy…"}`, bytes `{"$bytes": "<base64>"}`. The way back gives the same bytes of
DAG-CBOR, so a record that is kept as JSON still proves its CID.
"""

import base64
import binascii
from typing import Any

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid, parse_cid

_RESERVED = ("$link", "$bytes")


def to_json(value: Any) -> Any:
    """A DAG-CBOR value as JSON. Raises BadData where converting back would give another value."""
    if isinstance(value, Cid):
        return {"$link": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode().rstrip("=")}
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in _RESERVED:
            raise BadData("The record has an object that JSON would take for a link or for bytes")
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return value


def from_json(value: Any) -> Any:
    """The DAG-CBOR value of JSON. Raises BadData for an invalid link or invalid bytes."""
    if isinstance(value, dict):
        if len(value) == 1 and (link := value.get("$link")) is not None:
            return parse_cid(link)
        if len(value) == 1 and (encoded := value.get("$bytes")) is not None:
            return _bytes(encoded)
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_json(item) for item in value]
    return value


def _bytes(encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise BadData("Bytes are not in base64")
    try:
        return base64.b64decode(
            encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True
        )
    except binascii.Error:
        raise BadData("Bytes are not in base64") from None
