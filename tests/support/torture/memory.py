"""How much memory a run takes: for one film of any size, and for any number of posts."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from archiver_ayrshare.demo.specs import video
from support.nights import Nights, nights

MIB = 1 << 20

_HEAD = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x00\x01mdat"
_PIECE = bytes(MIB)


@contextmanager
def films(size: int) -> Iterator[str]:
    """A server whose every file is a film of so many bytes, made while it is sent; its origin."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, size), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _serve(listener: socket.socket, size: int) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, size), daemon=True).start()


def _answer(connection: socket.socket, size: int) -> None:
    """One request, one film; then the connection is closed."""
    with suppress(OSError), connection:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(4096)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n"
            b"Content-Length: " + str(size).encode() + b"\r\n\r\n" + _HEAD
        )
        left = size - len(_HEAD)
        while left > 0:
            connection.sendall(_PIECE[: min(left, MIB)])
            left -= MIB


def peak_of_a_film(folder: Path, size: int) -> int:
    """The most memory, in bytes, that a backup took which fetched a film of so many bytes."""
    with nights(folder, "threads") as world, films(size) as origin:
        world.origins = [origin]
        world.account("threads").publish("A long one", media=[video()])
        _prepare(world)
        peak = _peak(world, "backup")
        kept = world.column("SELECT max(size) FROM media")
        assert kept == [size], "the film was not stored, so nothing was measured"
    return peak


def peak_of_posts(folder: Path, count: int) -> int:
    """The most memory, in bytes, that a backup of so many posts took."""
    with nights(folder, "threads", cache=None) as world:
        world.account("threads").populate(count, every=timedelta(minutes=20), media=False)
        _prepare(world)
        peak = _peak(world, "backup", "--no-media")
        assert world.column("SELECT count(*) FROM posts") == [count]
    return peak


def _prepare(world: Nights) -> None:
    world.url_life *= 10_000  # its clock stands still, the program's does not
    world.rate_limit_max = 10**9  # the program slows down where a quota is nearly used up
    world.config()


_PROGRAM = """
import sys
from pathlib import Path
from archiver.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
for line in Path("/proc/self/status").read_text().splitlines():
    if line.startswith("VmHWM"):
        Path("peak").write_text(line.split()[1])
"""
"""The command line, which leaves its peak, in KiB, in the file `peak`.

What the system tells of a child that ended (`ru_maxrss`) begins with the size of its parent.
"""


def _peak(world: Nights, *command: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *command], cwd=world.folder, env=_environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int((world.folder / "peak").read_text()) * 1024


def _environment() -> dict[str, str]:
    state = {"XDG_STATE_HOME": os.devnull}  # the user's own is to remember nothing of this
    return {**os.environ, **state, "PYTHONDONTWRITEBYTECODE": "1"}


def main(arguments: Sequence[str]) -> None:
    """`memory.py film|posts FOLDER NUMBER` prints a peak, in MiB."""
    what, folder, number = arguments
    measure = peak_of_a_film if what == "film" else peak_of_posts
    sys.stdout.write(f"{measure(Path(folder), int(number)) / MIB:.0f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
