"""Films that are offered in segments: the right file, or a reason; and nothing left behind."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest

from archiver.errors import MediaError, MediaExpired, MediaRefused, StorageError
from archiver.media.disk import make_directory
from archiver.media.download import Download, Downloader
from archiver.media.playlists import joining, making, remuxing, segments
from archiver.media.playlists.joining import FilmJoiner, JoinedFilm, joiner_version
from archiver.media.playlists.plan import (
    FilmPlan,
    FilmTrack,
    LeftOut,
    MediaSegment,
    NotJoinable,
    Period,
)
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard
from support.media.films import (
    FORMS,
    FilmServer,
    encode_film,
    frames_of,
    sound_by_itself,
    transport_streams,
)
from support.net.wire import FakeClock, Wire, http, wire

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode_film(tmp_path_factory.mktemp("film") / "source.mp4")


@dataclass
class Watching:
    """Somebody who wants the film that a server offers."""

    server: FilmServer
    wire: Wire
    joiner: FilmJoiner

    async def playlist(self, name: str = "film.m3u8") -> Download:
        url = self.wire.url(f"/{name}")
        return await self.joiner.downloader.fetch(url, expects="playlist")

    async def join(self, name: str = "film.m3u8") -> JoinedFilm:
        playlist = await self.playlist(name)
        try:
            url = self.wire.url(f"/{name}")
            return await self.joiner.join(playlist, url, expects="video")
        finally:
            playlist.discard()

    def left(self) -> list[str]:
        """What is in the folder for temporary files."""
        return sorted(path.name for path in self.joiner.tmp.iterdir())


@asynccontextmanager
async def watching(
    folder: Path, tmp: Path, *, videos: str = "best", max_size: int = 1 << 24,
    allow: tuple[str, ...] = ("127.0.0.1",),
) -> AsyncIterator[Watching]:  # fmt: skip
    server = FilmServer(folder)
    make_directory(tmp)
    async with wire(server) as at, MediaClient(AddressGuard(allow), FakeClock()) as media:
        downloader = Downloader(media.open, tmp, FakeClock(), max_size=max_size)
        yield Watching(server, at, FilmJoiner(downloader, tmp, videos))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """As without the extra `hls`."""
    for module in (making, joining):
        monkeypatch.setattr(module, "can_remux", lambda: False)
    monkeypatch.setattr(joining, "can_decrypt", lambda: False)


@pytest.mark.parametrize("form", FORMS)
async def test_a_film_in_any_form_has_the_frames_of_its_source_and_the_same_bytes_twice(
    film: Path, tmp_path: Path, form: str
) -> None:
    name = FORMS[form](film, tmp_path / "served").name
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        first, second = await it.join(name), await it.join(name)
        assert first.origin.how == "remuxed"
        assert "libavformat" in (first.origin.tool or "")
        found = first.download
        assert (found.content_type, found.extension) == ("video/mp4", "mp4")
        assert (found.width, found.height) == (64, 48)
        assert found.duration_ms == pytest.approx(3000, abs=150)
        assert frames_of(found.path) == frames_of(film)
        assert second.download.sha256 == found.sha256
        assert it.left() == sorted([first.download.path.name, second.download.path.name])


async def test_what_a_film_was_made_of_is_on_record(film: Path, tmp_path: Path) -> None:
    FORMS["sound apart"](film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        made = await it.join("film.m3u8")
        names = [each.url.rpartition("/")[2] for each in made.origin.playlists]
        assert names == ["film.m3u8", "picture.m3u8", "sound.m3u8"]
        for each in made.origin.playlists:
            assert each.text == (tmp_path / "served" / each.url.rpartition("/")[2]).read_text()
        for row in made.origin.segments:
            data = (tmp_path / "served" / str(row["url"]).rpartition("/")[2]).read_bytes()
            assert (row["size"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert json.loads(json.dumps(made.origin.segments)) == list(made.origin.segments)


@pytest.mark.parametrize("form", ["transport streams", "fragments", "byte ranges"])
async def test_without_extras_a_film_is_its_segments_one_after_the_other(
    film: Path, tmp_path: Path, form: str, plain: None
) -> None:
    FORMS[form](film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        made = await it.join()
        assert made.origin.how == "joined"
        served = (
            b"".join(
                (tmp_path / "served" / str(row["url"]).rpartition("/")[2]).read_bytes()
                for row in made.origin.segments
                if "offset" not in row
            )
            or (tmp_path / "served" / "film.m4s").read_bytes()
        )
        assert made.download.path.read_bytes() == served
        assert made.download.extension == ("ts" if form == "transport streams" else "mp4")
        assert made.download.duration_ms == pytest.approx(3000, abs=150)
        assert frames_of(made.download.path)["picture"] == frames_of(film)["picture"]


@pytest.mark.parametrize(("late", "begins"), [(0.5, 0.5), (None, 0.0), (50_000.0, 0.0)])
async def test_sound_by_itself_begins_when_its_tag_says_or_else_with_the_picture(
    film: Path, tmp_path: Path, late: float | None, begins: float
) -> None:
    sound_by_itself(film, tmp_path / "served", late)
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        made = await it.join()
        assert frames_of(made.download.path) == frames_of(film)
        with av.open(str(made.download.path)) as joined:
            picture, sound = (
                float((stream.start_time or 0) * (stream.time_base or 0))
                for stream in (joined.streams.video[0], joined.streams.audio[0])
            )
        assert sound - picture == pytest.approx(begins, abs=0.03)


@pytest.mark.parametrize(
    ("frame", "container"),
    [
        (b"\xff\xf1\x50\x80\x02\x1f\xfc", "aac"), (b"\xff\xfb\x90\x64" + bytes(8), "mp3"),
        (b"\x0b\x77\x00\x00\x10\x40", "ac3"), (b"\x0b\x77\x00\x00\x3f\x80", "eac3"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\0\0\0\0\x01\x05" + bytes(133)])
def test_sound_by_itself_is_known_by_its_first_frame(
    tmp_path: Path, frame: bytes, container: str, tag: bytes
) -> None:
    path = tmp_path / "0"
    path.write_bytes(tag + frame)
    segment = MediaSegment("https://a.example/0")
    plan = FilmPlan((FilmTrack((Period((segment,)),)),))
    assert segments.check_segments(plan, {segment: path}) == [container]


def with_subtitles(source: Path, folder: Path, *segments: str) -> None:
    """A film with its sound apart, and German subtitles in segments."""
    path = FORMS["sound apart"](source, folder)
    text = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Text",LANGUAGE="de",URI="de.m3u8"\n'
    written = path.read_text().replace("#EXTM3U\n", f"#EXTM3U\n{text}")
    path.write_text(written.replace('AUDIO="a"\n', 'AUDIO="a",SUBTITLES="s"\n'))
    lines = []
    for number, content in enumerate(segments):
        (folder / f"de{number}.vtt").write_text(content)
        lines += ["#EXTINF:2.0,", f"de{number}.vtt"]
    (folder / "de.m3u8").write_text(playlist_of(*lines))


async def test_what_a_film_is_made_without_is_on_record(film: Path, tmp_path: Path) -> None:
    with_subtitles(film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        made = await it.join()
        assert made.origin.left_out == (LeftOut("sound", None, "it"),)
        ((offer, address),) = made.subtitles
        assert (offer.language, offer.label) == ("de", "Text")
        assert address == it.wire.url("/film.m3u8#subtitles=de/Text")


async def test_subtitles_are_one_file_of_all_their_segments(film: Path, tmp_path: Path) -> None:
    cue = "WEBVTT\n\n00:01.000 --> 00:02.500\nHallo\n"
    with_subtitles(film, tmp_path / "served", cue, cue + "\n00:02.500 --> 00:03.000\nWelt\n")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        playlist = await it.playlist()
        address = f"{playlist.answered_by}#subtitles=de/Text"
        made = await it.joiner.join(playlist, address, expects="video")
        assert made.download.path.read_text() == (
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nHallo\n\n"
            "00:00:02.500 --> 00:00:03.000\nWelt\n"
        )
        assert (made.download.content_type, made.download.extension) == ("text/vtt", "vtt")
        assert [each["size"] for each in made.origin.segments] == [
            (tmp_path / "served" / f"de{number}.vtt").stat().st_size for number in (0, 1)
        ]
        it.server.faults["de1.vtt"] = http(404)
        with pytest.raises(MediaError, match="Segment 2 of 2: The server answered 404"):
            await it.joiner.join(playlist, address, expects="video")
        it.server.faults["de1.vtt"] = http(200, b"<html>no</html>")
        with pytest.raises(MediaRefused, match="not WebVTT"):
            await it.joiner.join(playlist, address, expects="video")
        with pytest.raises(MediaError, match="no longer has these subtitles"):
            await it.joiner.join(playlist, f"{address}2", expects="video")
        playlist.discard()
        made.download.discard()
        assert it.left() == []


async def test_periods_that_offer_the_same_become_one_film(film: Path, tmp_path: Path) -> None:
    path = FORMS["dash"](film, tmp_path / "served")
    text = re.sub('mediaPresentationDuration="[^"]*"', "", path.read_text())
    head, period, tail = re.split("(<Period.*</Period>)", text, flags=re.DOTALL)
    path.write_text(head + period + period.replace('start="PT0.0S"', 'start="PT3.0S"') + tail)
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        made = await it.join(path.name)
        found, source = frames_of(made.download.path), frames_of(film)
        assert found == {kind: 2 * frames for kind, frames in source.items()}
        assert made.download.duration_ms == pytest.approx(6000, abs=200)


@pytest.mark.parametrize("form", ["encrypted", "sound apart", "sound by itself", "dash"])
async def test_what_takes_an_extra_says_which(
    film: Path, tmp_path: Path, form: str, plain: None
) -> None:
    name = FORMS[form](film, tmp_path / "served").name
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        with pytest.raises(NotJoinable, match=r"pip install 'social-archiver\[hls\]'") as caught:
            await it.join(name)
        assert caught.value.code == "manifest_only"
        assert it.left() == []


def test_what_films_can_be_made_of_depends_on_what_is_installed(plain: None) -> None:
    assert joiner_version() == "3"


def master(*variants: str) -> str:
    lines = (f"#EXT-X-STREAM-INF:{attributes}\nfilm.m3u8" for attributes in variants)
    return "\n".join(["#EXTM3U", *lines, ""])


VARIANTS = master(
    "BANDWIDTH=300,RESOLUTION=64x48", "BANDWIDTH=100,RESOLUTION=32x24", "BANDWIDTH=200"
)


@pytest.mark.parametrize(
    ("videos", "others"), [("best", ["32x24-100"]), ("smallest", ["64x48-300"])]
)
async def test_the_setting_chooses_among_variants_and_the_others_are_known(
    film: Path, tmp_path: Path, videos: str, others: list[str]
) -> None:
    transport_streams(film, tmp_path / "served")
    (tmp_path / "served" / "all.m3u8").write_text(VARIANTS)
    async with watching(tmp_path / "served", tmp_path / "tmp", videos=videos) as it:
        made = await it.join("all.m3u8")
        assert [variant.name for variant, _ in made.others] == others
        playlist = await it.playlist("all.m3u8")
        again = await it.joiner.join(playlist, made.others[0][1], expects="video")
        assert again.others == ()
        with pytest.raises(NotJoinable, match="no longer has this variant"):
            await it.joiner.join(playlist, f"{playlist.answered_by}#variant=1x1-1", expects="video")


def playlist_of(*lines: str, end: bool = True) -> str:
    head = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:1"]
    return "\n".join([*head, *lines, *(["#EXT-X-ENDLIST"] if end else []), ""])


SEGMENT = ("#EXTINF:1.0,", "film0.ts")
DRM = "it is encrypted in a way that the platform keeps to itself"
REFUSED = {
    "a broadcast": (playlist_of(*SEGMENT, end=False), "live", "its playlist has no end yet"),
    "SAMPLE-AES": (
        playlist_of('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"', *SEGMENT), "drm", DRM
    ),
    "FairPlay": (
        playlist_of(
            '#EXT-X-KEY:METHOD=AES-128,URI="skd://1",KEYFORMAT="com.apple.streamingkeydelivery"',
            *SEGMENT,
        ),
        "drm", DRM,
    ),
    "a key for the session": (
        '#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://1"\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=1\nfilm.m3u8\n",
        "drm", DRM,
    ),
    "playlists within playlists": (master("BANDWIDTH=1"), "manifest_only", "further playlists"),
    "a gap": (playlist_of("#EXT-X-GAP", *SEGMENT), "manifest_only", "part of it is missing"),
    "nothing": (playlist_of(), "manifest_only", "is empty"),
    "variables": (
        playlist_of('#EXT-X-DEFINE:NAME="a",VALUE="b"', *SEGMENT), "manifest_only", "variables"
    ),
    "a live manifest": (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic"><Period/></MPD>', "live",
        "no end yet",
    ),
    "a protected manifest": (
        "<MPD><Period><AdaptationSet><ContentProtection/></AdaptationSet></Period></MPD>", "drm",
        DRM,
    ),
    "periods": (
        "<MPD>" + "".join(
            '<Period duration="PT1S"><AdaptationSet mimeType="video/mp4">'
            f'<Representation id="{name}"/></AdaptationSet></Period>' for name in ("film", "ad")
        ) + "</MPD>",
        "manifest_only", "several periods, with different pictures",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_a_playlist_of_which_no_film_can_be_made_says_why(
    film: Path, tmp_path: Path, case: str
) -> None:
    text, code, why = REFUSED[case]
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "film.m3u8").write_text(text)
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        with pytest.raises(NotJoinable, match=why) as caught:
            await it.join()
        assert caught.value.code == code
        assert it.left() == []


async def test_a_missing_segment_is_named_and_tried_again_without_the_others(
    film: Path, tmp_path: Path
) -> None:
    transport_streams(film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        it.server.faults["film2.ts"] = http(404)
        with pytest.raises(MediaError, match="Segment 3 of 3: The server answered 404") as caught:
            await it.join()
        assert caught.value.code == "segment_missing"
        (folder,) = it.left()
        del it.server.faults["film2.ts"]
        made = await it.join()
        assert frames_of(made.download.path) == frames_of(film)
        assert it.server.asked["film0.ts"] == 1
        assert folder not in it.left()


async def test_a_segment_that_was_damaged_here_meanwhile_is_fetched_again(
    film: Path, tmp_path: Path
) -> None:
    transport_streams(film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        it.server.faults["film2.ts"] = http(404)
        with pytest.raises(MediaError):
            await it.join()
        (folder,) = it.joiner.tmp.iterdir()
        for path in folder.iterdir():
            path.write_bytes(b"\x47" * 188)
        it.server.faults.clear()
        made = await it.join()
        assert frames_of(made.download.path) == frames_of(film)
        assert it.server.asked["film0.ts"] == 2


CHANGED: dict[str, tuple[Any, str]] = {
    "a web page": (http(200, b"<!doctype html><html>no</html>"), "html"),
    "nothing": (http(200, b""), "empty"),
    "a part of it": (http(200, b"\x47" + bytes(300)), "short"),
    "a picture": (http(200, b"\xff\xd8\xff" + bytes(500)), "wrong_kind"),
    "another format": (http(200, b"\x00\x00\x00\x10styp" + bytes(8)), "wrong_kind"),
}


@pytest.mark.parametrize("case", CHANGED)
async def test_a_segment_that_is_something_else_makes_no_film(
    film: Path, tmp_path: Path, case: str
) -> None:
    transport_streams(film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        it.server.faults["film1.ts"], code = CHANGED[case]
        with pytest.raises(MediaError) as caught:
            await it.join()
        assert caught.value.code == code
        it.server.faults.clear()
        assert frames_of((await it.join()).download.path) == frames_of(film)


async def test_a_film_that_plays_much_shorter_than_its_playlist_says_is_none(
    film: Path, tmp_path: Path
) -> None:
    path = transport_streams(film, tmp_path / "served")
    path.write_text(path.read_text().replace("#EXTINF:1.000000,", "#EXTINF:60.0,"))
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        with pytest.raises(MediaError, match="3 of 180 seconds") as caught:
            await it.join()
        assert caught.value.code == "short"


async def test_segments_are_followed_to_where_they_have_moved(film: Path, tmp_path: Path) -> None:
    transport_streams(film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        shutil.move(tmp_path / "served" / "film1.ts", tmp_path / "served" / "moved.ts")
        it.server.faults["film1.ts"] = http(302, headers={"Location": "/moved.ts"})
        made = await it.join()
        assert frames_of(made.download.path) == frames_of(film)


@pytest.mark.parametrize("name", ["film0.ts", "key", "a media playlist"])
@pytest.mark.parametrize("how", ["named", "redirected to"])
async def test_nothing_private_is_asked_for(
    film: Path, tmp_path: Path, name: str, how: str
) -> None:
    FORMS["encrypted"](film, tmp_path / "served")
    path = tmp_path / "served" / "film.m3u8"
    async with (
        wire(http(200, b"secret")) as private,
        watching(tmp_path / "served", tmp_path / "tmp") as it,
    ):
        it.joiner.downloader = guarded(it, (f"127.0.0.1:{it.wire.port}",))
        address = private.url("/metadata")
        if name == "a media playlist":
            (tmp_path / "served" / "film.m3u8").rename(tmp_path / "served" / "inner.m3u8")
            path.write_text(master("BANDWIDTH=1").replace("film.m3u8", "inner.m3u8"))
            name = "inner.m3u8"
        if how == "redirected to":
            it.server.faults[name] = http(302, headers={"Location": address})
        else:
            quoted = f'"{name}"' if name == "key" else f"\n{name}\n"
            path.write_text(path.read_text().replace(quoted, quoted.replace(name, address)))
        with pytest.raises(MediaRefused, match="not on the public internet"):
            await it.join()
        assert private.connections == 0


def guarded(it: Watching, allow: tuple[str, ...]) -> Downloader:
    media = MediaClient(AddressGuard(allow), FakeClock())
    return Downloader(media.open, it.joiner.tmp, FakeClock(), max_size=1 << 24)


async def test_an_expired_segment_asks_for_a_fresh_playlist(film: Path, tmp_path: Path) -> None:
    transport_streams(film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        it.server.faults["film1.ts"] = http(403)
        with pytest.raises(MediaExpired):
            await it.join()


async def test_segments_without_end_are_refused_by_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").mkdir()
    many = playlist_of(*("#EXTINF:1.0,\na.ts" for _ in range(20_001)))
    (tmp_path / "served" / "film.m3u8").write_text(many)
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        with pytest.raises(MediaRefused, match="more than 20,000 segments") as caught:
            await it.join()
        assert caught.value.code == "playlist_too_long"
        assert it.server.asked == {"film.m3u8": 1}


async def test_a_playlist_without_end_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    async with watching(tmp_path / "served", tmp_path / "tmp", max_size=1 << 30) as it:
        endless = b"#EXTM3U\n" + b"# and so on\n" * 800_000
        it.server.faults["film.m3u8"] = http(200, endless, length=None)
        with pytest.raises(MediaRefused, match="has more than 8,388,608 bytes") as caught:
            await it.join()
        assert caught.value.code == "playlist_too_long"
        assert it.left() == []


@pytest.mark.parametrize("form", ["transport streams", "byte ranges"])
async def test_all_segments_together_are_as_large_as_one_file_may_be(
    film: Path, tmp_path: Path, form: str
) -> None:
    FORMS[form](film, tmp_path / "served")
    async with watching(tmp_path / "served", tmp_path / "tmp", max_size=12_000) as it:
        with pytest.raises(MediaRefused, match="too large") as caught:
            await it.join()
        assert caught.value.code == "too_large"
        assert it.left() == []


async def test_a_segment_that_is_named_often_is_fetched_once_and_counted_each_time(
    film: Path, tmp_path: Path
) -> None:
    transport_streams(film, tmp_path / "served")
    (tmp_path / "served" / "film.m3u8").write_text(playlist_of(*SEGMENT * 1000))
    async with watching(tmp_path / "served", tmp_path / "tmp", max_size=1 << 18) as it:
        with pytest.raises(MediaRefused, match="too large"):
            await it.join()
        assert it.server.asked["film0.ts"] == 1


async def two_films(folder: Path, first: Path, second: Path) -> None:
    """A playlist in which another film comes in between, as an advertisement does."""
    transport_streams(first, folder)
    transport_streams(second, folder / "other")
    names = ["film0.ts", "film1.ts", "film2.ts"]
    parts = [f"#EXTINF:1.0,\n{name}" for name in names]
    parts.insert(1, "#EXT-X-DISCONTINUITY\n#EXTINF:1.0,\nother/film0.ts\n#EXT-X-DISCONTINUITY")
    (folder / "film.m3u8").write_text(playlist_of(*parts))


async def test_parts_of_one_format_whose_times_restart_become_one_film(
    film: Path, tmp_path: Path
) -> None:
    other = encode_film(tmp_path / "other.mp4", seed=31)
    await two_films(tmp_path / "served", film, other)
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        made = await it.join()
        own, inserted = frames_of(film)["picture"], frames_of(other)["picture"]
        assert frames_of(made.download.path)["picture"] == [*own[:10], *inserted[:10], *own[10:]]
        assert made.download.duration_ms == pytest.approx(4000, abs=200)


async def test_parts_of_different_formats_stay_a_playlist_with_the_reason(
    film: Path, tmp_path: Path
) -> None:
    other = encode_film(tmp_path / "other.mp4", size=(128, 96))
    await two_films(tmp_path / "served", film, other)
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        with pytest.raises(NotJoinable, match="its parts have different formats"):
            await it.join()
        assert it.left() == []


async def test_parts_whose_times_restart_need_the_extra(
    film: Path, tmp_path: Path, plain: None
) -> None:
    await two_films(tmp_path / "served", film, film)
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        with pytest.raises(NotJoinable, match="pip install"):
            await it.join()


@pytest.mark.parametrize("key", [b"short", bytes(16), b"<html>"])
async def test_a_wrong_key_is_noticed(film: Path, tmp_path: Path, key: bytes) -> None:
    FORMS["encrypted"](film, tmp_path / "served")
    (tmp_path / "served" / "key").write_bytes(key)
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        with pytest.raises(MediaError, match=r"key") as caught:
            await it.join()
        assert caught.value.code == "bad_playlist"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("BYTERANGE:", "BYTERANGE:x"),
        lambda text: text.replace("film.m4s", "file:///etc/passwd"),
        lambda text: text.replace("#EXTINF:1.000000", "#EXTINF:nan"),
        lambda text: text.replace("#EXTINF:1.000000", "#EXTINF:-5"),
        lambda text: text.replace("EXTINF:1.000000", "EXTINF:one"),
    ],
)
async def test_a_playlist_that_makes_no_sense_is_an_error(
    film: Path, tmp_path: Path, change: Callable[[str], str]
) -> None:
    path = FORMS["byte ranges"](film, tmp_path / "served")
    path.write_text(change(path.read_text()))
    async with watching(tmp_path / "served", tmp_path / "tmp") as it:
        with pytest.raises(MediaError) as caught:
            await it.join()
        assert caught.value.code == "bad_playlist"


async def test_where_remuxing_fails_what_can_be_joined_is_joined(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(job: Any) -> str:
        raise remuxing.RemuxFailed("no reason")

    monkeypatch.setattr(making, "remux", fails)
    FORMS["fragments"](film, tmp_path / "fragments")
    FORMS["sound apart"](film, tmp_path / "apart")
    async with watching(tmp_path / "fragments", tmp_path / "tmp") as it:
        assert (await it.join()).origin.how == "joined"
    async with watching(tmp_path / "apart", tmp_path / "tmp") as it:
        with pytest.raises(NotJoinable, match="it cannot be one file: no reason"):
            await it.join()


def test_segments_of_films_that_nobody_finished_are_removed_in_time(tmp_path: Path) -> None:
    import os
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 11, 28, tzinfo=UTC)
    for name, days in (("film-old", 9), ("film-young", 2), ("other", 99)):
        (tmp_path / name).mkdir()
        at = (now - timedelta(days=days)).timestamp()
        os.utime(tmp_path / name, (at, at))
    segments.remove_unfinished(tmp_path, now)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film-young", "other"]


def test_segments_are_removed_before_the_folder_around_them_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut would bring them back, and nobody looks for those of a film that is stored."""
    folder = tmp_path / "film-1"
    folder.mkdir()
    (folder / "a.segment").write_bytes(b"part")
    synced: list[tuple[Path, bool]] = []
    monkeypatch.setattr(
        segments, "sync_directory", lambda path: synced.append((path, folder.exists()))
    )

    segments.remove_segments(folder)

    assert synced == [(tmp_path, False)]


def test_segments_that_cannot_be_removed_are_an_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would look for them for a week. Those that are gone are none."""
    folder = tmp_path / "film-1"
    segments.remove_segments(folder)
    folder.mkdir()
    (folder / "a.segment").write_bytes(b"part")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(StorageError):
        segments.remove_segments(folder)
