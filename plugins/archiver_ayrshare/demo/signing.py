"""Addresses of media as each platform writes them: with a signature and an expiry, or without.

The path, the expiry and the generation are signed. The generation is part of the signature, so
that every rotation changes it, while older addresses stay valid until they expire or are revoked.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from archiver_ayrshare.demo.ids import letters

Scheme = Literal["plain", "meta", "tiktok", "linkedin"]

_KEY = b"the demo world signs with this"


def query(scheme: Scheme, path: str, *, expires: datetime, generation: int) -> str:
    """What follows the path in an address: "" or "?…"."""
    seconds = int(expires.timestamp())
    proof = _proof(path, seconds, generation)
    match scheme:
        case "plain":
            return ""
        case "meta":
            nonce = letters(11, path, seconds, generation)
            return f"?_nc_cat=101&ccb=1-7&_nc_ohc={nonce}&oh=00_{proof}&oe={seconds:08X}"
        case "tiktok":
            signature = quote(base64.b64encode(proof.encode()), safe="")
            return f"?x-expires={seconds}&x-signature={signature}"
        case "linkedin":
            return f"?e={seconds}&v=beta&t={proof}"


def is_valid(
    scheme: Scheme, path: str, params: Mapping[str, str], *, now: datetime, oldest: int
) -> bool:
    """Whether an address is signed for its path, not expired, and not of a revoked generation."""
    if scheme == "plain":
        return True
    try:
        seconds, proof = _read(scheme, params)
        generation = int.from_bytes(base64.urlsafe_b64decode(proof)[:3], "big")
    except (KeyError, ValueError):
        return False
    return (
        hmac.compare_digest(proof, _proof(path, seconds, generation))
        and generation >= oldest
        and now.timestamp() < seconds
    )


def _read(scheme: Scheme, params: Mapping[str, str]) -> tuple[int, str]:
    match scheme:
        case "meta":
            return int(params["oe"], 16), params["oh"].removeprefix("00_")
        case "tiktok":
            signature = base64.b64decode(params["x-signature"], validate=True)
            return int(params["x-expires"]), signature.decode("ascii")
        case _:
            return int(params["e"]), params["t"]


def _proof(path: str, seconds: int, generation: int) -> str:
    mark = generation.to_bytes(3, "big")
    words = f"{generation}\n{seconds}\n{path}".encode()
    return base64.urlsafe_b64encode(mark + hmac.digest(_KEY, words, hashlib.sha256)[:18]).decode()
