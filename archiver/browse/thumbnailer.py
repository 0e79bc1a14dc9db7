"""The process that makes thumbnails: untrusted pictures are decoded in here only.

It reads jobs from stdin, each a JSON line followed by the bytes of a picture, and writes a JSON
line per result. Its memory and time are limited; when a picture crashes it, only that picture has
no thumbnail.
"""

import json
import sys
import warnings
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from archiver.process_limits import lower_limit

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
MOST_PIXELS = 120_000_000
_MEMORY = 1_500_000_000  # bytes
_SECONDS = 600  # of processor time, for all jobs of this process


def main() -> None:
    """Do jobs until stdin ends."""
    _limit()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        picture = BytesIO(sys.stdin.buffer.read(job["size"]))
        try:
            make(picture, Path(job["target"]), job["shorter"], job["longer"])
            answer: dict[str, Any] = {"ok": True}
        except Exception as error:  # noqa: BLE001 — a bad picture must not stop the next one
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(answer), flush=True)  # noqa: T201 — results go to stdout


@lru_cache(4096)  # pages ask it several times for each picture
def fitted(width: int, height: int, shorter: int, longer: int) -> tuple[int, int]:
    """Width and height of the thumbnail of a picture, all in pixels.

    Its shorter edge is `shorter`, unless its longer edge would then exceed `longer`. A picture that
    is smaller keeps its size.
    """
    scale = min(1.0, shorter / min(width, height), longer / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def make(source: BinaryIO, target: Path, shorter: int, longer: int) -> None:
    """Write a WebP that is as large as `fitted` says. Raises what Pillow raises."""
    from PIL import Image, ImageOps  # noqa: PLC0415 — after the limits are set

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(source, formats=FORMATS) as picture:
        picture.draft("RGB", fitted(*picture.size, shorter, longer))  # a JPEG is decoded smaller
        picture.load()
        whole = ImageOps.exif_transpose(picture)
    mode = "RGBA" if whole.mode in {"RGBA", "LA", "PA"} or "transparency" in whole.info else "RGB"
    if whole.mode in {"1", "P", "PA"}:
        whole = whole.convert(mode)  # colours of a palette cannot be averaged
    size = fitted(*whole.size, shorter, longer)
    small = whole.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.convert(mode).save(target, "WEBP", quality=80, method=2)


def _limit() -> None:
    """Limit memory and processor time, where the system can."""
    lower_limit("RLIMIT_AS", _MEMORY)
    lower_limit("RLIMIT_CPU", _SECONDS)


if __name__ == "__main__":
    main()
