"""The source `bluesky`: accounts on Bluesky, read from their own servers (PDS).

No key is needed. What is taken is proved: every block by its hash, and all of them together by the
signature of the account's key.
"""

from collections.abc import Sequence

from archiver import Account, ExportReader, Kit, Platform, Rank, Source, hookimpl
from archiver_bluesky.client import BlueskyClient, BlueskySettings
from archiver_bluesky.export import BlueskyExport
from archiver_bluesky.platform import AtprotoBluesky


class BlueskySource:
    """An `archiver.hookspecs.Source`; see there."""

    name = "bluesky"
    settings = BlueskySettings
    rank: Rank = "native"

    def open(self, settings: BlueskySettings, account: Account, kit: Kit) -> BlueskyClient:
        """A client for one account."""
        return BlueskyClient(settings, account, kit)


@hookimpl
def archiver_sources() -> Sequence[Source]:
    """The source of this plugin."""
    return [BlueskySource()]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """The platform of this plugin."""
    return [AtprotoBluesky()]


@hookimpl
def archiver_export_readers() -> Sequence[ExportReader]:
    """The reader of exports of this plugin."""
    return [BlueskyExport()]
