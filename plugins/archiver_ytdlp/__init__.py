"""Videos from behind their pages, by yt-dlp: a program of others, run behind a fence.

It is asked for pages of named platforms only, and runs as a process without anything of the
environment, without configuration, plugins, cookies, cache, updates or code from elsewhere. All its
connections go through the proxy of the core.
"""

from collections.abc import Sequence

from archiver import Resolver, hookimpl
from archiver_ytdlp.resolver import YtDlp


@hookimpl
def archiver_resolvers() -> Sequence[Resolver]:
    """The one resolver of this plugin."""
    return [YtDlp()]
