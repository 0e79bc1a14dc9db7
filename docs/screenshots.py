"""Take the screenshots in docs/images: the demo's archive, in Debian's Chromium.

    python docs/screenshots.py [FOLDER OF AN ARCHIVE]
    python docs/screenshots.py FOLDER OF AN ARCHIVE --every FOLDER FOR THE PICTURES

With `--every`, it takes every page of ours, wide and narrow, light and dark, to be looked at one
by one, best of a harsh archive: `PYTHONPATH=tests python -m support.harsh_archive FOLDER`. It
says which pages are wider than their screen, or show a broken picture.

Needs Chromium (`apt-get install chromium`, or its path in CHROMIUM), Playwright from PyPI, and the
fonts of what the demo's posts say (`apt-get install fonts-noto-cjk fonts-noto-color-emoji`).
"""

import argparse
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
from playwright.sync_api import Browser, Page, sync_playwright

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
TALLEST = 3000
"""Pixels of a page that are taken with `--every`."""
PATIENCE = 120_000
"""Milliseconds for a page and all its pictures."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", nargs="?", type=Path)
    parser.add_argument("--every", metavar="FOLDER", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = args.archive.resolve() if args.archive else demo(Path(folder))
        with browse(archive) as address, sync_playwright() as playwright:
            path = os.environ.get("CHROMIUM") or shutil.which("chromium")
            chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            if args.every:
                take_every(chromium, address, archive, args.every)
            else:
                take_those_of_the_docs(chromium, address, archive)
            chromium.close()


def take_those_of_the_docs(chromium: Browser, address: str, archive: Path) -> None:
    IMAGES.mkdir(exist_ok=True)
    found = pages(archive)
    for name, variants in SHOTS.items():
        for variant in variants:
            with page_of(chromium, variant) as page:
                page.goto(address + found[name], wait_until="networkidle")
                save(page.screenshot(), IMAGES / f"{name}-{variant}.png")


def take_every(chromium: Browser, address: str, archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for variant in ("375-light", "375-dark", "1440-dark", "1440-light"):
        with page_of(chromium, variant) as page:
            for name, path in every_page(archive).items():
                page.goto(address + path, wait_until="networkidle")
                too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                broken = page.evaluate(
                    "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
                )
                if too_wide > 0 or broken:
                    print(f"{name}-{variant}: {too_wide} pixels too wide, {broken} broken")
                width = int(variant.partition("-")[0])
                height = page.evaluate("document.documentElement.scrollHeight")
                clip = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}
                page.screenshot(path=folder / f"{name}-{variant}.png", full_page=True, clip=clip)


@contextmanager
def page_of(chromium: Browser, variant: str) -> Iterator[Page]:
    """A page of a size and a scheme: 375-dark."""
    width, scheme = variant.split("-")
    size = {"width": int(width), "height": SIZES[int(width)]}
    with chromium.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page


def demo(folder: Path) -> Path:
    """Make the demo's archive."""
    subprocess.run([sys.executable, "-m", "archiver", "-q", "demo", folder / "demo"], check=True)
    return folder / "demo" / "archive"


@contextmanager
def browse(archive: Path) -> Iterator[str]:
    """Serve it; gives the address."""
    command = [sys.executable, "-m", "archiver", "browse", archive, "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running.stdout.readline().split(" is at ")[1].split()[0].rstrip("/")
        finally:
            running.terminate()


def pages(archive: Path) -> dict[str, str]:
    """What to take pictures of for the docs."""
    edited = one(archive, "SELECT id FROM posts WHERE edited_at IS NOT NULL")
    base = "/archive/-"
    return {
        "home": f"{base}/home", "timeline": f"{base}/timeline?q=kiln", "gallery": f"{base}/gallery",
        "post": f"{base}/post/{edited}", "missing": f"{base}/missing",
        "evidence": f"{base}/post/{edited}/evidence",
    }  # fmt: skip


def every_page(archive: Path) -> dict[str, str]:
    """Every page of ours, and some of Datasette's own; of a harsh archive, its hardest posts."""
    base = "/archive/-"
    account = one(archive, "SELECT name FROM accounts ORDER BY length(name) DESC")
    longest = one(archive, "SELECT id FROM posts ORDER BY length(text) DESC")
    most = one(archive, "SELECT post_id FROM attachments GROUP BY 1 ORDER BY count(*) DESC")
    picture = one(archive, "SELECT attachment_id FROM renditions WHERE state = 'stored'")
    metric = one(
        archive,
        "SELECT post_id || '/metric?name=' || name FROM metrics WHERE attachment_id = 0 "
        "GROUP BY post_id, name ORDER BY count(*) DESC",
    )
    reply = one(archive, "SELECT post_id FROM relations WHERE kind = 'reply_to'")
    return pages(archive) | {
        "timeline-all": f"{base}/timeline",
        "timeline-account": f"{base}/timeline?account={account}",
        "timeline-nothing": f"{base}/timeline?q=nothingsaysthis",
        "timeline-arabic": f"{base}/timeline?q=صباح",
        "timeline-omitted": f"{base}/timeline?omitted=1",
        "post-long": f"{base}/post/{longest}", "post-carousel": f"{base}/post/{most}",
        "thread": f"{base}/thread/{reply}", "viewer": f"{base}/gallery/{picture}",
        "evidence-carousel": f"{base}/post/{most}/evidence",
        "evidence-long": f"{base}/post/{longest}/evidence",
        "print": f"{base}/print?account={account}&since=2026-08",
        "missing-gone": f"{base}/missing?state=gone",
        "on-this-day": f"{base}/on-this-day?day=03-14",
        "metric": f"{base}/post/{metric}", "numbers": f"{base}/numbers", "runs": f"{base}/runs",
        "not-found": f"{base}/nope", "tables": "/archive", "table-posts": "/archive/posts",
        "table-row": f"/archive/posts/{most}", "table-renditions": "/archive/renditions",
        "query": "/archive/most_liked", "sql": "/archive?sql=select+id,+text+from+posts+limit+5",
    }  # fmt: skip


def one(archive: Path, sql: str) -> object:
    """The first value that a query finds."""
    with closing(sqlite3.connect(f"{(archive / 'archive.db').as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchone()[0]


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
