"""Files by their hash: parts, caching, types, and nothing but what the archive holds."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from archiver.archive.media_files import find_media
from archiver.browse.thumbnailer import fitted, make
from archiver.browse.thumbs import Thumbs
from archiver.media.folder_store import FolderStore
from support.browsing import browsing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's archive that tests may change."""
    folder = tmp_path_factory.mktemp("own") / "archive"
    shutil.copytree(demo.parent, folder)
    return folder / demo.name


@pytest.fixture(scope="module")
def changed(own: Path) -> Iterator[httpx.Client]:
    """A client of that copy."""
    with browsing(own) as found:
        yield found


def media_rows(database: Path, content_type: str) -> list[tuple[str, str, int]]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(
            "SELECT sha256, path, size FROM media WHERE content_type = ? ORDER BY sha256",
            (content_type,),
        ).fetchall()


def add_media(database: Path, sha256: str, path: str, content_type: str = "image/jpeg") -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO media (sha256, path, size, content_type, stored_at, row_sha256) "
            "VALUES (?, ?, 1, ?, '', '')",
            (sha256, path, content_type),
        )


def test_a_video_comes_whole_and_in_parts(client: httpx.Client, demo: Path) -> None:
    sha256, path, size = media_rows(demo, "video/mp4")[0]
    content = (demo.parent / path).read_bytes()
    address = f"/archive/-/media/{sha256}"
    whole = client.get(address)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get(address, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{size}"
    tail = client.get(address, headers={"range": "bytes=-7"})
    assert (tail.status_code, tail.content) == (206, content[-7:])
    beyond = client.get(address, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    head = client.head(address)
    assert (head.headers["content-length"], head.content) == (str(size), b"")
    stale = {"range": "bytes=0-1", "if-range": '"another"'}
    assert client.get(address, headers=stale).status_code == 200


def test_files_are_safe_and_cached_for_ever(client: httpx.Client, demo: Path) -> None:
    sha256, _, _ = media_rows(demo, "image/jpeg")[0]
    answer = client.get(f"/archive/-/media/{sha256}", headers={"cookie": "another_app=1"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "content-disposition" not in answer.headers
    again = client.get(
        f"/archive/-/media/{sha256}", headers={"if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["0" * 64, "A" * 64, "../archive.db", "..%2Farchive.db", "archive.db", "%00", "a" * 63]
)
def test_nothing_but_hashes_of_the_archive_is_answered(client: httpx.Client, name: str) -> None:
    assert client.get(f"/archive/-/media/{name}").status_code in {302, 400, 404}
    assert client.get(f"/archive/-/thumb/s/{name}").status_code in {302, 400, 404}


def test_only_reading(client: httpx.Client, demo: Path) -> None:
    sha256, _, _ = media_rows(demo, "image/jpeg")[0]
    for method in ("POST", "PUT", "DELETE"):
        answer = client.request(method, f"/archive/-/media/{sha256}")
        assert answer.status_code in {403, 405}


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/svg+xml", "application/pdf", "image/x\r\nset-cookie: a=b"]
)
def test_what_is_no_media_is_downloaded(
    own: Path, changed: httpx.Client, content_type: str
) -> None:
    sha256 = content_type.encode().hex().ljust(64, "0")[:64]
    path = f"media/{sha256[:2]}/{sha256}.bin"
    (own.parent / path).parent.mkdir(exist_ok=True)
    (own.parent / path).write_bytes(b"<script>alert(1)</script>")
    add_media(own, sha256, path, content_type)
    answer = changed.get(f"/archive/-/media/{sha256}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "media/../archive.db", "../../etc/passwd", "media/{ab}/../../archive.db",
     "archive.db", "media/{ab}/{other}.jpg", "media/{ab}/{sha}.jpg/x", "media/zz/{sha}.jpg"],
)  # fmt: skip
def test_a_path_that_is_not_that_of_its_hash_is_not_followed(
    own: Path, changed: httpx.Client, path: str
) -> None:
    sha256 = path.encode().hex().ljust(64, "1")[:64]
    add_media(own, sha256, path.format(ab=sha256[:2], sha=sha256, other="f" * 64))
    assert changed.get(f"/archive/-/media/{sha256}").status_code == 404
    assert changed.get(f"/archive/-/thumb/s/{sha256}").content.startswith(b"<svg")


@pytest.mark.skipif(os.name != "posix", reason="links and pipes as POSIX has them")
@pytest.mark.parametrize("what", ["link", "pipe", "folder", "folder link"])
def test_links_and_pipes_in_the_store_are_not_opened(
    own: Path, changed: httpx.Client, what: str
) -> None:
    sha256 = what.encode().hex().ljust(64, "2")[:64]
    path = own.parent / "media" / sha256[:2] / f"{sha256}.jpg"
    if what == "folder link":
        sha256 = "e9" + sha256[2:]
        shutil.rmtree(own.parent / "media" / "e9", ignore_errors=True)
        path = own.parent / "elsewhere" / f"{sha256}.jpg"
        path.parent.mkdir()
        path.write_bytes(b"secret")
        (own.parent / "media" / "e9").symlink_to(path.parent)
    else:
        path.parent.mkdir(exist_ok=True)
        if what == "link":
            path.symlink_to("/etc/passwd")
        elif what == "pipe":
            os.mkfifo(path)
        else:
            path.mkdir()
    add_media(own, sha256, f"media/{sha256[:2]}/{sha256}.jpg")
    assert changed.get(f"/archive/-/media/{sha256}").status_code == 404
    assert changed.get(f"/archive/-/thumb/s/{sha256}").content.startswith(b"<svg")


@pytest.mark.parametrize("file_type", ["JPEG", "PNG", "WEBP"])
def test_small_pictures_say_nothing_of_where_and_by_whom(tmp_path: Path, file_type: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 29: "SECRET"})
    text = PngInfo()
    text.add_text("Author", "SECRET")
    text.add_itxt("XML:com.adobe.xmp", "<x>SECRET</x>")
    more: dict[str, Any] = {"pnginfo": text} if file_type == "PNG" else {"xmp": b"<x>SECRET</x>"}
    more |= {"comment": b"SECRET"} if file_type == "JPEG" else {}
    source, target = tmp_path / "source", tmp_path / "target"
    Image.new("RGB", (800, 600), "red").save(source, file_type, exif=exif, **more)
    assert source.read_bytes().count(b"SECRET") >= 3

    with source.open("rb") as picture:
        make(picture, target, 400, 1600)

    assert b"SECRET" not in target.read_bytes()
    with Image.open(target) as picture:
        assert not picture.getexif()
        assert set(picture.info) <= {"background", "loop"}


def test_small_pictures_are_made_kept_and_made_again(own: Path, changed: httpx.Client) -> None:
    sha256, _, _ = media_rows(own, "image/png")[0]
    answer = changed.get(f"/archive/-/thumb/s/{sha256}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    (kept,) = (own.parent / "cache" / "thumbs").rglob(f"{sha256}-s*.webp")
    with Image.open(kept) as picture:
        assert min(picture.size) == 400
    shutil.rmtree(own.parent / "cache")
    assert changed.get(f"/archive/-/thumb/s/{sha256}").content == answer.content
    assert kept.is_file()
    assert not list(kept.parent.glob("*.tmp"))


@pytest.mark.parametrize(
    ("size", "thumbnail"),
    [((4000, 3000), (533, 400)), ((3000, 4000), (400, 533)), ((3000, 500), (1600, 267)),
     ((400, 2400), (267, 1600)), ((96, 72), (96, 72)), ((100_000, 1), (1600, 1))],
)  # fmt: skip
def test_a_tile_is_sharp_whatever_the_shape_of_its_picture(
    tmp_path: Path, size: tuple[int, int], thumbnail: tuple[int, int]
) -> None:
    assert fitted(*size, 400, 1600) == thumbnail
    target = tmp_path / "target"
    source = BytesIO()
    Image.new("P", size).save(source, "PNG")
    make(source, target, 400, 1600)
    with Image.open(target) as picture:
        assert picture.size == thumbnail


def test_a_named_file_is_saved_under_its_name(client: httpx.Client, demo: Path) -> None:
    sha256, _, _ = media_rows(demo, "image/jpeg")[0]
    address = f"/archive/-/media/{sha256}"
    plain = client.get(address)
    for name in ("2026-11-02_my-instagram_1of10.jpg", "2026-11-02_陶芸.jpg"):
        named = client.get(f"{address}/{name}")
        assert (named.status_code, named.content) == (200, plain.content)
        assert named.headers["content-disposition"].startswith("inline; filename")
        assert "immutable" in named.headers["cache-control"]
        assert quote(name) in named.headers["content-disposition"]
    for name in ("2026-11-02_a.exe", "evil.jpg", "2026%0d%0aset-cookie:a.jpg", "a/b.jpg"):
        answer = client.get(f"{address}/{name}")
        assert answer.status_code == 404, name
        assert "set-cookie" not in answer.headers


def test_a_video_has_the_neutral_tile(changed: httpx.Client, own: Path) -> None:
    sha256, _, _ = media_rows(own, "video/mp4")[0]
    answer = changed.get(f"/archive/-/thumb/s/{sha256}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize("what", ["bomb", "half", "text"])
def test_a_malicious_picture_gets_a_placeholder(
    own: Path, changed: httpx.Client, what: str
) -> None:
    sha256 = what.encode().hex().ljust(64, "3")[:64]
    path = own.parent / "media" / sha256[:2] / f"{sha256}.png"
    path.parent.mkdir(exist_ok=True)
    if what == "bomb":
        Image.new("1", (30_000, 30_000)).save(path)  # 900 million pixels in a hundred kilobytes
    else:
        good = (own.parent / media_rows(own, "image/png")[0][1]).read_bytes()
        path.write_bytes(good[: len(good) // 2] if what == "half" else b"not a picture")
    add_media(own, sha256, f"media/{sha256[:2]}/{sha256}.png", "image/png")
    assert changed.get(f"/archive/-/thumb/m/{sha256}").content.startswith(b"<svg")
    good_one = media_rows(own, "image/webp")[0][0]
    assert changed.get(f"/archive/-/thumb/m/{good_one}").headers["content-type"] == "image/webp"


def test_workers_are_ended_with_the_program(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from archiver.browse import thumbs;"
        "worker = thumbs._pool().submit(thumbs._worker).result();"
        "print(worker.ask(b'no picture', Path(sys.argv[1]), (1, 1)))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program, tmp_path / "a"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_worker_that_dies_is_begun_again(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archiver.browse import thumbs

    with closing(sqlite3.connect(f"{own.as_uri()}?mode=ro", uri=True)) as connection:
        first, second = (
            find_media(connection, row[0]) for row in media_rows(own, "image/webp")[:2]
        )
    assert first
    assert second
    store = FolderStore(own.parent)
    thumbs.stop()
    with monkeypatch.context() as patch:
        patch.setattr(thumbs, "_SCRIPT", Path(os.devnull))
        assert Thumbs(store, own.parent / "a" / "thumbs").get(first, "s") is None
    shutil.rmtree(own.parent / "cache", ignore_errors=True)
    thumbs.stop()
    assert Thumbs(store, own.parent / "cache" / "thumbs").get(second, "s") is not None
