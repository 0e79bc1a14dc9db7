"""The history of one post: found by any of its names, and told version by version."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.history import PostHistory, find_posts, post_history
from archiver.models import Alias, Metric, Post
from support.saver import POST, Saver, saving


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as found:
        yield found


def edited(text: str, likes: int = 3) -> Post:
    return replace(
        POST, text=text, content={"text": text}, metrics=(Metric("likes", likes),),
        aliases=(Alias("shortcode", "Cabc"),), url="https://example.com/p/1",
    )  # fmt: skip


def only_history(connection: sqlite3.Connection, name: str) -> PostHistory:
    (post,) = find_posts(connection, name)
    return post_history(connection, post)


@pytest.mark.parametrize("name", ["1", "p1", "https://example.com/p/1", "Cabc"])
def test_a_post_is_found_by_each_of_its_names(saver: Saver, name: str) -> None:
    saver.save(edited("Good morning"))
    assert [post.platform_id for post in find_posts(saver.connection, name)] == ["p1"]


@pytest.mark.parametrize("name", ["2", "", "p", "9" * 30])
def test_what_names_no_post_finds_none(saver: Saver, name: str) -> None:
    saver.save(edited("Good morning"))
    assert find_posts(saver.connection, name) == []


def test_each_version_says_what_was_taken_out_and_put_in(saver: Saver) -> None:
    for text in ("Good morning", "Good evening", "Good evening all"):
        saver.save(edited(text))
    history = only_history(saver.connection, "p1")
    assert [(version.number, version.why) for version in history.versions] == [
        (1, "first"), (2, "edited"), (3, "edited"),
    ]  # fmt: skip
    texts = [
        [(piece.what, piece.text) for edit in version.edits for piece in edit.pieces]
        for version in history.versions
    ]
    assert texts[1] == [("same", "Good "), ("out", "morning"), ("in", "evening")]
    assert texts[2] == [("same", "Good evening"), ("in", " all")]


def test_metrics_are_series_and_events_are_in_order(saver: Saver) -> None:
    for likes in (3, 5, 5, 4):
        saver.save(edited("Good morning", likes))
    history = only_history(saver.connection, "p1")
    (likes_series,) = history.metrics
    assert likes_series.name == "likes"
    assert likes_series.attachment is None
    assert [value for _, value in likes_series.values] == [3, 5, 4]
    assert [event.what for event in history.events] == ["seen"]
