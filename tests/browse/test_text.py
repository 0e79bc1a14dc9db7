"""What is shown of records and of edits, however odd they are."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.record_diff import changes, text_at
from archiver.browse.text import (
    KINDS,
    expires,
    metric_label,
    open_label,
    platform_class,
    platform_name,
    pretty_json,
)
from archiver_ayrshare.demo.networks.base import JsonObject
from archiver_ayrshare.demo.posts import WorldPost
from support.browsing import browsing
from support.nights import nights, rewrite

DEPTHS = (1, 20, 300, 480, 600, 900, 5000, 100_000)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_no_record_is_too_deep_to_be_shown(depth: int, brackets: str) -> None:
    begin = "[" if brackets == "[]" else '{"a":'
    inner = "1" if brackets == "[]" else "{}"
    record = f'{{"id":"1","post":"x","deep":{begin * depth}{inner}{brackets[1] * depth}}}'
    assert "".join(pretty_json(record).split()) == record
    assert changes(record, record) == []
    assert text_at(record, "id") in {"1", None}


def test_what_is_shallow_is_indented() -> None:
    assert pretty_json('{"a":[1.10,{}]}') == '{\n  "a": [\n    1.10,\n    {}\n  ]\n}'


def test_pages_of_a_post_whose_record_is_deep(tmp_path: Path) -> None:
    def deepen(post: WorldPost, record: JsonObject) -> None:
        deep: Any = post.text
        for level in range(600):
            deep = {"in": [deep]} if level % 2 else [deep]
        record["deep"] = deep

    with nights(tmp_path, "threads") as world:
        account = world.account("threads")
        post = account.publish("Before")
        rewrite(account, deepen)
        world.backup()
        post.edit(text="After")
        world.next_night()
        assert world.backup().counts.edited == 1
        with browsing(tmp_path / "archive" / "archive.db") as client:
            for page in ("-/post/1", "posts", "posts/1", "revisions", "-/timeline"):
                answer = client.get(f"/archive/{page}")
                assert answer.status_code == 200, page
                assert "After" in answer.text


@pytest.mark.parametrize(
    ("platform", "name"),
    [("twitter", "X"), ("youtube", "YouTube"), ("mastodon", "Mastodon"), ("", "")],
)
def test_a_platform_is_called_as_people_call_it(platform: str, name: str) -> None:
    assert platform_name(platform) == name


@pytest.mark.parametrize(
    ("platform", "css"),
    [("twitter", "p-twitter"), ("p-x gone", "p-other"), ('"><b>', "p-other"), ("Ünf", "p-other")],
)
def test_a_platform_is_one_class_whatever_its_name(platform: str, css: str) -> None:
    assert platform_class(platform) == css


def test_every_kind_can_be_chosen() -> None:
    assert {"post", "reel", "story", "video"} < set(KINDS)


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [("replies", 1, "reply"), ("replies", 2, "replies"), ("likes", 1, "like"),
     ("likes", 0, "likes"),     ("views", 1.0, "view"), ("reach", 1, "reach")],
)  # fmt: skip
def test_one_is_singular(name: str, value: float, label: str) -> None:
    assert metric_label(name, value) == label


@pytest.mark.parametrize(
    ("platform", "url", "label"),
    [
        ("instagram", "https://www.instagram.com/p/x", "Open on Instagram"),
        ("twitter", "https://x.com/a/status/1", "Open on X"),
        ("bluesky", "https://bsky.app/profile/x", "Open on Bluesky"),
        ("mastodon", "https://mastodon.example/@a/1", "Open at mastodon.example"),
        ("instagram", "https://instagram.com.evil.example/p", "Open at instagram.com.evil.example"),
        ("instagram", "https://instagram.com@evil.example/p", "Open at evil.example"),
        ("instagram", "https://[broken", "Open the original"),
    ],
)
def test_a_link_to_the_original_says_where_it_leads(platform: str, url: str, label: str) -> None:
    assert open_label(platform, url) == label


def test_a_story_expires_or_has_expired() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert expires("2026-03-02T00:00:01Z", now) == "Expires"
    assert expires("2026-03-01T23:59:59Z", now) == "Expired"
