"""What the benchmarks run still runs: a few posts, and no clock is looked at."""

from pathlib import Path

import pytest

from archiver.archive.database import reader
from benchmarks import exporting
from benchmarks.clients import ours, posts
from benchmarks.downloads import prepare_archive
from support.media.samples import picture
from support.net.wire import http, wire

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the benchmarks read memory as Linux tells it"
)

FEW = 20


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()]


def test_a_large_account_is_written_settled_and_seen_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for what in ("write", "settle", "again", "signed", "floor"):
        posts.main(what, tmp_path, FEW)
        assert lines_of(capsys) == ["took", "peak"]


def test_the_same_posts_are_written_by_plain_statements(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    posts.main("raw", tmp_path / "raw", FEW)
    assert lines_of(capsys) == ["took", "peak"]


def test_an_archive_with_a_file_for_each_post_is_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exporting.make(tmp_path / "archive", FEW, 100)
    exporting.export_one(tmp_path / "archive", "jsonl", tmp_path / "out")
    assert float(capsys.readouterr().out) > 0
    assert len(list((tmp_path / "out" / "media").rglob("*.jpg"))) == FEW


@pytest.mark.anyio
async def test_the_files_that_wait_in_an_archive_are_fetched(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    async with wire(http(200, picture("JPEG"))) as server:
        prepare_archive(archive, [server.url(f"/{number}.jpg") for number in range(4)])
        await ours.main(archive, connections=2, certificate=None)
    with reader(archive) as connection:
        stored = connection.execute("SELECT count(*) FROM renditions WHERE state = 'stored'")
        assert stored.fetchone()[0] == 4
