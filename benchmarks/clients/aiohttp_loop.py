"""The peer: what a good programmer writes with aiohttp in an evening. SHA-256 and rename, no more.

aiohttp_loop.py URLS CONNECTIONS FOLDER [CERTIFICATE]
"""

import asyncio
import hashlib
import os
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp


async def work(client: aiohttp.ClientSession, urls: Iterator[str], folder: Path) -> None:
    for url in urls:
        part = folder / f"{id(url):x}.part"
        digest = hashlib.sha256()
        async with client.get(url) as response:
            response.raise_for_status()
            with part.open("wb", buffering=0) as file:
                async for data in response.content.iter_any():
                    digest.update(data)
                    file.write(data)
        name = digest.hexdigest()
        os.replace(part, folder / name[:2] / name)


async def main(urls: list[str], connections: int, folder: Path, certificate: str | None) -> None:
    for number in range(256):
        (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    connector = aiohttp.TCPConnector(limit=connections, ssl=context or True)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as client:
        todo = iter(urls)
        await asyncio.gather(*(work(client, todo, folder) for _ in range(connections)))


if __name__ == "__main__":
    asyncio.run(
        main(
            Path(sys.argv[1]).read_text().split(), int(sys.argv[2]), Path(sys.argv[3]),
            sys.argv[4] if len(sys.argv) > 4 else None,
        )
    )  # fmt: skip
    peak = next(line for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
    print("peak", peak.split()[1])
