"""Readers of the official exports of platforms that have no plugin of their own here.

Each platform is a module, named as the platform is. Exports of Bluesky and Mastodon are read by the
plugins that also read these networks directly.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

from archiver import Account, ExportedPost, ExportReader, Package, Post, Recognition, hookimpl

_CLASSES = {
    "facebook": ("FacebookExport", "an export of Facebook as JSON", 1),
    "instagram": ("InstagramExport", "an export of Instagram as JSON", 1),
    "linkedin": ("LinkedInExport", "an export of LinkedIn", 1),
    "pinterest": ("PinterestExport", "an export of Pinterest as HTML", 1),
    "snapchat": ("SnapchatExport", "an export of Snapchat with memories as JSON", 1),
    "threads": ("ThreadsExport", "posts of Threads in an export of Instagram as JSON", 1),
    "tiktok": ("TikTokExport", "an export of TikTok as JSON", 1),
    "twitter": ("TwitterExport", "an archive of X (Twitter)", 1),
    "youtube": ("YouTubeTakeout", "a Google Takeout of YouTube", 1),
}
"""The class of each platform's module, its title and content version."""


class ReaderOnDemand:
    """An `archiver.ExportReader` whose module is imported when it is used.

    Every command is given all readers, and only an import reads with them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._class, self.title, self.content_version = _CLASSES[name]

    @cached_property
    def reader(self) -> ExportReader:
        """The reader itself."""
        module = import_module(f"archiver_exports.{self.name}")
        made: ExportReader = getattr(module, self._class)()
        return made

    def recognize(self, package: Package) -> Recognition | None:
        """See `archiver.ExportReader`, as of the others."""
        return self.reader.recognize(package)

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:
        """Its records."""
        return self.reader.records(package, recognition)

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        """The post of a record."""
        return self.reader.read(record, account)


@hookimpl
def archiver_export_readers() -> Sequence[ExportReader]:
    """The readers of this plugin."""
    return [ReaderOnDemand(name) for name in _CLASSES]
