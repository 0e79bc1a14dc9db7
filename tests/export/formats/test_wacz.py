"""A WACZ: what its records are, and what other tools say of it."""

import hashlib
import json
import subprocess
import sys
import zipfile
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from archiver.archive.database import transaction
from archiver.archive.rows import insert
from archiver.errors import UsageError
from archiver.export.formats.wacz import MADE_HERE
from archiver.export.selection import ArchiveSelection
from support.exporting import PICTURE, exported
from support.saver import POST, saving

ROOT = Path(__file__).parents[3]
WACZ = ROOT / ".venv-wacz" / "bin" / "wacz"
ANSWER = b'{"history": [{"text": "Good morning"}]}'


@pytest.fixture(scope="module")
def package(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(directory, tmp_path_factory.mktemp("wacz") / "o", "wacz").folder / "posts.wacz"


def records(package: Path) -> list[dict[str, Any]]:
    """The records of a WACZ, by warcio."""
    with zipfile.ZipFile(package) as found:
        data = found.read("archive/data.warc.gz")
    return [
        {
            "type": record.rec_type, "record": record, "body": record.content_stream().read(),
            "address": record.rec_headers.get_header("WARC-Target-URI"),
        }
        for record in ArchiveIterator(BytesIO(data), check_digests="raise")
    ]  # fmt: skip


def test_what_was_captured_is_a_resource_at_its_address(package: Path) -> None:
    found = {one["address"]: one for one in records(package)}
    picture = found["https://a.example/m1.jpg"]
    assert (picture["type"], picture["body"]) == ("resource", PICTURE)
    assert picture["record"].rec_headers.get_header("Content-Type") == "image/jpeg"
    assert json.loads(found[f"{MADE_HERE}/post/1/record/2"]["body"]) == {"text": "Good evening"}
    page = found[f"{MADE_HERE}/post/1"]["body"].decode()
    assert "Good evening" in page
    assert 'src="https://a.example/m1.jpg"' in page
    info = records(package)[0]
    assert info["type"] == "warcinfo"
    assert b"redacted: requests" in info["body"]


def answers(tmp_path: Path, headers: str) -> list[dict[str, Any]]:
    with saving(tmp_path) as saver:
        saver.save(POST, replace(POST, platform_id="p2", created_at="2027-01-01T00:00:00.000Z"))
        with transaction(saver.connection):
            insert(
                saver.connection, "responses", run_id=1, account_id=1, source="ayrshare",
                url="https://api.example/history", status=200, headers=headers,
                received_at="2026-03-01T21:00:00.000Z", body=zlib.compress(ANSWER),
                body_sha256=hashlib.sha256(ANSWER).hexdigest(),
            )  # fmt: skip
    found = []
    for name, selection in (("all", None), ("one", ArchiveSelection(until="2026-12-31"))):
        folder = exported(tmp_path / "archive", tmp_path / name, "wacz", selection).folder
        found += [one for one in records(folder / "posts.wacz") if one["body"] == ANSWER]
    return found


def test_an_answer_of_which_all_is_held_is_a_response_where_all_its_posts_are_chosen(
    tmp_path: Path,
) -> None:
    (answer,) = answers(tmp_path, '{"content-type": "application/json", "content-length": "9"}')
    assert (answer["type"], answer["address"]) == ("response", "https://api.example/history")
    headers = answer["record"].http_headers
    assert (headers.protocol, headers.get_statuscode()) == ("HTTP/1.1", "200")
    assert headers.get_header("content-length") == str(len(ANSWER))


def test_an_answer_without_headers_is_a_resource(tmp_path: Path) -> None:
    (answer,) = answers(tmp_path, "{}")
    assert answer["type"] == "resource"


def test_the_index_leads_to_each_record_and_the_datapackage_has_the_hashes(package: Path) -> None:
    with zipfile.ZipFile(package) as found:
        assert {one.compress_type for one in found.infolist()} == {zipfile.ZIP_STORED}
        data = found.read("archive/data.warc.gz")
        lines = found.read("indexes/index.cdx").decode().splitlines()
        about = json.loads(found.read("datapackage.json"))
        for resource in about["resources"]:
            content = found.read(resource["path"])
            assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
            assert resource["bytes"] == len(content)
        pages = [json.loads(line) for line in found.read("pages/pages.jsonl").splitlines()]
    assert lines == sorted(lines)
    for line in lines:
        key, stamp, rest = line.split(" ", 2)
        entry = json.loads(rest)
        start = int(entry["offset"])
        (record,) = ArchiveIterator(BytesIO(data[start : start + int(entry["length"])]))
        assert record.rec_headers.get_header("WARC-Target-URI") == entry["url"]
        assert key.startswith(("example,a)/", "invalid,archive)/"))
        assert len(stamp) == 14
    assert [page["url"] for page in pages[1:]] == [f"{MADE_HERE}/post/{n}" for n in (3, 1, 2)]


def test_both_headers_of_a_file_have_as_many_extra_fields(package: Path) -> None:
    """ReplayWeb.page takes those of the one for those of the other, and reads zeros if not."""
    data = package.read_bytes()
    with zipfile.ZipFile(package) as found:
        for entry in found.infolist():
            assert data[entry.header_offset :].startswith(b"PK\3\4")
            extra = data[entry.header_offset + 28 : entry.header_offset + 30]
            assert int.from_bytes(extra, "little") == len(entry.extra)


@pytest.mark.peers
def test_wacz_validate_accepts_it_and_finds_a_changed_byte(package: Path, tmp_path: Path) -> None:
    if not WACZ.is_file():
        pytest.skip("wacz is not installed: run make wacz-peers")
    subprocess.run([WACZ, "validate", "-f", package], check=True)
    altered = tmp_path / "altered.wacz"
    with zipfile.ZipFile(package) as found, zipfile.ZipFile(altered, "w") as other:
        for name in found.namelist():
            content = found.read(name)
            other.writestr(name, content + b"\n" if name == "pages/pages.jsonl" else content)
    done = subprocess.run([WACZ, "validate", "-f", altered], check=False)
    assert done.returncode != 0


def test_without_the_library_it_says_what_to_install(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "warcio", None)
    with pytest.raises(UsageError, match="needs the library warcio"):
        exported(directory, tmp_path / "out", "wacz")
