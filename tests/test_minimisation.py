"""Leaving out numbers and names: posts without them, and records cut to what posts need."""

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import RecordError
from archiver.minimisation import LeftOut, Minimiser
from archiver.models import Attachment, Extra, Metric, Post, Record, Relation
from support.nights import nights

RECORD: dict[str, Any] = {
    "id": "1207", "text": "Thanks @bob", "likes": 5, "stats": {"views": "99", "shares": 2.5},
    "pictures": [{"key": "m1", "likes": 3}, {"key": "m2", "likes": 4}],
    "from": {"name": "Bob Baker", "id": 18}, "tagged": ["Ann", "Bob"],
    "answers": {"id": "17", "url": "https://s.example/bob/17"}, "pinned": True, "none": None,
}  # fmt: skip


def read(data: Any) -> Post:
    """As a plugin would: it needs some fields, and takes others where they are there."""
    try:
        return Post(
            data["id"], text=data["text"], author=data.get("from", {}).get("name"),
            metrics=(Metric("likes", data.get("likes", 0)),),
            attachments=tuple(
                Attachment("image", each["key"], metrics=(Metric("likes", each.get("likes", 0)),))
                for each in data["pictures"]
            ),
            relations=(Relation("reply_to", data["answers"]["id"], data["answers"].get("url")),),
            extra=(Extra("tagged", data.get("tagged"), False), Extra("cw", "rain", True)),
            unmapped=tuple(data),
        )  # fmt: skip
    except LookupError as error:
        raise RecordError("A field is missing") from error


def reduced(record: dict[str, Any], *parts: LeftOut) -> tuple[Post, Any]:
    minimiser = Minimiser.of(parts)

    def read_reduced(data: Any) -> Post:
        return minimiser.reduce_post(read(data))

    text = minimiser.record_text(Record(json.dumps(record), record), read_reduced)
    return read_reduced(record), json.loads(text)


def test_without_the_setting_a_record_is_kept_as_it_came() -> None:
    text = '{"id":  "1", "likes": 1.50}'
    assert Minimiser().record_text(Record(text, None), read) == text
    assert Minimiser().reduce_post(read(RECORD)) == read(RECORD)


def test_numbers_go_and_those_that_a_post_needs_stay() -> None:
    post, record = reduced(RECORD, "numbers")
    assert post.metrics == post.attachments[0].metrics == ()
    assert post.author == "Bob Baker"
    assert record == {
        "id": "1207", "text": "Thanks @bob", "stats": {}, "from": {"name": "Bob Baker"},
        "pictures": [{"key": "m1"}, {"key": "m2"}], "tagged": ["Ann", "Bob"],
        "answers": {"id": "17", "url": "https://s.example/bob/17"}, "pinned": True, "none": None,
    }  # fmt: skip


def test_names_of_others_go_but_for_those_in_texts() -> None:
    post, record = reduced(RECORD, "people")
    assert post.author is None
    assert post.relations == (Relation("reply_to", "17"),)
    assert [each.name for each in post.extra] == ["cw"]
    assert "Baker" not in json.dumps(record)
    assert "s.example" not in json.dumps(record)
    assert record["text"] == "Thanks @bob"
    assert record["likes"] == 5


def test_a_value_that_only_some_records_need_stays_in_those() -> None:
    def read_either(data: Any) -> Post:
        return Post(str(data.get("id") or data.get("uri")))

    minimiser = Minimiser.of(["people"])
    first = {"id": "1", "uri": "a"}
    second = {"uri": "b", "name": "Bob"}
    texts = [
        minimiser.record_text(Record(json.dumps(each), each), read_either)
        for each in (first, second)
    ]
    assert list(map(json.loads, texts)) == [{"id": "1"}, {"uri": "b"}]


@pytest.mark.parametrize("text", ["{", '{"likes": 5}'])
def test_what_cannot_be_read_stays_as_it_came(text: str) -> None:
    assert Minimiser.of(["numbers", "people"]).record_text(Record(text, None), read) == text


def test_no_number_and_no_name_of_others_is_in_the_archive_from_the_start(tmp_path: Path) -> None:
    with nights(tmp_path, "facebook", "twitter", "threads", "linkedin") as world:
        for name in world.platforms:
            world.account(name).publish("Good morning").count(likes=7_654_321, comments=7_654_322)
        world.settings["archive"] = 'leave_out = ["numbers", "people"]'
        assert world.backup().exit_code == 0
        first = world.column("SELECT count(*) FROM posts")
        world.next_night()
        assert world.backup(full=True).counts.edited == 0
        assert world.column("SELECT count(*) FROM posts") == first
        assert world.column("SELECT count(*) FROM metrics") == [0]
        assert world.column("SELECT count(*) FROM posts WHERE author IS NOT NULL") == [0]
        assert world.column("SELECT count(*) FROM responses") == [0]
        everything = b"".join(
            path.read_bytes() for path in (tmp_path / "archive").glob("archive.db*")
        )
    assert b"Good morning" in everything
    assert b"7654321" not in everything
