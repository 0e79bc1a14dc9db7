"""The model of the disk: what it promises, and that it does not guess."""

from pathlib import Path

import pytest

from support.torture import power
from support.torture.trace import Call, UnknownCall, read_log

TOP = "/top"


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


class Log:
    """A log as strace would have written it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log"
        self.lines: list[str] = []

    def says(self, name: str, *arguments: str, result: str = "0") -> "Log":
        self.lines.append(f"7 {name}({', '.join(arguments)}) = {result}")
        return self

    def opens(self, path: str, number: int, flags: str = "O_RDWR|O_CREAT") -> "Log":
        place = f"{number}<{hexed(TOP + path)}>"
        return self.says(
            "openat", "AT_FDCWD<\\x2f>", f'"{hexed(TOP + path)}"', flags, "0600", result=place
        )

    def writes(self, path: str, number: int, text: str) -> "Log":
        where = f"{number}<{hexed(TOP + path)}>"
        return self.says("write", where, f'"{hexed(text)}"', str(len(text)), result=str(len(text)))

    def syncs(self, path: str, number: int) -> "Log":
        return self.says("fsync", f"{number}<{hexed(TOP + path)}>")

    def calls(self) -> list[Call]:
        self.path.write_text("\n".join(self.lines) + "\n")
        return list(read_log(self.path))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def images(log: Log, variant: str) -> list[power.Image]:
    return [cut.image for cut in power.cuts(log.calls(), TOP, variants=[variant])]


def test_what_was_not_synced_may_be_gone(log: Log) -> None:
    log.opens("/a", 3).writes("/a", 3, "text")

    assert images(log, "nothing") == [{}]
    assert images(log, "all") == [{"a": b"text"}]
    assert images(log, "names") == [{"a": b""}]
    assert images(log, "zeros") == [{"a": b"\0\0\0\0"}]


def test_a_synced_file_needs_a_synced_name(log: Log) -> None:
    log.opens("/a", 3).writes("/a", 3, "text").syncs("/a", 3)

    assert images(log, "nothing")[-1] == {}

    log.says("openat", "AT_FDCWD<\\x2f>", f'"{hexed(TOP)}"', "O_RDONLY", result=f"4<{hexed(TOP)}>")
    log.syncs("", 4)

    assert images(log, "nothing")[-1] == {"a": b"text"}


def test_after_a_sync_of_the_file_system_all_is_there(log: Log) -> None:
    log.says("mkdir", f'"{hexed(TOP + "/tmp")}"', "0700").opens("/tmp/a", 3)
    log.writes("/tmp/a", 3, "text")
    log.says("syncfs", f"9<{hexed(TOP + '/tmp')}>").writes("/tmp/a", 3, " more")

    assert images(log, "nothing") == [{}, {"tmp": None, "tmp/a": b"text"}]


def test_a_sync_of_the_file_system_that_failed_is_none(log: Log) -> None:
    log.opens("/a", 3).writes("/a", 3, "text")
    log.says("syncfs", f"9<{hexed(TOP)}>", result="-1")

    assert images(log, "nothing") == [{}]


def test_a_new_name_may_be_there_and_the_old_one_still(log: Log) -> None:
    log.opens("/a", 3).writes("/a", 3, "text").syncs("/a", 3)
    log.says("openat", "AT_FDCWD<\\x2f>", f'"{hexed(TOP)}"', "O_RDONLY", result=f"4<{hexed(TOP)}>")
    log.syncs("", 4)
    log.says("rename", f'"{hexed(TOP + "/a")}"', f'"{hexed(TOP + "/b")}"')

    assert images(log, "nothing")[-1] == {"a": b"text"}
    assert images(log, "names")[-1] == {"b": b"text"}


def test_the_last_write_may_be_there_without_the_first(log: Log) -> None:
    log.opens("/a", 3).writes("/a", 3, "one").writes("/a", 3, "two")

    assert images(log, "last") == [{"a": b"\0\0\0two"}]
    assert images(log, "half") == [{"a": b"o"}]


@pytest.mark.parametrize(
    "call",
    ["copy_file_range", "sendfile", "fallocate", "pwritev", "io_uring_setup", "linkat"],
)
def test_a_call_that_it_does_not_know_is_an_error(log: Log, call: str) -> None:
    log.opens("/a", 3).says(call, f"3<{hexed(TOP + '/a')}>", "0", "0", result="0")

    with pytest.raises(UnknownCall, match=call):
        images(log, "all")


def test_a_file_written_through_memory_is_an_error(log: Log) -> None:
    where = f"3<{hexed(TOP + '/a')}>"
    log.opens("/a", 3)
    log.says(
        "mmap", "NULL", "4096", "PROT_READ|PROT_WRITE", "MAP_SHARED", where, "0", result="0x7f"
    )

    with pytest.raises(UnknownCall, match="through memory"):
        images(log, "all")


def test_a_number_that_means_another_file_is_an_error(log: Log) -> None:
    log.opens("/a", 3).opens("/b", 4).writes("/b", 3, "text")

    with pytest.raises(UnknownCall, match="not what that number was opened for"):
        images(log, "all")


def test_a_line_that_it_cannot_read_is_an_error(log: Log) -> None:
    log.lines.append("7 something else")

    with pytest.raises(UnknownCall):
        log.calls()


def test_a_folder_that_was_removed_is_there_until_the_one_around_it_is_synced(log: Log) -> None:
    top, folder = f"5<{hexed(TOP)}>", f"6<{hexed(TOP + '/film')}>"
    log.says("mkdir", f'"{hexed(TOP + "/film")}"', "0700").opens("/film/a", 3)
    log.says("openat", "AT_FDCWD<\\x2f>", f'"{hexed(TOP)}"', "O_DIRECTORY", "0", result=top)
    log.says("fsync", top)
    log.says("lseek", folder, "0", "SEEK_SET")  # by a second number of the folder
    log.says("unlinkat", folder, f'"{hexed("a")}"', "0")
    log.says("rmdir", f'"{hexed(TOP + "/film")}"')
    log.says("fsync", top)
    disk = power.Disk(TOP)
    *before, last = log.calls()

    for call in before:
        disk.replay(call)
    assert (disk.image("nothing"), disk.image("all")) == ({"film": None}, {})
    disk.replay(last)
    assert disk.image("nothing") == {}
