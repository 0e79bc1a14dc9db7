"""Playlists are told from films by the content types that sources state."""

import pytest

from archiver.archive.playlists import TYPES, is_offered_as


@pytest.mark.parametrize(
    "stated", [*TYPES, "application/x-mpegURL", "audio/mpegurl", "application/dash+xml; charset=x"]
)
def test_a_playlist_is_known_by_its_type(stated: str) -> None:
    assert is_offered_as(stated)


@pytest.mark.parametrize("stated", [None, "", "video/mp4", "audio/mpeg", "application/xml"])
def test_other_files_are_no_playlists(stated: str | None) -> None:
    assert not is_offered_as(stated)
