"""A video of which only a playlist is offered: the playlist is kept, and the video is missing."""

from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, reader
from archiver.archive.readers import archive_status
from archiver.media import selection
from archiver_ayrshare.demo.specs import video
from support.browsing import browsing
from support.nights import Nights, nights

VIDEO = """
    SELECT state, reason_code, media.content_type, size > 0 FROM renditions
      LEFT JOIN media ON sha256 = media_sha256 WHERE role IN ('original', 'variant')
"""
STILL = "SELECT state FROM renditions WHERE role NOT IN ('original', 'variant')"
MANIFEST_ONLY = ("not_offered", "manifest_only", "application/vnd.apple.mpegurl", 1)


def published(world: Nights) -> Nights:
    world.account("bluesky").publish("A film", media=[video()])
    return world


@pytest.mark.parametrize("settings", ["", "thumbnails = false", 'videos = "all"'])
def test_only_a_playlist_is_not_the_video_and_the_still_is_fetched(
    tmp_path: Path, settings: str
) -> None:
    with nights(tmp_path, "bluesky") as world:
        world.settings["media"] = settings
        report = published(world).backup()
        assert set(world.query(VIDEO)) == {MANIFEST_ONLY}
        assert world.column(STILL) == ["stored"]
        assert world.query("SELECT kind, state, reason_code, reason FROM missing_media") == [
            ("video", "not_offered", "manifest_only", "offered only as a playlist")
        ]
        assert (report.counts.stored, report.counts.failed, report.exit_code) == (1, 0, 0)


def test_a_playlist_is_known_by_its_bytes_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "is_playlist", lambda *_: False)
    with nights(tmp_path, "bluesky") as world:
        world.settings["media"] = "thumbnails = false"
        published(world).backup()
        assert set(world.query(VIDEO)) == {MANIFEST_ONLY}
        assert world.column(STILL) == ["stored"]


def test_what_was_kept_of_it_is_asked_for_once_and_read_back(tmp_path: Path) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        before = world.query(VIDEO)
        world.next_night()
        report = world.backup(full=True)
        assert (report.counts.edited, report.counts.stored, report.exit_code) == (0, 0, 0)
        assert world.query(VIDEO) == before
        (path,) = world.column("SELECT path FROM media WHERE content_type LIKE '%mpegurl'")
        assert (world.directory / path).read_bytes().startswith(b"#EXTM3U")
        assert world.column("SELECT count(*) FROM timeline WHERE media LIKE '%.m3u8'") == [0]


def test_pages_and_status_say_that_only_a_playlist_is_offered(tmp_path: Path) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        (post_id,) = world.column("SELECT post_id FROM missing_media")
        with reader(world.directory) as connection:
            (account,) = archive_status(connection).accounts
        assert [(each.state, each.reason) for each in account.missing] == [
            ("not_offered", "offered only as a playlist")
        ]
        with browsing(world.directory / DATABASE) as client:
            for page in (f"post/{post_id}", "missing"):
                answer = client.get(f"/archive/-/{page}").text
                assert "ffered only as a playlist" in answer, page
