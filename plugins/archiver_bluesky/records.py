"""Records as the archive keeps them: URI, CID, and value as JSON.

    {"uri": "at://DID/app.bsky.feed.post/3l…", "cid": "bafyrei…", "pds": "https://…",
     "value": {"$type": "app.bsky.feed.post", …},
     "threadgate": {"uri": …, "cid": …, "value": {…}}}

The DAG-CBOR of `value` has the hash that `cid` says, so that the archive's text proves itself.
`pds` is where its files are.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from archiver import Record, write_json
from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid, cid_of_block, parse_cid
from archiver_bluesky.dag_cbor import decode, encode
from archiver_bluesky.dag_json import from_json, to_json

POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"
PROFILE = "app.bsky.actor.profile"
_URI = re.compile(r"at://([a-zA-Z0-9._:%-]{3,2048})/([a-zA-Z0-9.-]+/[a-zA-Z0-9._~:-]+)", re.ASCII)

GATES = {"app.bsky.feed.threadgate": "threadgate", "app.bsky.feed.postgate": "postgate"}
"""Collections of records that say who may reply to or quote a post; their keys are the post's."""


def describe(did: str, key: str, cid: Cid, block: bytes) -> dict[str, Any]:
    """A record's URI, CID and value.

    Where JSON cannot hold the value, or it is not DAG-CBOR, its bytes are kept as base64 under
    `block`, and `why` says what is wrong.
    """
    said: dict[str, Any] = {"uri": f"at://{did}/{key}", "cid": str(cid)}
    try:
        value = to_json(decode(block))
        if cid_of_block(encode(from_json(value))) != cid:
            raise BadData("The record is not in its canonical form")
        said["value"] = value
    except BadData as error:
        said["block"] = base64.b64encode(block).decode()
        said["why"] = str(error)
    return said


def make_record(data: dict[str, Any]) -> Record:
    """A record for the archive."""
    return Record(write_json(data), data)


def proves_its_cid(data: Mapping[str, Any]) -> bool:
    """Whether the value of a record matches its CID."""
    try:
        return cid_of_block(encode(from_json(data.get("value")))) == parse_cid(data.get("cid"))
    except BadData:
        return False


def key_of(uri: object, did: str | None = None) -> str | None:
    """`collection/rkey` of an at-URI, of this DID if one is given; else None."""
    match = _URI.fullmatch(uri) if isinstance(uri, str) else None
    return match[2] if match and did in {None, match[1]} else None


def did_of(uri: str) -> str:
    """The DID (or handle) that an at-URI begins with."""
    return uri.removeprefix("at://").partition("/")[0]
