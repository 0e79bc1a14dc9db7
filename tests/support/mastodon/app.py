"""The world's API over HTTP: an ASGI application, and a server of it on loopback."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from archiver.webserver import listen, origin_of, running
from support.mastodon.world import FediAccount, FediGrant, FediServer, FediStatus
from support.media.samples import picture

_WINDOW = timedelta(minutes=15)
_PAGING = frozenset({"max_id", "min_id", "since_id"})
_STATUS_PARAMETERS = _PAGING | {"limit", "exclude_reblogs", "exclude_replies", "only_media"}


def _error(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status)


class FediApi:
    """One world's answers."""

    def __init__(self, world: FediServer) -> None:
        self.world = world

    def viewer(self, request: Request) -> FediAccount | None:
        """Whose token asks."""
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = self.world.tokens.get(bearer)
        if token is None or (token.ends_at and token.ends_at <= self.world.now()):
            return None
        return token.account

    def refusal(self, request: Request) -> JSONResponse | None:
        """What a token that is not known, or a missing one, is answered."""
        has_token = "authorization" in request.headers
        if has_token and self.viewer(request) is None:
            return _error(401, "The access token is invalid")
        if self.world.needs_token and not has_token:
            return _error(401, "This API requires an authenticated user")
        return None

    # Accounts and statuses

    async def lookup(self, request: Request) -> Response:
        acct = request.query_params["acct"].removesuffix(f"@{self.world.host}")
        account = self.world.accounts.get(acct)
        return (
            _error(404, "Record not found") if account is None else JSONResponse(account.as_json())
        )

    async def account(self, request: Request) -> Response:
        account = self._by_id(request.path_params["account_id"])
        return (
            _error(404, "Record not found") if account is None else JSONResponse(account.as_json())
        )

    async def verify(self, request: Request) -> Response:
        viewer = self.viewer(request)
        if viewer is None:
            return _error(401, "The access token is invalid")
        return JSONResponse({**viewer.as_json(), "source": {"privacy": "public"}})

    async def statuses(self, request: Request) -> Response:
        account = self._by_id(request.path_params["account_id"])
        if account is None:
            return _error(404, "Record not found")
        asked = dict(request.query_params)
        if unknown := set(asked) - _STATUS_PARAMETERS:
            return _error(422, f"Unknown parameters {unknown}")
        viewer = self.viewer(request)
        seen = [] if account.suspended else [s for s in account.statuses if _sees(viewer, s)]
        newest_first = sorted(seen, key=lambda status: int(status.status_id), reverse=True)
        if self.world.dialect == "snac":  # whatever it is asked
            return JSONResponse([s.as_json() for s in newest_first[:20]])
        limit = min(int(asked.get("limit", 20)), self.world.page_limit)
        if "max_id" in asked:
            newest_first = [s for s in newest_first if int(s.status_id) < int(asked["max_id"])]
        page = newest_first[:limit]
        path = f"/api/v1/accounts/{account.local_id}/statuses"
        headers = self._links(path, page, limit)
        return JSONResponse([s.as_json() for s in page], headers=headers)

    def _links(self, path: str, page: list[FediStatus], limit: int) -> dict[str, str]:
        if not page or self.world.dialect == "no links":
            return {}
        ends = {"prev": ("min_id", page[0].status_id)}
        if len(page) == limit:
            ends = {"next": ("max_id", page[-1].status_id), **ends}
        links = (
            f"<https://{self.world.host}{path}?{urlencode({'limit': limit, name: value})}>; "
            f'rel="{rel}"'
            for rel, (name, value) in ends.items()
        )
        return {"Link": ", ".join(links)}

    async def status(self, request: Request) -> Response:
        status = self._shown(request)
        return _error(404, "Record not found") if status is None else JSONResponse(status.as_json())

    async def history(self, request: Request) -> Response:
        status = self._shown(request)
        return _error(404, "Record not found") if status is None else JSONResponse(status.history())

    def _shown(self, request: Request) -> FediStatus | None:
        status = self.world.status(request.path_params["status_id"])
        return status if status is not None and _sees(self.viewer(request), status) else None

    def _by_id(self, account_id: str) -> FediAccount | None:
        every = self.world.accounts.values()
        return next((account for account in every if account.local_id == account_id), None)

    async def webfinger(self, request: Request) -> Response:
        name = request.query_params["resource"].removeprefix("acct:")
        account = self.world.accounts.get(name.removesuffix(f"@{self.world.host}"))
        if account is None:
            return _error(404, "Record not found")
        return JSONResponse(
            {
                "subject": f"acct:{name}",
                "links": [
                    {"rel": "http://webfinger.net/rel/profile-page", "href": account.url},
                    {"rel": "self", "type": "application/activity+json", "href": account.uri},
                ],
            }
        )

    async def media(self, request: Request) -> Response:
        path = request.url.path
        media = (m for a in self.world.accounts.values() for s in a.statuses for m in s.media)
        body = next((m.body for m in media if m.body and m.path.endswith(path)), b"")
        body = body or picture("JPEG", comment=path.encode())
        return Response(body, media_type="image/jpeg")

    async def instance(self, request: Request) -> Response:
        return JSONResponse({"uri": self.world.host, "version": "4.5.0"})

    # OAuth

    async def register(self, request: Request) -> Response:
        form = await _form(request)
        if not form.get("client_name"):
            return _error(422, "Validation failed: Application name can't be blank")
        app = self.world.register(form["redirect_uris"], form["scopes"])
        answer = {"client_id": app.client_id, "client_secret": app.client_secret}
        return JSONResponse({"id": "1", "name": form["client_name"], **answer})

    async def authorize(self, request: Request) -> Response:
        """The page on which a user says yes; here they do so at once."""
        asked = request.query_params
        app = self.world.apps.get(asked["client_id"])
        redirect_uri = asked["redirect_uri"]
        if app is None or redirect_uri not in app.redirect_uris or asked["response_type"] != "code":
            return _error(400, "invalid client or redirect")
        if asked["code_challenge_method"] != "S256" or not set(asked["scope"].split()) <= set(
            app.scopes.split()
        ):
            return _error(400, "invalid scope or challenge")
        code = secrets.token_urlsafe(24)
        account = self.world.accounts[self.world.logged_in_user]
        self.world.grants[code] = FediGrant(app, redirect_uri, asked["code_challenge"], account)
        if redirect_uri.startswith("urn:"):
            return Response(code)
        return RedirectResponse(
            f"{redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}"
        )

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        app = self.world.apps.get(form.get("client_id", ""))
        if app is None or form.get("client_secret") != app.client_secret:
            return _error(401, "invalid_client")
        if form["grant_type"] == "refresh_token":
            return self._renew(form)
        grant = self.world.grants.pop(form.get("code", ""), None)
        if grant is None or grant.app is not app or grant.redirect_uri != form["redirect_uri"]:
            return _error(400, "invalid_grant")
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if urlsafe_b64encode(digest).decode().rstrip("=") != grant.challenge:
            return _error(400, "invalid_grant")
        return self._handed_out(grant.account, app.scopes)

    def _renew(self, form: Mapping[str, str]) -> Response:
        old = next(
            (t for t in self.world.tokens.values() if t.refresh == form["refresh_token"]), None
        )
        if old is None:
            return _error(400, "invalid_grant")
        del self.world.tokens[old.access]
        return self._handed_out(old.account, "read")

    def _handed_out(self, account: FediAccount, scope: str) -> Response:
        token = self.world.hand_out(account)
        answer: dict[str, Any] = {
            "access_token": token.access,
            "token_type": "Bearer",
            "scope": scope,
            "created_at": int(self.world.now().timestamp()),
        }
        if self.world.token_life is not None:
            answer |= {
                "expires_in": int(self.world.token_life.total_seconds()),
                "refresh_token": token.refresh,
            }
        return JSONResponse(answer)

    async def revoke(self, request: Request) -> Response:
        form = await _form(request)
        app = self.world.apps.get(form.get("client_id", ""))
        if app is None or form.get("client_secret") != app.client_secret:
            return _error(403, "unauthorized_client")
        self.world.tokens.pop(form["token"], None)
        return JSONResponse({})

    # All requests

    async def limited(self, request: Request, call: RequestResponseEndpoint) -> Response:
        """Count paging requests, as Mastodon does, and refuse those that have no right to ask."""
        self.world.asked.append(f"{request.method} {request.url.path}")
        if not request.url.path.startswith("/api/"):
            return await call(request)
        if (refusal := self.refusal(request)) is not None and request.method == "GET":
            return refusal
        now = self.world.now()
        is_paging = bool(_PAGING & set(request.query_params))
        self.world.paged = [at for at in self.world.paged if at > now - _WINDOW]
        if is_paging:
            self.world.paged.append(now)
        left = self.world.paging_quota - len(self.world.paged)
        response = await call(request) if left >= 0 else _error(429, "Too many requests")
        reset = self.world.paged[0] + _WINDOW if self.world.paged else now
        if is_paging:
            response.headers["X-RateLimit-Limit"] = str(self.world.paging_quota)
            response.headers["X-RateLimit-Remaining"] = str(max(left, 0))
            response.headers["X-RateLimit-Reset"] = reset.isoformat().replace("+00:00", "Z")
        return response

    def application(self) -> Starlette:
        """All of it."""
        return Starlette(
            routes=[
                Route("/.well-known/webfinger", self.webfinger),
                Route("/api/v1/accounts/lookup", self.lookup),
                Route("/api/v1/accounts/verify_credentials", self.verify),
                Route("/api/v1/accounts/{account_id}", self.account),
                Route("/api/v1/accounts/{account_id}/statuses", self.statuses),
                Route("/api/v1/statuses/{status_id}", self.status),
                Route("/api/v1/statuses/{status_id}/history", self.history),
                Route("/api/v1/instance", self.instance),
                Route("/api/v1/apps", self.register, methods=["POST"]),
                Route("/oauth/authorize", self.authorize),
                Route("/oauth/token", self.token, methods=["POST"]),
                Route("/oauth/revoke", self.revoke, methods=["POST"]),
                Route("/media_attachments/{path:path}", self.media),
                Route("/custom_emojis/{path:path}", self.media),
                Route("/avatars/{path:path}", self.media),
                Route("/cache/{path:path}", self.media),
                Route("/headers/{path:path}", self.media),
            ],
            middleware=[Middleware(BaseHTTPMiddleware, dispatch=self.limited)],
        )


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def _sees(viewer: FediAccount | None, status: FediStatus) -> bool:
    return status.visibility in {"public", "unlisted"} or viewer is status.author


@contextmanager
def serving(world: FediServer) -> Iterator[FediServer]:
    """Serve a world on loopback until the block ends; its `origin` is where."""
    sock = listen("127.0.0.1", 0)
    world.origin = origin_of(sock)
    with running(FediApi(world).application(), [sock], quiet=True):
        yield world
