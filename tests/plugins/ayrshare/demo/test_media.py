"""The media server serves real files, at signed addresses, in parts if asked."""

import io
import struct
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from archiver.clock import DemoClock
from archiver_ayrshare.demo.networks import NETWORKS
from archiver_ayrshare.demo.specs import gif, photo, video
from archiver_ayrshare.demo.world import World
from support.demo.asking import Api


def boxes(data: bytes) -> list[str]:
    """The names of the top boxes of an mp4, whose sizes must fill the file exactly."""
    names, place = [], 0
    while place < len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        names.append(name.decode())
        place += size
    assert place == len(data)
    return names


@pytest.mark.parametrize("platform", NETWORKS)
def test_every_file_is_what_it_says(api: Api, world: World, platform: str) -> None:
    world.account(platform).populate(18, stories=True)
    assert world.files
    for file in world.files.values():
        answer = api.media(world.url(file))
        assert answer.status_code == 200
        kind = answer.headers["content-type"]
        if kind.startswith("image/"):
            with Image.open(io.BytesIO(answer.content)) as image:
                image.load()
                assert kind == Image.MIME[image.format or ""]
        elif kind == "video/mp4":
            fragments = ["moof", "mdat"] * 4
            assert boxes(answer.content) in (
                ["ftyp", "moov", "free", "mdat", "free"],
                ["ftyp", "moov", "free", *fragments],
            )
        else:
            assert answer.text.startswith("#EXTM3U\n")


@pytest.mark.parametrize("platform", NETWORKS)
def test_files_differ_in_their_bytes_unless_they_are_shared(world: World, platform: str) -> None:
    world.account(platform).populate(40)
    known: dict[bytes, str] = {}
    for file in world.files.values():
        label = file.media.label if file.media else ""
        data = world.fixtures.get(file.recipe)
        assert known.setdefault(data, label) == label
    shared = sum(
        file.media is not None and bool(file.media.spec.label) for file in world.files.values()
    )
    assert len(known) >= len(world.files) - shared


def test_one_picture_on_two_platforms_is_one_file(world: World) -> None:
    spec = photo("harbour", size=(64, 64))
    files = []
    for platform in ("instagram", "threads"):
        media = world.account(platform).publish("harbour", media=[spec]).media[0]
        file = media.file("original")
        assert file is not None
        files.append(world.fixtures.get(file.recipe))
    assert files[0] == files[1]


@pytest.mark.parametrize("file_type", ["jpeg", "png", "webp"])
def test_a_scene_is_drawn_in_the_size_and_type_that_was_asked_for(
    api: Api, world: World, file_type: str
) -> None:
    kind = {"jpeg": "jpeg", "png": "png", "webp": "webp"}[file_type]
    spec = photo(scene="pot", size=(90, 60), file_type=kind)  # type: ignore[arg-type]  # a parameter
    post = world.account("pinterest").publish("pot", media=[spec])
    with Image.open(io.BytesIO(api.media(post.record()["mediaUrl"]).content)) as image:
        assert (image.size, image.format) == ((90, 60), file_type.upper())


def test_a_gif_moves(api: Api, world: World) -> None:
    post = world.account("pinterest").publish("ball", media=[gif()])
    with Image.open(io.BytesIO(api.media(post.record()["mediaUrl"]).content)) as image:
        assert getattr(image, "n_frames", 1) > 5


def test_a_film_can_be_made_larger(api: Api, world: World) -> None:
    url = world.account("instagram").publish(media=[video(pad=300_000)]).record()["mediaUrl"]
    answer = api.media(url)
    assert int(answer.headers["content-length"]) == len(answer.content) > 300_000
    assert boxes(answer.content)[0] == "ftyp"


@pytest.fixture
def url(api: Api, world: World) -> str:
    address: str = world.account("instagram").publish(media=[photo()]).record()["mediaUrl"]
    return address


def test_a_part_can_be_asked_for(api: Api, url: str) -> None:
    whole = api.media(url)
    size = len(whole.content)
    for wanted, expected, said in (
        ("bytes=0-9", whole.content[:10], f"bytes 0-9/{size}"),
        ("bytes=100-", whole.content[100:], f"bytes 100-{size - 1}/{size}"),
        ("bytes=-7", whole.content[-7:], f"bytes {size - 7}-{size - 1}/{size}"),
        (f"bytes=10-{size + 50}", whole.content[10:], f"bytes 10-{size - 1}/{size}"),
    ):
        part = api.media(url, Range=wanted)
        assert (part.status_code, part.content) == (206, expected)
        assert part.headers["content-range"] == said
        assert int(part.headers["content-length"]) == len(expected)
        assert part.headers["etag"] == whole.headers["etag"]


