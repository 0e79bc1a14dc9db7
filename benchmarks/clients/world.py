"""world.py FOLDER: serves ten accounts of 200 posts, each answer 30 ms late, until it is stopped.

Writes a config for them into FOLDER, and then prints a line.
"""

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import Receive, Scope, Send

from archiver.webserver import listen, running
from archiver_ayrshare.accounts import PLATFORMS
from archiver_ayrshare.demo.app import application
from archiver_ayrshare.demo.world import World

LATENCY = 0.03
SUFFIX = "/file.jpg"
"""May follow any path: gallery-dl takes for files only what looks so by its address."""
CONFIG = """
[archive]
directory = "archive"

[ayrshare]
api_key = "file:{folder}/api-key"
x_api_key = "file:{folder}/x-key"
x_api_secret = "file:{folder}/x-secret"
base_url = "{base}/api"

[media]
per_host = 16

[network]
allow = ["127.0.0.0/8"]
"""


def main(folder: Path) -> None:
    world = World(lambda: datetime.now(UTC))
    for platform in PLATFORMS:
        world.account(platform).populate(200, stories=False)
    inner = application(world)

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(LATENCY)
            path = scope["path"].removesuffix(SUFFIX)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await inner(scope, receive, send)

    sock = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    world.origins = [base]
    keys = (
        ("api-key", world.api_key),
        ("x-key", world.x_api_key),
        ("x-secret", world.x_api_secret),
    )
    for name, secret in keys:
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    accounts = "".join(f'\n[[accounts]]\nname = "{p}"\nplatform = "{p}"\n' for p in PLATFORMS)
    (folder / "archive.toml").write_text(CONFIG.format(base=base, folder=folder) + accounts)
    with running(late, [sock]):
        print("ready", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(Path(sys.argv[1]))
