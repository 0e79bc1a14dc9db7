"""An account's server (its PDS): the state of the account, its records, and single posts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO, NamedTuple

from archiver import AccountGone, Http, Response, SourceDown, SourceError
from archiver_bluesky.directory import json_of
from archiver_bluesky.tid import is_tid

_SYNC = "/xrpc/com.atproto.sync."
_MAX_CAR_SIZE = 2 * 1024**3

_STATES = {
    "takendown": ("taken_down", "was taken down by its server"),
    "suspended": ("suspended", "is suspended by its server"),
    "deactivated": ("deactivated", "is deactivated by its owner"),
    "deleted": ("deleted", "was deleted"),
}
_ERRORS = {
    "RepoTakendown": "takendown",
    "RepoSuspended": "suspended",
    "RepoDeactivated": "deactivated",
}


class LatestCommit(NamedTuple):
    """The newest commit of an account, as its server states it."""

    cid: str
    rev: str


class AccountUnavailable(Exception):
    """The server answers 400 or 404 for an account; `error` is its error code."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Server:
    """Fetches the data of one account from its server; the answers are not verified here."""

    def __init__(self, http: Http, did: str, base_url: str) -> None:
        self._http = http
        self._did = did
        self.base_url = base_url

    async def latest(self) -> LatestCommit:
        """The newest commit. Raises NotHere, SourceDown."""
        answer = await self._http.get(f"{_SYNC}getLatestCommit", params={"did": self._did})
        self._check(answer)
        said = json_of(answer)
        cid, rev = said.get("cid"), said.get("rev")
        if not isinstance(cid, str) or not is_tid(rev):
            raise self._strange("names no commit")
        return LatestCommit(cid, str(rev))

    @asynccontextmanager
    async def repository(self) -> AsyncIterator[tuple[BinaryIO, Response]]:
        """All records, as a CAR file. Raises NotHere, SourceDown."""
        async with self._http.get_file(
            f"{_SYNC}getRepo", params={"did": self._did}, max_size=_MAX_CAR_SIZE
        ) as answer:
            self._check(answer.response, answer.file)
            yield answer.file, answer.response

    async def proven_record(self, key: str) -> bytes:
        """One record with the nodes that prove it, as a CAR file. Raises NotHere, SourceDown."""
        collection, _, rkey = key.partition("/")
        answer = await self._http.get(
            f"{_SYNC}getRecord",
            params={"did": self._did, "collection": collection, "rkey": rkey},
        )
        self._check(answer)
        return answer.body

    async def unavailable_error(self, error: str) -> SourceError:
        """The error for an account that its server does not serve, by the state that it gives."""
        status = _ERRORS.get(error)
        if status is None:
            answer = await self._http.get(f"{_SYNC}getRepoStatus", params={"did": self._did})
            said = json_of(answer).get("status") if answer.status == 200 else "deleted"
            status = said if isinstance(said, str) else ""
        if (found := _STATES.get(status)) is None:
            return SourceDown(
                f"The server of {self._did} does not give its records",
                why=f"It answers {error or 'an error'}, and gives the state {status or 'active'}",
            )
        state, words = found
        return AccountGone(f"The account {self._did} {words}", state=state)  # type: ignore[arg-type]  # one of those above

    def _check(self, answer: Response, file: BinaryIO | None = None) -> None:
        if answer.status in {400, 404}:
            body = file.read(4096) if file is not None else answer.body
            error = json_of(Response("", "", 0, {}, body, "")).get("error")
            raise AccountUnavailable(error if isinstance(error, str) else "")
        if answer.status != 200:
            raise self._strange(f"answers {answer.status}")

    def _strange(self, what: str) -> SourceDown:
        return SourceDown(f"The server of {self._did} ({self.base_url}) {what}")
