"""Who an account is: which server is asked, and what is believed of its answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import pytest

from archiver import AccountGone, SourceDown, SourceError
from archiver.testing import FakeKit, Request
from archiver_bluesky.directory import Directory, ResolvedIdentity, check_names
from support.bluesky.kits import ACCOUNT, BASE, kit_for, network
from support.bluesky.signing import SigningKey

WEB = "did:web:alice.example"
ALICE, OTHER = f"did:plc:{'a' * 24}", f"did:plc:{'b' * 24}"
RECORD = "_atproto.alice.org"
APPVIEW, PLC = f"{BASE}/appview", f"{BASE}/plc"
Answer = Callable[[Request], tuple[int, Any]]


def directory(
    txt: Mapping[str, Sequence[str]] | None = None, **servers: Answer
) -> tuple[Directory, FakeKit]:
    """A directory whose servers are written down: `web` is that of the handle."""
    addresses = {
        "appview": APPVIEW, "plc": PLC, "web": "https://alice.example",
        "org": "https://alice.org",
    }  # fmt: skip
    kit = FakeKit({addresses[name]: answer for name, answer in servers.items()}, txt=txt)
    return Directory(kit, PLC, APPVIEW), kit


def web_server(request: Request) -> tuple[int, Any]:
    """The web server of alice.example, with a handle and a DID of its own."""
    if request.path.endswith("atproto-did"):
        return 200, f"{WEB}\n".encode()
    key = SigningKey("alice").did.removeprefix("did:key:")
    document = {
        "id": WEB,
        "alsoKnownAs": ["at://alice.example"],
        "verificationMethod": [
            {"id": f"{WEB}#atproto", "type": "Multikey", "publicKeyMultibase": key}
        ],
        "service": [
            {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer",
             "serviceEndpoint": "https://pds.example"}
        ],
    }  # fmt: skip
    return 200, document


def nowhere(_request: Request) -> tuple[int, Any]:
    return 400, {"error": "HandleNotFound"}


def down(_request: Request) -> tuple[int, Any]:
    return 503, b""


def unknown_path(_request: Request) -> tuple[int, Any]:
    return 404, b"<html>"


class TestHandles:
    def ask(self, found: Directory, handle: str = "alice.example") -> str:
        return anyio.run(found.did_of_handle, handle)

    def refused(self, found: Directory, handle: str = "alice.example") -> SourceError:
        with pytest.raises(SourceError) as error:
            self.ask(found, handle)
        return error.value

    def test_the_appview_is_asked_first(self) -> None:
        found, kit = directory(appview=lambda _: (200, {"did": WEB}))
        assert self.ask(found) == WEB
        assert kit.opened == [(APPVIEW, "configured")]

    @pytest.mark.parametrize("appview", [nowhere, down, unknown_path])
    def test_dns_is_asked_next(self, appview: Answer) -> None:
        texts = ["v=spf1 -all", f"did={ALICE}", f" did={OTHER}", f"did={ALICE} ", "did=key:z"]
        found, kit = directory({RECORD: texts}, appview=appview)
        assert self.ask(found, "alice.org") == ALICE
        assert kit.opened == [(APPVIEW, "configured")]

    @pytest.mark.parametrize("appview", [nowhere, down, unknown_path])
    @pytest.mark.parametrize("txt", [None, {}, {"_atproto.alice.example": [f"did={OTHER}"]}])
    def test_the_web_server_of_the_handle_is_asked_last(self, appview: Answer, txt: Any) -> None:
        found, kit = directory(txt, appview=appview, web=web_server)
        assert self.ask(found) == WEB
        assert kit.opened[-1] == ("https://alice.example", "discovered")

    def test_a_handle_to_which_dns_gives_several_accounts_is_refused(self) -> None:
        texts = [f"did={OTHER}", f"did={ALICE}"]
        found, kit = directory({RECORD: texts}, appview=down, org=lambda _: (200, ALICE.encode()))
        error = self.refused(found, "alice.org")
        assert error.code == "identity"
        assert error.why == f"In DNS, {RECORD} names {ALICE}, {OTHER}"
        assert kit.opened == [(APPVIEW, "configured")]

    @pytest.mark.parametrize(
        ("txt", "servers"),
        [
            ({}, {"appview": nowhere, "web": lambda _: (404, b"")}),
            ({}, {"appview": down, "web": lambda _: (404, b"")}),
            (None, {"appview": nowhere}),
        ],
        ids=["nobody knows it", "without the AppView", "the AppView has asked the others"],
    )
    def test_an_unknown_handle_is_not_found(self, txt: Any, servers: dict[str, Answer]) -> None:
        found, _ = directory(txt, **servers)
        error = self.refused(found)
        assert error.what == "There is no account with the handle alice.example"
        assert error.code == "identity"

    def test_if_too_few_could_be_asked_that_is_no_answer(self) -> None:
        found, _ = directory(appview=down, org=lambda _: (404, b""))
        error = self.refused(found, "alice.org")
        assert isinstance(error, SourceDown)
        assert error.what == "The handle alice.org could not be resolved"
        assert error.why == (
            f"The AppView {APPVIEW} cannot be asked: the server answered 503; "
            f"the TXT record {RECORD} in DNS cannot be asked: {RECORD} cannot be looked up; "
            "the web server alice.org names no account"
        )

    def test_without_the_extra_the_error_says_how_dns_can_be_asked(self) -> None:
        class Kit(FakeKit):
            async def txt_records(self, name: str) -> Sequence[str]:
                raise SourceDown("x", why="It is missing", hint="do this", code="not_installed")

        found = Directory(Kit({APPVIEW: down}), PLC, APPVIEW)
        error = self.refused(found, "alice.org")
        assert "in DNS cannot be asked: it is missing (do this);" in (error.why or "")

    @pytest.mark.parametrize("body", [b"", b"<html>", b"did:key:z11", b"\xff\xff", b"did:web:"])
    def test_what_is_no_did_is_not_resolved(self, body: bytes) -> None:
        found, _ = directory(appview=nowhere, web=lambda _: (200, body))
        assert self.refused(found).code == "identity"


class TestDocuments:
    def resolve(self, found: Directory, did: str) -> ResolvedIdentity:
        return anyio.run(found.resolve, did)

    def test_a_did_of_a_web_server_is_asked_of_that_server(self) -> None:
        found, kit = directory(appview=lambda _: (200, {"did": WEB}), web=web_server)
        resolved = self.resolve(found, WEB)
        assert resolved.document.pds == "https://pds.example"
        assert resolved.handle == "alice.example"
        assert [period.key for period in resolved.keys] == [SigningKey("alice").public]
        assert [answer.url for answer in resolved.evidence] == [
            "https://alice.example/.well-known/did.json"
        ]
        assert (PLC, "configured") not in kit.opened

    def test_a_handle_that_does_not_lead_back_is_not_shown(self) -> None:
        other = "did:plc:" + "b" * 24
        found, _ = directory(appview=lambda _: (200, {"did": other}), web=web_server)
        assert self.resolve(found, WEB).handle is None

    def test_a_did_of_the_directory_is_proved_by_its_log(self) -> None:
        made = network()
        made.account("alice.example")
        resolved = anyio.run(Directory(kit_for(made), PLC, APPVIEW).resolve, ACCOUNT.did)
        assert resolved.handle == "alice.example"
        assert [answer.url for answer in resolved.evidence] == [
            f"{PLC}/{ACCOUNT.did}", f"{PLC}/{ACCOUNT.did}/log/audit",
        ]  # fmt: skip

    def test_a_did_that_was_given_up_is_a_state_of_the_account(self) -> None:
        found, _ = directory(plc=lambda _: (410, {"message": "gone"}))
        with pytest.raises(AccountGone):
            self.resolve(found, ACCOUNT.did)

    @pytest.mark.parametrize(
        "plc",
        [nowhere, down, lambda _: (200, b"<html>"), lambda _: (200, {"id": ACCOUNT.did}),
         lambda _: (200, []), lambda _: (404, {})],
    )  # fmt: skip
    def test_without_a_document_and_a_log_there_is_no_identity(self, plc: Answer) -> None:
        found, _ = directory(plc=plc)
        with pytest.raises(SourceError):
            self.resolve(found, ACCOUNT.did)

    def test_a_handle_counts_only_where_the_document_names_it(self) -> None:
        found, _ = directory(appview=nowhere, web=web_server)
        resolved = self.resolve(found, WEB)
        check_names(resolved, "@Alice.Example")
        with pytest.raises(SourceError, match="does not name it"):
            check_names(resolved, "mallory.example")
