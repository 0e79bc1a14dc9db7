"""Playlists (HLS, DASH): stored as playlists, and never taken for the film that they list.

A rendition of which there is no more than a playlist is `not_offered`; its `media_sha256` is that
of the playlist's text, which is stored, verified and copied like any other file. Its `setting` says
what films could be made of when it was tried; where that is more by now, it is tried again.
"""

from archiver.reasons import Reason

TYPES = ("application/vnd.apple.mpegurl", "application/dash+xml")
"""The content types that playlists are stored with."""

MANIFEST_ONLY = Reason("manifest_only", "offered only as a playlist")
"""Of a playlist that has not been tried."""

CODES = frozenset({"manifest_only", "live", "drm"})
"""The reason codes of renditions that hold a playlist."""

HOLDS_PLAYLIST = "state = 'not_offered' AND reason_code IN ('manifest_only', 'live', 'drm')"
"""The renditions that hold one, in the very words of their index."""


def is_offered_as(content_type: str | None) -> bool:
    """Whether the content type that a source states is that of a playlist."""
    stated = (content_type or "").lower()
    return "mpegurl" in stated or stated.startswith("application/dash+xml")
