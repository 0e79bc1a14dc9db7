"""The process that puts the segments of a film into one mp4 file, as they are.

It reads a job from stdin as JSON and writes one JSON line. Nothing is decoded or encoded again; it
opens only the files that the job names, in the format that the job names, and its memory, time and
output are limited. The same segments give the same bytes, with the same library.

A job has `tracks` (each a list of periods: `paths` and `seconds`), `formats` (of each track:
`mpegts`, `mp4`, `matroska`, or one of `PACKED`), `target`, `max_size` in bytes, and `parent`: the
id of the process that waits for it, with which it ends.
"""

import heapq
import io
import json
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from operator import itemgetter
from pathlib import Path
from typing import Any

from archiver.process_limits import end_with, lower_limit

PACKED = frozenset({"aac", "mp3", "ac3", "eac3"})
"""Formats of sound by itself, without times (RFC 8216 section 3.4)."""

_TIMESTAMP = b"com.apple.streaming.transportStreamTimestamp\x00"
_TICKS = 90_000  # a second, in the time of MPEG transport streams
_TIME_BITS = (1 << 33) - 1  # of that time
_MOST_APART = 60.0  # seconds between the beginnings of picture and sound
_ID3_SIZE = 4096  # bytes that are searched for a timestamp
_MEMORY = 3 << 30  # bytes of address space; the libraries alone map a few hundred megabytes
_SECONDS = 3600  # of processor time
_INDEX_SIZE = 256 << 20  # bytes by which the file may be larger than its segments


_LEAST_STEP = 0.001  # seconds


class UnequalParts(Exception):
    """The periods of a film cannot follow each other in one file."""


