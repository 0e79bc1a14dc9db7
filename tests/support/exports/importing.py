"""Imports into an archive in a folder, and what the archive then has of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.clock import DemoClock
from archiver.config import Config, load_config
from archiver.imports.import_record import ImportOptions
from archiver.imports.import_run import run_import
from archiver.imports.report import ImportReport, NoImportProgress, PackageReport
from archiver.plugins import Plugins
from support.archive_folder import ArchiveFolder, installed_plugins

CONFIG = '[archive]\ndirectory = "archive"\n'
WITH_NETWORK = CONFIG + '[network]\nallow = ["127.0.0.0/8"]\n'
"""A config that lets files be fetched from servers of tests."""

RANKS = {"ayrshare": "middleman", "mastodon": "native", "bluesky": "native", "export": "export"}


def import_now(
    config: Config, *files: Path, clock: DemoClock | None = None, plugins: Plugins | None = None,
    **asked: Any,
) -> ImportReport:  # fmt: skip
    """Import files into the archive of a config."""
    plugins = plugins or installed_plugins()
    return run_import(
        config,
        plugins.export_readers,
        RANKS,
        ImportOptions(files, **asked),
        clock=clock or DemoClock(),
        progress=NoImportProgress(),
        version="test",
        platforms=plugins.platforms,
    )


@dataclass
class ImportFolder(ArchiveFolder):
    """A folder with a config without accounts, and an archive below it."""

    folder: Path
    clock: DemoClock = field(default_factory=DemoClock)
    settings: str = CONFIG

    def config(self) -> Config:
        path = self.folder / "archive.toml"
        path.write_text(self.settings)
        return load_config(path)

    def run(self, *files: Path, **asked: Any) -> PackageReport:
        """Import one package; its report."""
        report = import_now(self.config(), *files, clock=self.clock, **asked)
        (package,) = report.packages
        return package

    def media_of(self, platform_id: str) -> list[bytes]:
        """The stored files of a post, in order."""
        paths = self.column(
            "SELECT path FROM posts JOIN attachments ON post_id = posts.id "
            "JOIN renditions ON attachment_id = attachments.id "
            "JOIN media ON sha256 = media_sha256 "
            "WHERE posts.platform_id = ? AND state = 'stored' ORDER BY position, renditions.id",
            platform_id,
        )
        return [(self.directory / path).read_bytes() for path in paths]


CONTENT = (
    "accounts", "posts", "post_sources", "post_aliases", "relations", "revisions", "attachments",
    "attachment_sources", "renditions", "events", "metrics", "media", "quarantine",
    "account_profiles",
)  # fmt: skip
"""The tables that a second import of the same package leaves as they are."""
