"""Plugins for tests: a source and a platform that satisfy the contract and do nothing."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archiver import (
    Account,
    ConfigError,
    Identity,
    Kit,
    Listing,
    Page,
    Post,
    Rank,
    Record,
    Secret,
    Window,
)
from archiver.models import Stream
from archiver.plugins import Loaded, Origin, Plugins


@dataclass(frozen=True)
class ShelfSettings:
    """The table `[shelf]`."""

    api_key: Secret | None = field(default=None, metadata={"help": "The key."})
    limit: int = field(default=100, metadata={"help": "How many at once.", "min": 1})


@dataclass(frozen=True)
class CardOptions:
    """What an account of the platform `cards` may say."""

    profile_key: Secret | None = None
    user_name: str | None = None


class Shelf:
    """A source whose client is its settings."""

    name = "shelf"
    settings: type[Any] = ShelfSettings

    def __init__(self, identities: Iterable[Identity] = ()) -> None:
        self._identities = tuple(identities)

    rank: Rank = "middleman"

    def open(self, settings: Any, account: Account, kit: Kit) -> Any:
        return settings

    async def discover(
        self, settings: Any, kit: Kit, profile_key: Secret | None = None
    ) -> Sequence[Identity]:
        return self._identities


class Cards:
    """A platform without posts."""

    def __init__(self, name: str = "cards", source: str = "shelf") -> None:
        self.name = name
        self.source = source

    options: type[Any] = CardOptions
    streams: Sequence[Stream] = ("posts",)
    content_version = 1
    listing: Listing = "all"

    def check_options(self, options: CardOptions) -> None:
        if options.profile_key and options.user_name:
            raise ConfigError("profile_key and user_name exclude each other")

    async def identify(self, client: Any, account: Account) -> Identity | None:
        return None

    async def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
        if account.name == "":
            yield Page(())

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        return str(record["id"])

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        return Post(platform_id=str(record["id"]))

    async def refetch(self, client: Any, account: Account, platform_id: str) -> Record | None:
        return None


def shelf_plugins(*identities: Identity) -> Plugins:
    """The source `shelf`, which has these accounts linked, and its platforms."""
    origin = Origin("shelf", "shelf_plugin", "shelf-plugin", "1.0")
    return Plugins((Loaded(origin, (Shelf(identities),), (Cards(), Cards("notes"))),))
