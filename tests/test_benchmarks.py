"""What the benchmarks run still runs: a few posts, and no clock is looked at."""

from pathlib import Path

import pytest

from benchmarks.clients import posts

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
