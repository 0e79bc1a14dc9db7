"""A video of which only a playlist is offered becomes a film, or stays a playlist with a reason."""

import json
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, reader, writer
from archiver.archive.readers import archive_status
from archiver.archive.rows import update
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.media import selection
from archiver.media.playlists import joining, making
from archiver_ayrshare.demo import recipes
from archiver_ayrshare.demo.specs import video
from support.browsing import browsing
from support.exports.served_files import serve_files
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

VIDEO = """
    SELECT role, state, reason_code, media.content_type, size > 0 FROM renditions
      LEFT JOIN media ON sha256 = media_sha256 WHERE role IN ('original', 'variant')
"""
STILL = "SELECT state FROM renditions WHERE role NOT IN ('original', 'variant')"
FILM = ("original", "stored", None, "video/mp4", 1)
HLS = "application/vnd.apple.mpegurl"
MANIFEST_ONLY = ("original", "not_offered", "manifest_only", HLS, 1)
LIVE = ("original", "not_offered", "live", HLS, 1)
NOW = "2026-11-23T00:00:00.000Z"
FAILED = ("original", "failed", "segment_missing", None, None)


def published(world: Nights) -> Nights:
    world.account("bluesky").publish("A film", media=[video()])
    return world


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The playlists of the world have no end yet."""
    make = recipes.SegmentList.make
    monkeypatch.setattr(
        recipes.SegmentList, "make", lambda self: make(self).replace(b"#EXT-X-ENDLIST\n", b"")
    )
    return monkeypatch


@pytest.mark.parametrize("settings", ["", 'videos = "all"', 'videos = "smallest"'])
def test_only_a_playlist_becomes_the_film_without_a_setting(tmp_path: Path, settings: str) -> None:
    with nights(tmp_path, "bluesky") as world:
        world.settings["media"] = settings
        report = published(world).backup()
        assert world.query(VIDEO) == [FILM]
        assert world.column(STILL) == ["stored"]
        assert world.query("SELECT * FROM missing_media") == []
        assert (report.counts.stored, report.counts.failed, report.exit_code) == (2, 0, 0)
        assert list((world.directory / "tmp").iterdir()) == []


def test_what_a_film_was_made_of_is_in_the_archive_and_verified(tmp_path: Path) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        ((how, resolver, playlists, segments),) = world.query(
            "SELECT how, resolver, playlists, segments FROM media_origins "
            "JOIN media ON sha256 = media_sha256"
        )
        assert (how, resolver) == ("remuxed", "playlist")
        assert [each["text"][:7] for each in json.loads(playlists)] == ["#EXTM3U", "#EXTM3U"]
        assert json.loads(segments)[0]["offset"] == 0
        assert len(json.loads(segments)) == 5
        assert "?" not in json.loads(segments)[0]["url"]
        assert verify(world.directory, Scope(), NOW).findings == []


def test_without_extras_the_segments_as_they_were_served_are_the_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (joining, making):
        monkeypatch.setattr(module, "can_remux", lambda: False)
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        assert world.query(VIDEO) == [FILM]
        assert world.column("SELECT how FROM media_origins") == ["joined"]
        (path,) = world.column("SELECT path FROM media WHERE content_type = 'video/mp4'")
        (recipe,) = {
            file.recipe for file in world.files.values()
            if isinstance(file.recipe, recipes.SegmentedVideo)
        }  # fmt: skip
        assert (world.directory / path).read_bytes() == recipe.make()


def test_a_playlist_is_known_by_its_bytes_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "is_playlist", lambda *_: False)
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        assert world.query(VIDEO) == [FILM]


@pytest.mark.parametrize("settings", ["", "thumbnails = false", 'videos = "all"'])
def test_a_broadcast_is_kept_as_a_playlist_and_its_still_is_fetched(
    tmp_path: Path, settings: str, live: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "bluesky") as world:
        world.settings["media"] = settings
        report = published(world).backup()
        assert world.query(VIDEO) == [LIVE]
        assert world.column(STILL) == ["stored"]
        why = "offered only as a playlist: it is being broadcast: its playlist has no end yet"
        assert world.query("SELECT kind, state, reason_code, reason FROM missing_media") == [
            ("video", "not_offered", "live", why)
        ]
        assert (report.counts.stored, report.counts.failed, report.exit_code) == (1, 0, 0)
        assert verify(world.directory, Scope(), NOW).findings == []


def test_a_broadcast_is_asked_for_again_a_day_later_and_is_a_film_once_it_has_ended(
    tmp_path: Path, live: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        before = world.query(VIDEO)
        asked = len(world.media_requests)
        world.next_night(0.1)
        world.backup()
        assert (world.query(VIDEO), len(world.media_requests)) == (before, asked)
        live.undo()
        world.fixtures = recipes.FixtureCache()
        world.next_night()
        report = world.backup()
        assert world.query(VIDEO) == [FILM]
        assert report.exit_code == 0
        assert world.column(
            "SELECT count(*) FROM media_origins WHERE playlist_sha256 NOT NULL"
        ) == [1]
        assert verify(world.directory, Scope(), NOW).findings == []


def test_what_can_not_be_joined_is_asked_for_again_once_more_can_be_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = recipes.SegmentList.make
    monkeypatch.setattr(
        recipes.SegmentList, "make",
        lambda self: make(self).replace(b"#EXTINF", b"#EXT-X-DISCONTINUITY\n#EXTINF", 3),
    )  # fmt: skip
    monkeypatch.setattr(joining, "can_remux", lambda: False)
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        assert world.query(VIDEO) == [MANIFEST_ONLY]
        (reason,) = world.column("SELECT reason FROM missing_media")
        assert "pip install 'social-archiver[hls]'" in reason
        asked = len(world.media_requests)
        world.next_night()
        assert world.backup().exit_code == 0
        assert len(world.media_requests) == asked
        monkeypatch.setattr(joining, "can_remux", lambda: True)
        world.next_night()
        world.backup()
        assert world.query(VIDEO) == [FILM]


def test_an_older_archive_gets_the_films_of_its_playlists_at_its_next_run(tmp_path: Path) -> None:
    with nights(tmp_path, "bluesky") as world:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recipes.SegmentList, "make", lambda _: b"#EXTM3U\n")
            published(world).backup()
        assert world.query(VIDEO) == [MANIFEST_ONLY]
        with writer(world.directory) as connection:  # as it was written before films were made
            update(connection, "renditions", "role = 'original'", (), setting=None)
        world.fixtures = recipes.FixtureCache()
        world.next_night()
        world.backup()
        assert world.query(VIDEO) == [FILM]
        assert verify(world.directory, Scope(), NOW).findings == []


def test_a_missing_segment_is_a_failure_that_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world)
        (path,) = [path for path in world.files if path.endswith("video.mp4")]
        world.files[path].status = 404
        report = world.backup()
        assert world.query(VIDEO) == [FAILED]
        (reason,) = world.column("SELECT reason FROM renditions WHERE state = 'failed'")
        assert reason == "Segment 1 of 5: The server answered 404: there is no such file"
        assert (report.counts.failed, report.exit_code) == (1, 3)
        world.files[path].status = 200
        world.next_night()
        assert world.backup().exit_code == 0
        assert world.query(VIDEO) == [FILM]


def test_a_failure_leaves_the_playlist_that_is_here_where_it_is(
    tmp_path: Path, live: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        live.undo()
        world.fixtures = recipes.FixtureCache()
        (path,) = [path for path in world.files if path.endswith("video.mp4")]
        world.files[path].status = 404
        world.next_night()
        assert world.backup().exit_code == 0
        assert world.query(VIDEO) == [MANIFEST_ONLY]
        assert verify(world.directory, Scope(), NOW).damage == []
        world.files[path].status = 200
        world.next_night()
        world.backup()
        assert world.query(VIDEO) == [FILM]


def test_a_film_is_asked_for_once_and_read_back(tmp_path: Path) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        before = world.query(VIDEO)
        world.next_night()
        report = world.backup(full=True)
        assert (report.counts.edited, report.counts.stored, report.exit_code) == (0, 0, 0)
        assert world.query(VIDEO) == before


def test_other_variants_are_known_and_fetched_where_all_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = recipes.Playlist.make

    def twice(self: recipes.Playlist) -> bytes:
        (each,) = self.paths
        larger = (each[0], "large", 500_000)
        return make(recipes.Playlist((each, larger)))  # type: ignore[arg-type]  # three of a kind

    monkeypatch.setattr(recipes.Playlist, "make", twice)
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        assert sorted(world.query("SELECT role, state, setting FROM renditions")) == [
            ("original", "stored", None), ("thumbnail", "stored", None),
            ("variant", "skipped", "best"),
        ]  # fmt: skip
        world.settings["media"] = 'videos = "all"'
        world.next_night()
        world.backup(full=True)
        assert world.column("SELECT state FROM renditions") == ["stored"] * 3
        assert verify(world.directory, Scope(), NOW).findings == []


def test_pages_say_that_a_film_was_made_here(tmp_path: Path) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        (post_id,) = world.column("SELECT id FROM posts")
        with browsing(world.directory / DATABASE) as client:
            answer = client.get(f"/archive/-/post/{post_id}").text
            assert "original, made here of its segments, in another container" in answer
            assert "poster=" in answer


def test_subtitles_are_fetched_with_their_film_and_offered_by_the_player(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nde.vtt\n#EXT-X-ENDLIST\n"
    text = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHallo\n"
    make = recipes.Playlist.make
    named = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="%s",LANGUAGE="%s",URI="%s/%s.m3u8"\n'
    with (
        serve_files({"/de.m3u8": playlist, "/de.vtt": text}) as served,
        nights(tmp_path, "bluesky") as world,
    ):
        lines = named % ("<b>", "de", served.base_url, "de")
        lines += named % ("", "it", served.base_url, "it")
        head = f"#EXTM3U\n{lines}".encode()
        monkeypatch.setattr(
            recipes.Playlist, "make", lambda self: make(self).replace(b"#EXTM3U\n", head)
        )
        report = published(world).backup()
        subtitles = """
            SELECT state, reason_code, content_type FROM renditions WHERE role = 'subtitles'
             ORDER BY id
        """
        assert world.query(subtitles) == [("stored", None, HLS), ("failed", "segment_missing", HLS)]
        assert report.exit_code == 3, "as for any file that cannot be had"
        assert world.column("SELECT role FROM missing_media") == ["subtitles"]
        assert verify(world.directory, Scope(), NOW).findings == []
        (post_id, sha256) = world.query(
            "SELECT posts.id, sha256 FROM media, posts WHERE content_type = 'text/vtt'"
        )[0]
        with browsing(world.directory / DATABASE) as client:
            answer = client.get(f"/archive/-/post/{post_id}").text
            track = f'src="/archive/-/media/{sha256}" label="&lt;b&gt;" srclang="de"></video>'
            assert f'<track kind="subtitles" {track}' in answer
            file = client.get(f"/archive/-/media/{sha256}")
            assert file.text == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHallo\n"
            assert file.headers["content-type"] == "text/vtt"
        served.files = {f"/{name}": data for name, data in (
            ("it.m3u8", playlist), ("de.vtt", text),
        )}  # fmt: skip
        world.next_night()
        assert world.backup().exit_code == 0
        assert [row[0] for row in world.query(subtitles)] == ["stored", "stored"]


def test_pages_and_status_say_that_only_a_playlist_is_offered(
    tmp_path: Path, live: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "bluesky") as world:
        published(world).backup()
        (post_id,) = world.column("SELECT post_id FROM missing_media")
        with reader(world.directory) as connection:
            (account,) = archive_status(connection).accounts
        assert [(each.state, each.reason_code) for each in account.missing] == [
            ("not_offered", "live")
        ]
        with browsing(world.directory / DATABASE) as client:
            for page in (f"post/{post_id}", "missing"):
                answer = client.get(f"/archive/-/{page}").text
                assert "ffered only as a playlist: it is being broadcast" in answer, page
