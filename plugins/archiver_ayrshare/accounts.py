"""Who an account is, from what the API says about the profile that it is linked to.

`GET /user` lists the linked networks twice: by name in `activeSocialAccounts`, and with ids and
names in `displayNames`. Either may be absent; with nothing linked, the first one is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from archiver import AccessRefused, Identity, Secret
from archiver_ayrshare.client import AyrshareClient
from archiver_ayrshare.options import ProfileOptions, TwitterOptions
from archiver_ayrshare.values import first, id_of, list_of, text_of, url_of

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
    """Who the account is; None where the API does not say.

    Raises AccessRefused when the profile has no such account linked, and SourceError.
    """
    if isinstance(options, TwitterOptions) and (found := _named(options)):
        return found
    user = await client.user(options.profile_key)
    identity = _identities(user).get(platform)
    listed = user.get("activeSocialAccounts")
    told = isinstance(listed, list) or isinstance(user.get("displayNames"), list)
    if told and identity is None and platform not in list_of(listed):
        raise AccessRefused(
            f"The profile has no {platform} account linked",
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


def _named(options: TwitterOptions) -> Identity | None:
    """Somebody else's account on X, which only the config knows."""
    if options.user_id:
        return Identity("twitter", options.user_id)
    if options.handle:
        return Identity("twitter", f"@{options.handle}".lower(), handle=options.handle)
    return None


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
