"""Films of a few seconds, offered as playlists of every kind, by FFmpeg's own muxers (PyAV)."""

import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from hashlib import md5
from pathlib import Path

import av

from support.net.wire import Reply, Request, http

KEY = bytes(range(16))
_TYPES = {
    ".html": "text/html", ".mp4": "video/mp4", ".m3u8": "application/vnd.apple.mpegurl",
}  # fmt: skip
_RATE = 10
_SAMPLES = 44_100
_BITEXACT = {"fflags": "+bitexact"}


def encode_film(
    path: Path, seconds: int = 3, size: tuple[int, int] = (64, 48), seed: int = 7
) -> Path:
    """A film with sound: H.264 with a key frame a second, and AAC."""
    options = {"x264-params": "keyint=10:scenecut=0:threads=1", "preset": "ultrafast"}
    with av.open(str(path), "w", format="mp4", options=_BITEXACT) as film:
        picture = film.add_stream("libx264", rate=_RATE, options=options)
        picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
        sound = film.add_stream("aac", rate=_SAMPLES)
        sound.layout = "mono"
        for number in range(seconds * _RATE):
            frame = av.VideoFrame(*size, "yuv420p")
            for plane_number, plane in enumerate(frame.planes):
                plane.update(bytes([(number * seed + plane_number * 50) % 256]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        for start in range(0, seconds * _SAMPLES, 1024):
            heard = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            heard.sample_rate, heard.pts, heard.time_base = _SAMPLES, start, Fraction(1, _SAMPLES)
            wave = array.array("f", [((start + at) % 100) / 500 for at in range(1024)])
            heard.planes[0].update(wave.tobytes())
            film.mux(sound.encode(heard))
        film.mux(sound.encode(None))
    return path


def write_segments(
    source: Path, target: Path, kinds: Sequence[str] = ("video", "audio"), container: str = "hls",
    **options: str,
) -> Path:  # fmt: skip
    """Offer a film in segments of a second, by the muxer for HLS or DASH; nothing is encoded."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lengths = {"hls_time": "1", "hls_playlist_type": "vod"} if container == "hls" else {}
    with (
        av.open(str(source)) as film,
        av.open(
            str(target), "w", format=container, options={**_BITEXACT, **lengths, **options}
        ) as out,
    ):
        streams = {
            stream.index: out.add_stream_from_template(stream)
            for stream in film.streams
            if stream.type in kinds
        }
        for packet in film.demux(*(film.streams[index] for index in streams)):
            if packet.size:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return target


def transport_streams(source: Path, folder: Path) -> Path:
    return write_segments(source, folder / "film.m3u8")


def fragments(source: Path, folder: Path) -> Path:
    return write_segments(
        source, folder / "film.m3u8", hls_segment_type="fmp4", hls_fmp4_init_filename="init.mp4"
    )


def byte_ranges(source: Path, folder: Path) -> Path:
    return write_segments(
        source, folder / "film.m3u8", hls_segment_type="fmp4", hls_flags="single_file"
    )


def encrypted(source: Path, folder: Path) -> Path:
    """AES-128 with an initialization vector, the key beside the segments."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key").write_bytes(KEY)
    info = folder.parent / f"{folder.name}.keyinfo"
    info.write_text(f"key\n{folder / 'key'}\n{7:032x}\n")
    return write_segments(source, folder / "film.m3u8", hls_key_info_file=str(info))


def sound_apart(source: Path, folder: Path) -> Path:
    """A master playlist that does not say which codecs it has."""
    names = {"video": "picture", "audio": "sound"}
    for kind, name in names.items():
        write_segments(
            source, folder / f"{name}.m3u8", (kind,), hls_segment_type="fmp4",
            hls_fmp4_init_filename=f"{name}-init.mp4",
        )  # fmt: skip
    master = folder / "film.m3u8"
    master.write_text(
        "#EXTM3U\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="it",AUTOSELECT=YES,URI="other.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,AUTOSELECT=YES,URI="sound.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=200000,RESOLUTION=64x48,AUDIO="a"\npicture.m3u8\n'
    )
    return master


def sound_by_itself(source: Path, folder: Path, late: float | None = 0.0) -> Path:
    """The picture in transport streams, and AAC without any container.

    The sound says in ID3 tags that it begins so many seconds after the picture; or, for None, has
    no tags.
    """
    picture = write_segments(source, folder / "picture.m3u8", ("video",))
    with av.open(str(folder / "picture0.ts")) as first:
        begin = (first.start_time or 0) / av.time_base
    whole = write_segments(source, folder / "whole.aac", ("audio",), container="adts").read_bytes()
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2"]
    for number, frames in enumerate(_groups(list(_adts_frames(whole)), 43)):
        seconds = 43 * number * 1024 / _SAMPLES
        tag = b"" if late is None else _id3_timestamp(begin + late + seconds)
        (folder / f"sound{number}.aac").write_bytes(tag + b"".join(frames))
        lines += [f"#EXTINF:{len(frames) * 1024 / _SAMPLES:.6f},", f"sound{number}.aac"]
    (folder / "sound.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
    master = folder / "film.m3u8"
    master.write_text(
        "#EXTM3U\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="sound.m3u8"\n'
        f'#EXT-X-STREAM-INF:BANDWIDTH=200000,RESOLUTION=64x48,AUDIO="a"\n{picture.name}\n'
    )
    return master


def _groups(frames: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    yield from (frames[at : at + size] for at in range(0, len(frames), size))


def _adts_frames(data: bytes) -> Iterator[bytes]:
    """The frames of AAC in ADTS (ISO/IEC 13818-7, 6.2): 13 bits of the header say how long."""
    at = 0
    while at < len(data):
        size = (int.from_bytes(data[at + 3 : at + 6], "big") >> 5) & 0x1FFF
        yield data[at : at + size]
        at += size


def _id3_timestamp(seconds: float) -> bytes:
    """A tag that says when packed sound begins (RFC 8216 section 3.4)."""
    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    content = owner + round(seconds * 90_000).to_bytes(8, "big")
    frame = b"PRIV" + bytes([0, 0, 0, len(content)]) + b"\0\0" + content
    return b"ID3\x04\0\0" + bytes([0, 0, 0, len(frame)]) + frame


def dash(source: Path, folder: Path) -> Path:
    return write_segments(source, folder / "film.mpd", container="dash", seg_duration="1")


FORMS: Mapping[str, Callable[[Path, Path], Path]] = {
    "transport streams": transport_streams,
    "fragments": fragments,
    "byte ranges": byte_ranges,
    "encrypted": encrypted,
    "sound apart": sound_apart,
    "sound by itself": sound_by_itself,
    "dash": dash,
}
"""How the same film is offered, by name."""


def frames_of(path: Path) -> dict[str, list[str]]:
    """The MD5 of each decoded frame, and of each packet of sound, in order: what FFmpeg's framemd5
    prints."""
    with av.open(str(path)) as film:
        picture = [_md5_of(frame) for frame in film.decode(video=0)]
    with av.open(str(path)) as film:
        sound = [md5(bytes(packet)).hexdigest() for packet in film.demux(audio=0) if packet.size]
    return {"picture": picture, "sound": sound}


def _md5_of(frame: av.VideoFrame) -> str:
    """Of the pixels alone: lines in memory may be longer than those of the picture."""
    digest = md5()
    for plane in frame.planes:
        data = bytes(plane)
        for line in range(plane.height):
            start = line * plane.line_size
            digest.update(data[start : start + plane.width])
    return digest.hexdigest()


class FilmServer:
    """Answers for the files of a folder, with byte ranges. `faults` are answers by file name.

    To be given to `wire` as its one answer. `asked` counts the requests for each file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: dict[str, Reply | Callable[[Request], Reply]] = {}
        self.asked: dict[str, int] = {}

    def __call__(self, request: Request) -> Reply:
        name = request.target.lstrip("/").partition("?")[0]
        self.asked[name] = self.asked.get(name, 0) + 1
        fault = self.faults.get(name)
        if fault is not None:
            return fault if isinstance(fault, Reply) else fault(request)
        path = self.folder / name
        if not path.is_file():
            return http(404, b"no such file", then="close")
        data = path.read_bytes()
        kind = {"Content-Type": _TYPES[path.suffix]} if path.suffix in _TYPES else {}
        wanted = request.headers.get("range")
        if wanted is None:
            return http(200, data, kind, then="close")
        first, last = wanted.removeprefix("bytes=").split("-")
        start, end = int(first), min(int(last or len(data)), len(data) - 1)
        part = data[start : end + 1]
        said = {"Content-Range": f"bytes {start}-{end}/{len(data)}", **kind}
        return http(206, part, said, then="close")
