"""A large account whose answers are made on the spot: pages of 500 Instagram posts, 2 KB each.

Only the wire is missing: bodies are split, read, compared and saved as in any run.
"""

import json
import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from archiver.archive import queue
from archiver.hookspecs import Platform
from archiver.jsontext import read_records
from archiver.models import Account, Identity, Page, Window
from archiver.plugins import Plugins, load_plugins
from archiver_ayrshare.instagram import Instagram

PAGE = 500
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = """
[archive]
directory = "archive"
keep_responses = "none"

[ayrshare]
api_key = "file:api-key"

[[accounts]]
name = "acme"
platform = "instagram"
"""
_SYLLABLES = [a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "ar", "en", "is")]


def body(start: int, count: int, signature: str = "0") -> bytes:
    """One answer: the posts from number `start` on, the newest first; `signature` signs files."""
    records = [_record(number, signature) for number in range(start, start + count)]
    return json.dumps({"status": "success", "posts": records}).encode()


def bodies(count: int, first: int = 0, signature: str = "0") -> Iterator[bytes]:
    """All answers for so many posts."""
    for start in range(first, first + count, PAGE):
        yield body(start, min(PAGE, first + count - start), signature)


def _record(number: int, signature: str) -> dict[str, Any]:
    chance = random.Random(number)
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(60)]
    name = str(17_900_000_000_000_000 + number)
    url = f"https://scontent.cdninstagram.com/v/{name}"
    return {
        "id": name, "post": " ".join(words), "likeCount": 12, "commentsCount": 3,
        "created": (FIRST - timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "mediaProductType": "FEED", "mediaType": "VIDEO", "username": "acme",
        "mediaUrls": [{
            "mediaUrl": f"{url}/o.mp4?oh={signature:0>64}&oe=7FFFFFFF", "mediaType": "VIDEO",
            "thumbnailUrl": f"{url}/t.jpg?oh={signature:0>64}&oe=7FFFFFFF",
        }],
        "postUrl": f"https://www.instagram.com/p/{number:x}/", "isSharedToFeed": True,
        "note": "".join(chance.choices("abcdefghij", k=900)),
    }  # fmt: skip


class Shelf(Instagram):
    """Instagram, but for the network."""

    def __init__(self, answers: list[bytes], platform_id: str, *, has_more: bool) -> None:
        super().__init__()
        self.answers = answers
        self.identity = Identity("instagram", platform_id)
        self.has_more = has_more

    async def identify(self, client: Any, account: Account) -> Identity | None:
        return self.identity

    async def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
        for number, answer in enumerate(self.answers):
            _, records = read_records(answer, "posts")
            if number < len(self.answers) - 1:
                yield Page(records, cursor=str(number))
            elif self.has_more:
                yield Page(records, end_reason="shows no more")
            else:
                yield Page(records, reached_start=True)


def plugins_with(
    answers: list[bytes], platform_id: str = "1", *, has_more: bool = False
) -> Plugins:
    """The installed plugins, with these answers in the place of Instagram's.

    `platform_id` says whose account it is; with `has_more`, it has more posts than it shows.
    """
    shelf = Shelf(answers, platform_id, has_more=has_more)

    def in_place(platform: Platform) -> Platform:
        return shelf if platform.name == shelf.name else platform

    return Plugins(tuple(
        replace(plugin, platforms=tuple(map(in_place, plugin.platforms)))
        for plugin in load_plugins().loaded
    ))  # fmt: skip


def settle_media(connection: sqlite3.Connection) -> None:
    """Mark every waiting file as stored, as if it had been fetched."""
    number = 0
    while found := queue.due_files(connection, [1], "2026-01-01T00:00:00.000Z", limit=1000):
        outcomes = []
        for wanted in found:
            number += 1
            digest = f"{number:064x}"
            path = f"media/{digest[:2]}/{digest}.jpg"
            outcomes.append(
                queue.Stored(wanted, digest, path, 100_000, "image/jpeg", 1080, 1080, None)
            )
        queue.save(connection, outcomes, 1, FIRST)


def settle(folder: Path) -> Path:
    """A folder with a config for the shelf; the config's path."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "api-key"
    key.write_text("benchmark")
    key.chmod(0o600)
    (folder / "archive.toml").write_text(CONFIG)
    return folder / "archive.toml"
