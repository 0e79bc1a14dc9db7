"""The type of a file by its first bytes; its name and the server's header are not used."""

import re
from typing import Literal

from msgspec import Struct

HEAD = 4096
"""How many bytes from the start of a file are needed to recognise it."""

Group = Literal[
    "image", "video", "audio", "playlist", "fragment", "subtitles", "document", "other"
]  # fmt: skip


class FileKind(Struct, frozen=True):
    """A kind of file: its media type, the extension that its files get, what it is for people."""

    content_type: str
    extension: str
    group: Group


UNKNOWN = FileKind("application/octet-stream", "bin", "other")

_JPEG = FileKind("image/jpeg", "jpg", "image")
_PNG = FileKind("image/png", "png", "image")
_GIF = FileKind("image/gif", "gif", "image")
_WEBP = FileKind("image/webp", "webp", "image")
_BMP = FileKind("image/bmp", "bmp", "image")
_TIFF = FileKind("image/tiff", "tif", "image")
_AVIF = FileKind("image/avif", "avif", "image")
_HEIC = FileKind("image/heic", "heic", "image")
_JXL = FileKind("image/jxl", "jxl", "image")
_MP4 = FileKind("video/mp4", "mp4", "video")
_MOV = FileKind("video/quicktime", "mov", "video")
_3GP = FileKind("video/3gpp", "3gp", "video")
_WEBM = FileKind("video/webm", "webm", "video")
_MKV = FileKind("video/x-matroska", "mkv", "video")
_AVI = FileKind("video/x-msvideo", "avi", "video")
_FLV = FileKind("video/x-flv", "flv", "video")
_TS = FileKind("video/mp2t", "ts", "video")
_M4A = FileKind("audio/mp4", "m4a", "audio")
_MP3 = FileKind("audio/mpeg", "mp3", "audio")
_AAC = FileKind("audio/aac", "aac", "audio")
_OGG = FileKind("audio/ogg", "ogg", "audio")
_WAV = FileKind("audio/wav", "wav", "audio")
_FLAC = FileKind("audio/flac", "flac", "audio")
_HLS = FileKind("application/vnd.apple.mpegurl", "m3u8", "playlist")
_DASH = FileKind("application/dash+xml", "mpd", "playlist")
_VTT = FileKind("text/vtt", "vtt", "subtitles")
_FRAGMENT = FileKind("video/iso.segment", "m4s", "fragment")  # one piece of a movie

_SIGNATURES: tuple[tuple[bytes, FileKind], ...] = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"II*\x00", _TIFF),
    (b"MM\x00*", _TIFF),
    (b"\xff\x0a", _JXL),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", _JXL),
    (b"FLV\x01", _FLV),
    (b"ID3", _MP3),
    (b"OggS", _OGG),
    (b"fLaC", _FLAC),
)
_RIFF = {b"WEBP": _WEBP, b"WAVE": _WAV, b"AVI ": _AVI}
_BRANDS = {
    b"avif": _AVIF, b"avis": _AVIF,
    b"heic": _HEIC, b"heix": _HEIC, b"heim": _HEIC, b"heis": _HEIC, b"hevc": _HEIC,
    b"mif1": _HEIC, b"msf1": _HEIC,
    b"qt  ": _MOV, b"M4A ": _M4A, b"M4B ": _M4A, b"3gp4": _3GP, b"3gp5": _3GP, b"3g2a": _3GP,
}  # fmt: skip
_BMP_HEADERS = frozenset(bytes([size]) for size in (12, 40, 52, 56, 64, 108, 124))
_BY_BOX = {
    # QuickTime files from before 2001 have no ftyp box
    **dict.fromkeys((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"), _MOV),
    **dict.fromkeys((b"styp", b"moof", b"sidx"), _FRAGMENT),
}
_NON_MEDIA: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"%!PS", "postscript"),
    (b"{\\rtf", "rtf"),
    (b"\xc5\xd0\xd3\xc6", "postscript"),
    (b"MZ", "executable"),
    (b"\x7fELF", "executable"),
    (b"\xca\xfe\xba\xbe", "executable"),
    (b"\xcf\xfa\xed\xfe", "executable"),
    (b"#!", "executable"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gzip"),
)
MAY_BE_DOCUMENTS = frozenset({"pdf", "postscript", "rtf", "zip"})
"""What `recognize_non_media` calls that which may be a document, where one is attached."""

_HTML = re.compile(
    rb"<(!doctype\s+html|html|head|body|title|script|meta|div|p|h1)[\s>/]", re.IGNORECASE
)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")


def sniff(head: bytes) -> FileKind | None:
    """The kind of a media file from its first bytes, at best `HEAD` of them; None if unknown."""
    for start, kind in _SIGNATURES:
        if head.startswith(start):
            return kind
    return _container(head) or _stream(head)


def _container(head: bytes) -> FileKind | None:
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if kind := _BY_BOX.get(head[4:8]):
        return kind
    if head.startswith(b"\x1a\x45\xdf\xa3"):  # EBML, RFC 8794
        return _WEBM if b"webm" in head[:64] else _MKV
    if head[:2] == b"BM" and head[6:10] == bytes(4) and head[14:15] in _BMP_HEADERS:
        return _BMP
    return None


def _stream(head: bytes) -> FileKind | None:
    if len(head) > 188 and head[0] == head[188] == 0x47:
        return _TS
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return _mpeg_audio(head)
    text = head[:64].removeprefix(b"\xef\xbb\xbf")
    if text.lstrip().startswith(b"#EXTM3U"):
        return _HLS
    if text[:6] == b"WEBVTT" and text[6:7] in {b"", b" ", b"\t", b"\n", b"\r"}:
        return _VTT
    if b"<MPD" in head[:1024] and head.lstrip()[:1] == b"<":
        return _DASH
    return None


def recognize_non_media(head: bytes) -> str | None:
    """What came in place of media: a short word such as `html`, `json`, `text`, `empty`.

    None where the bytes are media, or not recognised.
    """
    if not head:
        return "empty"
    if sniff(head) is not None:
        return None
    for start, word in _NON_MEDIA:
        if head.startswith(start):
            return word
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return _markup(text)
    if _is_text(head):
        return "json" if text[:1] in {b"{", b"["} else "text"
    return None


def _iso_media(head: bytes) -> FileKind:
    """ISO base media (ISO/IEC 14496-12): the major brand decides, then the compatible ones."""
    end = min(int.from_bytes(head[:4], "big"), len(head), 256)
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    if brands[0] in {b"mif1", b"msf1"} and any(b in {b"avif", b"avis"} for b in brands):
        return _AVIF
    return _BRANDS.get(brands[0], _MP4)


def _mpeg_audio(head: bytes) -> FileKind | None:
    """A frame header of MPEG audio (ISO/IEC 11172-3) or of AAC in ADTS (ISO/IEC 13818-7)."""
    layer = head[1] & 0x06
    if layer == 0 and head[1] & 0xF0 == 0xF0:
        return _AAC
    if layer == 0 or head[2] & 0xF0 == 0xF0 or head[2] & 0x0C == 0x0C:
        return None
    return _MP3


def _markup(text: bytes) -> str | None:
    low = text[:1024].lower()
    if b"<svg" in low:
        return "svg"
    if _HTML.search(low):
        return "html"
    if low.startswith(b"<?xml") or _is_text(text):
        return "xml"
    return None


def _is_text(head: bytes) -> bool:
    """Whether there is nothing in it but UTF-8 text; a character cut off at the end is fine."""
    if any(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end == len(head) and "unexpected end" in error.reason
    return True
