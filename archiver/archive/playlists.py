"""Playlists (HLS, DASH): stored as playlists, and never taken for the video that they list.

A rendition that is offered only as a playlist is `not_offered`; its `media_sha256` is that of the
playlist's text, which is stored, verified and copied like any other file.
"""

from archiver.reasons import Reason

TYPES = ("application/vnd.apple.mpegurl", "application/dash+xml")
"""The content types that playlists are stored with."""

MANIFEST_ONLY = Reason("manifest_only", "offered only as a playlist")
