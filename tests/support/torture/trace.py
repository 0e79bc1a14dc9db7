"""System calls of a run, as strace wrote them down (`-f -y -xx -s` large)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CHANGING = (
    "openat", "open", "creat", "write", "pwrite64", "writev", "pwritev", "pwritev2", "fsync",
    "fdatasync", "sync", "syncfs", "sync_file_range", "rename", "renameat", "renameat2", "mkdir",
    "mkdirat", "unlink", "unlinkat", "rmdir", "ftruncate", "truncate", "fallocate", "link",
    "linkat", "symlink", "symlinkat", "mknod", "mknodat",
)  # fmt: skip
"""Calls that change files or names, or make changes durable."""

SUSPECT = (
    "copy_file_range", "sendfile", "splice", "tee", "vmsplice", "io_uring_setup", "io_submit",
    "msync", "mmap", "dup", "dup2", "dup3",
)  # fmt: skip
"""Other ways in which bytes could reach a file, or a file another number."""

BOOKKEEPING = ("close", "lseek", "read", "clone", "clone3", "fork", "vfork")
"""What must be known besides, to tell which file a number means and where the next write goes."""

_ALL = ",".join(f"?{name}" for name in CHANGING + SUSPECT + BOOKKEEPING)

FULL_LOG = ("-y", "-xx", "-s", "100000000", "-e", f"trace={_ALL}")
"""Options of strace for a log that `power` can replay."""

_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+|\?|0x[0-9a-f]+)(?:<([^>]*)>)?(.*)")
_FD = re.compile(r"(-?\d+|AT_FDCWD)<([^>]*)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


class UnknownCall(Exception):
    """Something happened that this cannot account for; its conclusions would be worth nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `result` is negative where it failed; `ordinal` counts calls of that name from 1.

    `arguments` are as strace prints them; `place` is the file that the result is a number of.
    """

    thread: int
    name: str
    arguments: tuple[str, ...]
    result: int
    ordinal: int
    place: str | None = None
    error: str = ""

    def descriptor(self, position: int = 0) -> int:
        """The number of the file that an argument means."""
        match = _FD.match(self.arguments[position])
        return int((match[1] if match else self.arguments[position]).replace("AT_FDCWD", "-100"))

    def path_of_descriptor(self, position: int = 0) -> str | None:
        """Where the file of such an argument is, if strace could tell."""
        match = _FD.match(self.arguments[position])
        return text(match[2]) if match else None

    def data(self, position: int) -> bytes:
        """The bytes of a string argument; they must be all there."""
        match = _STRING.fullmatch(self.arguments[position])
        if match is None or match[2]:
            raise UnknownCall(f"{self.name} with bytes that were not written down")
        return bytes.fromhex(match[1].replace("\\x", ""))

    def path(self, position: int) -> str:
        """A path argument, absolute; the one before says from where, in calls that end in `at`."""
        path = self.data(position).decode()
        if path.startswith("/"):
            return path
        if position and (base := self.path_of_descriptor(position - 1)):
            return f"{base}/{path}"
        raise UnknownCall(f"{self.name} of {path!r}: a path that is not absolute")

    def touches(self, folder: str) -> bool:
        """Whether an argument is, or lies in, a folder."""
        needle = "".join(f"\\x{byte:02x}" for byte in folder.encode())
        return any(needle in argument[: len(needle) + 40] for argument in self.arguments)


def text(encoded: str) -> str:
    """A path as strace prints it with -xx."""
    return bytes.fromhex(encoded.replace("\\x", "")).decode() if "\\x" in encoded else encoded


def read_log(path: Path) -> Iterator[Call]:
    """The calls of a log, in the order in which they returned."""
    ordinals: Counter[str] = Counter()
    unfinished: dict[str, str] = {}
    with path.open() as file:
        for raw in file:
            line = raw.rstrip("\n")
            thread, _, rest = line.partition(" ")
            rest = rest.lstrip()
            if rest.startswith(("+++", "---")):
                continue
            if rest.endswith("<unfinished ...>"):
                unfinished[thread] = rest.removesuffix("<unfinished ...>")
                continue
            if rest.startswith("<... "):
                rest = unfinished.pop(thread) + rest.partition("resumed>")[2].lstrip(" ")
                line = f"{thread} {rest}"
            match = _LINE.fullmatch(line)
            if match is None:
                if "exit" in rest or "= ?" in rest:
                    continue
                raise UnknownCall(line[:200])
            yield _call(match, ordinals)


def _call(match: "re.Match[str]", ordinals: Counter[str]) -> Call:
    name = match[2]
    ordinals[name] += 1
    place = text(match[5]) if match[5] else None
    result = -1 if match[4] == "?" else int(match[4], 0)
    return Call(
        int(match[1]), name, tuple(match[3].split(", ")), result, ordinals[name], place, match[6]
    )


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of a run: just before the `ordinal`-th call of a name."""

    name: str
    ordinal: int

    def __str__(self) -> str:
        return f"{self.name} {self.ordinal}"


def points(calls: Sequence[Call], archive: str, notes: str) -> list[Point]:
    """The moments before every call by which a run changes its archive or says something.

    Raises UnknownCall where more than one thread changes something: counters are per thread.
    """
    found, threads = [], set()
    for call in calls:
        if call.name not in CHANGING or call.name == "writev":
            continue
        if call.name.startswith("open") and "O_CREAT" not in call.arguments[2]:
            continue
        says = call.name == "write" and call.touches(notes)
        if says or call.touches(archive):
            threads.add(call.thread)
            found.append(Point(call.name, call.ordinal))
    if len(threads) > 1:
        raise UnknownCall("several threads change the archive; run it with the patch serial")
    return found
