"""DIDs, handles, and DID documents (https://atproto.com/specs/did)."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from archiver_bluesky.baddata import BadData
from archiver_bluesky.ecdsa import PublicKey
from archiver_bluesky.keys import key_of_method

_PLC = re.compile(r"did:plc:[a-z2-7]{24}", re.ASCII)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HANDLE = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)
_WEB = re.compile(rf"did:web:((?:{_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9])", re.ASCII)
_PDS = ("#atproto_pds", "AtprotoPersonalDataServer")
_MAX_HANDLE_LENGTH = 253

# https://atproto.com/specs/handle#additional-non-syntax-restrictions
_RESERVED = (
    ".alt", ".arpa", ".example", ".internal", ".invalid", ".local", ".localhost", ".onion",
)  # fmt: skip


class DidDocument(NamedTuple):
    """The account data in a DID document.

    `handles` are those that it claims, of which the first is the one it goes by; `pds` is the base
    URL of its server, None where it has none.
    """

    did: str
    handles: tuple[str, ...]
    pds: str | None
    key: PublicKey | None


def is_did(text: object) -> bool:
    """Whether this is a DID of a kind that accounts have: `did:plc:…`, `did:web:HOST`."""
    return isinstance(text, str) and bool(_PLC.fullmatch(text) or _WEB.fullmatch(text))


def is_plc(did: str) -> bool:
    """Whether this DID is in the PLC directory."""
    return _PLC.fullmatch(did) is not None


def web_host(did: str) -> str | None:
    """The host of a `did:web`; None for another DID."""
    match = _WEB.fullmatch(did)
    return match[1] if match else None


def clean_handle(text: str) -> str | None:
    """A handle in lower case without `@`; None where it is not a valid handle."""
    handle = text.strip().removeprefix("@").lower().rstrip(".")
    return handle if len(handle) <= _MAX_HANDLE_LENGTH and _HANDLE.fullmatch(handle) else None


def is_reserved(handle: str) -> bool:
    """Whether a handle ends in a name that the protocol excludes: public DNS cannot have it."""
    return handle.endswith(_RESERVED)


def parse_document(did: str, document: Any) -> DidDocument:
    """Parse a document, which must be that of this DID. Raises BadData."""
    if not isinstance(document, dict) or document.get("id") != did:
        raise BadData(f"The answer for {did} is not its document", "identity")
    names = document.get("alsoKnownAs")
    return DidDocument(did, handles_in(names), _pds_of(document), _key_of(document))


def handles_in(names: Any) -> tuple[str, ...]:
    """The handles in a list of `at://HANDLE`."""
    found = [
        clean_handle(name.removeprefix("at://"))
        for name in (names if isinstance(names, list) else ())
        if isinstance(name, str) and name.startswith("at://")
    ]
    return tuple(handle for handle in found if handle)


def _pds_of(document: Mapping[str, Any]) -> str | None:
    for service in _objects(document.get("service")):
        name, kind, url = (service.get(key) for key in ("id", "type", "serviceEndpoint"))
        is_own = isinstance(name, str) and name in {_PDS[0], f"{document['id']}{_PDS[0]}"}
        if is_own and kind == _PDS[1] and isinstance(url, str):
            return url.rstrip("/")
    return None


def _key_of(document: Mapping[str, Any]) -> PublicKey | None:
    for method in _objects(document.get("verificationMethod")):
        if method.get("id") in {"#atproto", f"{document['id']}#atproto"}:
            return key_of_method(method)
    return None


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
