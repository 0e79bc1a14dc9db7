"""Readers of the official exports of platforms that have no plugin of their own here.

Each platform is a module, named as the platform is. Exports of Bluesky and Mastodon are read by the
plugins that also read these networks directly.
"""

from collections.abc import Sequence

from archiver import ExportReader, hookimpl
from archiver_exports.facebook import FacebookExport
from archiver_exports.instagram import InstagramExport
from archiver_exports.linkedin import LinkedInExport
from archiver_exports.pinterest import PinterestExport
from archiver_exports.snapchat import SnapchatExport
from archiver_exports.threads import ThreadsExport
from archiver_exports.tiktok import TikTokExport
from archiver_exports.twitter import TwitterExport
from archiver_exports.youtube import YouTubeTakeout


@hookimpl
def archiver_export_readers() -> Sequence[ExportReader]:
    """The readers of this plugin."""
    return [
        FacebookExport(),
        InstagramExport(),
        LinkedInExport(),
        PinterestExport(),
        SnapchatExport(),
        ThreadsExport(),
        TikTokExport(),
        TwitterExport(),
        YouTubeTakeout(),
    ]
