"""Which account answers: what a Profile-Key chooses, and what is said about it."""

import hashlib
import hmac
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from archiver.errors import SecretError
from archiver.secrets import Secret
from archiver_ayrshare.emulation.answers import JsonObject

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Configured:
    """An account as the config has it, in the order of the config."""

    name: str
    platform: str
    profile_key: Secret | None = None


@dataclass(frozen=True, slots=True)
class ServedAccount:
    """An account that the archive has."""

    id: int
    name: str
    platform: str
    platform_id: str | None
    handle: str | None
    title: str | None
    url: str | None
    first_seen_at: str

    def is_called(self, name: str) -> bool:
        """Whether a name is this account's handle or title, in whatever capitals."""
        names = {known.casefold().removeprefix("@") for known in (self.handle, self.title) if known}
        return name.casefold().removeprefix("@") in names

    def displayed(self) -> JsonObject:
        """The account as `GET /user` lists it; what is not known is left out."""
        entry = {
            "platform": self.platform,
            "id": self.platform_id,
            "displayName": self.title or self.handle or self.name,
            "username": self.handle,
            "profileUrl": self.url,
            "created": self.first_seen_at,
        }
        if self.platform == "youtube":  # there `id` may be that of the person behind the channel
            entry |= {"channelId": self.platform_id, "channelTitle": self.title}
        return {name: value for name, value in entry.items() if value is not None}


def held_accounts(connection: sqlite3.Connection) -> list[ServedAccount]:
    """The accounts of an archive, in the order in which it met them."""
    query = (
        "SELECT id, name, platform, platform_id, handle, title, url, first_seen_at FROM accounts"
    )
    return [ServedAccount(*row) for row in connection.execute(f"{query} ORDER BY id")]


@dataclass(slots=True)
class ProfileKeys:
    """The profile keys of the config. Each is revealed once, when a request first needs it."""

    configured: Sequence[Configured]
    _revealed: dict[Secret, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def named_by(self, key: str) -> list[str]:
        """The labels of the accounts that belong to the profile of this key."""
        return [
            account.name
            for account in self.configured
            if account.profile_key is not None
            and hmac.compare_digest(self._reveal(account.profile_key).encode(), key.encode())
        ]

    def _reveal(self, secret: Secret) -> str:
        with self._lock:
            if secret not in self._revealed:
                try:
                    self._revealed[secret] = secret.reveal()
                except SecretError as error:
                    log.warning("A profile key cannot be told, so it chooses nothing: %s", error)
                    self._revealed[secret] = ""
            return self._revealed[secret]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a Profile-Key stands for: one account a platform at most."""

    title: str
    accounts: Mapping[str, ServedAccount]

    def user(self) -> JsonObject:
        """What `GET /user` says."""
        held = sorted(self.accounts.values(), key=lambda account: account.platform)
        answer: JsonObject = {
            "displayNames": [account.displayed() for account in held],
            "messagingEnabled": False,
            "refId": ref_id(self.title),
            "title": self.title,
        }
        if held:
            answer["activeSocialAccounts"] = [account.platform for account in held]
            answer["created"] = created(min(account.first_seen_at for account in held))
        return answer


def profile_of(key: str, held: Sequence[ServedAccount], keys: ProfileKeys) -> Profile | None:
    """The profile that a key names, or None.

    "" is the primary profile: of each platform the first account in the config, else in the
    archive. An account's label names that account. A profile key of the config names the accounts
    that have it there.
    """
    names = [account.name for account in keys.configured]
    if not key:
        place = {name: number for number, name in enumerate(names)}
        ordered = sorted(held, key=lambda account: place.get(account.name, len(place)))
        return Profile("Primary Profile", _firsts(ordered))
    label = _as_utf8(key)
    labelled = [account for account in held if account.name == label]
    if labelled or label in names:
        return Profile(label, _firsts(labelled))
    named = keys.named_by(key)
    if not named:
        return None
    by_name = {account.name: account for account in held}
    return Profile(", ".join(named), _firsts(by_name[name] for name in named if name in by_name))


def profile_listed(account: ServedAccount) -> JsonObject:
    """An account as `GET /profiles` lists it: a profile of its own, whose key is its title."""
    return {
        "status": "active",
        "title": account.name,
        "displayTitle": account.name,
        "created": {k: v for k, v in created(account.first_seen_at).items() if k != "utc"},
        "createdUTC": account.first_seen_at,
        "refId": ref_id(account.name),
        "activeSocialAccounts": [account.platform],
    }


def ref_id(title: str) -> str:
    """The id that the API gives a profile besides its title: 40 hexadecimal digits."""
    return hashlib.sha256(title.encode()).hexdigest()[:40]


def created(at: str) -> JsonObject:
    """A point in time as `GET /user` writes it."""
    seconds = int(datetime.fromisoformat(at).timestamp())
    return {"_seconds": seconds, "_nanoseconds": 0, "utc": at}


def _firsts(accounts: Iterable[ServedAccount]) -> dict[str, ServedAccount]:
    chosen: dict[str, ServedAccount] = {}
    for account in accounts:
        chosen.setdefault(account.platform, account)
    return chosen


def _as_utf8(header: str) -> str:
    """A header's text, which arrives as Latin-1, as the UTF-8 that clients send labels in."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
