"""Posts and files as tables."""

import csv
from pathlib import Path

from archiver.export.csv_table import plain
from support.exporting import FORMULA, PICTURE, exported


def test_csv_names_the_file_of_each_attachment_or_why_it_is_not_there(
    directory: Path, tmp_path: Path
) -> None:
    made = exported(directory, tmp_path / "out", "csv")
    with (made.folder / "posts.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [plain(row["text"]) for row in csv.DictReader(file)][-1] == FORMULA
    with (made.folder / "files.csv").open(encoding="utf-8-sig", newline="") as file:
        here, omitted = csv.DictReader(file)
    assert (made.folder / here["name"]).read_bytes() == PICTURE
    assert (omitted["name"], omitted["not_included"]) == ("", "omitted, copyright")
    assert made.not_included == 1
    said = (made.folder / "README.txt").read_text()
    assert "media/2026-03-01_acme_2of2_post-1: omitted, copyright" in said
