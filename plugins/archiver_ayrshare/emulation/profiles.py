"""The answers of `GET /user` and `GET /profiles`."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archiver_ayrshare.emulation.answers import JsonObject


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """An account that a profile has linked. What is None is left out; `created` is ISO 8601."""

    platform: str
    id: str | None
    title: str | None
    handle: str | None
    url: str | None
    created: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def displayed(self) -> JsonObject:
        """The account as `GET /user` lists it."""
        entry = {
            "platform": self.platform,
            "id": self.id,
            "displayName": self.title,
            "username": self.handle,
            "profileUrl": self.url,
            "created": self.created,
            **self.details,
        }
        if self.platform == "youtube":  # there `id` may be that of the person behind the channel
            entry |= {"channelId": self.id, "channelTitle": self.title}
        return {name: value for name, value in entry.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Profile:
    """A user profile, and what it has linked. `created` is ISO 8601, or None if unknown."""

    title: str
    created: str | None
    accounts: Sequence[LinkedAccount]
    ref_id: str = ""
    suspended: bool = False

    def user(self, **more: Any) -> JsonObject:
        """What `GET /user` says; with nothing linked, `activeSocialAccounts` is absent."""
        answer: JsonObject = {
            "displayNames": [account.displayed() for account in self.accounts],
            "messagingEnabled": False,
            "refId": self._ref_id(),
            "title": self.title,
            **more,
        }
        if self.created is not None:
            answer["created"] = {**_seconds(self.created), "utc": self.created}
        return answer | self._linked()

    def listed(self) -> JsonObject:
        """The profile as `GET /profiles` lists it."""
        answer: JsonObject = {
            "status": "suspended" if self.suspended else "active",
            "title": self.title,
            "displayTitle": self.title,
            "refId": self._ref_id(),
        }
        if self.created is not None:
            answer |= {"created": _seconds(self.created), "createdUTC": self.created}
        if self.suspended:
            answer["suspended"] = True
        return answer | self._linked()

    def _linked(self) -> JsonObject:
        platforms = [account.platform for account in self.accounts]
        return {"activeSocialAccounts": platforms} if platforms else {}

    def _ref_id(self) -> str:
        """The id that the API gives a profile besides its title: 40 hexadecimal digits."""
        return self.ref_id or hashlib.sha256(self.title.encode()).hexdigest()[:40]


def profiles_body(profiles: Iterable[Profile], updated_at: str, next_update: str) -> JsonObject:
    """What `GET /profiles` says, in one page."""
    listed = [profile.listed() for profile in profiles]
    return {
        "profiles": listed,
        "count": len(listed),
        "lastUpdated": updated_at,
        "nextUpdate": next_update,
        "pagination": {"hasMore": False, "limit": 5000},
    }


def _seconds(at: str) -> JsonObject:
    """A point in time as the API writes it beside the text."""
    return {"_seconds": int(datetime.fromisoformat(at).timestamp()), "_nanoseconds": 0}
