"""A server that speaks Mastodon's API strictly: what it does not know, it refuses.

world = FediServer(clock.now)
press = world.sign_up("press")
status = press.publish("Good morning")
status.edit("Good evening")

Ids are snowflakes; pages are linked as Mastodon links them; every version of an edited status is
kept. Who sees what follows from the status's visibility and from whose token asks.
"""

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from support.mastodon.writing import as_html

LOCAL = "social.example"
JsonObject = dict[str, Any]

_numbers = itertools.count(1)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _snowflake(moment: datetime) -> str:
    return str((int(moment.timestamp() * 1000) << 16) + next(_numbers) % 65536)


@dataclass
class FediMedia:
    """A file attached to a status."""

    kind: str = "image"
    body: bytes = b""
    description: str | None = None
    media_id: str = field(default_factory=lambda: str(next(_numbers)))
    fields: JsonObject = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/media_attachments/files/000/{self.media_id}/original/{self.media_id}.bin"

    def as_json(self, origin: str) -> JsonObject:
        url = origin + self.path
        return {
            "id": self.media_id,
            "type": self.kind,
            "url": url,
            "preview_url": url.replace("/original/", "/small/"),
            "remote_url": None,
            "preview_remote_url": None,
            "text_url": None,
            "meta": {"original": {"width": 64, "height": 48}, "small": {"width": 32, "height": 24}},
            "description": self.description,
            "blurhash": "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
            **self.fields,
        }


@dataclass
class FediStatus:
    """A status, with all its versions."""

    author: "FediAccount"
    text: str
    created_at: datetime
    status_id: str
    visibility: str = "public"
    warning: str = ""
    language: str | None = "en"
    media: list[FediMedia] = field(default_factory=list)
    poll: list[str] = field(default_factory=list)
    emojis: list[JsonObject] = field(default_factory=list)
    answers: "FediStatus | None" = None
    quotes: "FediStatus | None" = None
    boosts: "FediStatus | None" = None
    counts: dict[str, int] = field(default_factory=dict)
    edited_at: datetime | None = None
    versions: list[JsonObject] = field(default_factory=list)
    fields: JsonObject = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return f"{self.author.uri}/statuses/{self.status_id}"

    @property
    def url(self) -> str:
        return f"{self.author.url}/{self.status_id}"

    def edit(self, text: str | None = None, **changes: Any) -> None:
        """Change it, and keep the version that was."""
        world = self.author.world
        if not self.versions:
            self.versions.append(self._version(self.created_at))
        self.text = self.text if text is None else text
        for name, value in changes.items():
            setattr(self, name, value)
        self.edited_at = world.now()
        self.versions.append(self._version(self.edited_at))

    def delete(self) -> None:
        """Take it down; what boosts it goes too."""
        for account in self.author.world.accounts.values():
            account.statuses = [
                s for s in account.statuses if s is not self and s.boosts is not self
            ]

    def history(self) -> list[JsonObject]:
        """What `/history` answers."""
        return self.versions or [self._version(self.created_at)]

    def _version(self, moment: datetime) -> JsonObject:
        whole = self.as_json()
        kept = ("content", "spoiler_text", "sensitive", "media_attachments", "emojis", "account")
        version = {key: whole[key] for key in kept} | {"created_at": _written(moment)}
        if self.poll:
            version["poll"] = {"options": [{"title": title} for title in self.poll]}
        return version

    def as_json(self) -> JsonObject:
        """The Status entity, for somebody who is not logged in."""
        host = self.author.world.host
        found: JsonObject = {
            "id": self.status_id,
            "created_at": _written(self.created_at),
            "in_reply_to_id": self.answers.status_id if self.answers else None,
            "in_reply_to_account_id": self.answers.author.local_id if self.answers else None,
            "sensitive": bool(self.warning),
            "spoiler_text": self.warning,
            "visibility": self.visibility,
            "language": self.language,
            "uri": self.uri,
            "url": self.url,
            "replies_count": self.counts.get("replies", 0),
            "reblogs_count": self.counts.get("reblogs", 0),
            "favourites_count": self.counts.get("favourites", 0),
            "quotes_count": self.counts.get("quotes", 0),
            "edited_at": _written(self.edited_at) if self.edited_at else None,
            "content": "" if self.boosts else as_html(self.text, host),
            "reblog": self.boosts.as_json() if self.boosts else None,
            "application": {"name": "Web", "website": None},
            "account": self.author.as_json(),
            "media_attachments": [m.as_json(self.author.world.origin) for m in self.media],
            "mentions": [],
            "tags": [],
            "emojis": self.emojis,
            "card": None,
            "poll": self._poll() if self.poll else None,
            "quote": self._quote() if self.quotes else None,
            "quote_approval": {"automatic": ["public"], "manual": [], "current_user": "denied"},
            "filtered": [],
        }
        return found | self.fields

    def _poll(self) -> JsonObject:
        return {
            "id": f"7{self.status_id}",
            "expires_at": _written(self.created_at + timedelta(days=1)),
            "expired": False,
            "multiple": False,
            "votes_count": sum(self.counts.get(f"option {t}", 0) for t in self.poll),
            "voters_count": sum(self.counts.get(f"option {t}", 0) for t in self.poll),
            "options": [
                {"title": title, "votes_count": self.counts.get(f"option {title}", 0)}
                for title in self.poll
            ],
            "emojis": [],
        }

    def _quote(self) -> JsonObject:
        assert self.quotes is not None
        return {"state": "accepted", "quoted_status": self.quotes.as_json()}


