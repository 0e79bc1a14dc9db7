"""One scan of an account: its state, its signed records and their proofs."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, NamedTuple

from archiver import (
    AccountGone,
    Identity,
    Page,
    Record,
    Rendition,
    Response,
    SourceDown,
    SourceError,
    Window,
)
from archiver_bluesky.baddata import BadData
from archiver_bluesky.blobs import parse_blob
from archiver_bluesky.car import CarFile
from archiver_bluesky.client import BlueskyClient
from archiver_bluesky.did import is_did
from archiver_bluesky.directory import ResolvedIdentity, invalid_data_error
from archiver_bluesky.mst import TreeEntry
from archiver_bluesky.post import file_of
from archiver_bluesky.records import GATES, POST, PROFILE, REPOST, describe, make_record
from archiver_bluesky.repository import Proofs, Repository
from archiver_bluesky.server import AccountUnavailable, LatestCommit
from archiver_bluesky.tid import is_tid, time_of

_PER_PAGE = 500
_CLOCK_TOLERANCE = timedelta(minutes=5)
_COLLECTIONS = {POST, REPOST, PROFILE, *GATES}


class ScannedState(NamedTuple):
    """The account, commit and server of the last complete scan."""

    did: str
    rev: str
    cid: str
    pds: str

    def __str__(self) -> str:
        return json.dumps({"did": self.did, "rev": self.rev, "cid": self.cid, "pds": self.pds})


def parse_scanned_state(version: str | None) -> ScannedState | None:
    """Parse the state of an earlier scan; None where there is none, or it is in another form."""
    try:
        said = json.loads(version or "")
        seen = ScannedState(said["did"], said["rev"], said["cid"], said["pds"])
    except (ValueError, KeyError, TypeError):
        return None
    is_sound = is_tid(seen.rev) and isinstance(seen.cid, str) and isinstance(seen.pds, str)
    return seen if is_sound and is_did(seen.did) else None


async def scan(client: BlueskyClient, did: str | None, window: Window) -> AsyncIterator[Page]:
    """The pages of an account; one empty page where nothing has changed.

    Raises SourceError, AccountGone.
    """
    seen = parse_scanned_state(window.version)
    latest: LatestCommit | None = None
    if seen is not None and did not in {None, seen.did}:
        seen = None
    if seen is not None and not window.is_full:
        latest = await _latest_on_known_server(client, seen)
        if latest is not None and _is_same(latest, seen):
            yield Page((), version=window.version, authoritative=True, ordered=False)
            return
    resolved = await client.resolve(did)
    did = resolved.document.did
    if resolved.document.pds is None:
        raise AccountGone(f"The document of {did} no longer names a server", state="moved")
    server = client.server(did, resolved.document.pds)
    try:
        async with server.repository() as (file, answer):
            newest = max((rev for rev in (_rev(seen), _rev(latest)) if rev), default="")
            whole = await _read(file, resolved, newest, answer)
            for page in _Pages(whole, resolved, server.base_url, answer).after(window.cursor):
                yield page
    except AccountUnavailable as here:
        raise await server.unavailable_error(here.error) from None


async def _latest_on_known_server(client: BlueskyClient, seen: ScannedState) -> LatestCommit | None:
    """The newest commit on the server of the last scan; None where the account may have moved."""
    try:
        return await client.server(seen.did, seen.pds).latest()
    except AccountUnavailable:
        return None
    except SourceDown:
        resolved = await client.resolve(seen.did)
        if resolved.document.pds == seen.pds:
            raise
        return None


def _is_same(latest: LatestCommit, seen: ScannedState) -> bool:
    """Whether nothing has changed. Raises SourceError for a state that contradicts the last one."""
    if latest.rev < seen.rev:
        raise _older_state_error(latest.rev, seen.rev)
    if latest.rev == seen.rev and latest.cid != seen.cid:
        raise invalid_data_error(
            BadData("Two different commits have the same rev"),
            f"The server contradicts the state {latest.rev} that it showed before",
        )
    return latest.rev == seen.rev


def _rev(known: ScannedState | LatestCommit | None) -> str | None:
    return known.rev if known is not None else None


def _older_state_error(rev: str, newest: str) -> SourceError:
    return invalid_data_error(
        BadData(f"Its newest commit is {rev}, and {newest} was seen before", "stale"),
        "The server shows an older state of the account than before",
    )


async def _read(
    file: BinaryIO, resolved: ResolvedIdentity, newest: str, answer: Response
) -> Repository:
    """The verified records of a CAR file. Raises SourceError."""
    document = resolved.document
    try:
        # in a thread: of a large account this takes seconds, and other accounts go on meanwhile
        found = await asyncio.to_thread(
            lambda: Repository(
                CarFile(file), document.did, resolved.keys, _COLLECTIONS.__contains__
            )
        )
    except BadData as error:
        raise invalid_data_error(
            error, f"The records of {document.did} could not be proved"
        ) from error
    rev = found.commit.rev
    if rev < newest:
        raise _older_state_error(rev, newest)
    received = datetime.fromisoformat(answer.received_at).astimezone(UTC)
    if rev and time_of(rev) > received + _CLOCK_TOLERANCE:
        raise invalid_data_error(
            BadData(f"The commit {rev} is dated in the future, {time_of(rev):%Y-%m-%d %H:%M}"),
            f"The records of {document.did} could not be proved",
        )
    return found


class _Pages:
    """Makes the pages of a repository, newest record keys first."""

    def __init__(
        self, repository: Repository, resolved: ResolvedIdentity, pds: str, answer: Response
    ) -> None:
        self._repository = repository
        self._resolved = resolved
        self._pds = pds
        self._answer = answer
        self._did = resolved.document.did
        self._gates = {
            (name, entry.key.partition("/")[2]): entry
            for collection, name in GATES.items()
            for entry in repository.entries.get(collection, ())
        }

    def after(self, cursor: str | None) -> Iterator[Page]:
        """The pages after a cursor."""
        entries = self._listed()
        begin = 0
        if cursor is not None:
            begin = next((i for i, e in enumerate(entries) if _sort_key(e) < cursor), len(entries))
        proofs = self._repository.proofs()
        evidence = self._resolved.evidence
        while True:
            chunk = entries[begin : begin + _PER_PAGE]
            begin += _PER_PAGE
            is_last = begin >= len(entries)
            yield Page(
                tuple(self._record(entry) for entry in chunk),
                cursor=None if is_last else _sort_key(chunk[-1]),
                reached_start=is_last,
                version=str(self._seen()),
                authoritative=True,
                ordered=False,
                evidence=(*evidence, *self._proved(proofs, chunk)),
                identity=self._identity(),
            )
            if is_last:
                return
            evidence = ()

    def _listed(self) -> Sequence[TreeEntry]:
        found = self._repository.entries
        return sorted((*found.get(POST, ()), *found.get(REPOST, ())), key=_sort_key, reverse=True)

    def _seen(self) -> ScannedState:
        commit = self._repository.commit
        return ScannedState(self._did, commit.rev, str(commit.cid), self._pds)

    def _record(self, entry: TreeEntry) -> Record:
        said = self._describe(entry)
        said["pds"] = self._pds
        collection, _, rkey = entry.key.partition("/")
        for name in GATES.values() if collection == POST else ():
            if (gate := self._gates.get((name, rkey))) is not None:
                said[name] = self._describe(gate)
        return make_record(said)

    def _describe(self, entry: TreeEntry) -> dict[str, object]:
        return describe(self._did, entry.key, entry.cid, self._repository.block(entry))

    def _proved(self, proofs: Proofs, entries: Sequence[TreeEntry]) -> Iterator[Response]:
        rkeys = [entry.key.partition("/")[2] for entry in entries]
        gates = [
            gate
            for name in GATES.values()
            for rkey in rkeys
            if (gate := self._gates.get((name, rkey))) is not None
        ]
        for cid, body in proofs.new_for((*entries, *gates)):
            yield Response(
                source=self._answer.source, url=f"{self._answer.url}#{cid}", status=200,
                headers={"content-type": "application/vnd.ipld.car"}, body=body,
                received_at=self._answer.received_at,
            )  # fmt: skip

    def _identity(self) -> Identity:
        profile = self._profile()
        handle = self._resolved.handle
        return Identity(
            "bluesky", self._did, handle, _text(profile.get("displayName")),
            f"https://bsky.app/profile/{handle or self._did}",
            description=_text(profile.get("description")),
            avatar=self._picture(profile.get("avatar")),
            banner=self._picture(profile.get("banner")),
        )  # fmt: skip

    def _profile(self) -> dict[str, object]:
        for entry in self._repository.entries.get(PROFILE, ()):
            if entry.key == f"{PROFILE}/self":
                value = self._describe(entry).get("value")
                return value if isinstance(value, dict) else {}
        return {}

    def _picture(self, value: object) -> Rendition | None:
        blob = parse_blob(value)
        return file_of("original", blob, self._did, self._pds) if blob else None


def _sort_key(entry: TreeEntry) -> str:
    """The sort key of records: their record key, mostly a time, then the collection."""
    collection, _, rkey = entry.key.partition("/")
    return f"{rkey} {collection}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
