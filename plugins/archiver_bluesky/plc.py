"""Verifying the log of a `did:plc` from its first operation.

See https://web.plc.directory/spec/v0.1/did-plc. The DID is the hash of the first operation, and
each later one is signed by a rotation key of the one before. So the directory can leave something
out at the end of a log, and forge nothing.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from archiver import timestamp
from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid, cid_of_block
from archiver_bluesky.dag_cbor import encode
from archiver_bluesky.did import handles_in, is_plc
from archiver_bluesky.ecdsa import PublicKey
from archiver_bluesky.keys import did_key, parse_did_key

_RECOVERY = timedelta(hours=72)
"""How long a rotation key of higher priority may undo operations of a lower one."""

_MAX_OPERATIONS = 10_000


class Operation(NamedTuple):
    """One valid operation: the identity from `at` on, until the next operation.

    `rotation_keys` are strongest first; `signer` is the place of the one that signed this operation
    among those of the operation before.
    """

    cid: Cid
    at: str
    rotation_keys: tuple[str, ...]
    signer: int
    key: PublicKey | None
    pds: str | None
    handles: tuple[str, ...]
    is_end: bool = False


def verify_log(did: str, log: Any) -> tuple[Operation, ...]:
    """The valid operations, in order, of a log from `/log/audit`. Raises BadData.

    Operations that were undone by a stronger key are checked like the others, and left out.
    """
    if not is_plc(did) or not isinstance(log, list) or not 0 < len(log) <= _MAX_OPERATIONS:
        raise BadData(f"The directory's log of {did} is not a list of operations", "identity")
    chain: list[Operation] = []
    flags: dict[str, bool] = {}
    for item in log:
        operation, at, flag = _parse_entry(did, item)
        found = _append(did, operation, at, chain)
        flags[str(found.cid)] = flag
    holding = {str(operation.cid) for operation in chain}
    if any(flag == (cid in holding) for cid, flag in flags.items()):
        raise BadData(f"The log of {did} marks the wrong operations as nullified", "identity")
    return tuple(chain)


def _parse_entry(did: str, item: Any) -> tuple[Mapping[str, Any], str, bool]:
    operation = item.get("operation") if isinstance(item, dict) else None
    at = timestamp(item.get("createdAt")) if isinstance(item, dict) else None
    if not isinstance(operation, dict) or at is None or item.get("did", did) != did:
        raise BadData(f"The log of {did} has an invalid entry", "identity")
    return operation, at, item.get("nullified") is True


def _append(did: str, operation: Mapping[str, Any], at: str, chain: list[Operation]) -> Operation:
    """Append an operation to the chain, in place of those that it nullifies. Raises BadData."""
    block = encode(dict(operation))
    cid = cid_of_block(block)
    if not chain:
        _check_first(did, operation, block)
        rotation_keys = _parse_operation(operation, cid, at, 0).rotation_keys
    else:
        place = next((i for i, o in enumerate(chain) if str(o.cid) == operation.get("prev")), None)
        if place is None:
            raise BadData(f"The log of {did} has an operation without a predecessor", "identity")
        rotation_keys = chain[place].rotation_keys
        if undone := chain[place + 1 :]:
            rotation_keys = rotation_keys[: undone[0].signer]
            if _moment(at) - _moment(undone[0].at) > _RECOVERY:
                raise BadData(f"The log of {did} nullifies an operation too late", "identity")
        if chain[place].is_end:
            raise BadData(f"The log of {did} continues after its tombstone", "identity")
        del chain[place + 1 :]
    found = _parse_operation(operation, cid, at, _signer(did, operation, rotation_keys))
    chain.append(found)
    return found


def _check_first(did: str, operation: Mapping[str, Any], block: bytes) -> None:
    name = base64.b32encode(hashlib.sha256(block).digest()).decode().lower()[:24]
    if operation.get("prev") is not None or did != f"did:plc:{name}":
        raise BadData(f"The first operation of the log is not the one that made {did}", "identity")


def _signer(did: str, operation: Mapping[str, Any], rotation_keys: Sequence[str]) -> int:
    """The index of the rotation key that signed an operation. Raises BadData."""
    message = encode({name: value for name, value in operation.items() if name != "sig"})
    signature = _signature(operation.get("sig"))
    for place, key in enumerate(rotation_keys):
        if parse_did_key(key).verifies(message, signature):
            return place
    raise BadData(
        f"The log of {did} has an operation that no key of its predecessor signed", "identity"
    )


def _signature(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text) + "=" * (-len(str(text)) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadData("An operation's signature is not in base64url", "identity") from None


def _parse_operation(operation: Mapping[str, Any], cid: Cid, at: str, signer: int) -> Operation:
    """Parse an operation: the current form, that of 2022 (`create`), or a tombstone."""
    match operation.get("type"):
        case "plc_operation":
            keys, methods = operation.get("rotationKeys"), operation.get("verificationMethods")
            services, names = operation.get("services"), operation.get("alsoKnownAs")
            pds = services.get("atproto_pds") if isinstance(services, dict) else None
            address = pds.get("endpoint") if isinstance(pds, dict) else None
            signing = methods.get("atproto") if isinstance(methods, dict) else None
        case "create":
            keys = [operation.get("recoveryKey"), operation.get("signingKey")]
            signing, address = operation.get("signingKey"), operation.get("service")
            names = [f"at://{operation.get('handle')}"]
        case "plc_tombstone":
            return Operation(cid, at, (), signer, None, None, (), is_end=True)
        case _:
            raise BadData("The log has an operation of an unknown type", "identity")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise BadData("The log has an operation without rotation keys", "identity")
    return Operation(
        cid, at, tuple(keys), signer,
        parse_did_key(signing) if signing is not None else None,
        address.rstrip("/") if isinstance(address, str) else None,
        handles_in(names),
    )  # fmt: skip


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at)


class KeyPeriod(NamedTuple):
    """A key that signed for an account from `since` on, and `until` another one took over.

    `until` is None for the key of today.
    """

    key: PublicKey
    since: str | None
    until: str | None

    @property
    def name(self) -> str:
        """The key as a did:key."""
        return did_key(self.key)


def key_periods(operations: Sequence[Operation]) -> tuple[KeyPeriod, ...]:
    """Which keys signed for an account and when, newest first."""
    periods: list[KeyPeriod] = []
    until: str | None = None
    for place in range(len(operations) - 1, -1, -1):
        operation = operations[place]
        before = operations[place - 1].key if place else None
        if operation.key is not None and operation.key != before:
            periods.append(KeyPeriod(operation.key, operation.at, until))
        if operation.key != before:
            until = operation.at
    return tuple(periods)
