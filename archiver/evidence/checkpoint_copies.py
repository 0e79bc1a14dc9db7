"""Gives checkpoints away: to folders, git repositories and commands, and reads them back.

Only a checkpoint that is kept where the writer of the archive cannot alter it shows that the whole
ledger was made anew. What could not be delivered is delivered after the next run: a folder and a
repository know themselves what they have, and for commands the file of `signed_heads` does.
"""

import errno
import os
import re
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from archiver.archive.checkpoints import origin, root_at
from archiver.config import Config
from archiver.disks import replace_file, sync, sync_directory
from archiver.errors import ArchiverError, StorageError
from archiver.evidence.known_heads import KnownHead, known_head
from archiver.evidence.signed_heads import SignedHeads
from archiver.secrets import environment_without_secrets

_SECONDS = 60
_ENDING = ".checkpoint"
_LARGEST = 100_000  # bytes; a checkpoint with two signatures has 500
_NAME = re.compile(r"archiver-([\w-]+)-(\d+)\.checkpoint", re.ASCII)
_GIT = ("git", "-c", "user.name=archiver", "-c", "user.email=archiver@localhost")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one copy got: how many checkpoints, and why not all, if so."""

    target: str
    count: int = 0
    error: ArchiverError | None = None


class CheckpointCopy(Protocol):
    """Where checkpoints of a log are kept, or sent to. Its methods raise StorageError."""

    def newest(self, log: str) -> int:
        """How many entries the newest one there counts; 0 where there is none."""

    def heads(self, log: str, *, only_newest: bool) -> list[tuple[str, str]]:
        """The checkpoints there with their names, the newest last; none where it only takes."""

    def add(self, log: str, notes: Mapping[int, str]) -> None:
        """Add checkpoints, by how many entries they count."""


def known_heads(
    config: Config, log: str, heads: SignedHeads, *, only_newest: bool = True
) -> tuple[list[KnownHead], list[Delivery]]:
    """The checkpoints of a log that are known beside the archive, and which copies cannot be read.

    What is no checkpoint of the log is among the errors too.
    """
    found, errors = [], []
    if log in heads.notes:
        found.append(known_head(str(heads.path), heads.notes[log], log))
    for target in config.evidence.checkpoint_copies:
        try:
            for name, note in copy_of(target, heads).heads(log, only_newest=only_newest):
                try:
                    found.append(known_head(name, note, log))
                except ValueError as error:
                    raise StorageError(
                        f"{name} is no checkpoint of this archive", why=str(error)
                    ) from None
        except ArchiverError as error:
            errors.append(Delivery(target, error=error))
    return found, errors


def deliver(connection: sqlite3.Connection, config: Config, heads: SignedHeads) -> list[Delivery]:
    """Give every copy the checkpoints that it lacks; to a new one, the newest."""
    log = origin(connection)
    return [
        _deliver(connection, target, copy_of(target, heads), log)
        for target in config.evidence.checkpoint_copies
    ]


def _deliver(
    connection: sqlite3.Connection, target: str, copy: CheckpointCopy, log: str
) -> Delivery:
    try:
        newest = copy.newest(log)
        lost = connection.execute("SELECT max(lost_size) FROM restores").fetchone()[0] or 0
        for name, note in copy.heads(log, only_newest=True):
            head = known_head(name, note, log)
            if head.size > lost and root_at(connection, head.size) != head.root:
                raise StorageError(
                    f"{name} has a checkpoint that this archive does not continue",
                    kept="Nothing was added to it",
                    hint="Run archiver verify",
                    code="rolled_back",
                )
        query = "SELECT size, note FROM checkpoints WHERE size > ? ORDER BY size"
        wanted = dict(connection.execute(query, (max(newest, lost),)).fetchall())
        if not newest:
            wanted = dict(list(wanted.items())[-1:])
        if wanted:
            copy.add(log, wanted)
    except ValueError as error:
        return Delivery(target, error=StorageError(f"{target} has no checkpoints", why=str(error)))
    except ArchiverError as error:
        return Delivery(target, error=error)
    return Delivery(target, len(wanted))


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


def _size_in(name: str, log: str) -> int | None:
    """The size in the name of a file; None for files of others."""
    match = _NAME.fullmatch(name)
    return int(match[2]) if match and f"archiver/{match[1]}" == log else None


@dataclass(frozen=True, slots=True)
class _FolderCopy:
    folder: Path

    def newest(self, log: str) -> int:
        return max((size for size, _ in self._files(log)), default=0)

    def heads(self, log: str, *, only_newest: bool) -> list[tuple[str, str]]:
        paths = [path for _, path in sorted(self._files(log))]
        return [(str(path), _read(path)) for path in (paths[-1:] if only_newest else paths)]

    def add(self, log: str, notes: Mapping[int, str]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for size, note in notes.items():
                _write_new(self.folder / _file_name(log, size), note)
            sync_directory(self.folder, if_readable=True)
        except OSError as error:
            raise _failed(f"The checkpoints cannot be written to {self.folder}", error) from error

    def _files(self, log: str) -> list[tuple[int, Path]]:
        try:
            paths = list(self.folder.iterdir()) if self.folder.exists() else []
        except OSError as error:
            raise _failed(f"{self.folder} cannot be read", error) from error
        found = ((_size_in(path.name, log), path) for path in paths)
        return [(size, path) for size, path in found if size is not None]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise _failed(f"{path} cannot be read", error) from error


def _write_new(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and never in place of another. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            sync(file.fileno())
        if path.exists() and path.read_bytes() != text.encode():
            raise FileExistsError(errno.EEXIST, "there is another file of that name", str(path))
        replace_file(Path(name), path)  # no link: the file systems of many disks have none
    finally:
        with suppress(OSError):
            Path(name).unlink()


@dataclass(frozen=True, slots=True)
class _GitCopy:
    """A repository with a work tree. What was committed counts, not what is in the work tree."""

    repository: Path

    def newest(self, log: str) -> int:
        return max(self._sizes(log), default=0)

    def heads(self, log: str, *, only_newest: bool) -> list[tuple[str, str]]:
        sizes = sorted(self._sizes(log))[-1:] if only_newest else sorted(self._sizes(log))
        if not sizes:
            return []
        names = [_file_name(log, size) for size in sizes]
        asked = "".join(f"HEAD:./{name}\n" for name in names).encode()
        out = self._git("cat-file", "--batch", given=asked)
        return [
            (f"git:{self.repository / name}", text)
            for name, text in zip(names, _objects(out), strict=True)
        ]

    def add(self, log: str, notes: Mapping[int, str]) -> None:
        names = [_file_name(log, size) for size in notes]
        try:
            for name, note in zip(names, notes.values(), strict=True):
                _write_new(self.repository / name, note)
        except OSError as error:
            raise _failed(
                f"The checkpoints cannot be written to {self.repository}", error
            ) from error
        self._git("add", "--force", "--", *names)
        title = f"Checkpoint of {max(notes):,} entries of {log}"
        self._git("commit", "--quiet", "--message", title, "--", *names)

    def _sizes(self, log: str) -> list[int]:
        if not self._has_commits():
            return []
        names = self._git("ls-tree", "--name-only", "HEAD", "./").decode().splitlines()
        return [size for name in names if (size := _size_in(name, log)) is not None]

    def _has_commits(self) -> bool:
        return bool(self._git("rev-list", "--max-count=1", "--all").strip())

    def _git(self, *words: str, given: bytes = b"") -> bytes:
        command = [*_GIT, "-C", str(self.repository), *words]
        return _run(command, given, f"git:{self.repository}")


def _objects(out: bytes) -> Iterator[str]:
    """The contents in what `git cat-file --batch` prints: a heading with the size before each."""
    while out:
        heading, _, out = out.partition(b"\n")
        size = heading.rpartition(b" ")[2]
        if not size.isdigit():
            raise StorageError("A checkpoint cannot be read from git", why=heading.decode())
        yield out[: int(size)].decode("utf-8", "replace")
        out = out[int(size) + 1 :]


@dataclass(frozen=True, slots=True)
class _CommandCopy:
    """A command that gets each checkpoint on its standard input, one at a time."""

    command: str
    state: SignedHeads

    def newest(self, log: str) -> int:
        return self.state.delivered.get(log, {}).get(self.command, 0)

    def heads(self, log: str, *, only_newest: bool) -> list[tuple[str, str]]:  # noqa: ARG002 — none
        return []

    def add(self, log: str, notes: Mapping[int, str]) -> None:
        shell = ["/bin/sh", "-c", self.command] if os.name == "posix" else self.command
        for size, note in notes.items():
            _run(shell, note.encode(), f"cmd:{self.command}")
            self.state.delivered.setdefault(log, {})[self.command] = size
            self.state.save()


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
