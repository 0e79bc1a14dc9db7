"""Cursors: the mark where a page begins, signed together with the request's filters."""

import base64
import hashlib
import hmac
import json
from typing import cast

from archiver_ayrshare.emulation.answers import bad_request
from archiver_ayrshare.emulation.queries import Query


def write_cursor(mark: str, query: Query, secret: bytes) -> str:
    """The cursor of the page that begins after a mark."""
    signed = {"token": mark, "seal": _signature(mark, query, secret)}
    return base64.b64encode(json.dumps(signed, separators=(",", ":")).encode()).decode()


def read_cursor(cursor: str, query: Query, secret: bytes) -> str:
    """The mark in a cursor.

    Raises ApiError when it was not issued for such a request, or with another secret.
    """
    try:
        sealed = json.loads(base64.b64decode(cursor, validate=True))
        mark, seal = sealed["token"], sealed["seal"]
        if hmac.compare_digest(seal, _signature(mark, query, secret)):
            return cast("str", mark)
    except (ValueError, KeyError, TypeError):
        pass
    raise bad_request("next is not a cursor that was issued for this request")


def _signature(mark: str, query: Query, secret: bytes) -> str:
    words = "\n".join(map(str, (mark, *query.filters())))
    return hmac.digest(secret, words.encode(), hashlib.sha256).hex()[:20]
