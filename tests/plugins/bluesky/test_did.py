"""DIDs, handles and documents."""

from typing import Any

import pytest

from archiver_bluesky.baddata import BadData
from archiver_bluesky.did import (
    clean_handle,
    is_did,
    is_plc,
    is_reserved,
    parse_document,
    web_host,
)
from support.bluesky.signing import SigningKey

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
KEY = SigningKey("alice")


def document(**changed: Any) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": DID,
        "alsoKnownAs": ["at://alice.example", "https://alice.example", "at://Second.Example"],
        "verificationMethod": [
            {"id": f"{DID}#other", "type": "Multikey", "publicKeyMultibase": "z11"},
            {"id": f"{DID}#atproto", "type": "Multikey", "controller": DID,
             "publicKeyMultibase": KEY.did.removeprefix("did:key:")},
        ],
        "service": [
            {"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": "https://l.example"},
            {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer",
             "serviceEndpoint": "https://pds.example/"},
        ],
        **changed,
    }  # fmt: skip


class TestDocuments:
    def test_a_document_says_handles_server_and_key(self) -> None:
        found = parse_document(DID, document())
        assert found.handles == ("alice.example", "second.example")
        assert found.pds == "https://pds.example"
        assert found.key == KEY.public

    def test_ids_of_a_document_may_be_written_in_full(self) -> None:
        service = {**document()["service"][1], "id": f"{DID}#atproto_pds"}
        assert parse_document(DID, document(service=[service])).pds == "https://pds.example"

    def test_a_document_may_say_nothing(self) -> None:
        found = parse_document(DID, {"id": DID})
        assert (found.handles, found.pds, found.key) == ((), None, None)

    @pytest.mark.parametrize("value", [None, [], {}, document(id="did:plc:other"), {"id": None}])
    def test_what_is_not_the_document_of_this_did_is_refused(self, value: Any) -> None:
        with pytest.raises(BadData):
            parse_document(DID, value)

    @pytest.mark.parametrize("name", ["alsoKnownAs", "service"])
    @pytest.mark.parametrize("value", [None, "x", 5, {}, [None], [5], [{}], [{"id": []}]])
    def test_fields_of_another_type_are_ignored(self, name: str, value: Any) -> None:
        found = parse_document(DID, document(**{name: value}))
        assert not (found.handles if name == "alsoKnownAs" else found.pds)

    def test_a_key_that_is_none_is_refused(self) -> None:
        methods = [{"id": "#atproto", "type": "Multikey", "publicKeyMultibase": "z11"}]
        with pytest.raises(BadData):
            parse_document(DID, document(verificationMethod=methods))


class TestNames:
    def test_dids_of_two_kinds_are_known(self) -> None:
        assert is_plc(DID)
        assert is_did(DID)
        assert is_did("did:web:alice.example")
        assert web_host("did:web:alice.example") == "alice.example"
        assert web_host(DID) is None

    @pytest.mark.parametrize(
        "text",
        [None, "", "did:plc:short", f"{DID}x", DID.upper(), "did:key:z", "did:web:alice.example:a",
         "did:web:localhost%3A80", "did:web:127.0.0.1", "did:web:-a.example", "did:web:a.example/"],
    )  # fmt: skip
    def test_other_dids_are_not(self, text: Any) -> None:
        assert not is_did(text)

    def test_handles_are_compared_without_case_and_at_sign(self) -> None:
        assert clean_handle(" @Alice.Example ") == "alice.example"

    @pytest.mark.parametrize(
        "text",
        ["", "alice", "alice.", ".example", "a..b", "alice.1", "-a.example", "a_b.example",
         "a.example/path", "a.example:80", "a.example?x", "a" * 300 + ".example", "älice.example"],
    )  # fmt: skip
    def test_what_can_be_no_handle(self, text: str) -> None:
        assert clean_handle(text) is None


def test_some_names_are_in_nobodys_dns() -> None:
    assert is_reserved("alice.example")
    assert is_reserved("alice.home.local")
    assert not is_reserved("alice.test")
    assert not is_reserved("local.bsky.social")
