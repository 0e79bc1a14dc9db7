"""Whether a file is complete, by its own structure."""

from pathlib import Path

import pytest

from archiver.media.completeness import is_complete
from archiver.media.kinds import UNKNOWN, sniff
from support.media.samples import GIF, JPEG, MP4, PNG, WEBP, picture


@pytest.mark.parametrize(
    "data", [JPEG, PNG, GIF, WEBP, MP4, picture("BMP"), picture("AVIF"), JPEG + bytes(3)]
)
def test_a_complete_file_ends_as_it_should(tmp_path: Path, data: bytes) -> None:
    kind = sniff(data) or UNKNOWN
    path = tmp_path / "file"
    path.write_bytes(data)
    assert is_complete(path, kind) is True
    for cut in (1, 2, 10, len(data) // 2):
        path.write_bytes(data[: len(data.removesuffix(bytes(3))) - cut])
        assert is_complete(path, kind) is False, cut


def test_a_video_that_was_cut_off_after_its_index_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(MP4[: MP4.index(b"mdat") - 4])
    assert is_complete(path, sniff(MP4) or UNKNOWN) is False


def test_some_formats_do_not_show_whether_they_are_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"ID3")
    assert is_complete(path, sniff(b"ID3") or UNKNOWN) is None
