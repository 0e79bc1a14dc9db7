"""OAuth logins: their steps, renewal of tokens, revocation.

A login begins with a request for the user's browser and ends with the code that the server hands
out for it, by a redirect or to be pasted. PKCE makes a code that somebody else sees useless; the
`state` distinguishes our redirect from others.
"""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeGuard
from urllib.parse import parse_qs, urlencode, urlsplit

from archiver.auth import OAuth
from archiver.errors import AccessRefused, SourceDown, UsageError
from archiver.hookspecs import Http
from archiver.jsontext import BadJson, read_json
from archiver.models import Response, time_text, timestamp
from archiver.secrets import MASK, Secret, redact
from archiver.tokens import Login, Token

_WEEK = timedelta(days=7)
_SHOWN = 300
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{20,4000}", re.ASCII)
_LETTERS = re.compile(r"(?=.*[a-z])(?=.*[A-Z])[A-Za-z_-]{32,}", re.ASCII)
_VARIED = 12
"""How many different letters a token without digits has at least: random ones have far more."""
_LONGEST_LIFE = 100 * 366 * 24 * 3600  # seconds; more means no end


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """A login that has begun: what the exchange of its code needs."""

    auth: OAuth
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def url(self) -> str:
        """The page on which the user allows the access."""
        challenge = urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.auth.scopes),
            "state": self.state,
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        address = self.auth.base_url.rstrip("/") + self.auth.authorize_path
        return f"{address}?{urlencode(query)}"


async def begin_login(auth: OAuth, http: Http, redirect_uri: str) -> LoginRequest:
    """Register this program, if the server does not know it, and prepare a request.

    Raises SourceDown, AccessRefused.
    """
    client_id = auth.client_id
    client_secret = auth.client_secret.reveal() if auth.client_secret else None
    if not client_id:
        form = {
            **auth.register_form,
            "redirect_uris": redirect_uri,
            "scopes": " ".join(auth.scopes),
        }
        response = await http.post(auth.register_path, form=form)
        answer = _fields(response, auth.base_url, "register a program")
        client_id, client_secret = str(answer.get("client_id", "")), answer.get("client_secret")
    if not _is_word(client_id) or not (client_secret is None or _is_word(client_secret)):
        raise SourceDown(f"{_host(auth.base_url)} gave this program no id to log in with")
    if client_secret is not None:
        _mask(client_secret)
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    Secret.mask_value(verifier)
    return LoginRequest(auth, client_id, client_secret, redirect_uri, state, verifier)


async def finish_login(request: LoginRequest, http: Http, code: str, now: datetime) -> Token:
    """Exchange a code for a token. Raises SourceDown, AccessRefused."""
    _mask(code)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": request.redirect_uri,
        "client_id": request.client_id,
        "code_verifier": request.verifier,
    }
    if request.client_secret is not None:
        form["client_secret"] = request.client_secret
    answer = await http.post(request.auth.token_path, form=form)
    login = Login(
        base_url=request.auth.base_url,
        scope=" ".join(request.auth.scopes),
        trust=request.auth.trust,
        token_path=request.auth.token_path,
        revoke_path=request.auth.revoke_path,
        client_id=request.client_id,
    )
    return _token(answer, Token(login, "", client_secret=request.client_secret), now)


def token_by_hand(auth: OAuth, access_token: str, now: datetime) -> Token:
    """A token that the user made on the server's own pages. Raises UsageError."""
    if not _is_token(access_token):
        raise UsageError(
            "That is not a token", why="A token is one long word of letters, digits and few signs"
        )
    login = Login(auth.base_url, obtained_at=time_text(now), trust=auth.trust)
    token = Token(login, access_token)
    token.mask()
    return token


async def with_user(token: Token, auth: OAuth, http: Http) -> Token:
    """The token, and who has logged in with it. Raises SourceDown, AccessRefused."""
    if not auth.user_path:
        return token
    headers = {"Authorization": f"Bearer {token.access_token}"}
    response = await http.get(auth.user_path, headers=headers)
    answer = _fields(response, auth.base_url, "say who logged in")
    user = answer.get(auth.user_key)
    return replace(token, login=replace(token.login, user=user if isinstance(user, str) else None))


async def renewed(token: Token, http: Http, now: datetime) -> Token:
    """A new token in exchange for the refresh token of this one.

    Raises SourceDown, and AccessRefused where the server does not know it any more.
    """
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token.refresh_token or "",
        "client_id": token.login.client_id,
    }
    if token.client_secret is not None:
        form["client_secret"] = token.client_secret
    return _token(await http.post(token.login.token_path, form=form), token, now)


async def revoke(token: Token, http: Http) -> None:
    """Revoke a token on the server. Raises SourceDown, AccessRefused."""
    form = {"token": token.access_token, "client_id": token.login.client_id}
    if token.client_secret is not None:
        form["client_secret"] = token.client_secret
    response = await http.post(token.login.revoke_path, form=form)
    if response.status != 200:
        raise AccessRefused(f"The server answers {response.status} to the end of a login")


