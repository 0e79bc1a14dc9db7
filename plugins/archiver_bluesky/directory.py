"""Resolving identities: from a handle to a DID, its document, server and keys.

A handle counts only where the document of the DID that it leads to names it too
(https://atproto.com/specs/handle#handle-resolution). So it does not matter who is asked: the
AppView, which looks into DNS and asks the handle's web server; DNS; or that web server. They are
asked one after the other. DNS comes before the web server because the specification prefers it
where the two differ.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from archiver import (
    AccountGone,
    BadJson,
    Http,
    Kit,
    RateLimited,
    Response,
    SourceDown,
    SourceError,
    read_json,
)
from archiver_bluesky.baddata import BadData
from archiver_bluesky.did import (
    DidDocument,
    clean_handle,
    is_did,
    is_plc,
    is_reserved,
    parse_document,
    web_host,
)
from archiver_bluesky.keys import did_key
from archiver_bluesky.plc import KeyPeriod, key_periods, verify_log

_GONE_STATUS = 410
_UNKNOWN_STATUS = 400
_SHOWN_DIDS = 3


class ResolvedIdentity(NamedTuple):
    """The current identity of an account, and the answers that prove it.

    `handle` is None where the one that the document names does not lead back. `keys` are newest
    first.
    """

    document: DidDocument
    handle: str | None
    keys: tuple[KeyPeriod, ...]
    evidence: tuple[Response, ...]


class Directory:
    """Resolves DIDs and handles through the PLC directory, the AppView and web servers."""

    def __init__(self, kit: Kit, plc: str, appview: str) -> None:
        self._kit = kit
        self._plc = plc
        self._appview = appview

    async def did_of_handle(self, handle: str) -> str:
        """The DID that a handle leads to, from the first that knows it.

        Raises SourceError with the code `identity` where it leads nowhere or to several accounts,
        SourceDown where too few could be asked to know.
        """
        answers: list[str] = []
        is_asked: list[bool] = []
        for who, ask in self._ways(handle):
            try:
                if (did := await ask(handle)) is not None:
                    return did
                answers.append(f"{who} names no account")
                is_asked.append(True)
            except (SourceDown, RateLimited) as error:
                answers.append(f"{who} cannot be asked: {_cause_of(error)}")
                is_asked.append(False)
        # the AppView has asked the others itself
        raise _unresolved(handle, answers, is_known=is_asked[0] or all(is_asked[1:]))

    def _ways(self, handle: str) -> Sequence[tuple[str, Callable[[str], Awaitable[str | None]]]]:
        """Who may know a handle."""
        return (
            (f"the AppView {self._appview}", self._ask_appview),
            (f"the TXT record _atproto.{handle} in DNS", self._ask_dns),
            (f"the web server {handle}", self._ask_web_server),
        )

    async def resolve(self, did: str) -> ResolvedIdentity:
        """The document of a DID and its keys, verified where the DID method allows it.

        Raises AccountGone where the DID was given up, SourceDown, SourceError.
        """
        try:
            document, answer = await self._document(did)
            keys: tuple[KeyPeriod, ...]
            evidence: tuple[Response, ...]
            if is_plc(did):
                keys, log = await self._log(document)
                evidence = (answer, log)
            else:
                keys = (KeyPeriod(document.key, None, None),) if document.key else ()
                evidence = (answer,)
        except BadData as error:
            raise invalid_data_error(error, f"The identity {did} could not be proved") from error
        return ResolvedIdentity(document, await self._own_handle(document), keys, evidence)

    async def _ask_appview(self, handle: str) -> str | None:
        http = self._kit.http(self._appview)
        path = "/xrpc/com.atproto.identity.resolveHandle"
        answer = await http.get(path, params={"handle": handle})
        if answer.status == _UNKNOWN_STATUS:
            return None
        if (did := _did_in(json_of(answer).get("did"))) is None:
            raise SourceDown(f"{self._appview} answers {answer.status}, and no DID")
        return did

    async def _ask_dns(self, handle: str) -> str | None:
        name = f"_atproto.{handle}"
        if is_reserved(handle):
            return None
        texts = await self._kit.txt_records(name)
        values = [text.removeprefix("did=") for text in texts if text.startswith("did=")]
        dids = sorted({did for value in values if (did := _did_in(value.strip()))})
        if len(dids) > 1:
            raise SourceError(
                f"The handle {handle} belongs to several accounts",
                why=f"In DNS, {name} names {', '.join(dids[:_SHOWN_DIDS])}",
                hint="Keep only one of these TXT records, or write the account's DID as the handle",
                code="identity",
            )
        return dids[0] if dids else None

    async def _ask_web_server(self, handle: str) -> str | None:
        http = self._kit.http(f"https://{handle}", trust="discovered")
        answer = await http.get("/.well-known/atproto-did")
        lines = answer.body[:4096].decode("ascii", errors="replace").split()
        return _did_in(lines[0]) if answer.status == 200 and lines else None

    async def _own_handle(self, document: DidDocument) -> str | None:
        """The first handle of a document, if that resolves to its DID."""
        if not document.handles:
            return None
        try:
            did = await self.did_of_handle(document.handles[0])
        except SourceError:
            return None
        return document.handles[0] if did == document.did else None

    async def _document(self, did: str) -> tuple[DidDocument, Response]:
        http, path = self._home_of(did)
        answer = await http.get(path)
        if answer.status == _GONE_STATUS:
            raise AccountGone(f"The account {did} was deleted by its owner", state="deleted")
        if answer.status != 200:
            raise SourceDown(
                f"There is no document for {did}",
                why=f"{answer.url} answered {answer.status}",
                hint="Check the account's handle or DID in archive.toml",
                code="identity",
            )
        return parse_document(did, json_of(answer)), answer

    def _home_of(self, did: str) -> tuple[Http, str]:
        if (host := web_host(did)) is not None:
            return self._kit.http(f"https://{host}", trust="discovered"), "/.well-known/did.json"
        return self._kit.http(self._plc), f"/{did}"

    async def _log(self, document: DidDocument) -> tuple[tuple[KeyPeriod, ...], Response]:
        """The keys in the verified log of a DID, whose last operation must match the document."""
        answer = await self._kit.http(self._plc).get(f"/{document.did}/log/audit")
        if answer.status != 200:
            raise SourceDown(
                f"The directory does not give the log of {document.did}",
                why=f"It answered {answer.status}",
            )
        operations = verify_log(document.did, list_of(answer))
        last = operations[-1]
        said = did_key(document.key) if document.key else None
        proved = did_key(last.key) if last.key else None
        if (said, document.pds) != (proved, last.pds):
            raise BadData(
                f"The directory's document of {document.did} does not match its log", "identity"
            )
        return key_periods(operations), answer


def check_names(resolved: ResolvedIdentity, handle: str) -> None:
    """Raise SourceError where a handle resolves to a DID whose document does not name it."""
    if clean_handle(handle) not in resolved.document.handles:
        raise SourceError(
            f"The handle {handle} resolves to {resolved.document.did}, whose document does not "
            "name it",
            why="Any domain can claim to be the handle of somebody else's account",
            kept="Nothing was read",
            hint="Write the handle that the account shows, or its DID",
            code="identity",
        )


def invalid_data_error(error: BadData, what: str) -> SourceError:
    """The error for invalid or contradictory data of an account."""
    return SourceError(
        what,
        why=str(error),
        kept="Nothing of this answer was saved, and nothing was removed",
        code=error.code,
    )


def json_of(answer: Response) -> dict[str, Any]:
    """The JSON object of an answer; empty where it is not an object."""
    try:
        found = read_json(answer.body)
    except BadJson:
        return {}
    return found if isinstance(found, dict) else {}


def list_of(answer: Response) -> Sequence[Any] | None:
    """The JSON list of an answer; None where it is not a list."""
    try:
        found = read_json(answer.body)
    except BadJson:
        return None
    return found if isinstance(found, list) else None


def _unresolved(handle: str, answers: Sequence[str], *, is_known: bool) -> SourceError:
    """The error for a handle that leads nowhere (`is_known`), or of which that is not known."""
    joined = "; ".join(answers)
    why = joined[:1].upper() + joined[1:]
    if is_known:
        return SourceError(
            f"There is no account with the handle {handle}",
            why=why,
            hint="Check the handle in archive.toml, or write the account's DID",
            code="identity",
        )
    return SourceDown(
        f"The handle {handle} could not be resolved",
        why=why,
        hint="Try again later, or write the account's DID (did:plc:…) as the handle",
    )


def _cause_of(error: SourceError) -> str:
    """Why somebody could not be asked, in the middle of a sentence."""
    text = error.why or error.what
    if error.code == "not_installed" and error.hint:
        text = f"{text} ({error.hint})"
    return text[:1].lower() + text[1:]


def _did_in(text: Any) -> str | None:
    return text if isinstance(text, str) and is_did(text) else None
