"""Take the screenshots in docs/images: the demo's archive, in Debian's Chromium.

    python docs/screenshots.py [FOLDER OF AN ARCHIVE]

Needs Chromium (`apt-get install chromium`, or its path in CHROMIUM), Playwright from PyPI, and the
fonts of what the demo's posts say (`apt-get install fonts-noto-cjk fonts-noto-color-emoji`).
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
SIZES = {1440: 900, 375: 812}
EXACT = 96
SHOTS = {
    "home": ("1440-light", "375-dark"),
    "timeline": ("1440-light", "1440-dark", "375-light"),
    "gallery": ("1440-dark", "375-light"),
    "post": ("1440-light", "375-dark"),
    "missing": ("1440-light",),
    "evidence": ("1440-light",),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(sys.argv[1]) if len(sys.argv) > 1 else demo(Path(folder))
        with browse(archive) as address, sync_playwright() as playwright:
            chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            IMAGES.mkdir(exist_ok=True)
            for name, path in pages(archive).items():
                for variant in SHOTS[name]:
                    width, scheme = variant.split("-")
                    with browser.new_context(
                        viewport={"width": int(width), "height": SIZES[int(width)]},
                        color_scheme=scheme,
                    ) as context:
                        page = context.new_page()
                        page.goto(address + path, wait_until="networkidle")
                        save(page.screenshot(), IMAGES / f"{name}-{variant}.png")
            browser.close()


def demo(folder: Path) -> Path:
    """Make the demo's archive."""
    subprocess.run([sys.executable, "-m", "archiver", "-q", "demo", folder / "demo"], check=True)
    return folder / "demo" / "archive"


@contextmanager
def browse(archive: Path) -> Iterator[str]:
    """Serve it; gives the address."""
    command = [sys.executable, "-m", "archiver", "browse", archive, "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        yield running.stdout.readline().split(" is at ")[1].split()[0].rstrip("/")
        running.terminate()


def pages(archive: Path) -> dict[str, str]:
    """What to take pictures of."""
    with closing(sqlite3.connect(f"{(archive / 'archive.db').as_uri()}?mode=ro", uri=True)) as db:
        edited = db.execute("SELECT id FROM posts WHERE edited_at IS NOT NULL").fetchone()[0]
    base = "/archive/-"
    return {
        "home": f"{base}/home", "timeline": f"{base}/timeline?q=kiln", "gallery": f"{base}/gallery",
        "post": f"{base}/post/{edited}", "missing": f"{base}/missing",
        "evidence": f"{base}/post/{edited}/evidence",
    }  # fmt: skip


def save(taken: bytes, path: Path) -> None:
    """Write it with 256 colours: a third of the bytes, and nobody sees it."""
    with Image.open(BytesIO(taken)) as opened:
        picture = opened.convert("RGB")
    few = picture.quantize(palette=palette(picture), dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def palette(picture: Image.Image) -> Image.Image:
    """The commonest colours exactly, which are those of the page, and such as suit its pictures.

    Any usual choice among all of them turns a platform's dot grey, or a white page pink.
    """
    counted = sorted(picture.getcolors(picture.width * picture.height), reverse=True)
    exact = [part for _, color in counted[:EXACT] for part in color]
    others = picture.quantize(256 - EXACT, method=Image.Quantize.FASTOCTREE).getpalette()
    found = Image.new("P", (1, 1))
    found.putpalette((exact + others)[: 3 * 256])
    return found


if __name__ == "__main__":
    main()
