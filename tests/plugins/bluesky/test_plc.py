"""The log of an identity: proved from its first operation, and refused where anything is wrong."""

import base64
import copy
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import cid_of_block
from archiver_bluesky.dag_cbor import encode
from archiver_bluesky.ecdsa import P256
from archiver_bluesky.plc import key_periods, verify_log
from support.bluesky.signing import SigningKey

pytestmark = pytest.mark.slow

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
OWNER, SERVER = SigningKey("the owner's"), SigningKey("the server's", P256)


class Log:
    """A log that is being written: one operation every hour."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.did = ""

    def add(
        self, signer: SigningKey, previous: int = -1, hours: float | None = None, **fields: Any
    ) -> int:
        """Add an operation after another one, signed by a key; the result is its place."""
        before = self.items[previous]["cid"] if self.items else None
        operation = {
            "type": "plc_operation",
            "rotationKeys": [OWNER.did, SERVER.did],
            "verificationMethods": {"atproto": SigningKey("first").did},
            "alsoKnownAs": ["at://alice.example"],
            "services": {"atproto_pds": {"type": "AtprotoPersonalDataServer",
                                         "endpoint": "https://pds.example"}},
            **fields,
            "prev": before,
        }  # fmt: skip
        return self.append(signed(operation, signer), hours)

    def append(self, operation: dict[str, Any], hours: float | None = None) -> int:
        """Add a finished operation."""
        cid = str(cid_of_block(encode(operation)))
        if not self.items:
            digest = hashlib.sha256(encode(operation)).digest()
            self.did = f"did:plc:{base64.b32encode(digest).decode().lower()[:24]}"
        at = BEGIN + timedelta(hours=len(self.items) if hours is None else hours)
        self.items.append(
            {"did": self.did, "operation": operation, "cid": cid, "nullified": False,
             "createdAt": at.isoformat()}
        )  # fmt: skip
        return len(self.items) - 1


def signed(operation: dict[str, Any], signer: SigningKey) -> dict[str, Any]:
    """An operation with its signature."""
    signature = base64.urlsafe_b64encode(signer.sign(encode(operation))).decode().rstrip("=")
    return {**operation, "sig": signature}


def with_key(seed: str) -> dict[str, Any]:
    """The field of an operation that names a signing key."""
    return {"verificationMethods": {"atproto": SigningKey(seed).did}}


@pytest.fixture
def log() -> Log:
    """A log of three operations, the last of which changes the key."""
    made = Log()
    made.add(SERVER)
    made.add(OWNER, alsoKnownAs=["at://alice.test", "https://alice.test"])
    made.add(SERVER, **with_key("second"))
    return made


class TestTruth:
    def test_a_log_says_what_the_account_was_at_each_time(self, log: Log) -> None:
        operations = verify_log(log.did, log.items)
        assert [operation.handles for operation in operations] == [
            ("alice.example",), ("alice.test",), ("alice.example",),
        ]  # fmt: skip
        assert operations[-1].key == SigningKey("second").public
        assert operations[-1].pds == "https://pds.example"

    def test_keys_have_their_times(self, log: Log) -> None:
        second, first = key_periods(verify_log(log.did, log.items))
        assert first.key == SigningKey("first").public
        assert (first.since, first.until) == (
            "2024-01-01T00:00:00.000Z", "2024-01-01T02:00:00.000Z",
        )  # fmt: skip
        assert (second.since, second.until) == ("2024-01-01T02:00:00.000Z", None)

    def test_a_log_of_2022_is_read(self) -> None:
        log = Log()
        operation = {
            "type": "create", "signingKey": SERVER.did, "recoveryKey": OWNER.did,
            "handle": "old.example", "service": "https://old.example/", "prev": None,
        }  # fmt: skip
        log.append(signed(operation, SERVER))
        log.add(OWNER)
        first, _ = verify_log(log.did, log.items)
        assert first.handles == ("old.example",)
        assert first.pds == "https://old.example"
        assert first.key == SERVER.public

    def test_an_identity_that_was_given_up_has_no_keys(self, log: Log) -> None:
        end = {"type": "plc_tombstone", "prev": log.items[-1]["cid"]}
        log.append(signed(end, OWNER))
        last = verify_log(log.did, log.items)[-1]
        assert last.is_end
        assert last.key is None

    def test_a_stronger_key_undoes_what_a_weaker_one_did(self, log: Log) -> None:
        log.items[2]["nullified"] = True
        log.add(OWNER, previous=1, **with_key("rescued"))
        operations = verify_log(log.did, log.items)
        assert len(operations) == 3
        assert operations[-1].key == SigningKey("rescued").public


def other_did(log: Log) -> None:
    log.did = "did:plc:" + "a" * 24
    for item in log.items:
        item["did"] = log.did


def forged(log: Log) -> None:
    log.add(SigningKey("a stranger's"), **with_key("stolen"))


def altered(log: Log) -> None:
    log.items[1]["operation"]["alsoKnownAs"] = ["at://mallory.example"]


def cut_at_the_beginning(log: Log) -> None:
    del log.items[0]


def cut_in_the_middle(log: Log) -> None:
    del log.items[1]


def twisted(log: Log) -> None:
    log.items[1], log.items[2] = log.items[2], log.items[1]


def high_s(log: Log) -> None:
    operation = {k: v for k, v in log.items[2]["operation"].items() if k != "sig"}
    signature = SERVER.sign(encode(operation), high_s=True)
    log.items[2]["operation"]["sig"] = base64.urlsafe_b64encode(signature).decode().rstrip("=")


def undone_by_a_weaker_key(log: Log) -> None:
    log.items[2]["nullified"] = True
    log.add(SERVER, previous=1)


def undone_too_late(log: Log) -> None:
    log.items[2]["nullified"] = True
    log.add(OWNER, previous=1, hours=2 + 73)


def not_said_to_be_undone(log: Log) -> None:
    log.add(OWNER, previous=1)


def said_to_be_undone(log: Log) -> None:
    log.items[2]["nullified"] = True


def beyond_its_end(log: Log) -> None:
    log.append(signed({"type": "plc_tombstone", "prev": log.items[-1]["cid"]}, OWNER))
    log.add(OWNER)


def unknown(log: Log) -> None:
    log.add(OWNER, type="plc_mystery")


def no_rotation_keys(log: Log) -> None:
    log.add(OWNER, rotationKeys=None)


def field_of(name: str, value: Any) -> Callable[[Log], None]:
    def change(log: Log) -> None:
        log.items[1][name] = value

    return change


def signature_of(value: Any) -> Callable[[Log], None]:
    def change(log: Log) -> None:
        log.items[2]["operation"]["sig"] = value

    return change


@pytest.mark.parametrize(
    "change",
    [other_did, forged, altered, cut_at_the_beginning, cut_in_the_middle, twisted, high_s,
     undone_by_a_weaker_key, undone_too_late, not_said_to_be_undone, said_to_be_undone,
     beyond_its_end, unknown, no_rotation_keys, field_of("operation", None),
     field_of("createdAt", "yesterday"), field_of("did", "did:plc:other"),
     signature_of(None), signature_of("*"), signature_of(""), signature_of("AAAA")],
)  # fmt: skip
def test_a_log_that_does_not_hold_together_is_refused(
    log: Log, change: Callable[[Log], Any]
) -> None:
    verify_log(log.did, copy.deepcopy(log.items))
    change(log)
    with pytest.raises(BadData):
        verify_log(log.did, log.items)


@pytest.mark.parametrize("value", [None, [], {}, [None], ["x"], [{}]])
def test_what_is_no_log_is_refused(log: Log, value: Any) -> None:
    with pytest.raises(BadData):
        verify_log(log.did, value)
