"""What a disk holds after a power cut: a model of what POSIX promises, and no more.

Bytes of a file are durable once the file was synced, names in a folder once the folder was, and
both once the file system was. All else may or may not have reached the disk: nothing of it, all of
it, names without bytes, bytes without names, half of the writes, only the last write, zeros where
bytes should be. Folders are replayed from the log of a run's system calls; a call that the model
does not know is an error.

`archive.db-shm` is mapped into memory by SQLite, and rebuilt by whoever opens the database first:
it does not exist here.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from support.torture.patches import ACKS
from support.torture.trace import Call, UnknownCall

VARIANTS = ("nothing", "all", "names", "bytes", "half", "last", "zeros")
"""What became of everything that was not synced."""

_VOLATILE = "-shm"


@dataclass(eq=False, slots=True)
class _Node:
    """A file or folder: as programs see it, and as the disk is sure to have it.

    `pending` are writes that were not synced: where, and what; None cuts the file off there.
    """

    is_folder: bool = False
    data: bytearray = field(default_factory=bytearray)
    safe: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    names: dict[str, "_Node"] = field(default_factory=dict)
    safe_names: dict[str, "_Node"] = field(default_factory=dict)
    _digests: dict[str, bytes] = field(default_factory=dict)

    def write(self, offset: int, data: bytes) -> None:
        _apply(self.data, offset, data)
        self.pending.append((offset, data))
        self._digests.clear()

    def cut(self, size: int) -> None:
        _apply(self.data, size, None)
        self.pending.append((size, None))
        self._digests.clear()

    def sync(self) -> None:
        """All of it is on the disk: bytes of a file, names of a folder."""
        if self.is_folder:
            self.safe_names = dict(self.names)
        else:
            self.safe, self.pending = bytes(self.data), []
        self._digests.clear()

    def digest(self, variant: str) -> bytes:
        """A name for what of its bytes survived."""
        variant = variant if self.pending else ""
        if variant not in self._digests:
            found = hashlib.blake2b(self.content(variant), digest_size=16).digest()
            self._digests[variant] = found
        return self._digests[variant]

    def content(self, variant: str) -> bytes:
        """What of its bytes survived."""
        if not self.pending or variant in {"nothing", "names"}:
            return self.safe
        if variant in {"all", "bytes"}:
            return bytes(self.data)
        survived = bytearray(self.safe)
        if variant == "zeros":
            survived = survived[: len(self.data)]
            return bytes(survived.ljust(len(self.data), b"\0"))
        kept = (
            self.pending[-1:] if variant == "last" else self.pending[: -(-len(self.pending) // 2)]
        )
        for number, (offset, data) in enumerate(kept):
            torn = variant == "half" and number == len(kept) - 1 and data is not None
            _apply(survived, offset, data[: len(data) // 2] if torn and data is not None else data)
        return bytes(survived)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    size = len(content)
    if data is None:
        del content[offset:]
        content.extend(bytes(max(0, offset - size)))
        return
    content.extend(bytes(max(0, offset - size)))
    content[offset : offset + len(data)] = data


Image = dict[str, bytes | None]
"""What is on the disk, by path from the top folder; None is a folder."""


@dataclass(slots=True)
class _Open:
    node: _Node
    offset: int = 0
    appends: bool = False


class Disk:
    """A folder, replayed call by call. `promised` is what the run had acknowledged by now."""

    def __init__(self, top: str, base: Image | None = None) -> None:
        self._top = top
        self._root = _Node(is_folder=True)
        for path, content in sorted((base or {}).items()):
            node = _Node(content is None, bytearray(content or b""), content or b"")
            parent = self._parent(path)
            parent.names[_name(path)] = parent.safe_names[_name(path)] = node
        self._open: dict[int, _Open | None] = {}
        self.promised = "{}"

    def image(self, variant: str) -> Image:
        """What a power cut now could leave."""
        return {
            path: None if node.is_folder else node.content(variant)
            for path, node in self._survivors(variant)
        }

    def digest(self, variant: str) -> bytes:
        """A name for that; equal names, equal images."""
        digest = hashlib.blake2b(digest_size=16)
        for path, node in sorted(self._survivors(variant), key=lambda found: found[0]):
            digest.update(f"{path}\0{node.is_folder}\0".encode())
            if not node.is_folder:
                digest.update(node.digest(variant))
        return digest.digest()

    def _survivors(self, variant: str) -> Iterator[tuple[str, _Node]]:
        """Files and folders whose names are on the disk."""
        waiting = [("", self._root)]
        while waiting:
            prefix, node = waiting.pop()
            safe = variant in {"nothing", "bytes"}
            for name, inner in (node.safe_names if safe else node.names).items():
                yield f"{prefix}{name}", inner
                if inner.is_folder:
                    waiting.append((f"{prefix}{name}/", inner))

    def replay(self, call: Call) -> None:
        """Do what a call did. Raises UnknownCall."""
        if call.name == "writev":
            self._note(call)
            return
        if call.result < 0:
            return
        method = getattr(self, f"_do_{call.name}", None)
        if method is None:
            if call.touches(self._top):
                raise UnknownCall(f"{call.name}({', '.join(call.arguments)[:200]})")
            return
        method(call)

    def is_synced_by(self, call: Call) -> bool:
        """Whether a call makes something of this folder durable."""
        return call.name in {"fsync", "fdatasync", "syncfs"} and call.touches(self._top)

    def _note(self, call: Call) -> None:
        if not (call.path_of_descriptor() or "").endswith(f"/{ACKS}"):
            if call.touches(self._top):
                raise UnknownCall("writev into the archive")
            return
        inner = call.arguments[1].removeprefix("[{iov_base=")
        self.promised = Call(0, "writev", (inner,), 0, 0).data(0).decode()

    # -- calls

    def _do_openat(self, call: Call) -> None:
        path = self._inside(call.place)
        if path is None or call.result < 0:
            self._open[call.result] = None
            return
        flags = call.arguments[2]
        if path.endswith(_VOLATILE):
            self._open[call.result] = None
            return
        node = self._find(path)
        if node is None:
            if "O_CREAT" not in flags:
                raise UnknownCall(f"{path} was opened, but never made")
            node = _Node()
            self._parent(path).names[_name(path)] = node
        if "O_TRUNC" in flags:
            node.cut(0)
        self._open[call.result] = _Open(node, appends="O_APPEND" in flags)

    def _do_close(self, call: Call) -> None:
        self._open.pop(call.descriptor(), None)

    def _do_read(self, call: Call) -> None:
        if opened := self._opened(call):
            opened.offset += call.result

    def _do_lseek(self, call: Call) -> None:
        path = self._inside(call.path_of_descriptor())
        node = None if path is None else self._find(path)
        if node is not None and node.is_folder:
            return  # it is read once more, by a second number that fcntl gave: nothing is written
        if opened := self._opened(call):
            opened.offset = call.result

    def _do_write(self, call: Call) -> None:
        if opened := self._opened(call):
            if opened.appends:
                opened.offset = len(opened.node.data)
            opened.node.write(opened.offset, call.data(1)[: call.result])
            opened.offset += call.result

    def _do_pwrite64(self, call: Call) -> None:
        if opened := self._opened(call):
            opened.node.write(int(call.arguments[3]), call.data(1)[: call.result])

    def _do_ftruncate(self, call: Call) -> None:
        if opened := self._opened(call):
            opened.node.cut(int(call.arguments[1]))

    def _do_fsync(self, call: Call) -> None:
        if opened := self._opened(call):
            opened.node.sync()

    _do_fdatasync = _do_fsync

    def _do_syncfs(self, call: Call) -> None:
        if self._inside(call.path_of_descriptor()) is None:
            return
        waiting = [self._root]
        while waiting:
            node = waiting.pop()
            node.sync()
            waiting += node.names.values()

    def _do_mkdir(self, call: Call) -> None:
        if path := self._inside(call.path(0)):
            self._parent(path).names[_name(path)] = _Node(is_folder=True)

    def _do_rename(self, call: Call) -> None:
        old, new = self._inside(call.path(0)), self._inside(call.path(1))
        if old is None and new is None:
            return
        if old is None or new is None:
            raise UnknownCall("something was moved into the archive, or out of it")
        self._parent(new).names[_name(new)] = self._parent(old).names.pop(_name(old))

    def _do_unlink(self, call: Call) -> None:
        self._remove(self._inside(call.path(0)))

    def _do_unlinkat(self, call: Call) -> None:
        self._remove(self._inside(call.path(1)))

    def _do_rmdir(self, call: Call) -> None:
        self._remove(self._inside(call.path(0)))

    def _remove(self, path: str | None) -> None:
        if path and not path.endswith(_VOLATILE):
            del self._parent(path).names[_name(path)]

    def _do_mmap(self, call: Call) -> None:
        shared = "MAP_SHARED" in call.arguments[3] and "PROT_WRITE" in call.arguments[2]
        path = call.path_of_descriptor(4) or ""
        if shared and self._inside(path) is not None and not path.endswith(_VOLATILE):
            raise UnknownCall(f"{path} is written through memory")

    # -- where things are

    def _opened(self, call: Call) -> _Open | None:
        """What a number means, if it is of the archive; strace's own word must agree."""
        opened = self._open.get(call.descriptor())
        path = self._inside(call.path_of_descriptor())
        expected = None if path is None or path.endswith(_VOLATILE) else self._find(path)
        if (opened.node if opened else None) is not expected and "(deleted)" not in call.arguments[
            0
        ]:
            raise UnknownCall(
                f"{call.name} of {path}, which is not what that number was opened for"
            )
        return opened

    def _inside(self, path: str | None) -> str | None:
        if path is None or not (path == self._top or path.startswith(f"{self._top}/")):
            return None
        return path[len(self._top) + 1 :]

    def _find(self, path: str) -> _Node | None:
        node: _Node | None = self._root
        for name in filter(None, path.split("/")):
            node = node.names.get(name) if node else None
        return node

    def _parent(self, path: str) -> _Node:
        parent = self._find(path.rpartition("/")[0])
        if parent is None:
            raise UnknownCall(f"{path} is made in a folder that was never made")
        return parent


