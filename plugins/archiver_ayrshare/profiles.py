"""The profiles of a business account, as `GET /profiles` lists them.

The primary profile is not among them, and their keys are never given: whoever holds the account
has them from the day when each profile was made, or from the dashboard.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from archiver import SourceDown, SourceProfile
from archiver_ayrshare.accounts import PLATFORMS
from archiver_ayrshare.client import AyrshareClient
from archiver_ayrshare.values import flag_of, id_of, list_of, name_of, object_of, word_of

_MOST_PAGES = 1_000  # of up to 5,000 profiles


async def listed(client: AyrshareClient) -> Sequence[SourceProfile]:
    """All profiles, each once, with the networks whose history can be read.

    Raises SourceDown where the list has no end, or is none: half a list is never returned. And
    SourceError, SecretError.
    """
    found: dict[str, SourceProfile] = {}
    unnamed: list[SourceProfile] = []
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(_MOST_PAGES):
        page = await client.profiles_page(cursor)
        for profile in _profiles(page):
            if profile.ref:
                found.setdefault(profile.ref, profile)
            else:
                unnamed.append(profile)
        paging = object_of(page.get("pagination"))
        if not flag_of(paging.get("hasMore")):
            return [*found.values(), *unnamed]
        cursor = name_of(paging.get("nextCursor"))
        if cursor is None or cursor in seen:
            raise _strange("It says that there are more, and not how to get them")
        seen.add(cursor)
    raise _strange(f"It has not ended after {_MOST_PAGES} pages")


def _profiles(page: Mapping[str, Any]) -> Sequence[SourceProfile]:
    profiles = page.get("profiles")
    if not isinstance(profiles, list):
        raise _strange("It has no list of profiles")
    return [_profile(object_of(each)) for each in profiles]


def _profile(entry: Mapping[str, Any]) -> SourceProfile:
    linked = set(map(word_of, list_of(entry.get("activeSocialAccounts"))))
    return SourceProfile(
        id_of(entry.get("refId")) or "",
        name_of(entry.get("title")) or name_of(entry.get("displayTitle")) or "",
        tuple(platform for platform in PLATFORMS if platform in linked),
        bool(flag_of(entry.get("suspended"))) or word_of(entry.get("status")) == "suspended",
    )


def _strange(why: str) -> SourceDown:
    return SourceDown(
        "The list of profiles is not as Ayrshare documents it",
        why=why,
        hint="Try again later, and check base_url",
    )
