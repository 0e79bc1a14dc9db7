"""How much of a tenant's archive a night moves: `python -m benchmarks.fleet_versions [POSTS]`.

A first backup of so many posts (100,000), without media, is put into a folder as store; then nights
follow, each with ten new posts, as a worker would put them back. Counted are the bytes that are put.
"""

import sys
import tempfile
from pathlib import Path

from obstore.store import LocalStore

from archiver.archive.database import DATABASE
from archiver.fleet.versions import save_version
from benchmarks.clients.posts import backup
from benchmarks.library import PAGE, bodies

NEW, NIGHTS = 10, 3


def main(posts: int) -> None:
    """Print a line for each version that is put."""
    with tempfile.TemporaryDirectory() as name:
        folder, before = Path(name, "fleet"), None
        archive = folder / "archive"
        store = LocalStore(str(Path(name, "store")), mkdir=True)
        for night in range(NIGHTS + 1):
            count = NEW if night else posts
            shown = min(posts, 3 * PAGE) if night else posts  # a night asks until it knows a page
            backup(folder, list(bodies(shown, first=-NEW * night)), full=False)()
            version = f"{night + 1:08}-00000001"
            before = save_version(archive, store, version, before)
            size = (archive / DATABASE).stat().st_size
            sent = Path(name, "store", "versions", f"{version}.pack").stat().st_size
            print(
                f"{count:,} new posts: a database of {size / 1e6:,.1f} MB, {sent / 1e6:,.2f} MB put",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