def _name(path: str) -> str:
    return path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Cut:
    """One distinct image that a power cut could have left, and what had been promised by then.

    The image itself is made when it is asked for: thousands of them would not fit into memory.
    """

    step: int
    variant: str
    promised: str
    _calls: Sequence[Call] = field(repr=False)
    _disk: Callable[[], Disk] = field(repr=False)

    def __str__(self) -> str:
        return f"before sync {self.step}: {self.variant}"

    @property
    def image(self) -> Image:
        """What is on the disk."""
        disk, step = self._disk(), 1
        for call in self._calls:
            if disk.is_synced_by(call):
                if step == self.step:
                    break
                step += 1
            disk.replay(call)
        return disk.image(self.variant)


def cuts(
    calls: Sequence[Call], top: str, base: Image | None = None,
    variants: Sequence[str] = VARIANTS,
) -> Iterator[Cut]:  # fmt: skip
    """Every distinct image that a power cut during a run could have left of a folder.

    `base` is what was in the folder before, safe on the disk.
    Each is looked at as late as it can be, just before the next sync returns: then most had been
    promised. Raises UnknownCall.
    """
    begin = partial(Disk, top, base)
    disk, step = begin(), 1
    seen: set[tuple[str, bytes]] = set()

    def distinct() -> Iterator[Cut]:
        for variant in variants:
            key = (disk.promised, disk.digest(variant))
            if key not in seen:
                seen.add(key)
                yield Cut(step, variant, disk.promised, calls, begin)

    for call in calls:
        if disk.is_synced_by(call):
            yield from distinct()
            step += 1
        disk.replay(call)
    yield from distinct()


def read_image(folder: Path) -> Image:
    """What is in a folder of a real disk."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
        if not path.name.endswith(_VOLATILE)
    }


def write_image(image: Image, folder: Path) -> None:
    """Put an image on a real disk."""
    for path in sorted(image):  # folders come before what is in them
        content = image[path]
        if content is None:
            (folder / path).mkdir(mode=0o700)
        else:
            (folder / path).write_bytes(content)
            (folder / path).chmod(0o600)