class SegmentFiles(io.RawIOBase):
    """Several files, read as if they were one."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = [Path(path) for path in paths]
        self._ends = list(accumulate(path.stat().st_size for path in self._paths))
        self._size = self._ends[-1]
        self._position = 0
        self._index = -1
        self._file: io.BufferedReader | None = None

    def readable(self) -> bool:
        """PyAV asks this: the position can be changed."""
        return True

    def seekable(self) -> bool:
        """PyAV asks this: the position can be changed."""
        return True

    def tell(self) -> int:
        """The position in all segments together."""
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position of the whole."""
        base = {0: 0, 1: self._position, 2: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Some of the next bytes, of one file at most; none at the end."""
        if self._position >= self._size:
            return b""
        index = bisect_right(self._ends, self._position)
        left = self._ends[index] - self._position
        file = self._open(index)
        file.seek(-left, io.SEEK_END)
        data = file.read(left if size < 0 else min(size, left))
        self._position += len(data)
        return data

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
        super().close()

    def _open(self, index: int) -> io.BufferedReader:
        if self._file is None or index != self._index:
            if self._file is not None:
                self._file.close()
            self._file, self._index = self._paths[index].open("rb"), index
        return self._file


def main() -> None:
    """Do the job."""
    job = json.load(sys.stdin.buffer)
    end_with(job["parent"])
    _limit(job["max_size"] + _INDEX_SIZE)
    try:
        answer: dict[str, Any] = {"ok": True, "tool": remux(job)}
    except UnequalParts as error:
        answer = {"ok": False, "error": str(error)}
    except Exception as error:  # noqa: BLE001 — hostile bytes raise what they like
        answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)  # noqa: T201 — the result goes to stdout


def remux(job: dict[str, Any]) -> str:
    """Write the film; the name and version of the libraries that did it. Raises what av raises."""
    import av  # noqa: PLC0415 — after the limits are set
    from av.logging import PANIC, set_level  # noqa: PLC0415 — as above

    set_level(PANIC)
    tracks = [
        _Track(number, periods, container)
        for number, (periods, container) in enumerate(
            zip(job["tracks"], job["formats"], strict=True)
        )
    ]
    shifts = _shifts(tracks)
    # bitexact: neither the time nor a version of the library goes into the file
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(job["target"], "w", format="mp4", options=options) as film:
        outputs = [track.add_outputs(film, alone=len(tracks) == 1) for track in tracks]
        merged = heapq.merge(
            *(
                track.packets(out, own)
                for track, out, own in zip(tracks, outputs, shifts, strict=True)
            ),
            key=itemgetter(0),
        )
        for _, packet in merged:
            film.mux(packet)
    libavformat = ".".join(map(str, av.library_versions["libavformat"]))
    return f"PyAV {av.__version__}, libavformat {libavformat}"


def _shifts(tracks: "Sequence[_Track]") -> list[list[float]]:
    """For each track, by how many seconds the times of each of its periods move into the film."""
    if len({len(track.periods) for track in tracks}) > 1:
        raise UnequalParts("picture and sound have not as many parts")
    for track in tracks:
        if len({shape for _, shape in track.shapes}) > 1:
            raise UnequalParts("its parts have different formats")
    shifts: list[list[float]] = [[] for _ in tracks]
    now = 0.0
    for index, period in enumerate(tracks[0].periods):
        begins = [track.period_start(tracks[0], index) for track in tracks]
        for track, begin, own in zip(tracks, begins, shifts, strict=True):
            counted = begin if track.is_packed else 0.0  # its packets are counted from 0
            own.append(now - min(begins) + counted)
        now += period["seconds"]
    return shifts


class _Track:
    """One track of the film, in periods; the first has the picture, a second one sound."""

    def __init__(self, number: int, periods: list[dict[str, Any]], container: str) -> None:
        self.number = number
        self.periods = periods
        self._container = container
        self.shapes = [self._shape(period) for period in periods]

    def add_outputs(self, film: Any, *, alone: bool) -> dict[str, Any]:
        """Streams of the film for those of the track that are wanted, by their type."""
        wanted = ("video", "audio") if alone else (("video",), ("audio",))[min(self.number, 1)]
        with self._open(self.periods[0]) as source:
            found = {
                kind: film.add_stream_from_template(stream)
                for kind in wanted
                if (stream := _first(source, kind)) is not None
            }
        if not found:
            raise UnequalParts("a track has neither picture nor sound")
        return found

    def packets(
        self, outputs: dict[str, Any], shifts: Sequence[float]
    ) -> Iterator[tuple[float, Any]]:
        """The packets of these streams with their times in the film, in seconds, in order."""
        last: dict[str, int] = {}
        for period, shift in zip(self.periods, shifts, strict=True):
            with self._open(period) as source:
                streams = {kind: _first(source, kind) for kind in outputs}
                for packet in source.demux(list(streams.values())):
                    if not packet.size or (packet.dts is None and packet.pts is None):
                        continue  # it says that the end has come
                    kind = packet.stream.type
                    _shift(packet, shift, last.get(kind))
                    last[kind] = packet.dts
                    at = float(packet.dts * packet.time_base)
                    packet.stream = outputs[kind]
                    yield at, packet

    def period_start(self, first: "_Track", index: int) -> float:
        """The first timestamp of this track in a period, in seconds.

        That of the first track where this one has none, or an implausible one.
        """
        own, picture = self.shapes[index][0], first.shapes[index][0] or 0.0
        if own is None or (self.is_packed and abs(own - picture) > _MOST_APART):
            return picture
        return own

    @property
    def is_packed(self) -> bool:
        """Whether it is sound by itself."""
        return self._container in PACKED

    def _shape(self, period: dict[str, Any]) -> tuple[float | None, tuple[object, ...]]:
        """Where the time of a period begins, in seconds, and what all of a film have in common.

        None where it does not say: sound by itself may have no time.
        """
        import av  # noqa: PLC0415 — after the limits are set

        with self._open(period) as source:
            streams = [_first(source, kind) for kind in ("video", "audio")]
            shape = tuple(_shape_of(stream) for stream in streams if stream is not None)
            if self.is_packed:
                return _packed_start(period["paths"][0]), shape
            return float((source.start_time or 0) / av.time_base), shape

    def _open(self, period: dict[str, Any]) -> Any:
        """The segments of a period, in the one format that they may have: nothing is guessed."""
        import av  # noqa: PLC0415 — after the limits are set

        return av.open(
            SegmentFiles(period["paths"]), "r", format=self._container, metadata_errors="replace"
        )


def _packed_start(path: str) -> float | None:
    """When sound by itself begins, in seconds: an ID3 tag says it (RFC 8216 section 3.4)."""
    with open(path, "rb") as file:  # noqa: PTH123 — a path as the job names it
        head = file.read(_ID3_SIZE)
    at = head.find(_TIMESTAMP)
    stamp = head[at + len(_TIMESTAMP) :][:8]
    if not head.startswith(b"ID3") or at < 0 or len(stamp) < 8:
        return None
    return (int.from_bytes(stamp, "big") & _TIME_BITS) / _TICKS


def _first(source: Any, kind: str) -> Any:
    return next((stream for stream in source.streams if stream.type == kind), None)


def _shape_of(stream: Any) -> tuple[object, ...]:
    codec = stream.codec_context
    sides = (getattr(codec, name, None) for name in ("width", "height", "sample_rate", "channels"))
    return (codec.name, bytes(codec.extradata or b""), str(stream.time_base), *sides)


def _shift(packet: Any, seconds: float, last: int | None) -> None:
    """Move a packet in time, behind the one before it: the lengths of periods are rounded.

    By a millisecond, which no time base of the film makes nothing of.
    """
    dts = packet.pts if packet.dts is None else packet.dts
    pts = dts if packet.pts is None else packet.pts
    ticks = round(seconds / packet.time_base)
    moved = dts + ticks
    if last is not None and moved <= last:
        ticks += last + max(1, round(_LEAST_STEP / packet.time_base)) - moved
    packet.dts, packet.pts = dts + ticks, pts + ticks


def _limit(size: int) -> None:
    """Limit memory, processor time and the size of a file, where the system can."""
    limits = {
        "RLIMIT_AS": _MEMORY, "RLIMIT_CPU": _SECONDS, "RLIMIT_FSIZE": size, "RLIMIT_CORE": 0,
    }  # fmt: skip
    for name, most in limits.items():
        with suppress(ValueError, OSError):
            lower_limit(name, most)


if __name__ == "__main__":
    main()
