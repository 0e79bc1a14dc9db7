"""A load file, read back by its own rules."""

import hashlib
from dataclasses import replace
from pathlib import Path

from support.exporting import FORMULA, PICTURE, exported
from support.saver import POST, saving


def documents(folder: Path) -> list[dict[str, str]]:
    """The rows of loadfile.dat, as a tool reads them."""
    text = (folder / "loadfile.dat").read_bytes().decode("utf-8-sig")
    rows = [line[1:-1].split("\xfe\x14\xfe") for line in text.split("\r\n")[:-1]]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def native(folder: Path, path: str) -> Path:
    return folder / path.removeprefix(".\\").replace("\\", "/")


def test_a_post_and_its_files_are_a_family(directory: Path, tmp_path: Path) -> None:
    folder = exported(directory, tmp_path / "out", "loadfile").folder
    rows = documents(folder)
    assert [row["DOCID"] for row in rows] == [f"DOC{number:08}" for number in range(1, 6)]
    bowl = next(row for row in rows if row["BODY"] == "Good evening")
    files = [row for row in rows if row["PARENTID"] == bowl["DOCID"]]
    assert (bowl["BEGATTACH"], bowl["ENDATTACH"]) == (bowl["DOCID"], files[-1]["DOCID"])
    assert (bowl["DATE"], bowl["TIME"], bowl["VERSIONS"]) == ("2026-03-01", "09:00:00", "2")
    assert files[0]["SHA256"] == hashlib.sha256(PICTURE).hexdigest()
    assert native(folder, files[0]["NATIVEPATH"]).read_bytes() == PICTURE
    assert files[1]["NOTINCLUDED"] == "omitted, copyright"
    formula = next(row for row in rows if row["BODY"] == FORMULA)
    assert native(folder, formula["TEXTPATH"]).read_text() == f"'quoted\n\n{FORMULA}"


def test_the_pictures_are_pages(directory: Path, tmp_path: Path) -> None:
    folder = exported(directory, tmp_path / "out", "loadfile").folder
    (line,) = (folder / "loadfile.opt").read_text().splitlines()
    key, volume, path, *rest = line.split(",")
    assert (volume, rest) == ("ARCHIVE", ["Y", "", "", "1"])
    assert native(folder, path).read_bytes() == PICTURE
    assert key in {row["DOCID"] for row in documents(folder)}


def test_delimiters_in_a_text_are_replaced_and_counted_and_the_text_is_kept(tmp_path: Path) -> None:
    text = "þing\x14 ® of\r\ntwo lines"
    with saving(tmp_path) as saver:
        saver.save(replace(POST, text=text))
    folder = exported(tmp_path / "archive", tmp_path / "out", "loadfile").folder
    post = documents(folder)[0]
    assert (post["BODY"], post["REPLACED"]) == ("thing  (R) of\xaetwo lines", "3")
    assert native(folder, post["TEXTPATH"]).read_bytes().decode() == text
