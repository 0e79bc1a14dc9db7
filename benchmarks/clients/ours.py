"""The media side of a backup as it is: queue, client, checks, durable store, rows in the archive.

ours.py ARCHIVE CONNECTIONS [CERTIFICATE]: fetches what waits in the archive.
"""

from archiver.garbage import collect_less, modules_loaded

collect_less()  # as a command does

with modules_loaded():
    import ssl
    import sys
    from pathlib import Path
    from types import SimpleNamespace
    from typing import cast

    import anyio

    from archiver.archive.database import writer
    from archiver.backup.account import AccountBackup
    from archiver.backup.context import RunContext
    from archiver.backup.database_thread import DatabaseThread
    from archiver.backup.media_fetcher import MediaFetcher
    from archiver.clock import SystemClock
    from archiver.media.download import Downloader
    from archiver.media.folder_store import FolderStore
    from archiver.media.playlists.joining import FilmJoiner
    from archiver.net.fetch import MediaClient
    from archiver.net.guard import AddressGuard, GuardedBackend
    from archiver.net.transport import Transport
    from archiver.report import AccountReport, NoProgress


async def main(directory: Path, connections: int, certificate: str | None) -> None:
    clock = SystemClock()
    guard = AddressGuard(["127.0.0.0/8"])
    transport = Transport(
        connections=connections, per_host=connections, backend=GuardedBackend(guard),
        ssl_context=ssl.create_default_context(cafile=certificate) if certificate else None,
    )  # fmt: skip
    with writer(directory) as connection:
        store = FolderStore(directory)
        store.prepare()
        media = MediaClient(guard, clock, transport=transport)
        downloader = Downloader(
            media.open, store.tmp, clock, max_size=1 << 40, on_bytes=NoProgress().received
        )
        run = RunContext(DatabaseThread(connection), 1, clock, NoProgress())
        films = FilmJoiner(downloader, store.tmp, "best")
        files = MediaFetcher(run, store, downloader, films, connections, listing_done=True)
        report = AccountReport("acme", "instagram", "ayrshare")
        account = cast("AccountBackup", SimpleNamespace(report=report))  # all that is used of it
        files.accounts[1] = {"ayrshare": account}
        async with media:
            await files.fetch_all()
        waiting = connection.execute(
            "SELECT count(*) FROM renditions WHERE state <> 'stored'"
        ).fetchone()[0]
        if waiting or files.failures:
            raise SystemExit(f"{waiting} files were not stored: {files.failures}")


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
    peak = next(line for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
    print("peak", peak.split()[1])
