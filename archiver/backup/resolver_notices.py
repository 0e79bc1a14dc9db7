"""What keeps videos behind their pages from being fetched, or soon will: said before it happens."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from archiver.config import Config
from archiver.errors import ArchiverError
from archiver.plugin_calls import cause_of, plugin_errors
from archiver.resolvers import Resolver

PROXY_NOTICE = (
    "Videos behind their pages are not fetched: with [network] proxy, whose rules a resolver does "
    "not know, none is used"
)


def resolver_notices(
    config: Config, resolvers: Sequence[Resolver], now: datetime
) -> list[tuple[str, str]]:
    """What is to be said of each account whose settings are about resolvers: (name, sentence)."""
    found: dict[tuple[str, str], None] = {}  # an account with two sources has two entries
    for entry in config.accounts:
        resolver = next((each for each in resolvers if entry.platform in each.platforms), None)
        if resolver is not None:
            for sentence in _of_platform(config, entry.platform, entry.own, resolver, now):
                found[entry.name, sentence] = None
    return list(found)


def _of_platform(
    config: Config, platform: str, own: bool, resolver: Resolver, now: datetime
) -> Iterator[str]:
    is_listed = platform in config.media.resolve
    if own and not is_listed:
        yield f'own = true has no effect: resolve in [media] does not list "{platform}"'
    elif is_listed and not any(each.own for each in config.accounts if each.platform == platform):
        yield f'resolve in [media] lists "{platform}", and no account of it has own = true'
    elif own and config.media.videos == "none":
        yield 'resolve in [media] has no effect: videos = "none" wants no video'
    elif own and "video" in config.media.leave_out:
        yield "resolve in [media] has no effect: leave_out leaves videos out"
    elif own and config.network.proxy is not None:
        yield PROXY_NOTICE
    elif own and (notice := resolver_notice(resolver, platform, now)) is not None:
        yield notice


def resolver_notice(resolver: Resolver, platform: str, now: datetime) -> str | None:
    """What a resolver has to say before it is used; an error of it is said too."""
    try:
        with plugin_errors(lambda error: ArchiverError(cause_of(error))):
            return resolver.notice(platform, now)
    except ArchiverError as error:
        return f"A bug in the resolver {resolver.name}: {error}"
