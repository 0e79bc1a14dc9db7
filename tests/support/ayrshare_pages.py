"""Asking the Ayrshare plugin for an account's history, of a server that the test plays."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from archiver import Page, Window
from archiver.testing import FakeHttp
from archiver_ayrshare.client import AyrshareClient
from archiver_ayrshare.platform import AyrsharePlatform
from support.ayrshare_contract import account_for, client_for

NEWEST = date(2026, 11, 20)


def scan(
    platform: AyrsharePlatform, client: AyrshareClient, window: Window | None = None, **options: Any
) -> list[Page]:
    """The pages of a scan."""

    async def pages() -> list[Page]:
        account = account_for(platform, **options)
        return [page async for page in platform.pages(client, account, window or Window())]

    return asyncio.run(pages())


def ids(pages: Sequence[Page]) -> list[str]:
    found = (record.data["id"] for page in pages for record in page.records)
    return list(dict.fromkeys(found))


def posts(count: int, per_day: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "id": f"p{number}",
            "post": "Hello",
            "created": f"{NEWEST - timedelta(days=number // per_day)}T12:00:00Z",
        }
        for number in range(count)
    ]


def answering(*answers: tuple[int, Any]) -> tuple[AyrshareClient, FakeHttp]:
    """A server that gives these answers one after the other."""
    rest = list(answers)
    return client_for(lambda _request: rest.pop(0))


def api_error(code: int) -> dict[str, Any]:
    return {"action": "history", "status": "error", "code": code, "message": "Because."}


def error_saying(message: str) -> dict[str, Any]:
    """An error with a code that means nothing, and this message."""
    return {"action": "request", "status": "error", "code": 1, "message": message}
