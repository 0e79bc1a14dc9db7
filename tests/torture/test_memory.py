"""Memory does not grow with what is fetched; `make torture` measures with 2 GB and 100,000 posts.

Each peak is compared with that of a smaller run, so the interpreter itself does not count.
"""

import sys
from pathlib import Path

import pytest

from support.torture.memory import MIB, peak_of_a_film, peak_of_a_playlist, peak_of_posts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is told by Linux")


def test_a_large_film_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    """Were the film held in memory, it would take 72 MiB more."""
    small, large = tmp_path / "small", tmp_path / "large"
    small.mkdir()
    large.mkdir()

    grown = peak_of_a_film(large, 80 * MIB) - peak_of_a_film(small, 8 * MIB)

    assert grown < 24 * MIB


@pytest.mark.parametrize("remuxed", [True, False])
def test_a_large_film_in_segments_takes_little_more_memory_than_a_small_one(
    tmp_path: Path, remuxed: bool
) -> None:
    """Neither the run nor the process that joins it; its index has a few bytes for each frame."""
    small, large = tmp_path / "small", tmp_path / "large"
    small.mkdir()
    large.mkdir()

    grown = peak_of_a_playlist(large, 80 * MIB, remuxed=remuxed)
    grown -= peak_of_a_playlist(small, 8 * MIB, remuxed=remuxed)

    assert grown < 24 * MIB


def test_many_posts_take_little_more_memory_than_few(tmp_path: Path) -> None:
    """All that may grow is the set of ids that one look has met."""
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()

    grown = peak_of_posts(many, 2000) - peak_of_posts(few, 300)

    assert grown < 10 * MIB
