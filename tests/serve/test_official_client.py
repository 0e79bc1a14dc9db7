"""The vendor's own client for Python reads the archive, unchanged."""

from typing import Any

import ayrshare.ayrshare  # type: ignore[import-untyped]  # has no types
import pytest

from support.nights import PLATFORMS, Nights
from support.serve.serving import TOKEN, Asking


@pytest.fixture
def client(archive: Asking, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(ayrshare.ayrshare, "base", f"{archive.base_url}/")
    return ayrshare.SocialPost(TOKEN)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_gets_the_history_of_every_platform(client: Any, lived: Nights, platform: str) -> None:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.history({"id": platform, "limit": 6, **cursor})
        assert answer["status"] == "success"
        found += [record["id"] for record in answer["posts"]]
        paging = answer["meta"]["pagination"]
        if not paging["hasMore"]:
            break
        cursor = {"next": paging["next"]}
    assert found == lived.column(
        "SELECT platform_id FROM posts WHERE platform = ? AND removed_at IS NULL "
        "ORDER BY created_at DESC, id", platform,
    )  # fmt: skip


def test_it_sends_truth_values_in_capitals(client: Any) -> None:
    answer = client.history({"id": "facebook", "skipAnalytics": True, "pagePublished": False})
    assert [list(record) for record in answer["posts"]] == [["id"]] * 10


def test_it_sends_x_keys_and_a_profile_key(client: Any) -> None:
    client.set_twitter_byo("key", "secret")
    client.setProfileKey("twitter")
    assert client.history({"id": "twitter"})["status"] == "success"
    assert client.history({"id": "instagram"})["code"] == 156


def test_it_asks_who_is_linked(client: Any) -> None:
    assert client.user()["activeSocialAccounts"] == list(PLATFORMS)
    assert len(client.getProfiles()["profiles"]) == len(PLATFORMS)


def test_it_reads_the_codes_of_errors(client: Any) -> None:
    assert client.history({"id": "myspace"})["code"] == 221
    assert ayrshare.SocialPost("wrong").history({"id": "twitter"})["code"] == 401
