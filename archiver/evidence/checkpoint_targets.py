"""Where checkpoints are kept: in a folder, in a repository of git, or by a command that takes them.

A folder and a repository know themselves what they have; for commands the file of `signed_heads`
does. A time stamp is a file beside its checkpoint, as `openssl ts` reads it.
"""

import errno
import hashlib
import os
import re
import subprocess
import tempfile
from base64 import encodebytes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from archiver.disks import replace_file, sync, sync_directory
from archiver.errors import StorageError
from archiver.evidence.signed_heads import SignedHeads
from archiver.secrets import environment_without_secrets

_SECONDS = 60
_ENDING = ".checkpoint"
_LARGEST = 200_000  # bytes; a checkpoint with two signatures has 500, a token 8,000
_NAME = re.compile(r"archiver-([\w-]+)-(\d+)(?:\.checkpoint|-([0-9a-f]{8})\.tsr)", re.ASCII)
_GIT = ("git", "-c", "user.name=archiver", "-c", "user.email=archiver@localhost")


class GivenStamp(Struct, frozen=True):
    """A token of a time stamp authority for the checkpoint of so many entries."""

    size: int
    token: bytes
    authority: str

    @property
    def short(self) -> str:
        """By what copies tell it from others of the same checkpoint."""
        return hashlib.sha256(self.token).hexdigest()[:8]


class KeptStamp(Struct, frozen=True):
    """A token in a copy, with the checkpoint beside it, if that is there."""

    name: str
    token: bytes
    note: str | None


class CheckpointCopy(Protocol):
    """Where checkpoints of a log are kept, or sent to. Its methods raise StorageError."""

    def newest(self, log: str) -> int:
        """How many entries the newest one there counts; 0 where there is none."""

    def heads(self, log: str, *, only_newest: bool) -> list[tuple[str, str]]:
        """The checkpoints there with their names, the newest last; none where it only takes."""

    def add(self, log: str, notes: Mapping[int, str]) -> None:
        """Add checkpoints, by how many entries they count."""

    def stamped(self, log: str) -> dict[int, set[str]]:
        """Which time stamps are there, by how many entries their checkpoints count."""

    def stamps(self, log: str) -> list[KeptStamp]:
        """The time stamps there; none where it only takes."""

    def add_stamps(self, log: str, stamps: Sequence[GivenStamp]) -> None:
        """Add time stamps."""


def copy_of(target: str, heads: SignedHeads) -> CheckpointCopy:
    """The copy that an item of `checkpoint_copies` names."""
    kind, _, rest = target.partition(":")
    if kind == "cmd":
        return _CommandCopy(rest, heads)
    if kind == "git":
        return _GitCopy(Path(rest))
    return _FolderCopy(Path(target))


def _file_name(log: str, size: int) -> str:
    return f"{log.replace('/', '-')}-{size:012}{_ENDING}"


def _stamp_name(log: str, size: int, short: str) -> str:
    return f"{_file_name(log, size).removesuffix(_ENDING)}-{short}.tsr"


class _FileName(Struct, frozen=True):
    """What the name of a file says; `short` is of a time stamp, and None of a checkpoint."""

    name: str
    size: int
    short: str | None


def _names_of(log: str, names: Iterable[str]) -> Iterator[_FileName]:
    """Those of the names that are of a log, in the order of their sizes."""
    for name in sorted(names):
        match = _NAME.fullmatch(name)
        if match and f"archiver/{match[1]}" == log:
            yield _FileName(name, int(match[2]), match[3])


def _sizes(names: Iterable[_FileName]) -> list[int]:
    return sorted(each.size for each in names if each.short is None)


