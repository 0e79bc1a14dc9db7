"""The third step: names of files, and playlists that passed for videos, in an older archive."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.archive.rows import insert, update
from archiver.archive.steps import m003_media
from archiver.media_keys import address_key
from archiver.models import Attachment, Post, Rendition
from support.old_archive import unpack
from support.saver import PHOTO, POST, Saver, saving

HOST = "https://cdn.example"


KEYS = {
    "https://scontent.cdninstagram.com/v/t51/1_n.jpg?stp=d&oh=00_A&oe=66A1B2C3": "/v/t51/1_n.jpg",
    "https://x.fbcdn.net/safe_image.php?url=https%3A%2F%2Fa.example%2Fb.jpg&_nc_hash=1":
        "/safe_image.php?url=https%3A%2F%2Fa.example%2Fb.jpg",
    "https://lookaside.fbsbx.com/profilepic/?asid=7&ext=1790000000&hash=AeQ": "/profilepic/?asid=7",
    "https://v16.tiktokcdn.com/0123456789abcdef0123456789abcdef/66a1b2c3/video/a/?a=1&item_id=9":
        "/video/a/?item_id=9",
    "https://media.licdn.com/dms/image/v2/D4E/0/17?e=1790000000&v=beta&t=Sig":
        "/dms/image/v2/D4E/0/17",
    "https://cf-st.sc-cdn.net/d/NAME?mo=abc&uc=46": "/d/NAME",
    "https://i.ytimg.com/vi/ID/hqdefault.jpg?sqp=-oa&rs=AOn4": "/vi/ID/hqdefault.jpg",
    "https://video.twimg.com/vid/avc1/720x1280/N.mp4?tag=12": "/vid/avc1/720x1280/N.mp4",
    f"{HOST}/media/?media_id=4&Expires=1790000000&Signature=x~y": "/media/?media_id=4",
    f"{HOST}/a.jpg?X-Amz-Date=20260101T000000Z&X-Amz-Signature=aa&v=2": "/a.jpg?v=2",
    f"{HOST}/get?file=a%20b.jpg&utm_source=x&t=1790000000": "/get?file=a%20b.jpg",
    f"{HOST}/a.jpg?sv=2024-11-04&sp=r&sig=0123456789abcdef&w=640": "/a.jpg?w=640",
    f"{HOST}/get?token=0123456789abcdef0123456789abcdef&n=3": "/get?n=3",
    f"{HOST}/a.jpg?b=2&a=1": "/a.jpg?a=1&b=2",
    "not an address?x=1": "not an address?x=1",
    f"{HOST}/ä.jpg?n=ü": "/%C3%A4.jpg?n=%C3%BC",
}  # fmt: skip


@pytest.mark.parametrize(("url", "key"), KEYS.items())
def test_the_keys_that_the_step_writes_stay_as_they_were(url: str, key: str) -> None:
    """If another rule is needed, copy the present `address_key` into the step first."""
    assert address_key(url) == key


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as found:
        yield found


def unnamed(*urls: str) -> Post:
    each = [replace(PHOTO, platform_id=None, renditions=(Rendition("original", u),)) for u in urls]
    return replace(POST, attachments=tuple(each))


def age(saver: Saver) -> None:
    """Names as they were before: the path alone, numbered where it comes again."""
    seen: dict[str, int] = {}
    for row_id, attachment_id, url in saver.rows(
        "SELECT id, attachment_id, url FROM renditions ORDER BY id"
    ):
        path = m003_media._path(url)
        seen[path] = seen.get(path, 0) + 1
        key = path if seen[path] == 1 else f"{path}#{seen[path]}"
        update(saver.connection, "renditions", "id = ?", (row_id,), media_key=path, state="stored")
        update(saver.connection, "attachments", "id = ?", (attachment_id,), key=key)
    saver.connection.execute("UPDATE post_sources SET fingerprint = x'', content_sha256 = 'old'")


@pytest.mark.parametrize(
    "urls",
    [
        (f"{HOST}/media/?media_id=4", f"{HOST}/media/?media_id=9"),
        (f"{HOST}/media/?media_id=4", f"{HOST}/media/?media_id=4"),
        (f"{HOST}/a.mp4?tag=12&token=0123456789abcdef", f"{HOST}/b.jpg?oh=1&oe=66A1B2C3"),
    ],
)
def test_after_the_step_the_same_record_changes_nothing(
    saver: Saver, urls: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    post = unnamed(*urls)
    monkeypatch.setattr(saver, "reread", lambda _: post)
    saver.save(post)
    expected = saver.rows("SELECT key FROM attachments"), saver.rows("SELECT id FROM renditions")
    age(saver)
    m003_media.apply(saver.connection)
    saved = saver.save(post)
    assert (saved.edited, saved.revisions) == (0, 0)
    assert (saver.rows("SELECT key FROM attachments"), saver.rows("SELECT id FROM renditions")) == (
        expected
    )
    assert {row[0] for row in saver.rows("SELECT state FROM renditions")} == {"stored"}


def test_a_playlist_that_passed_for_the_video_is_missing_and_kept(saver: Saver) -> None:
    still = Rendition("thumbnail", f"{HOST}/still.jpg")
    video = Attachment("video", "v", renditions=(Rendition("original", f"{HOST}/v.mp4"), still))
    saver.save(replace(POST, attachments=(video,)))
    insert(saver.connection, "media", sha256="a" * 64, path="media/aa/a.m3u8", size=9,
           content_type="application/vnd.apple.mpegurl",
           stored_at="2026-01-01T00:00:00.000Z")  # fmt: skip
    update(saver.connection, "renditions", "role = 'original'", (), state="stored",
           media_sha256="a" * 64)  # fmt: skip
    update(saver.connection, "renditions", "role = 'thumbnail'", (), state="skipped",
           reason_code="setting_thumbnails")  # fmt: skip
    m003_media.apply(saver.connection)
    assert saver.rows("SELECT role, state, reason_code, media_sha256 FROM renditions") == [
        ("original", "not_offered", "manifest_only", "a" * 64),
        ("thumbnail", "pending", None, None),
    ]


def test_the_target_of_a_link_is_tried_no_more(saver: Saver) -> None:
    link = Attachment("link", "l", renditions=(Rendition("original", f"{HOST}/embed"),))
    saver.save(replace(POST, attachments=(link,)))
    update(saver.connection, "renditions", "1", (), state="failed", reason_code="wrong_kind")
    m003_media.apply(saver.connection)
    assert saver.rows("SELECT state, reason_code FROM renditions") == [("skipped", "link_target")]


def test_every_file_of_an_old_archive_has_the_name_of_today(tmp_path: Path) -> None:
    folder = unpack(tmp_path / "archive")
    with writer(folder) as connection:
        rows = connection.execute(
            "SELECT media_key, url FROM renditions WHERE media_key <> '' AND url IS NOT NULL"
        ).fetchall()
    assert any("?" in key for key, _ in rows)
    assert [key for key, _ in rows] == [address_key(url) for _, url in rows]
