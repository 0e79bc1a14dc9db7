"""Names of files are decoded, confined and found, whatever their case, accents and folders."""

import pytest

from archiver.errors import PackageError
from archiver.imports.names import confined_name, counting_key, decoded_name, pattern_of


@pytest.mark.parametrize("name", ["a/b.js", "./a//b.js", "a\\b.js"])
def test_a_name_has_slashes_between_folders(name: str) -> None:
    assert confined_name(name) == "a/b.js"


@pytest.mark.parametrize("name", ["/a", "\\a", "C:\\a", "a/../../b", "..", "", ".", "a\0b"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(PackageError, match="leads out of it"):
        confined_name(name)


def test_a_name_is_utf8_or_else_of_the_zip_format() -> None:
    assert decoded_name("Beiträge.csv".encode()) == "Beiträge.csv"
    assert decoded_name(b"Beitr\x84ge.csv") == "Beiträge.csv"


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("tweets*.js", "data/tweets-part1.js", True),
        ("tweets*.js", "data/old-tweets.js", False),
        ("media/*.jpg", "a/media/1.jpg", True),
        ("media/*.jpg", "a/media/b/1.jpg", False),
        ("beiträge.csv", "Beitra\u0308ge.CSV".casefold().replace("a\u0308", "ä"), True),
        ("20??_01.js", "x/2012_01.js", True),
    ],
)
def test_a_pattern_is_the_end_of_a_path(pattern: str, name: str, fits: bool) -> None:
    assert bool(pattern_of(pattern).search(name.encode())) is fits


def test_parts_are_in_the_order_that_people_count() -> None:
    names = ["t-part10.js", "t-part2.js", "t-part1.js"]
    assert sorted(names, key=counting_key) == ["t-part1.js", "t-part2.js", "t-part10.js"]
