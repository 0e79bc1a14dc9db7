"""The process that puts segments into one file: what it reads, and what it may use."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archiver.media.playlists import remuxer
from archiver.media.playlists.remuxer import SegmentFiles
from support.media.films import encode_film, frames_of


def parts(tmp_path: Path, *texts: bytes) -> SegmentFiles:
    paths = []
    for number, text in enumerate(texts):
        path = tmp_path / str(number)
        path.write_bytes(text)
        paths.append(str(path))
    return SegmentFiles(paths)


def test_several_files_are_read_as_one(tmp_path: Path) -> None:
    with parts(tmp_path, b"abc", b"", b"defgh", b"i") as file:
        assert (file.read(2), file.read(9), file.read(), file.read(), file.read(1)) == (
            b"ab", b"c", b"defgh", b"i", b"",
        )  # fmt: skip
        assert [file.seek(4), file.read(2), file.tell()] == [4, b"ef", 6]
        assert [file.seek(-3, 2), file.read(3), file.seek(-2, 1)] == [6, b"gh", 6]
        assert [file.seek(-99), file.read(1), file.seek(99), file.read(1)] == [0, b"a", 99, b""]


def run(job: dict[str, Any], **options: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-I", "-m", remuxer.__name__], input=json.dumps(job).encode(),
        capture_output=True, check=False, env={}, **options,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def job(source: Path, target: Path, **changed: Any) -> dict[str, Any]:
    tracks = [[{"paths": [str(source)], "seconds": 3.0}]]
    return {
        "tracks": tracks,
        "formats": ["mp4"],
        "parent": os.getpid(),
        "target": str(target),
        "max_size": 1 << 24,
        **changed,
    }


def test_a_film_by_itself_stays_the_same_film(tmp_path: Path) -> None:
    source = encode_film(tmp_path / "source.mp4")
    assert run(job(source, tmp_path / "film.mp4"))["ok"] is True
    assert frames_of(tmp_path / "film.mp4") == frames_of(source)


@pytest.mark.parametrize(
    "text",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<!doctype html><html></html>",
        b"\x00" * 4096,
    ],
)
@pytest.mark.parametrize("container", ["mp4", "mpegts", "matroska"])
def test_only_the_named_format_is_read(tmp_path: Path, text: bytes, container: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(text)
    answer = run(job(source, tmp_path / "film.mp4", formats=[container]))
    assert answer["ok"] is False
    assert answer["error"]


def test_memory_time_and_output_are_limited() -> None:
    code = (
        "import resource\nfrom archiver.media.playlists import remuxer\nremuxer._limit(1000)\n"
        "print([resource.getrlimit(what)[0] for what in (resource.RLIMIT_AS, resource.RLIMIT_CPU,"
        " resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    found = json.loads(done.stdout)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = remuxer._MEMORY if hard == resource.RLIM_INFINITY else min(remuxer._MEMORY, hard)
    assert found == [most, remuxer._SECONDS, 1000, 0]
