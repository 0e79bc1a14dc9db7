"""Archives to look at, and the pages of one served over real HTTP on a free port."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from archiver.browse import server
from archiver.browse.connections import closing_connections
from archiver.cli import main
from archiver.media.playlists import joining, making
from archiver.webserver import listen, origin_of, running
from archiver_ayrshare.demo.specs import photo
from support.nights import nights

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    '"><svg onload=alert(1)> javascript:alert(1) https://example.com/?a="onmouseover=alert(1) '
    "<style>*{display:none}</style> {{ 7*7 }} end"
)

MORE: dict[str, Any] = {"youtube": {"title": HOSTILE}, "instagram": {"media": [photo()]}}


def demo_archive(folder: Path) -> Path:
    """The demo's archive: ten platforms, three days; as `make demo` makes it, without `hls`."""
    with (
        pytest.MonkeyPatch.context() as patch,
        ThreadPoolExecutor(1) as apart,  # Playwright has an event loop in this thread
    ):
        for module in (making, joining):
            patch.setattr(module, "can_remux", lambda: False)
        result = apart.submit(CliRunner().invoke, main, ["-q", "demo", str(folder)]).result()
    assert result.exit_code == 0, result.output
    return folder / "archive" / "archive.db"


def hostile_archive(folder: Path) -> Path:
    """An archive whose posts, names and titles try to be markup."""
    folder.mkdir(parents=True, exist_ok=True)
    with nights(folder, "instagram", "youtube", "threads") as world:
        for platform in world.platforms:
            account = world.account(platform)
            account.publish(HOSTILE, **MORE.get(platform, {}))
        with ThreadPoolExecutor(1) as apart:
            assert apart.submit(world.backup).result().exit_code == 0
    database = folder / "archive" / "archive.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE accounts SET title = ?, handle = ?", (HOSTILE, HOSTILE))
        connection.execute("UPDATE attachments SET alt_text = ?", (HOSTILE,))
        connection.execute("UPDATE posts SET url = 'javascript:alert(1)', author = ?", (HOSTILE,))
    return database


@contextmanager
def serving(datasette: Any) -> Iterator[str]:
    """The pages over HTTP, for as long as it lasts; gives the address, without a slash behind."""
    listener = listen(server.HOST, 0)
    with (
        closing_connections(datasette),
        running(datasette.app(), [listener], lifespan=True),
    ):
        yield origin_of(listener)


@contextmanager
def browsing(database: Path) -> Iterator[httpx.Client]:
    """A client of `archiver browse` over an archive."""
    with (
        serving(server.make_datasette(database)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        yield client
