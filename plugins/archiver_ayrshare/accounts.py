"""Who an account is, from what the API says about the profile that it is linked to.

`GET /user` lists the linked networks twice: by name in `activeSocialAccounts`, and with ids and
names in `displayNames`. Either may be absent; with nothing linked, the first one is.

For an X account of somebody else, only its posts have its id; a handle can change hands.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archiver import AccessRefused, Identity, Record, Secret
from archiver_ayrshare.addresses import url_of
from archiver_ayrshare.client import PAGE, AyrshareClient
from archiver_ayrshare.options import ProfileOptions, TwitterOptions
from archiver_ayrshare.values import first, id_of, list_of, object_of, text_of

PLATFORMS = (
    "bluesky",
    "facebook",
    "instagram",
    "linkedin",
    "pinterest",
    "snapchat",
    "threads",
    "tiktok",
    "twitter",
    "youtube",
)

_IDS = {"youtube": ("channelId", "id")}  # `id` may be that of the Google account behind it
_TITLES = {"youtube": ("channelTitle", "displayName")}


async def identify(
    client: AyrshareClient, platform: str, options: ProfileOptions
) -> Identity | None:
    """The identity of the account; None where the API does not give it.

    Raises AccessRefused when the profile has no such account linked, and SourceError.
    """
    if isinstance(options, TwitterOptions) and options.user_id:
        return Identity("twitter", options.user_id)
    if isinstance(options, TwitterOptions) and options.handle:
        return await _by_handle(client, options, options.handle)
    user = await client.user(options.profile_key)
    identity = _identities(user).get(platform)
    listed = user.get("activeSocialAccounts")
    lists_accounts = isinstance(listed, list) or isinstance(user.get("displayNames"), list)
    if lists_accounts and identity is None and platform not in list_of(listed):
        raise AccessRefused(
            "The account is not linked to this profile",
            hint="Link it on the Social Accounts page of the Ayrshare dashboard, "
            "or check profile_key: without it, your primary profile is read",
            code="not_linked",
        )
    return identity if identity is not None and identity.platform_id else None


async def linked(client: AyrshareClient, profile_key: Secret | None) -> Sequence[Identity]:
    """The accounts of a profile whose history can be read, in alphabetical order.

    Where the API names an account without saying who it is, its `platform_id` is empty.
    """
    user = await client.user(profile_key)
    known = _identities(user)
    listed = list_of(user.get("activeSocialAccounts"))
    return [
        known.get(platform) or Identity(platform, "")
        for platform in PLATFORMS
        if platform in known or platform in listed
    ]


async def _by_handle(client: AyrshareClient, options: TwitterOptions, handle: str) -> Identity:
    """The identity behind a handle, by the first page of the scan."""
    params = {"limit": str(min(PAGE, client.limit_max)), **options.params()}
    answer = await client.prefetch_history("twitter", options, params)
    author = author_of(answer.records)
    return Identity("twitter", author or f"@{handle}".lower(), handle=handle)


def author_of(records: Iterable[Record]) -> str | None:
    """The id of the author of most of these posts of X; None where they have none."""
    authors = (id_of(object_of(record.data).get("authorId")) for record in records)
    most = Counter(filter(None, authors)).most_common(1)
    return most[0][0] if most else None


def _identities(user: Mapping[str, Any]) -> dict[str, Identity]:
    found: dict[str, Identity] = {}
    for entry in list_of(user.get("displayNames")):
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if platform not in PLATFORMS or platform in found:
            continue
        found[platform] = Identity(
            platform,
            first(entry, _IDS.get(platform, ("id", "userId")), id_of) or "",
            handle=first(entry, ("username", "userName"), text_of),
            title=first(entry, _TITLES.get(platform, ("displayName", "pageName")), text_of),
            url=first(entry, ("profileUrl",), url_of),
        )
    return found
