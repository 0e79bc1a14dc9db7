"""Bad archives, continued: what can happen to the files beside the database."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from archiver.archive.database import DATABASE
from support.damage import bad, flip


def _a_file(archive: Path, number: int = 0) -> Path:
    connection = sqlite3.connect(archive / DATABASE)
    rows = connection.execute("SELECT path FROM media ORDER BY size DESC").fetchall()
    connection.close()
    return archive / str(rows[number][0])


def _file(archive: Path, change: Callable[[bytes], bytes]) -> str:
    path = _a_file(archive)
    path.write_bytes(change(path.read_bytes()))
    return path.relative_to(archive).as_posix()


@bad("changed_file")
def file_with_a_flipped_bit(archive: Path) -> str:
    return _file(archive, lambda data: flip(data, len(data) * 4))


@bad("changed_file")
def file_cut_short(archive: Path) -> str:
    return _file(archive, lambda data: data[:-1])


@bad("changed_file")
def file_with_a_tail(archive: Path) -> str:
    return _file(archive, lambda data: data + b"\0")


@bad("changed_file")
def file_of_zeros(archive: Path) -> str:
    return _file(archive, lambda data: bytes(len(data)))


@bad("changed_file")
def empty_file(archive: Path) -> str:
    return _file(archive, lambda _: b"")


@bad("changed_file")
def swapped_files(archive: Path) -> str:
    first, second = _a_file(archive), _a_file(archive, 1)
    aside = archive / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    return second.relative_to(archive).as_posix()


@bad("missing_file")
def deleted_file(archive: Path) -> str:
    path = _a_file(archive)
    path.unlink()
    return path.relative_to(archive).as_posix()


@bad("changed_file")
def link_to_the_right_bytes(archive: Path) -> str:
    path = _a_file(archive)
    path.rename(archive.parent / "outside")
    path.symlink_to(archive.parent / "outside")
    return path.relative_to(archive).as_posix()


@bad("changed_file")
def pipe_in_place_of_a_file(archive: Path) -> str:
    path = _a_file(archive)
    path.unlink()
    os.mkfifo(path)
    return path.relative_to(archive).as_posix()


@bad("changed_file")
def folder_in_place_of_a_file(archive: Path) -> str:
    path = _a_file(archive)
    path.unlink()
    path.mkdir()
    return path.relative_to(archive).as_posix()


@bad("leftover", exit_code=0)
def file_of_nobody(archive: Path) -> str:
    path = archive / "media/ab" / f"{'ab' * 32}.jpg"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"whose?")
    return path.relative_to(archive).as_posix()


@bad("leftover", exit_code=0)
def unfinished_download(archive: Path) -> str:
    (archive / "tmp").mkdir(exist_ok=True)
    (archive / "tmp/0123.part").write_bytes(b"half of")
    return "tmp/0123.part"
