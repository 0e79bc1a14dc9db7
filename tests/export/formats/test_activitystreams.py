"""Posts as ActivityStreams 2.0, laid out as Mastodon's own export is."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.database import transaction
from archiver.archive.rows import insert
from archiver.export.formats.activitystreams import PUBLIC
from archiver.models import Post, Relation
from support.exporting import PICTURE, exported
from support.saver import POST, saving


@pytest.fixture(scope="module")
def export(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(directory, tmp_path_factory.mktemp("as") / "out", "activitystreams").folder


def outbox(folder: Path) -> list[dict[str, Any]]:
    found = json.loads((folder / "outbox.json").read_text())
    assert found["type"] == "OrderedCollection"
    assert found["totalItems"] == len(found["orderedItems"])
    return list(found["orderedItems"])


def test_each_post_is_a_note_with_its_files(export: Path) -> None:
    by_id = {one["object"]["id"]: one["object"] for one in outbox(export)}
    note = by_id["https://threads.example/p1"]
    assert note["content"] == "<p>Good evening</p>"
    assert (note["to"], note["likes"]["totalItems"]) == ([PUBLIC], 5)
    (attachment,) = note["attachment"]  # the other one is omitted by the platform
    assert (attachment["type"], attachment["mediaType"]) == ("Document", "image/jpeg")
    assert (attachment["name"], attachment["width"]) == ("Bowl m1", 30)
    assert attachment["url"].startswith("/media_attachments/files/")
    assert (export / attachment["url"].lstrip("/")).read_bytes() == PICTURE
    answer = by_id["tag:threads.invalid,2026:p3"]
    assert answer["inReplyTo"] == "tag:threads.invalid,2026:p2"
    assert answer["content"] == "<p>An answer, „grüß“ 日本語<br />🏺</p>"


def test_the_account_and_the_empty_lists_are_there(export: Path) -> None:
    actor = json.loads((export / "actor.json").read_text())
    assert (actor["type"], actor["outbox"]) == ("Person", "outbox.json")
    assert {one["actor"] for one in outbox(export)} == {actor["id"]}
    for name in ("likes.json", "bookmarks.json"):
        assert json.loads((export / name).read_text())["orderedItems"] == []


def test_whom_a_post_is_for_is_never_wider_than_it_was(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(*(
            Post(word, text=word, visibility=word, content={"text": word})
            for word in ("public", "unlisted", "followers", "direct", "of a kind unknown")
        ))  # fmt: skip
    found = {
        one["object"]["content"]: (PUBLIC in one["to"], PUBLIC in one["cc"], bool(one["to"]))
        for one in outbox(exported(tmp_path / "archive", tmp_path / "o", "activitystreams").folder)
    }
    assert found == {
        "<p>public</p>": (True, False, True), "<p>unlisted</p>": (False, True, True),
        "<p>followers</p>": (False, False, True), "<p>direct</p>": (False, False, False),
        "<p>of a kind unknown</p>": (False, False, False),
    }  # fmt: skip


def test_a_repost_is_an_announce_and_text_is_never_markup(tmp_path: Path) -> None:
    evil = replace(POST, text="<script>x</script> #tea & #grün\n\nnext", url="javascript:x")
    with saving(tmp_path) as saver:
        saver.save(
            evil,
            Post("p2", kind="repost", content={},
                 relations=(Relation("reposts", "9", "https://b.example/9"),)),
        )  # fmt: skip
    made = exported(tmp_path / "archive", tmp_path / "out", "activitystreams")
    by_type = {one["type"]: one["object"] for one in outbox(made.folder)}
    assert by_type["Announce"] == "https://b.example/9"
    note = by_type["Create"]
    assert note["content"] == "<p>&lt;script&gt;x&lt;/script&gt; #tea &amp; #grün</p><p>next</p>"
    assert [tag["name"] for tag in note["tag"]] == ["#tea", "#grün"]
    assert note["url"] is None


def test_several_accounts_have_a_folder_each(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(POST)
        with transaction(saver.connection):
            insert(
                saver.connection, "accounts", id=2, name="other", platform="threads",
                first_seen_at="2026-03-01T21:00:00.000Z",
            )  # fmt: skip
            insert(
                saver.connection, "posts", id=99, account_id=2, platform="threads",
                platform_id="q1", kind="post", first_seen_at="2026-03-01T21:00:00.000Z",
                last_seen_at="2026-03-01T21:00:00.000Z", raw="{}",
            )  # fmt: skip
    folder = exported(tmp_path / "archive", tmp_path / "out", "activitystreams").folder
    assert [len(outbox(folder / name)) for name in ("1-acme", "2-other")] == [1, 1]
