"""How times grow with the archive: `python -m benchmarks.scale [POSTS …]`.

Archives of 10 thousand, 100 thousand and 1 million posts, two renditions to each; the curves are
drawn into docs/images/growth.svg, the numbers printed into docs/performance.md; and so are the
times of every page of `archiver browse` on the largest archive.
"""

import shutil
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio

from archiver.archive.database import DATABASE, reader
from archiver.backup.options import BackupOptions
from archiver.backup.run import run_backup
from archiver.clock import SystemClock
from archiver.config import load_config
from archiver.report import NoProgress
from benchmarks import big_archive
from benchmarks.__main__ import PAGE
from benchmarks.environment import HOME, ROOT
from benchmarks.library import bodies, plugins_with, settle
from benchmarks.rounds import measure
from docs.figures import put_figures

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 5
SEARCH = "SELECT posts.id FROM posts_fts JOIN posts ON posts.id = posts_fts.rowid WHERE posts_fts MATCH 'zirconium' ORDER BY created_at DESC LIMIT 50"
TIMELINE = "SELECT * FROM timeline LIMIT 50"
OLD = "SELECT * FROM timeline WHERE created_at < '2019' LIMIT 50"
COLOURS = ("#0b7285", "#c92a2a", "#2b8a3e", "#e67700", "#5f3dc4", "#495057")


def main(sizes: tuple[int, ...]) -> None:
    found: dict[str, list[float]] = {}
    for size in sizes:
        folder = HOME / "scale" / str(size)
        archive = folder / "archive"
        if not (archive / DATABASE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            archive.mkdir(parents=True)
            big_archive.make(archive, size, seed=1)
        for name, seconds in jobs(folder, archive).items():
            found.setdefault(name, []).append(seconds)
            print(f"{size:>9,}  {name:40} {1000 * seconds:8.1f} ms", flush=True)
    (ROOT / "docs" / "images" / "growth.svg").write_text(picture(sizes, found), "utf-8")
    put_figures(PAGE, "growth", table("job", sizes, found))
    put_figures(PAGE, "pages", big_archive.table(big_archive.measure(archive, 3 * ROUNDS)))


def table(what: str, sizes: tuple[int, ...], found: dict[str, list[float]]) -> str:
    """A line for each job, a column for each size."""
    lines = [f"| {what} | " + " | ".join(f"{size:,} posts" for size in sizes) + " |"]
    lines.append("|---" * (len(sizes) + 1) + "|")
    for name, values in found.items():
        lines.append(f"| {name} | " + " | ".join(f"{1000 * v:,.1f} ms" for v in values) + " |")
    return "\n".join(lines)


def jobs(folder: Path, archive: Path) -> dict[str, float]:
    """Seconds for each job, the median of a few rounds."""
    program = Path(sys.executable).with_name("archiver")
    config = settle(folder)
    asked: list[str | Path] = [program, "--config", config, "-q"]
    with reader(archive) as connection:
        found = {
            "search for a word": timed(lambda: connection.execute(SEARCH).fetchall()),
            "timeline, first page": timed(lambda: connection.execute(TIMELINE).fetchall()),
            "timeline, a page of 2018": timed(lambda: connection.execute(OLD).fetchall()),
        }
    found["`archiver status`"] = statistics.median(
        measure([*asked, "status"]).wall for _ in range(3)
    )
    found["`archiver verify`, a thousandth"] = statistics.median(
        measure([*asked, "verify", "--slice", f"{big_archive.MEASURED}/{big_archive.PARTS}"]).wall
        for _ in range(3)
    )
    found["a run: 100 posts, 10 of them new"] = incremental(folder, archive)
    return found


def timed(work: Callable[[], object]) -> float:
    """The median of some rounds, after one that warms up."""
    seconds = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])


def incremental(folder: Path, archive: Path) -> float:
    """A whole run of an account with a tenth of all posts, that meets what is known after ten new
    ones: each round brings ten others."""
    config = load_config(folder / "archive.toml")
    seconds = []
    for number in range(ROUNDS + 1):
        first = 1_000 - 10 * number
        plugins = plugins_with(list(bodies(100, first)), "3", has_more=True)

        run = partial(
            run_backup, config, plugins, BackupOptions(media=False, now=True), clock=SystemClock(),
            progress=NoProgress(), version="benchmark",
        )  # fmt: skip
        begin = time.perf_counter()
        anyio.run(run)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])


def picture(sizes: tuple[int, ...], found: dict[str, list[float]]) -> str:
    """The curves on logarithmic scales, a decade 160 pixels wide and fifty high."""
    from math import log10

    left, bottom, step, width = 90, 330, 160, 50
    low, high = -4, 2

    def at(size: float, seconds: float) -> str:
        x = left + (log10(size) - log10(sizes[0])) * step
        return f"{x:.0f},{bottom - (log10(max(seconds, 10**low)) - low) * width:.0f}"

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 380" font-family="sans-serif" '
        'font-size="13"><rect width="760" height="380" fill="#fff"/>'
    ]
    for power in range(low, high + 1):
        y = bottom - (power - low) * width
        label = f"{10**power:g} s" if power >= 0 else f"{10 ** (power + 3):g} ms"
        parts.append(
            f'<path d="M{left} {y}H{left + 2 * step}" stroke="#dee2e6"/>'
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end" fill="#495057">{label}</text>'
        )
    for size in sizes:
        x = at(size, 1).partition(",")[0]
        parts.append(
            f'<text x="{x}" y="{bottom + 22}" text-anchor="middle" fill="#495057">{size:,}</text>'
        )
    parts.append(
        f'<text x="{left + step}" y="{bottom + 42}" text-anchor="middle" fill="#495057">posts'
        "</text>"
    )
    for number, (name, values) in enumerate(found.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(at(size, value) for size, value in zip(sizes, values, strict=True))
        y = 50 + 24 * number
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
            f'<path d="M470 {y - 4}h24" stroke="{colour}" stroke-width="2.5"/>'
            f'<text x="502" y="{y}" fill="#212529">{name.strip("`").replace("`", "")}</text>'
        )
    return "".join(parts) + "</svg>\n"


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
