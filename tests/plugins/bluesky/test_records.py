"""Records as the archive keeps them still prove their CID."""

import pytest

from archiver_bluesky.cid import cid_of_block
from archiver_bluesky.dag_cbor import encode
from archiver_bluesky.records import POST, describe, did_of, key_of, make_record, proves_its_cid

DID, KEY = "did:plc:abc", f"{POST}/3l2"
BLOCK = encode({"$type": POST, "text": "Bowls"})
CID = cid_of_block(BLOCK)


def test_a_record_has_its_uri_its_cid_and_its_value() -> None:
    data = describe(DID, KEY, CID, BLOCK)
    assert data == {
        "uri": f"at://{DID}/{KEY}", "cid": str(CID), "value": {"$type": POST, "text": "Bowls"},
    }  # fmt: skip
    assert proves_its_cid(make_record(data).data)
    assert not proves_its_cid(data | {"value": {"text": "Cups"}})
    assert not proves_its_cid({"cid": "x", "value": {}})


def test_what_json_cannot_hold_is_kept_as_its_bytes() -> None:
    data = describe(DID, KEY, CID, b"\xff")
    assert data["block"] == "/w=="
    assert "value" not in data
    assert data["why"]


@pytest.mark.parametrize(
    ("uri", "did", "key"),
    [
        (f"at://{DID}/{KEY}", None, KEY), (f"at://{DID}/{KEY}", DID, KEY),
        (f"at://{DID}/{KEY}", "did:plc:other", None), (f"at://{DID}", None, None), (5, None, None),
        (f"https://{DID}/{KEY}", None, None),
    ],
)  # fmt: skip
def test_a_uri_names_a_record_of_an_account(uri: object, did: str | None, key: str | None) -> None:
    assert key_of(uri, did) == key


def test_a_uri_begins_with_a_did() -> None:
    assert did_of(f"at://{DID}/{KEY}") == DID
