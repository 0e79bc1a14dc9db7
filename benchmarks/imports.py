"""Import one large archive of X: `python -m benchmarks.imports [POSTS] [--profile]`.

Of 200,000 posts (or as many as are asked for), every fifth has a picture of 60 KB. The import is
compared with `unzip` and a first backup of as many posts, which together do what it does: files out
of the package, and rows. With `--profile` the functions that took longest are printed instead.
"""

import argparse
import cProfile
import os
import pstats
import shutil
import sys
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path

from archiver.clock import SystemClock
from archiver.config import load_config
from archiver.imports.import_record import ImportOptions
from archiver.imports.import_run import run_import
from archiver.imports.report import NoImportProgress
from archiver.plugins import load_plugins
from benchmarks.rounds import ERRORS, Cost, measure
from support.exports.tweets import BEGIN, Tweet, TweetMedia, TweetWorld, tweet_id
from support.media.samples import picture

CLIENT = Path(__file__).parent / "clients" / "posts.py"
PICTURE = 60_000  # bytes
CONFIG = '[archive]\ndirectory = "archive"\n'
TEXT = "Post number {}, with as many words as people write on average, & a link or an emoji 🏺."


def write_package(path: Path, posts: int) -> None:
    """An archive of X of so many posts; every fifth has a picture of its own."""
    tweets = []
    for number in range(posts):
        at = BEGIN - timedelta(minutes=10 * number)
        media = [TweetMedia(str(9_000_000 + number), base=f"P{number}.jpg")]
        name = tweet_id(at, number % 4096)
        own = media if number % 5 == 0 else []
        tweets.append(Tweet(name, at, TEXT.format(number), own, likes=number % 50))
    files = TweetWorld(tweets).files(parts=max(1, posts // 50_000))
    shown = picture("JPEG")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as package:
        for name, content in files.items():
            is_picture = name.endswith(".jpg")
            data = shown + os.urandom(PICTURE - len(shown)) if is_picture else content
            package.writestr(name, data, None if is_picture else zipfile.ZIP_DEFLATED)


def import_once(folder: Path, package: Path) -> None:
    """Import the package into a new archive in this process."""
    (folder / "archive.toml").write_text(CONFIG)
    run_import(
        load_config(folder / "archive.toml"), load_plugins().export_readers, {"export": "export"},
        ImportOptions((package,)), clock=SystemClock(), progress=NoImportProgress(),
        version="benchmark",
    )  # fmt: skip


def compared(folder: Path, package: Path, posts: int) -> dict[str, Cost]:
    """What the import costs, and what each of its peers does."""
    unzip = shutil.which("unzip")
    out = folder / "out"
    unpack: list[str | Path] = [sys.executable, "-m", "zipfile", "-e", package, out]
    if unzip:
        unpack = [unzip, "-q", package, "-d", out]
    (folder / "archive.toml").write_text(CONFIG)
    ours: list[str | Path] = [
        sys.executable,
        "-m",
        "archiver",
        "--config",
        folder / "archive.toml",
        "-q",
    ]
    commands: dict[str, list[str | Path]] = {
        "unzip": unpack,
        "first backup": [sys.executable, CLIENT, "write", folder / "backup", str(posts)],
        "import": [*ours, "import", package],
        "import again": [*ours, "import", package],
    }
    (folder / "backup").mkdir()
    found = {}
    for name, command in commands.items():
        os.sync()
        found[name] = measure(command, env={"PYTHONPATH": os.pathsep.join(sys.path)})
    return found


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("posts", type=int, nargs="?", default=200_000)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--write", type=Path, help="only write the package")
    asked = parser.parse_args()
    if asked.write:
        write_package(asked.write, asked.posts)
        return
    ERRORS.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        package = Path(name) / "x.zip"
        own: list[str | Path] = [sys.executable, "-m", "benchmarks.imports"]
        # in another process: what this one held would count as the memory of its children
        measure([*own, str(asked.posts), "--write", package])
        if asked.profile:
            profile = cProfile.Profile()
            profile.runcall(import_once, Path(name), package)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return
        found = compared(Path(name), package, asked.posts)
    for what, cost in found.items():
        print(f"{what}: {cost.wall:.1f} s ({cost.cpu:.1f} s of work), {cost.memory:.0f} MiB")
    peers = found["unzip"].wall + found["first backup"].wall
    print(f"import / (unzip + first backup): {found['import'].wall / peers:.2f} (at most 2)")


if __name__ == "__main__":
    main()