def test_a_part_behind_the_end_is_416_and_nonsense_is_ignored(api: Api, url: str) -> None:
    size = len(api.media(url).content)
    beyond = api.media(url, Range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    for nonsense in ("bytes=-", "bytes=5-2", "pages=1-2", "bytes=0-1,4-5", "bytes"):
        assert api.media(url, Range=nonsense).status_code == 200


def test_a_part_is_given_only_of_the_file_that_is_known(api: Api, url: str) -> None:
    etag = api.media(url).headers["etag"]
    assert etag.startswith('"')
    assert api.media(url, Range="bytes=5-", If_Range=etag).status_code == 206
    assert api.media(url, Range="bytes=5-", If_Range='"another"').status_code == 200


@pytest.mark.parametrize("platform", ["instagram", "facebook", "threads", "tiktok", "linkedin"])
def test_signed_addresses_expire_and_cannot_be_changed(
    api: Api, world: World, clock: DemoClock, platform: str
) -> None:
    world.account(platform).populate(1)
    file = next(iter(world.files.values()))
    address = world.url(file)
    parts = urlsplit(address)
    assert api.media(address).status_code == 200
    assert api.media(address.replace(parts.query, "")).status_code == 403
    broken = parts.query.replace("oh=00_", "oh=00_x").replace("nature=", "nature=x")
    assert api.media(address.replace(parts.query, broken.replace("&t=", "&t=x"))).status_code == 403
    clock.advance(days=3, hours=23)
    assert api.media(address).status_code == 200
    clock.advance(hours=1)
    assert api.media(address).status_code == 403
    assert api.media(world.url(file)).status_code == 200


def test_the_expiry_is_written_in_the_manner_of_the_platform(
    world: World, clock: DemoClock
) -> None:
    clock.advance(seconds=0)
    ends = int(clock.now().timestamp()) + 4 * 24 * 3600
    post = world.account("instagram").publish(media=[photo()])
    query = httpx.URL(post.record()["mediaUrl"]).params
    assert int(query["oe"], 16) == ends
    assert {"oh", "oe"} <= set(query)
    query = httpx.URL(world.account("tiktok").publish("t").record()["thumbnailUrl"]).params
    assert int(query["x-expires"]) == ends
    assert query["x-signature"]
    media = world.account("linkedin").publish("l", media=[photo()]).record()["mediaUrls"]
    query = httpx.URL(media[0]["url"]).params
    assert (int(query["e"]), bool(query["t"])) == (ends, True)
    plain = world.account("bluesky").publish("b", media=[photo()]).record()["embed"]
    assert "?" not in plain["images"][0]["fullsize"]


def test_rotation_changes_hosts_and_signatures_and_keeps_paths(api: Api, world: World) -> None:
    world.account("instagram").populate(5)
    before = {path: urlsplit(world.url(file)) for path, file in world.files.items()}
    world.rotate()
    after = {path: urlsplit(world.url(file)) for path, file in world.files.items()}
    for path, old in before.items():
        assert after[path].path == old.path == path
        assert after[path].query != old.query
        if len(api.server.origins) > 1:
            assert after[path].netloc != old.netloc
        assert api.media(old.geturl()).status_code == 200
        assert api.media(after[path].geturl()).status_code == 200


def test_revoked_addresses_are_403_at_once(api: Api, world: World, url: str) -> None:
    world.rotate(revoke=True)
    assert api.media(url).status_code == 403


def test_lost_files_are_404_or_410_until_they_are_found(api: Api, world: World) -> None:
    post = world.account("instagram").publish(media=[photo(), photo()])
    one, two = (child["mediaUrl"] for child in post.record()["mediaUrls"])
    post.lose_media(child=0)
    assert [api.media(address).status_code for address in (one, two)] == [404, 200]
    post.lose_media(status=410)
    assert [api.media(address).status_code for address in (one, two)] == [410, 410]
    post.restore_media()
    assert [api.media(address).status_code for address in (one, two)] == [200, 200]
    assert api.media(one.replace("/v/", "/w/")).status_code == 404


def test_requests_for_media_are_written_down(api: Api, world: World, url: str) -> None:
    answer = api.media(url, Range="bytes=0-3")
    (log,) = world.media_requests
    assert (log.method, log.path, log.status, log.sent) == ("GET", urlsplit(url).path, 206, 4)
    assert (log.range, log.host) == ("bytes=0-3", urlsplit(url).netloc)
    assert set(log.params) >= {"oh", "oe"}
    assert answer.headers["accept-ranges"] == "bytes"
