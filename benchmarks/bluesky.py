"""How long a first backup of a large Bluesky account takes, and how much memory: without media.

    python -m benchmarks.bluesky [--posts 10000] [--peers]

The account is on a server of the tests, or with `--peers` on a real PDS (`make bluesky-peers`). The
backup runs in a process of its own, so that its memory is its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # what plays the servers is there

from archiver.clock import SystemClock
from archiver.webserver import listen, origin_of, running
from support.bluesky.nights import Archive
from support.bluesky.peers import running_peers
from support.bluesky.world import AtNetwork

AT_ONCE = 200  # com.atproto.repo.applyWrites takes no more


def main() -> None:
    """Measure, and print one line for each run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--peers", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        archive = Archive(Path(name), SystemClock())
        account = on_real_server if asked.peers else on_own_server
        with account(archive, asked.posts):
            for what in ("first backup", "unchanged", "full scan"):
                measure(archive, what, "--full" if what == "full scan" else "--now")
            measure(archive, "verify", None)


def measure(archive: Archive, what: str, option: str | None) -> None:
    """Run the command, and say what it took."""
    command = [sys.executable, "-m", "archiver", "--config", str(archive.config_file), "-q"]
    command += ["verify"] if option is None else ["backup", option]
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    posts = archive.column("SELECT count(*) FROM posts")[0]
    print(
        f"{what}: {posts:,} posts, {seconds:.1f} s ({busy:.1f} s of work), "
        f"at most {after.ru_maxrss / 1024:.0f} MB so far"
    )


@contextmanager
def on_own_server(archive: Archive, posts: int) -> Iterator[None]:
    """An account on the server of the tests, which makes its answer once."""
    network = AtNetwork(lambda: datetime.now(UTC))
    sock = listen("127.0.0.1", 0)
    network.base_url = origin_of(sock)
    account = network.account("large.example")
    for number in range(posts):
        moment = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(hours=8 * number)
        text = f"Post number {number}, with as much text as posts have on average, or so."
        account.post(text, createdAt=moment.isoformat())
    whole = account.repository()
    account.repository = lambda: whole  # type: ignore[method-assign]  # made once
    archive.plc, archive.appview = f"{network.base_url}/plc", f"{network.base_url}/appview"
    archive.handle = account.handle
    with running(network, [sock], quiet=True):
        yield


@contextmanager
def on_real_server(archive: Archive, posts: int) -> Iterator[None]:
    """An account on a real PDS."""
    with running_peers(archive.folder) as peers:
        account = peers.account("large.test")
        for begin in range(0, posts, AT_ONCE):
            writes = [
                {
                    "$type": "com.atproto.repo.applyWrites#create",
                    "collection": "app.bsky.feed.post",
                    "value": {
                        "$type": "app.bsky.feed.post",
                        "text": f"Post number {number}, with as much text as posts have, or so.",
                        "createdAt": f"{2016 + number // 1000}-11-27T10:{number % 60:02d}:00.000Z",
                    },
                }
                for number in range(begin, min(begin + AT_ONCE, posts))
            ]
            account.call("com.atproto.repo.applyWrites", repo=account.did, writes=writes)
        archive.plc, archive.appview = peers.plc, peers.servers[0]
        archive.handle = "large.test"
        yield


if __name__ == "__main__":
    main()
