"""Somebody who asks a world things over HTTP."""

from collections.abc import Mapping
from typing import Any

import httpx

from archiver_ayrshare.demo.world import World
from support.served_world import RunningServer


class Api:
    """A client that knows the keys. `get` takes a path below the base URL."""

    def __init__(self, world: World, server: RunningServer, client: httpx.Client) -> None:
        self.world = world
        self.server = server
        self.client = client

    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.world.api_key}",
            "X-Twitter-OAuth1-Api-Key": self.world.x_api_key,
            "X-Twitter-OAuth1-Api-Secret": self.world.x_api_secret,
        }

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, **headers: str | None
    ) -> httpx.Response:
        """Header names are given with underscores; None leaves a usual one out."""
        sent: dict[str, str] = self.headers()
        for spelt, value in headers.items():
            name = spelt.replace("_", "-")
            sent = {k: v for k, v in sent.items() if k.lower() != name.lower()}
            if value is not None:
                sent[name] = value
        return self.client.get(f"{self.server.base_url}/{path}", params=params, headers=sent)

    def history(self, platform: str, **params: Any) -> dict[str, Any]:
        answer = self.get(f"history/{platform}", params)
        assert answer.status_code == 200, answer.text
        envelope: dict[str, Any] = answer.json()
        return envelope

    def posts(self, platform: str, **params: Any) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = self.history(platform, **params)["posts"]
        return records

    def walk(self, platform: str, **params: Any) -> list[dict[str, Any]]:
        """Every record of an account, by following `next`."""
        records = []
        while True:
            page = self.history(platform, **params)
            records += page["posts"]
            if not page["meta"]["pagination"]["hasMore"]:
                return records
            params["next"] = page["meta"]["pagination"]["next"]

    def media(self, url: str, **headers: str) -> httpx.Response:
        return self.client.get(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