@dataclass
class FediAccount:
    """Somebody on this server, or on another one."""

    world: "FediServer"
    user: str
    host: str
    local_id: str
    display_name: str = ""
    note: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    avatar: str = "/avatars/original/missing.png"
    header: str = "/headers/original/missing.png"
    suspended: bool = False
    moved: "FediAccount | None" = None
    statuses: list[FediStatus] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"https://{self.host}/users/{self.user}"

    @property
    def url(self) -> str:
        return f"https://{self.host}/@{self.user}"

    @property
    def acct(self) -> str:
        return self.user if self.host == self.world.host else f"{self.user}@{self.host}"

    def publish(self, text: str = "", **said: Any) -> FediStatus:
        """Write a status now."""
        now = said.pop("created_at", None) or self.world.now()
        status = FediStatus(self, text, now, _snowflake(now), **said)
        self.statuses.append(status)
        return status

    def boost(self, status: FediStatus) -> FediStatus:
        """Repost somebody's status."""
        return self.publish(boosts=status)

    def as_json(self) -> JsonObject:
        found: JsonObject = {
            "id": self.local_id,
            "username": self.user,
            "acct": self.acct,
            "uri": self.uri,
            "url": self.url,
            "display_name": self.display_name,
            "note": as_html(self.note, self.world.host),
            "avatar": self.world.origin + self.avatar,
            "avatar_static": self.world.origin + self.avatar,
            "header": self.world.origin + self.header,
            "header_static": self.world.origin + self.header,
            "fields": [
                {"name": name, "value": as_html(value), "verified_at": None}
                for name, value in self.fields
            ],
            "emojis": [],
            "bot": False,
            "locked": False,
            "followers_count": 3,
            "following_count": 2,
            "statuses_count": len(self.statuses),
        }
        if self.suspended:
            found |= {"suspended": True, "display_name": "", "note": "", "fields": []}
        if self.moved is not None:
            found["moved"] = self.moved.as_json()
        return found


@dataclass
class FediApp:
    """A program that was registered, and what its users agreed to."""

    client_id: str
    client_secret: str
    redirect_uris: frozenset[str]
    scopes: str


@dataclass
class FediGrant:
    """A code that was handed out and not used yet."""

    app: FediApp
    redirect_uri: str
    challenge: str
    account: FediAccount


@dataclass
class FediToken:
    """A token, and when it ends."""

    account: FediAccount
    access: str
    refresh: str | None
    ends_at: datetime | None


class FediServer:
    """The world. `dialect` is which server it plays; `serving` makes an application of it."""

    def __init__(self, now: Callable[[], datetime], host: str = LOCAL) -> None:
        self.now = now
        self.host = host
        self.origin = ""
        self.dialect = "mastodon"
        self.needs_token = False
        self.token_life: timedelta | None = None
        self.logged_in_user = "press"  # who sits before the browser
        self.page_limit = 40
        self.paging_quota = 300
        self.paged: list[datetime] = []
        self.asked: list[str] = []
        self.accounts: dict[str, FediAccount] = {}
        self.apps: dict[str, FediApp] = {}
        self.grants: dict[str, FediGrant] = {}
        self.tokens: dict[str, FediToken] = {}

    def sign_up(self, user: str, host: str | None = None, **said: Any) -> FediAccount:
        """A new account, here or on another server that this one knows."""
        number = str(109_000_000_000 + next(_numbers))
        account = FediAccount(self, user, host or self.host, number, **said)
        self.accounts[account.acct] = account
        return account

    def status(self, status_id: str) -> FediStatus | None:
        """The status of that id."""
        every = (s for account in self.accounts.values() for s in account.statuses)
        return next((status for status in every if status.status_id == status_id), None)

    def register(self, redirect_uris: str, scopes: str) -> FediApp:
        """A new program."""
        redirects = frozenset(redirect_uris.split())
        app = FediApp(secrets.token_urlsafe(16), secrets.token_urlsafe(24), redirects, scopes)
        self.apps[app.client_id] = app
        return app

    def hand_out(self, account: FediAccount) -> FediToken:
        """A new token for an account."""
        ends_at = self.now() + self.token_life if self.token_life else None
        refresh = secrets.token_hex(24) if self.token_life else None
        token = FediToken(account, secrets.token_hex(24), refresh, ends_at)
        self.tokens[token.access] = token
        return token
