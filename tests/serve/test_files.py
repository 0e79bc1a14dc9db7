"""Files by their hash, and records that point at them."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from support.nights import PLATFORMS, Nights, nights
from support.serve.serving import Asking, served

pytestmark = pytest.mark.slow

HASH = "ab" * 32


@pytest.fixture
def with_media(lived: Nights) -> Iterator[Asking]:
    with served(lived.directory, media=True) as asking:
        yield asking


def addresses(value: Any) -> list[str]:
    """All addresses of files in a record."""
    if isinstance(value, str):
        return [value] if "?archived=" in value else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [address for part in parts for address in addresses(part)]


def archived_in(address: str) -> str:
    """The hash that an address of this server names."""
    return parse_qs(urlsplit(address).query)["archived"][0]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_stored_file_is_pointed_at_and_answers(
    with_media: Asking, lived: Nights, platform: str
) -> None:
    records = with_media.history(platform, limit=500)["posts"]
    found = addresses(records)
    assert found
    for address in found:
        answer = with_media.client.get(address)
        sha256 = hashlib.sha256(answer.content).hexdigest()
        assert address.startswith(with_media.origin + urlsplit(address).path)
        assert archived_in(address) == sha256
    stored = lived.column(
        "SELECT DISTINCT media_sha256 FROM renditions JOIN attachments ON attachments.id = "
        "attachment_id JOIN posts ON posts.id = post_id WHERE posts.platform = ? "
        "AND removed_at IS NULL AND NOT omitted AND state = 'stored' AND last_revision = "
        "(SELECT max(number) FROM revisions WHERE post_id = posts.id)", platform,
    )  # fmt: skip
    assert {archived_in(address) for address in found} >= set(stored)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_but_for_the_addresses_not_a_byte_differs(
    archive: Asking, with_media: Asking, platform: str
) -> None:
    plain = archive.history(platform, limit=500)["posts"]
    pointing = with_media.history(platform, limit=500)["posts"]
    assert _without_addresses(pointing, plain) == plain


def _without_addresses(pointing: Any, plain: Any) -> Any:
    """The first, with what stands in the second wherever it points at a file of the same path."""
    if isinstance(pointing, dict):
        return {key: _without_addresses(value, plain[key]) for key, value in pointing.items()}
    if isinstance(pointing, list):
        return [_without_addresses(*pair) for pair in zip(pointing, plain, strict=True)]
    if addresses(pointing) and urlsplit(pointing).path == urlsplit(plain).path:
        return plain
    return pointing


def test_a_file_is_given_whole_and_in_ranges(with_media: Asking, lived: Nights) -> None:
    ((sha256, size, content_type),) = lived.query(
        "SELECT sha256, size, content_type FROM media WHERE content_type LIKE 'video/%' LIMIT 1"
    )
    url = f"{with_media.origin}/any/path.mp4?archived={sha256}"
    whole = with_media.client.get(url)
    assert (whole.status_code, len(whole.content)) == (200, size)
    assert whole.headers["content-type"] == content_type
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["etag"] == f'"{sha256}"'
    assert "immutable" in whole.headers["cache-control"]
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in whole.headers["content-security-policy"]
    part = with_media.client.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{size}"
    end = with_media.client.get(url, headers={"Range": "bytes=-7", "If-Range": f'"{sha256}"'})
    assert (end.status_code, end.content) == (206, whole.content[-7:])
    beyond = with_media.client.get(url, headers={"Range": f"bytes={size}-"})
    assert beyond.status_code == 416
    other = with_media.client.get(url, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)
    known = with_media.client.get(url, headers={"If-None-Match": f'"{sha256}"'})
    assert (known.status_code, known.content) == (304, b"")
    head = with_media.client.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))


@pytest.mark.parametrize("name", [HASH, "", "..%2F..%2Farchive.db", "%00", "archive.db"])
def test_only_hashes_of_files_name_files(with_media: Asking, name: str) -> None:
    assert with_media.client.get(f"{with_media.origin}/x?archived={name}").status_code == 404


def test_without_media_nothing_is_given_out(archive: Asking, lived: Nights) -> None:
    (sha256,) = lived.column("SELECT sha256 FROM media LIMIT 1")
    assert archive.client.get(f"{archive.origin}/x?archived={sha256}").status_code == 404
    assert addresses(archive.history("instagram", limit=500)) == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Nights]:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(1)
        world.backup()
        yield world


def first_file(world: Nights) -> tuple[str, Path]:
    ((sha256, path),) = world.query("SELECT sha256, path FROM media LIMIT 1")
    return sha256, world.directory / path


def test_a_row_with_a_path_outside_of_the_store_serves_nothing(
    small: Nights, tmp_path: Path
) -> None:
    sha256, _ = first_file(small)
    secret = tmp_path / "secret"
    secret.write_text("not for you")
    for path in (str(secret), "../secret", "archive.db", f"media/{sha256[:2]}/../../archive.db"):
        _set_media(small, sha256, "path", path)
        with served(small.directory, media=True) as asking:
            assert asking.client.get(f"{asking.origin}/x?archived={sha256}").status_code == 404


def test_a_link_in_place_of_a_file_is_not_followed(small: Nights, tmp_path: Path) -> None:
    sha256, path = first_file(small)
    secret = tmp_path / "secret"
    secret.write_text("not for you")
    path.unlink()
    path.symlink_to(secret)
    with served(small.directory, media=True) as asking:
        assert asking.client.get(f"{asking.origin}/x?archived={sha256}").status_code == 404
        path.unlink()
        assert asking.client.get(f"{asking.origin}/x?archived={sha256}").status_code == 404


def test_a_folder_in_the_store_that_is_a_link_is_not_followed(
    small: Nights, tmp_path: Path
) -> None:
    sha256, path = first_file(small)
    path.parent.rename(tmp_path / "elsewhere")
    path.parent.symlink_to(tmp_path / "elsewhere")
    with served(small.directory, media=True) as asking:
        assert asking.client.get(f"{asking.origin}/x?archived={sha256}").status_code == 404


def test_a_file_that_is_known_as_lost_is_not_served(small: Nights) -> None:
    sha256, _ = first_file(small)
    _set_media(small, sha256, "lost_at", "2026-11-23T00:00:00.000Z")
    with served(small.directory, media=True) as asking:
        assert asking.client.get(f"{asking.origin}/x?archived={sha256}").status_code == 404


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/pdf"])
def test_what_a_browser_could_run_is_a_download(small: Nights, content_type: str) -> None:
    sha256, _ = first_file(small)
    _set_media(small, sha256, "content_type", content_type)
    with served(small.directory, media=True) as asking:
        answer = asking.client.get(f"{asking.origin}/x?archived={sha256}")
    assert answer.headers["content-disposition"].startswith("attachment")


def _set_media(world: Nights, sha256: str, column: str, value: str) -> None:
    connection = sqlite3.connect(world.directory / "archive.db")
    with connection:
        connection.execute(f"UPDATE media SET {column} = ? WHERE sha256 = ?", (value, sha256))
    connection.close()
