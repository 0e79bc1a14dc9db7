"""How much memory a run takes: for one film of any size, and for any number of posts.

    PYTHONPATH=tests python tests/support/torture/memory.py playlist FOLDER BYTES

A film is served as one file (`film`), or in segments that are put into one file by the extra `hls`
(`playlist`) or one after the other (`joined`).
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from archiver_ayrshare.demo.recipes import SegmentedVideo, Still
from archiver_ayrshare.demo.specs import video
from support.nights import Nights, nights

MIB = 1 << 20

_HEAD = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x00\x01mdat"
_PIECE = bytes(MIB)
_SAMPLES = 8  # of 1 MiB in each segment
_TYPES = {".m3u8": b"application/vnd.apple.mpegurl", ".jpg": b"image/jpeg"}


Pieces = Callable[[str], Iterable[bytes]]
"""Gives the bytes of the file behind a path, in pieces, the same each time."""


@contextmanager
def serving(files: Pieces) -> Iterator[str]:
    """A server of files that are made while they are sent; its origin."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, files), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _serve(listener: socket.socket, files: Pieces) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, files), daemon=True).start()


def _answer(connection: socket.socket, files: Pieces) -> None:
    """One request, one file; then the connection is closed."""
    with suppress(OSError), connection:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(4096)
        path = asked.split()[1].decode().partition("?")[0]
        size = sum(map(len, files(path)))
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: "
            + _TYPES.get(Path(path).suffix, b"video/mp4")
            + b"\r\nContent-Length: " + str(size).encode() + b"\r\n\r\n"
        )  # fmt: skip
        for piece in files(path):
            connection.sendall(piece)


def films(size: int) -> Pieces:
    """Every file is a film of so many bytes."""

    def pieces(_: str) -> Iterator[bytes]:
        yield _HEAD
        for left in range(size - len(_HEAD), 0, -MIB):
            yield _PIECE[: min(left, MIB)]

    return pieces


def playlists(size: int) -> Pieces:
    """Every file is a playlist of segments, which have so many bytes together; or a still."""
    index, fragments = SegmentedVideo("long").parts()
    at = index.index(b"mdhd")  # version, flags and two times are before the time scale
    scale = int.from_bytes(index[at + 16 : at + 20], "big")
    picture = fragments[0].partition(b"mdat")[2]
    filler = (MIB - len(picture) - 4).to_bytes(4, "big") + b"\x0c"  # a NAL unit of filler data
    sample = (picture + filler).ljust(MIB, b"\xff")
    count = size // (_SAMPLES * MIB)
    still = Still("long", (64, 48)).make()

    def pieces(path: str) -> Iterator[bytes]:
        name = path.rpartition("/")[2]
        if name.endswith(".m4s"):
            yield _fragment_head(int(name.removesuffix(".m4s")), scale)
            yield from [sample] * _SAMPLES
        elif name.endswith(".m3u8"):
            yield b'#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="index.mp4"\n'
            yield from (b"#EXTINF:1.0,\n%d.m4s\n" % number for number in range(count))
            yield b"#EXT-X-ENDLIST\n"
        else:
            yield index if name == "index.mp4" else still

    return pieces


def _fragment_head(number: int, scale: int) -> bytes:
    """What is before the samples of a fragment that plays a second (ISO/IEC 14496-12, 8.8)."""

    def moof(offset: int) -> bytes:
        default = _words(0x020038, 1, scale // _SAMPLES, MIB, 0x02000000)
        time = b"\x01\0\0\0" + (number * scale).to_bytes(8, "big")
        run = _words(1, _SAMPLES, offset)
        traf = _box(b"tfhd", default) + _box(b"tfdt", time) + _box(b"trun", run)
        return _box(b"moof", _box(b"mfhd", _words(0, number + 1)) + _box(b"traf", traf))

    size = len(moof(0)) + 8
    return moof(size) + (_SAMPLES * MIB + 8).to_bytes(4, "big") + b"mdat"


def _box(name: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + name + content


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers)


def peak_of_a_film(folder: Path, size: int) -> int:
    """The most memory, in bytes, that a backup took which fetched a film of so many bytes."""
    with nights(folder, "threads") as world, serving(films(size)) as origin:
        world.origins = [origin]
        world.account("threads").publish("A long one", media=[video()])
        _prepare(world)
        peak = _peak(world, "backup")
        kept = world.column("SELECT max(size) FROM media")
        assert kept == [size], "the film was not stored, so nothing was measured"
    return peak


def peak_of_a_playlist(folder: Path, size: int, *, remuxed: bool = True) -> int:
    """The same for a film in segments, the process that puts them into one file included."""
    with nights(folder, "bluesky") as world, serving(playlists(size)) as origin:
        world.origins = [origin]
        world.account("bluesky").publish("A long one", media=[video()])
        _prepare(world)
        peak = _peak(world, "backup", before="" if remuxed else _PLAIN)
        made = world.query(
            "SELECT how, size FROM media_origins JOIN media ON sha256 = media_sha256"
        )
        assert [(how, kept >= size) for how, kept in made] == [
            ("remuxed" if remuxed else "joined", True)
        ]
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
import resource
import sys
from pathlib import Path
from archiver.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
for line in Path("/proc/self/status").read_text().splitlines():
    if line.startswith("VmHWM"):
        of_children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        Path("peak").write_text(str(max(int(line.split()[1]), of_children)))
"""
"""The command line, which leaves its peak, or that of a child of it, in KiB in the file `peak`.

What the system tells of a child that ended (`ru_maxrss`) begins with the size of its parent.
"""

_PLAIN = """
from archiver.media.playlists import remuxing
remuxing.find_spec = lambda _: None
"""
"""As without the extra `hls`."""


def _peak(world: Nights, *command: str, before: str = "") -> int:
    done = subprocess.run(
        [sys.executable, "-c", before + _PROGRAM, *command], cwd=world.folder, env=_environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int((world.folder / "peak").read_text()) * 1024


def _environment() -> dict[str, str]:
    state = {"XDG_STATE_HOME": os.devnull}  # the user's own is to remember nothing of this
    return {**os.environ, **state, "PYTHONDONTWRITEBYTECODE": "1"}


def main(arguments: Sequence[str]) -> None:
    """`memory.py film|playlist|joined|posts FOLDER NUMBER` prints a peak, in MiB."""
    what, folder, number = arguments
    measures: dict[str, Callable[[Path, int], int]] = {
        "film": peak_of_a_film, "playlist": peak_of_a_playlist, "posts": peak_of_posts,
        "joined": partial(peak_of_a_playlist, remuxed=False),
    }  # fmt: skip
    sys.stdout.write(f"{measures[what](Path(folder), int(number)) / MIB:.0f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
