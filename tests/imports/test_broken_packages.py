"""What cannot be imported is refused with a clear sentence, and nothing of it is added."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, PackageError, UsageError
from support.exports.importing import ImportFolder
from support.exports.packing import write_folder, write_tar, write_zip
from support.exports.tweets import sample

FILES = sample().files()


def cut_zip(path: Path) -> Path:
    package = write_zip(path / "a.zip", FILES)
    package.write_bytes(package.read_bytes()[:-200])
    return package


def cut_tar(path: Path) -> Path:
    package = write_tar(path / "a.tar.gz", FILES)
    package.write_bytes(package.read_bytes()[:-200])
    return package


def empty_file(path: Path) -> Path:
    (path / "a.zip").touch()
    return path / "a.zip"


def empty_zip(path: Path) -> Path:
    return write_zip(path / "a.zip", {})


def encrypted(path: Path) -> Path:
    package = write_zip(path / "a.zip", FILES)
    data = bytearray(package.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag of encryption in the central directory
    package.write_bytes(data)
    return package


def wrong_bytes(path: Path) -> Path:
    package = write_zip(path / "a.zip", FILES, zipfile.ZIP_STORED)
    data = package.read_bytes()
    package.write_bytes(data.replace(b"Tea &amp; cake", b"Tea &amp; cuke", 1))
    return package


def link_in_zip(path: Path) -> Path:
    package = write_zip(path / "a.zip", FILES)
    with zipfile.ZipFile(package, "a") as opened:
        entry = zipfile.ZipInfo("data/link")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        opened.writestr(entry, "/etc/passwd")
    return package


def link_in_folder(path: Path) -> Path:
    folder = write_folder(path / "export", FILES)
    (folder / "data" / "link").symlink_to("/etc/passwd")
    return folder


def leads_out(path: Path) -> Path:
    return write_zip(path / "a.zip", {**FILES, "../../outside.js": "x"})


def absolute_in_tar(path: Path) -> Path:
    return write_tar(path / "a.tar", {**FILES, "/etc/outside": "x"}, "w")


def bomb(path: Path) -> Path:
    return write_zip(path / "a.zip", {**FILES, "data/zeros": bytes(110 << 20)})


def tar_bomb(path: Path) -> Path:
    return write_tar(path / "a.tar.gz", {"zeros": bytes(110 << 20)})


def overlapping(path: Path) -> Path:
    package = write_zip(path / "a.zip", {"a": bytes(100), "b": bytes(100)}, zipfile.ZIP_STORED)
    data = bytearray(package.read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    data[second + 42 : second + 46] = struct.pack("<I", 10)  # its file begins in the first one
    package.write_bytes(data)
    return package


def not_json(path: Path) -> Path:
    text = 'window.YTD.tweets.part0 = [ {"tweet": {"id": "1"}}, {"tweet": oops '
    return write_zip(path / "a.zip", {**FILES, "data/tweets.js": text})


def json_cut_off(path: Path) -> Path:
    text = str(FILES["data/tweets.js"])
    return write_zip(path / "a.zip", {**FILES, "data/tweets.js": text[: len(text) // 2]})


def nested_too_deep(path: Path) -> Path:
    text = "window.YTD.tweets.part0 = [" + "[" * 100_000
    return write_zip(path / "a.zip", {**FILES, "data/tweets.js": text})


def without_posts(path: Path) -> Path:
    files = {**FILES, "data/tweets.js": "window.YTD.tweets.part0 = [ ]"}
    for name in ("community-tweet", "deleted-tweets"):
        files[f"data/{name}.js"] = f"window.YTD.{name}.part0 = []"
    return write_zip(path / "a.zip", files)


def of_no_platform(path: Path) -> Path:
    return write_zip(path / "a.zip", {"holiday/1.jpg": b"\xff\xd8", "notes.txt": "Milk"})


def new_layout(path: Path) -> Path:
    posts = json.dumps([{"text": "Hi"}])
    return write_zip(path / "a.zip", {"archive/v9/posts.json": posts, "profile.json": "{}"})


def zip_in_zip(path: Path) -> Path:
    inner = write_zip(path / "inner" / "twitter.zip", FILES)
    return write_zip(path / "a.zip", {"twitter.zip": inner.read_bytes()})


def no_archive(path: Path) -> Path:
    (path / "a.zip").write_bytes(b"\x1f\x8bnot gzip at all")
    return path / "a.zip"


def neither_file_nor_folder(path: Path) -> Path:
    return Path("/dev/null")


BROKEN: dict[Callable[[Path], Path], str] = {
    cut_zip: "damaged or cut off",
    cut_tar: "damaged or cut off",
    empty_file: "The file is empty",
    empty_zip: "no official export that can be read.*contains nothing",
    encrypted: "encrypted with a password.*Unpack it",
    wrong_bytes: "damaged or cut off",
    link_in_zip: "contains a link",
    link_in_folder: r"contains a link: data/link.*take the link away",
    leads_out: r"a\.zip has a file whose name leads out of it",
    absolute_in_tar: "leads out of it",
    bomb: "a zip bomb",
    tar_bomb: "unpacks to far more",
    overlapping: "overlap each other",
    not_json: r"tweets\.js in a\.zip cannot be read.*JSON",
    json_cut_off: r"tweets\.js in a\.zip cannot be read.*cut off",
    nested_too_deep: "nested too deep",
    zip_in_zip: r"contains twitter\.zip.*Unpack it, and import what is in it: twitter\.zip",
    without_posts: "has no post.*layout is new",
    of_no_platform: r"no official export.*holiday/1\.jpg.*What is read: .*X",
    new_layout: r"no official export.*profile\.json, archive/v9/posts\.json",
    no_archive: "damaged or cut off",
    neither_file_nor_folder: "neither a file nor a folder",
}


@pytest.mark.parametrize("make", BROKEN, ids=lambda make: make.__name__)
def test_a_broken_package_is_refused_and_nothing_is_added(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    archive = ImportFolder(tmp_path)
    with pytest.raises(PackageError, match=f"(?s){BROKEN[make]}") as caught:
        archive.run(make(tmp_path))
    assert "Nothing" in (caught.value.kept or ""), "it says what was kept"
    assert caught.value.hint, "it says what to do next"
    assert not archive.directory.exists()


def test_one_broken_package_among_good_ones_stops_all(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    good = write_zip(tmp_path / "good.zip", FILES)
    with pytest.raises(PackageError):
        archive.run(good, not_json(tmp_path))
    assert not archive.directory.exists()


def test_a_package_of_another_person_is_refused(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    archive.run(write_zip(tmp_path / "ann.zip", FILES))
    other = sample()
    other.account_id, other.handle = "43", "bob"
    before = archive.dump("posts", "accounts")
    bob = write_zip(tmp_path / "bob.zip", other.files())
    with pytest.raises(PackageError, match=r"of bob \(id 43\), and twitter-ann is ann"):
        archive.run(bob, account="twitter-ann")
    with pytest.raises(UsageError, match="There is no account nobody"):
        archive.run(bob, account="nobody")
    assert archive.dump("posts", "accounts") == before


def test_a_reader_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archiver_exports.twitter import TwitterExport

    def fail(*_: object) -> None:
        raise ZeroDivisionError("one by none")

    monkeypatch.setattr(TwitterExport, "records", fail)
    with pytest.raises(ArchiverError, match=r"twitter exports failed.*ZeroDivisionError"):
        ImportFolder(tmp_path).run(write_zip(tmp_path / "a.zip", FILES))
