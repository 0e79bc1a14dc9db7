"""Which files are wanted."""

from itertools import product

import pytest

from archiver.media.selection import (
    Videos,
    expected_kind,
    is_playlist,
    select_renditions,
)
from archiver.models import Attachment, AttachmentKind, Rendition, Role
from archiver.reasons import Choice, Reason

WANTED: Choice = ("pending", None)
PLAYLIST: Choice = ("skipped", Reason("playlist", "playlist"))


def file(role: Role = "variant", bitrate: int | None = None, **more: object) -> Rendition:
    fields: dict[str, object] = {"url": "https://cdn.example/v", "content_type": "video/mp4"}
    return Rendition(role=role, bitrate=bitrate, **{**fields, **more})  # type: ignore[arg-type]  # of any type


HLS = file(content_type="application/x-mpegURL")
STILL = Rendition("thumbnail", url="https://cdn.example/t.jpg")


def states(
    *renditions: Rendition,
    kind: AttachmentKind = "video",
    videos: Videos = "best",
    thumbnails: bool = True,
) -> list[Choice]:
    return select_renditions(
        Attachment(kind, renditions=renditions), videos=videos, thumbnails=thumbnails
    )


def skipped(videos: Videos) -> Choice:
    return ("skipped", Reason("setting_videos", f"videos={videos}", videos))


@pytest.mark.parametrize(
    ("videos", "expected"),
    [
        ("best", [skipped("best"), WANTED, skipped("best"), PLAYLIST, WANTED]),
        ("smallest", [WANTED, skipped("smallest"), skipped("smallest"), PLAYLIST, WANTED]),
        ("all", [WANTED, WANTED, WANTED, PLAYLIST, WANTED]),
        ("none", [skipped("none")] * 4 + [WANTED]),
    ],
)
@pytest.mark.parametrize("kind", ["video", "gif"])
def test_bitrates(videos: Videos, expected: list[Choice], kind: AttachmentKind) -> None:
    files = [file(bitrate=256_000), file(bitrate=2_176_000), file(bitrate=832_000), HLS, STILL]
    assert states(*files, kind=kind, videos=videos) == expected


def test_a_playlist_is_fetched_to_be_kept_when_there_is_nothing_else() -> None:
    dash = file(content_type=None, url="https://cdn.example/v.mpd?a=b")
    assert states(HLS, dash) == [WANTED, skipped("best")]
    assert states(HLS, dash, videos="all") == [WANTED, WANTED]
    assert states(HLS, videos="none") == [skipped("none")]


@pytest.mark.parametrize("videos", ["best", "all", "smallest", "none"])
@pytest.mark.parametrize("playlists", [[HLS], [HLS, HLS]])
def test_a_still_is_never_left_out_for_a_playlist(
    videos: Videos, playlists: list[Rendition]
) -> None:
    assert states(*playlists, STILL, videos=videos, thumbnails=False)[-1] == WANTED


@pytest.mark.parametrize("role", ["original", "variant"])
def test_what_a_link_leads_to_is_never_fetched(role: Role) -> None:
    player = Rendition(role, url="https://player.example/embed/1")
    preview = Rendition("preview", url="https://cdn.example/p.jpg")
    (target, still) = states(player, preview, kind="link", thumbnails=False)
    assert target == ("skipped", Reason("link_target", "the target of a link"))
    assert still == WANTED


def test_without_bitrates_the_larger_then_the_first_is_best() -> None:
    small, large = file(width=10, height=10), file(width=20, height=10)
    assert states(small, large) == [skipped("best"), WANTED]
    assert states(small, large, videos="smallest") == [WANTED, skipped("smallest")]
    assert states(small, small) == [WANTED, skipped("best")]


def test_mp4_is_better_than_other_kinds_and_an_original_than_its_variants() -> None:
    webm = file(content_type="video/webm", bitrate=9_000_000)
    assert states(webm, file(bitrate=1)) == [skipped("best"), WANTED]
    original = file("original", content_type=None)
    assert states(file(bitrate=1), original) == [skipped("best"), WANTED]
    assert states(file(bitrate=1), original, videos="smallest") == [WANTED, skipped("smallest")]


def test_what_the_source_does_not_give() -> None:
    assert states(Rendition("original", absent="copyright"), STILL) == [
        ("omitted", Reason("copyright", "copyright")), WANTED,
    ]  # fmt: skip
    absent = Rendition("original", absent="not_offered")
    page: Choice = ("not_offered", Reason("not_offered", "the source gives no file, only its page"))
    assert states(absent, STILL, thumbnails=False) == [page, WANTED]
    ((_, reason),) = select_renditions(
        Attachment("image", renditions=(absent,)), videos="best", thumbnails=True
    )
    assert reason == Reason("not_offered", "the source gives no file of it")
    no_address: Choice = ("failed", Reason("no_address", "no URL"))
    assert states(Rendition("original"), Rendition("cover", url="")) == [no_address] * 2


def test_stills_can_be_left_out_where_the_file_is_wanted() -> None:
    no_stills: Choice = (
        "skipped", Reason("setting_thumbnails", "thumbnails=false", "false")
    )  # fmt: skip
    assert states(file(), STILL, thumbnails=False) == [WANTED, no_stills]
    assert states(file(), STILL, thumbnails=False, videos="none") == [skipped("none"), WANTED]
    preview = Rendition("preview", url="https://cdn.example/p.jpg")
    assert states(preview, kind="link", thumbnails=False) == [WANTED]


def test_pictures_are_always_wanted() -> None:
    photo = Rendition("original", url="https://cdn.example/p.jpg", content_type="image/jpeg")
    gif = Rendition("original", url="https://cdn.example/p.GIF")
    assert states(photo, kind="image", videos="none") == [WANTED]
    assert states(gif, kind="gif", videos="none") == [WANTED]
    assert states(photo, kind="video", videos="none") == [WANTED]


def test_every_rendition_has_a_state_and_a_video_is_never_silently_absent() -> None:
    settings: tuple[Videos, ...] = ("best", "smallest", "all")
    for videos, thumbnails, count in product(settings, (True, False), range(4)):
        found = states(*[STILL, file(), HLS][:count], videos=videos, thumbnails=thumbnails)
        assert len(found) == count
        assert count < 2 or found[1] == WANTED, "the video, and not the playlist of it"
        assert count < 3 or found[2] == PLAYLIST


def test_what_bytes_must_be() -> None:
    url = "https://media.test/a"
    assert expected_kind("video", "thumbnail", url, None) == "image"
    assert expected_kind("video", "original", url, None) == "video"
    assert expected_kind("video", "variant", url, "application/x-mpegURL; q=1") == "playlist"
    assert expected_kind("video", "variant", f"{url}.M3U8?sig=a/b", None) == "playlist"
    assert expected_kind("link", "original", url, None) is None
    assert not is_playlist("https://[::1", None)
    assert not is_playlist("https://playlist.mpd?a=b", None)


def test_of_a_kind_that_is_left_out_no_file_is_wanted_not_even_its_still() -> None:
    video = Attachment(
        "video", renditions=(file(), STILL, Rendition("original", absent="copyright"))
    )
    left_out: Choice = ("skipped", Reason("setting_leave_out", "leave_out=gif,video", "gif,video"))
    found = select_renditions(video, videos="all", thumbnails=True, leave_out=("video", "gif"))
    assert found == [left_out, left_out, ("omitted", Reason("copyright", "copyright"))]
    assert (
        select_renditions(video, videos="all", thumbnails=True, leave_out=("image",))[0] == WANTED
    )
