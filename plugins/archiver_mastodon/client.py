"""The client for one account: finds its server's API, its identity and its statuses.

An account is `user@host`, but the API may be on another host: `press@example.org` may live on
`social.example.org`. It is looked for on the host of the handle first, and by WebFinger (RFC 7033)
only if it is not there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from archiver import (
    AccessRefused,
    Account,
    AccountGone,
    BadJson,
    Http,
    Kit,
    Record,
    Response,
    SourceDown,
    SourceError,
    Trust,
    read_json,
    read_records,
)
from archiver_mastodon.handles import Handle
from archiver_mastodon.values import id_of, object_of, objects_of, uri_of

_API = "/api/v1"
_MASTODON = re.compile(r"[1-9]\d*\.\d+\.\d+(?!.*\()", re.ASCII)
_REFUSED = frozenset({401, 403})
_NOT_FOUND = frozenset({404, 410})


@dataclass(slots=True)
class MastodonClient:
    """Fetches the data of one account. `server` is the address of its API, if the config has it."""

    kit: Kit
    account: Account
    handle: Handle
    server: str | None = None
    _http: Http | None = field(default=None, init=False)
    _found: Mapping[str, Any] | None = field(default=None, init=False)

    async def profile(self) -> Mapping[str, Any]:
        """The account as its server describes it; fetched once.

        Raises SourceError; AccessRefused where it is shown only to those who are logged in;
        AccountGone.
        """
        if self._found is None:
            found = await self._find()
            if found.get("suspended") is True:
                raise AccountGone(
                    f"{self.handle} is suspended by its server",
                    state="suspended",
                    hint="What is archived is kept; the next run tries again",
                )
            self._found = found
        return self._found

    async def actor_uri(self) -> str:
        """The ActivityPub id of the account, the same on all servers. Raises SourceError."""
        profile = await self.profile()
        pleroma = object_of(profile.get("pleroma"))
        known = uri_of(profile.get("uri")) or uri_of(pleroma.get("ap_id"))
        found = known or await self._actor_by_webfinger() or uri_of(profile.get("url"))
        if found is None:
            raise SourceDown(
                f"{self.handle.host} does not give the ActivityPub id of {self.handle}"
            )
        return found

    async def statuses(self, parameters: Mapping[str, str]) -> tuple[Response, tuple[Record, ...]]:
        """A page of the account's statuses, newest first. Raises SourceError."""
        local_id = id_of((await self.profile()).get("id"))
        if local_id is None:
            raise SourceDown(f"{self.handle.host} gives {self.handle} no id")
        path = f"{_API}/accounts/{quote(local_id, safe='')}/statuses"
        response = await self._get(self._api(), path, parameters)
        if response.status != 200:
            raise self._answer_error(response, "the posts of ")
        body = response.body.strip()
        if not (body.startswith(b"[") and body.endswith(b"]")):
            raise self._invalid_answer_error("It is not a list of statuses")
        try:
            envelope, records = read_records(b'{"statuses":' + body + b"}", "statuses")
        except BadJson as error:
            raise self._invalid_answer_error(str(error)) from None
        if envelope:
            raise self._invalid_answer_error("It is not a list of statuses")
        return response, records

    async def status(self, status_id: str) -> Record | None:
        """One status; None where it is not shown, or no longer. Raises SourceError."""
        response = await self._status_part(status_id)
        if response.status in _NOT_FOUND:
            return None
        if response.status != 200:
            raise self._answer_error(response, "a post of ")
        data = self._object(response)
        return Record(response.body.decode(errors="backslashreplace"), data)

    async def edits(self, status_id: str) -> Sequence[Mapping[str, Any]]:
        """All versions of a status, oldest first; empty where the server does not show them.

        Raises SourceError.
        """
        response = await self._status_part(status_id, "/history")
        if response.status != 200:
            return ()
        try:
            return objects_of(read_json(response.body))
        except BadJson as error:
            raise self._invalid_answer_error(str(error)) from None

    async def _status_part(self, status_id: str, part: str = "") -> Response:
        await self.profile()
        path = f"{_API}/statuses/{quote(status_id, safe='')}{part}"
        return await self._get(self._api(), path, {})

    # Where it is

    async def find_server(self) -> tuple[str, Trust]:
        """The base URL of the API, and whether it was configured or found; needs no login.

        Raises SourceError.
        """
        if self.server:
            return self.server, "configured"
        actor = await self._actor_by_webfinger()
        there = urlsplit(actor) if actor else None
        if there is None or there.netloc == self.handle.host:
            return self.handle.origin, "configured"
        return f"{there.scheme}://{there.netloc}", "discovered"

    async def is_mastodon(self, http: Http) -> bool:
        """Whether a server runs Mastodon itself; False where that is unknown.

        Others say `3.5.3 (compatible; Pixelfed 0.12.5)`, or count their versions from 0.
        Raises SourceError.
        """
        response = await http.get(f"{_API}/instance")
        try:
            version = object_of(read_json(response.body)).get("version")
        except BadJson:
            return False
        return isinstance(version, str) and _MASTODON.match(version) is not None

    async def _find(self) -> Mapping[str, Any]:
        """Look the account up on the host of its handle, or on the server that WebFinger names."""
        if self.server:
            self._http = self.kit.http(self.server)
            host = urlsplit(self.server).netloc
            name = self.handle.user if host == self.handle.host else str(self.handle)
            return await self._look_up(self._http, name, is_last=True)
        http = self.kit.http(self.handle.origin)
        refusal: SourceError | None = None
        try:
            found = await self._look_up(http, self.handle.user, is_last=False)
        except SourceDown as error:
            found, refusal = {}, error
        if found:
            self._http = http
            return found
        return await self._find_elsewhere(http, refusal)

    async def _find_elsewhere(self, http: Http, error: SourceError | None) -> Mapping[str, Any]:
        base_url, trust = await self.find_server()
        if trust == "configured":
            if error is not None:
                raise error
            self._http = http
            return await self._look_up(http, self.handle.user, is_last=True)
        self._http = self.kit.http(base_url, trust=trust)
        return await self._look_up(self._http, str(self.handle), is_last=True)

    async def _look_up(self, http: Http, name: str, *, is_last: bool) -> Mapping[str, Any]:
        """The account of that name on a server; empty where it may be on another server."""
        response = await self._get(http, f"{_API}/accounts/lookup", {"acct": name})
        if response.status in _NOT_FOUND:  # Pleroma takes names for ids; older ones have no lookup
            by_name = await self._get(http, f"{_API}/accounts/{quote(name, safe='')}", {})
            response = by_name if by_name.status == 200 else response
        if response.status == 200:
            with_id = self._object(response, is_needed=is_last)
            if id_of(with_id.get("id")) is not None or not is_last:
                return with_id if id_of(with_id.get("id")) is not None else {}
            raise self._invalid_answer_error("It is not an account")
        if response.status in _NOT_FOUND and not is_last:
            return {}
        raise self._answer_error(response, "")

    async def _actor_by_webfinger(self) -> str | None:
        """The account's ActivityPub id by WebFinger on the host of its handle."""
        http = self.kit.http(self.handle.origin, trust="discovered")
        try:
            response = await http.get(
                "/.well-known/webfinger", params={"resource": f"acct:{self.handle}"}
            )
            found = object_of(read_json(response.body)) if response.status == 200 else {}
        except (SourceDown, BadJson):
            return None
        for link in objects_of(found.get("links")):
            is_activity = "activity" in str(link.get("type"))  # application/activity+json
            if link.get("rel") == "self" and is_activity and (uri := uri_of(link.get("href"))):
                return uri
        return None

    # How it is asked

    def _api(self) -> Http:
        assert self._http is not None  # noqa: S101 — profile() comes first
        return self._http

    async def _get(self, http: Http, path: str, parameters: Mapping[str, str]) -> Response:
        token = await self.kit.tokens.current()
        headers = {"Authorization": f"Bearer {token.reveal()}"} if token is not None else {}
        response = await http.get(path, params=parameters, headers=headers)
        if response.status == 401 and token is not None:
            renewed = await self.kit.tokens.renewed()
            if renewed is not None:
                headers = {"Authorization": f"Bearer {renewed.reveal()}"}
                response = await http.get(path, params=parameters, headers=headers)
        return response

    def _object(self, response: Response, *, is_needed: bool = True) -> dict[str, Any]:
        try:
            data = read_json(response.body)
        except BadJson as error:
            if not is_needed:
                return {}
            raise self._invalid_answer_error(str(error)) from None
        if not isinstance(data, dict) and is_needed:
            raise self._invalid_answer_error("It is not a JSON object")
        return object_of(data)

    def _invalid_answer_error(self, why: str) -> SourceDown:
        return SourceDown(
            f"The answer of {self.handle.host} is not in the form of Mastodon's API",
            why=why,
            hint='If its API is elsewhere, write for example: server = "https://social.example"',
        )

    def _answer_error(self, response: Response, what: str) -> SourceError:
        """The error for an answer with an error status, with a hint."""
        if response.status in _REFUSED:
            return self._login_error(response, what)
        host, name = self.handle.host, self.account.name
        if response.status not in _NOT_FOUND:
            return SourceDown(f"{host} answers {response.status} for {what}{self.handle}")
        why = f"It answers {response.status}"
        if self.account.platform_id is not None and not what:
            return AccountGone(
                f"{self.handle} does not exist any more",
                state="deleted",
                why=why,
                hint="What is archived is kept; the next run tries again",
            )
        hint = f"If it is spelt right, the server may want a login. Run: archiver login {name}"
        return AccessRefused(
            f"{host} does not show {what}{self.handle}",
            why=why,
            hint=hint if self.kit.tokens.user is None else "Check the handle in the config",
            code="not_found",
        )

    def _login_error(self, response: Response, what: str) -> AccessRefused:
        host, name = self.handle.host, self.account.name
        said = f"{host} shows {what}{self.handle} only to those who are logged in"
        if self.kit.tokens.user is not None:
            said = f"{host} does not accept the login of {name} any more"
        hint = f"Run: archiver login {name}"
        why = f"It answers {response.status}"
        return AccessRefused(said, why=why, hint=hint, code="login")