def _stamped(names: Iterable[_FileName]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for each in names:
        if each.short is not None:
            found.setdefault(each.size, set()).add(each.short)
    return found


class _FolderCopy(Struct, frozen=True):
    folder: Path

    def newest(self, log: str) -> int:
        return max(_sizes(self._names(log)), default=0)

    def heads(self, log: str, *, only_newest: bool) -> list[tuple[str, str]]:
        sizes = _sizes(self._names(log))
        paths = [
            self.folder / _file_name(log, size) for size in (sizes[-1:] if only_newest else sizes)
        ]
        return [(str(path), _text(_read(path), str(path))) for path in paths]

    def add(self, log: str, notes: Mapping[int, str]) -> None:
        _write_all(
            self.folder, {_file_name(log, size): note.encode() for size, note in notes.items()}
        )

    def stamped(self, log: str) -> dict[int, set[str]]:
        return _stamped(self._names(log))

    def stamps(self, log: str) -> list[KeptStamp]:
        found = self._names(log)
        sizes = set(_sizes(found))
        return [
            KeptStamp(str(self.folder / each.name), _read(self.folder / each.name),
                      self._note(log, each.size) if each.size in sizes else None)
            for each in found if each.short is not None
        ]  # fmt: skip

    def add_stamps(self, log: str, stamps: Sequence[GivenStamp]) -> None:
        _write_all(self.folder, _files_of(log, stamps))

    def _note(self, log: str, size: int) -> str:
        path = self.folder / _file_name(log, size)
        return _text(_read(path), str(path))

    def _names(self, log: str) -> list[_FileName]:
        try:
            names = [path.name for path in self.folder.iterdir()] if self.folder.exists() else []
        except OSError as error:
            raise _failed(f"{self.folder} cannot be read", error) from error
        return list(_names_of(log, names))


def _files_of(log: str, stamps: Sequence[GivenStamp]) -> dict[str, bytes]:
    return {_stamp_name(log, each.size, each.short): each.token for each in stamps}


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise _failed(f"{path} cannot be read", error) from error


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _failed(f"{name} cannot be read", error) from error


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write new files into a folder, to the disk. Raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            _write_new(folder / name, data)
        sync_directory(folder, if_readable=True)
    except OSError as error:
        raise _failed(f"The checkpoints cannot be written to {folder}", error) from error


def _write_new(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, and never in place of another. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            sync(file.fileno())
        if path.exists() and path.read_bytes() != data:
            raise FileExistsError(errno.EEXIST, "there is another file of that name", str(path))
        replace_file(Path(name), path)  # no link: the file systems of many disks have none
    finally:
        with suppress(OSError):
            Path(name).unlink()


class _GitCopy(Struct, frozen=True):
    """A repository with a work tree. What was committed counts, not what is in the work tree."""

    repository: Path

    def newest(self, log: str) -> int:
        return max(_sizes(self._names(log)), default=0)

    def heads(self, log: str, *, only_newest: bool) -> list[tuple[str, str]]:
        sizes = _sizes(self._names(log))
        names = [_file_name(log, size) for size in (sizes[-1:] if only_newest else sizes)]
        return [
            (self._name(name), data.decode("utf-8", "replace"))
            for name, data in self._read(names).items()
        ]

    def add(self, log: str, notes: Mapping[int, str]) -> None:
        title = f"Checkpoint of {max(notes):,} entries of {log}"
        files = {_file_name(log, size): note.encode() for size, note in notes.items()}
        self._commit(files, title)

    def stamped(self, log: str) -> dict[int, set[str]]:
        return _stamped(self._names(log))

    def stamps(self, log: str) -> list[KeptStamp]:
        found = [each for each in self._names(log) if each.short is not None]
        sizes = set(_sizes(self._names(log)))
        beside = {each.size: _file_name(log, each.size) for each in found if each.size in sizes}
        data = self._read([*(each.name for each in found), *beside.values()])
        notes = {size: data[name].decode("utf-8", "replace") for size, name in beside.items()}
        return [
            KeptStamp(self._name(each.name), data[each.name], notes.get(each.size))
            for each in found
        ]

    def add_stamps(self, log: str, stamps: Sequence[GivenStamp]) -> None:
        title = f"Time stamp of {max(each.size for each in stamps):,} entries of {log}"
        self._commit(_files_of(log, stamps), title)

    def _name(self, name: str) -> str:
        return f"git:{self.repository / name}"

    def _commit(self, files: Mapping[str, bytes], title: str) -> None:
        _write_all(self.repository, files)
        self._git("add", "--force", "--", *files)
        self._git("commit", "--quiet", "--message", title, "--", *files)

    def _read(self, names: Sequence[str]) -> dict[str, bytes]:
        """What was committed by these names."""
        if not names:
            return {}
        asked = "".join(f"HEAD:./{name}\n" for name in names).encode()
        return dict(
            zip(names, _objects(self._git("cat-file", "--batch", given=asked)), strict=True)
        )

    def _names(self, log: str) -> list[_FileName]:
        if not self._has_commits():
            return []
        names = self._git("ls-tree", "--name-only", "HEAD", "./").decode().splitlines()
        return list(_names_of(log, names))

    def _has_commits(self) -> bool:
        return bool(self._git("rev-list", "--max-count=1", "--all").strip())

    def _git(self, *words: str, given: bytes = b"") -> bytes:
        command = [*_GIT, "-C", str(self.repository), *words]
        return _run(command, given, f"git:{self.repository}")


def _objects(out: bytes) -> Iterator[bytes]:
    """The contents in what `git cat-file --batch` prints: a heading with the size before each."""
    while out:
        heading, _, out = out.partition(b"\n")
        size = heading.rpartition(b" ")[2]
        if not size.isdigit():
            raise StorageError("A checkpoint cannot be read from git", why=heading.decode())
        yield out[: int(size)]
        out = out[int(size) + 1 :]


class _CommandCopy(Struct, frozen=True):
    """A command that gets each checkpoint on its standard input, one at a time.

    A time stamp comes as text too: four lines that name it, an empty one, the token in base64.
    """

    command: str
    state: SignedHeads

    def newest(self, log: str) -> int:
        return self.state.delivered.get(log, {}).get(self.command, 0)

    def heads(self, log: str, *, only_newest: bool) -> list[tuple[str, str]]:  # noqa: ARG002 — none
        return []

    def add(self, log: str, notes: Mapping[int, str]) -> None:
        for size, note in notes.items():
            self._give(note.encode())
            with self.state.changing():
                self.state.delivered.setdefault(log, {})[self.command] = size

    def stamped(self, log: str) -> dict[int, set[str]]:
        found = self.state.stamped.get(log, {}).get(self.command)
        return {found[0]: set(found[1])} if found else {}

    def stamps(self, log: str) -> list[KeptStamp]:  # noqa: ARG002 — none
        return []

    def add_stamps(self, log: str, stamps: Sequence[GivenStamp]) -> None:
        for stamp in stamps:
            heading = f"time stamp\n{log}\n{stamp.size}\n{stamp.authority}\n\n"
            self._give(heading.encode() + encodebytes(stamp.token))
            with self.state.changing():
                there = self.stamped(log).get(stamp.size, set())
                by_command = self.state.stamped.setdefault(log, {})
                by_command[self.command] = (stamp.size, sorted(there | {stamp.short}))

    def _give(self, text: bytes) -> None:
        shell = ["/bin/sh", "-c", self.command] if os.name == "posix" else self.command
        _run(shell, text, f"cmd:{self.command}")


def _run(command: Sequence[str] | str, given: bytes, target: str) -> bytes:
    """What a program prints. Raises StorageError where it fails."""
    try:
        done = subprocess.run(  # the operator's own, from their own config
            command, input=given, capture_output=True, timeout=_SECONDS, check=False,
            env=environment_without_secrets(),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed(f"{target} failed", error) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise StorageError(
            f"{target} failed with exit code {done.returncode}", why=said[-1] if said else None,
            hint="It is tried again after the next run", code="undelivered",
        )  # fmt: skip
    return done.stdout


def _failed(what: str, error: Exception) -> StorageError:
    why = getattr(error, "strerror", None) or type(error).__name__
    hint = "It is tried again after the next run"
    return StorageError(what, why=why, hint=hint, code="undelivered")