def is_due(login: Login, now: datetime) -> bool:
    """Whether a token should be renewed: a week before its end, or after half of a shorter life."""
    if not login.is_renewable or login.expires_at is None:
        return False
    end = datetime.fromisoformat(login.expires_at)
    begin = datetime.fromisoformat(login.obtained_at) if login.obtained_at else now
    return end - now <= min(_WEEK, (end - begin) / 2)


def code_of(pasted: str, state: str) -> str:
    """The code in what a user pasted: the code itself, or the address that the browser ended at.

    Raises UsageError, AccessRefused.
    """
    text = pasted.strip()
    if "://" in text:
        try:
            query = parse_qs(urlsplit(text).query)
        except ValueError:
            query = {}
        return code_of_redirect(query, state)
    if not _is_word(text):
        raise UsageError(
            "That is not a code", hint="Paste the code, or the whole address with code=…"
        )
    return text


def code_of_redirect(query: Mapping[str, list[str]], state: str) -> str:
    """The code in the parameters of a redirect.

    Raises UsageError for a redirect of another login, AccessRefused for a user who said no.
    """
    if not secrets.compare_digest("".join(query.get("state", [])).encode(), state.encode()):
        raise UsageError("That answer belongs to another login", hint="Begin again")
    if error := "".join(query.get("error", [])):
        why = "".join(query.get("error_description", [])) or error
        raise AccessRefused("The login was refused", why=_printable(why), code="login")
    code = "".join(query.get("code", []))
    if not _is_word(code):
        raise UsageError("That answer holds no code", hint="Begin again")
    return code


def _token(response: Response, before: Token, now: datetime) -> Token:
    """The token in an answer; what the answer leaves out stays as it was `before`."""
    base_url = before.login.base_url
    answer = _fields(response, base_url, "hand out a token")
    access = _token_value(answer.get("access_token"), before.access_token)
    refresh = (
        _token_value(answer.get("refresh_token"), before.refresh_token) or before.refresh_token
    )
    kind = answer.get("token_type", "Bearer")
    if not access or not isinstance(kind, str) or kind.lower() != "bearer":
        raise SourceDown(f"{_host(base_url)} returned no usable token")
    scope = answer.get("scope")
    login = replace(
        before.login,
        scope=scope if isinstance(scope, str) else before.login.scope,
        obtained_at=time_text(now),
        expires_at=_end(answer.get("expires_in"), now),
        is_renewable=refresh is not None,
    )
    token = Token(login, access, refresh, before.client_secret)
    token.mask()
    return token


def _token_value(value: object, before: str | None) -> str | None:
    """The token in an answer; where it is redacted, it is the token of before."""
    if value == MASK:
        return before
    return value if _is_token(value) and MASK not in value else None


def _end(seconds: object, now: datetime) -> str | None:
    """When a token with a lifetime in seconds expires."""
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit() and len(seconds) < 12:
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return None
    if not 0 < seconds < _LONGEST_LIFE:
        return None
    return timestamp(now + timedelta(seconds=seconds))


def _fields(response: Response, base_url: str, what: str) -> dict[str, Any]:
    """The answer as an object. Raises SourceDown, AccessRefused."""
    try:
        found = read_json(response.body)
    except BadJson:
        found = None
    if 400 <= response.status < 500:
        said = found if isinstance(found, dict) else {}
        why = said.get("error_description") or said.get("error")
        raise AccessRefused(
            f"{_host(base_url)} refuses to {what}",
            why=_printable(why) if isinstance(why, str) else f"It answers {response.status}",
            hint="Log in again with archiver login",
            code="login",
        )
    if response.status not in {200, 201} or not isinstance(found, dict):
        raise SourceDown(f"{_host(base_url)} does not {what}", why=f"It answers {response.status}")
    return found


def _host(base_url: str) -> str:
    return urlsplit(base_url).netloc


def _printable(text: str) -> str:
    line = " ".join(text.split())
    return redact("".join(letter for letter in line if letter.isprintable()))[:_SHOWN]


def _is_word(value: object) -> TypeGuard[str]:
    """Whether it is one word that a form or a header can hold."""
    return (
        isinstance(value, str)
        and 0 < len(value) < 10_000
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _is_token(value: object) -> TypeGuard[str]:
    """Whether it can be a token (RFC 6750, section 2.1), and is long and random enough.

    A token is blanked out of all answers from then on, those of other servers too: a server must
    not choose one that stands in ordinary text, as words and the parts of addresses do.
    """
    if not isinstance(value, str) or _TOKEN.fullmatch(value) is None:
        return False
    if not any(map(str.isalpha, value)):
        return False
    has_digits = any(map(str.isdigit, value))
    return has_digits or (_LETTERS.fullmatch(value) is not None and len(set(value)) >= _VARIED)


def _mask(value: str) -> None:
    """Redact a secret of the login, if ordinary text is unlikely to contain it."""
    if _is_token(value):
        Secret.mask_value(value)
