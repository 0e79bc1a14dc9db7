"""Posts into the archive: what makes a revision, an event, a metric, and what makes nothing."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.models import Alias, Metric, Post, Relation, Rendition
from support.saver import PHOTO, POST, Saver, saving


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as found:
        yield found


def test_a_post_seen_for_the_first_time_is_revision_one(saver: Saver) -> None:
    assert saver.save(POST).new == 1
    assert saver.rows("SELECT number FROM revisions") == [(1,)]
    assert saver.rows("SELECT what FROM events") == [("seen",)]
    assert saver.rows("SELECT name, value FROM metrics") == [("likes", 3)]


def test_the_same_post_again_writes_nothing(saver: Saver) -> None:
    saver.save(POST)
    saver.save(POST)
    assert saver.written == 0


def test_a_rotated_host_and_signature_is_no_change(saver: Saver) -> None:
    saver.save(POST)
    elsewhere = replace(PHOTO, renditions=(Rendition("original", "https://b.example/1.jpg?sig=2"),))
    saver.connection.execute("UPDATE renditions SET state = 'stored'")
    saver.save(replace(POST, attachments=(elsewhere,)))
    assert saver.written == 0


def test_a_file_that_still_waits_takes_the_newest_address(saver: Saver) -> None:
    saver.save(POST)
    fresh = replace(PHOTO, renditions=(Rendition("original", "https://b.example/1.jpg?sig=2"),))
    saver.save(replace(POST, attachments=(fresh,)))
    assert saver.rows("SELECT url FROM renditions") == [("https://b.example/1.jpg?sig=2",)]


def test_an_edit_and_the_way_back_are_three_revisions(saver: Saver) -> None:
    edited = replace(POST, text="Good night", content={"text": "Good night"})
    saver.save(POST)
    assert saver.save(edited).edited == 1
    assert saver.save(POST).edited == 1
    assert saver.rows("SELECT number, json_extract(raw, '$.text') FROM revisions") == [
        (1, "Good morning"), (2, "Good night"), (3, "Good morning"),
    ]  # fmt: skip
    assert saver.rows("SELECT text, edited_at FROM posts") == [
        ("Good morning", "2026-03-03T21:00:00.000Z")
    ]


def test_an_alt_text_that_was_edited_is_a_revision(saver: Saver) -> None:
    saver.save(POST)
    described = replace(PHOTO, alt_text="A blue bowl")
    assert saver.save(replace(POST, attachments=(described,))).edited == 1
    assert saver.rows("SELECT number FROM revisions") == [(1,), (2,)]
    assert saver.rows("SELECT alt_text, last_revision FROM attachments") == [("A blue bowl", 2)]


VISIBILITY_EVENTS = "SELECT reason FROM events WHERE what = 'visibility_changed'"


def test_a_changed_visibility_is_an_event_that_says_what_it_was(saver: Saver) -> None:
    for visibility in (None, "public", "public", "private", None, "public"):
        saver.save(replace(POST, visibility=visibility))
    assert saver.rows(VISIBILITY_EVENTS) == [("public → private",)]
    assert saver.rows("SELECT what FROM events WHERE what = 'edited'") == []


@pytest.mark.parametrize("visibility", ["private", "removed"])
def test_an_id_only_answer_says_who_may_see_a_known_post(saver: Saver, visibility: str) -> None:
    saver.save(replace(POST, title="Bowls", visibility="public"))
    hidden = Post("p1", title="Private video", visibility=visibility, id_only=True)
    said = "SELECT title, text, visibility, edited_at FROM posts"
    for _ in range(2):
        assert saver.save(hidden).edited == 0
        assert saver.rows(said) == [("Bowls", "Good morning", visibility, None)]
    assert saver.written == 0, "the same answer again says nothing new"

    saver.save(Post("p1", id_only=True))
    assert saver.rows(said) == [("Bowls", "Good morning", visibility, None)]

    saver.save(replace(POST, title="Bowls", visibility="public"))
    assert saver.rows(said) == [("Bowls", "Good morning", "public", None)]
    assert saver.rows("SELECT number FROM revisions") == [(1,)]
    assert saver.rows("SELECT what, reason FROM events") == [
        ("seen", None), ("visibility_changed", f"public → {visibility}"),
        ("visibility_changed", f"{visibility} → public"),
    ]  # fmt: skip


def test_ids_that_differ_in_the_case_of_a_letter_are_two_posts(saver: Saver) -> None:
    assert saver.save(replace(POST, platform_id="a"), replace(POST, platform_id="A")).new == 2


def test_two_contents_of_one_post_in_one_answer_are_both_kept(saver: Saver) -> None:
    saver.save(POST, replace(POST, text="Again", content={"text": "Again"}))
    assert saver.rows("SELECT number FROM revisions") == [(1,), (2,)]
    assert saver.rows("SELECT text FROM posts") == [("Again",)]

    saver.save(POST, replace(POST, text="Again", content={"text": "Again"}))
    assert saver.written == 0, "the same answer on another night says nothing new"


def test_a_number_has_a_row_only_when_it_moved(saver: Saver) -> None:
    for likes in (3, 3, 4, 4, 3):
        saver.save(replace(POST, metrics=(Metric("likes", likes),)))
    assert saver.rows("SELECT value FROM metrics ORDER BY seen_at") == [(3,), (4,), (3,)]
    assert saver.rows("SELECT count(*) FROM revisions") == [(1,)]


def test_a_number_that_is_absent_is_not_zero(saver: Saver) -> None:
    saver.save(POST)
    saver.save(replace(POST, metrics=()))
    assert saver.rows("SELECT value FROM metrics") == [(3,)]


def test_a_better_reader_is_not_taken_for_an_edit(saver: Saver) -> None:
    saver.save(POST)
    saver.content_version = 2
    better = replace(POST, content={"words": ["Good", "morning"]})
    assert saver.save(better).edited == 0
    assert saver.rows("SELECT number FROM revisions") == [(1,)]
    edited = replace(POST, text="Bad morning", content={"words": ["Bad", "morning"]})
    assert saver.save(edited).edited == 1


def test_an_answer_with_ids_only_says_that_the_post_is_there_and_nothing_more(
    saver: Saver,
) -> None:
    saver.save(POST)
    saver.save(Post("p1", id_only=True))
    assert saver.rows("SELECT text FROM posts") == [("Good morning",)]
    saver.save(POST)
    assert saver.written == 0, "the full answer is no change either"


def test_a_post_first_seen_by_its_id_gets_its_content_later(saver: Saver) -> None:
    saver.save(Post("p1", id_only=True))
    assert saver.rows("SELECT count(*) FROM revisions") == [(0,)]
    saved = saver.save(POST)
    assert (saved.new, saved.edited) == (0, 0)
    assert saver.rows("SELECT number FROM revisions") == [(1,)]
    assert saver.rows("SELECT text FROM posts") == [("Good morning",)]
    assert saver.rows("SELECT what, reason FROM events") == [("seen", "by its id only")]


def test_a_moved_position_keeps_the_attachment_and_makes_a_revision(saver: Saver) -> None:
    other = replace(PHOTO, platform_id="m2", renditions=(
        Rendition("original", "https://a.example/2.jpg"),))  # fmt: skip
    saver.save(replace(POST, attachments=(PHOTO, other)))
    saver.save(replace(POST, attachments=(other, PHOTO)))
    assert saver.rows("SELECT key, position FROM attachments ORDER BY id") == [("m1", 1), ("m2", 0)]
    assert saver.rows("SELECT count(*) FROM renditions") == [(2,)]
    assert saver.rows("SELECT count(*) FROM revisions") == [(2,)]


def test_the_same_picture_three_times_in_one_post_is_three_attachments(saver: Saver) -> None:
    again = replace(PHOTO, platform_id=None)
    saver.save(replace(POST, attachments=(again, again, again)))
    assert saver.rows("SELECT key FROM attachments") == [
        ("/1.jpg",), ("/1.jpg#2",), ("/1.jpg#3",),
    ]  # fmt: skip


def test_aliases_and_relations_are_found_by_their_values(saver: Saver) -> None:
    saver.save(
        replace(POST, aliases=(Alias("cid", "bafy"),), relations=(Relation("quotes", "p0"),))
    )
    saver.save(
        replace(POST, aliases=(Alias("shortcode", "x"),), relations=(Relation("quotes", "p0"),))
    )
    assert saver.rows("SELECT scheme, value FROM post_aliases") == [
        ("cid", "bafy"), ("shortcode", "x"),
    ]  # fmt: skip
    assert saver.rows("SELECT kind, platform_id FROM relations") == [("quotes", "p0")]


def test_text_that_no_column_can_hold_is_made_fit_and_the_record_keeps_it(saver: Saver) -> None:
    saver.save(replace(POST, text="a\x00b\ud800c", content={"text": "a\x00b\ud800c"}))
    assert saver.rows("SELECT text FROM posts") == [("a\u2400b?c",)]
    assert json.loads(saver.rows("SELECT raw FROM posts")[0][0])["text"] == "a\x00b\ud800c"


def test_the_search_finds_words_in_every_script_and_in_alt_texts(saver: Saver) -> None:
    saver.save(
        replace(POST, platform_id="ja", text="今日は東京タワーに行きました"),
        replace(POST, platform_id="zh", text="我们在北京大学见面"),
        replace(POST, platform_id="de", text="Straßenbahnhaltestelle"),
    )
    search = (
        "SELECT platform_id FROM posts JOIN posts_fts ON posts.id = posts_fts.rowid "
        "WHERE posts_fts MATCH"
    )
    assert saver.rows(f"{search} '東京タワー'") == [("ja",)]
    assert saver.rows(f"{search} '北京大学'") == [("zh",)]
    assert saver.rows(f"{search} 'bahnhalte'") == [("de",)]
    assert len(saver.rows(f"{search} 'alt_texts:bowl'")) == 3
    edited = replace(POST, platform_id="de", text="Bus", content={"text": "Bus"})
    saver.save(edited)
    assert saver.rows(f"{search} 'text: bahnhalte'") == []
    assert saver.rows(f"{search} 'earlier_text: bahnhalte'") == [("de",)]


def test_events_and_revisions_cannot_be_changed(saver: Saver) -> None:
    saver.save(POST)
    for statement in (
        "UPDATE events SET what = 'x'", "DELETE FROM events", "UPDATE revisions SET raw = '{}'",
    ):  # fmt: skip
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            saver.connection.execute(statement)


def test_two_numbers_of_one_post_in_one_answer_leave_the_later(saver: Saver) -> None:
    saver.save(POST, replace(POST, metrics=(Metric("likes", 4),)))
    assert saver.rows("SELECT value FROM metrics") == [(4,)]


def test_another_way_to_name_files_is_not_taken_for_an_edit(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    unnamed = replace(PHOTO, platform_id=None)
    monkeypatch.setattr(saver, "reread", lambda _: replace(POST, attachments=(unnamed,)))
    saver.save(replace(POST, attachments=(unnamed,)))
    saver.connection.execute("UPDATE post_sources SET content_sha256 = 'by another rule'")
    saver.connection.execute("UPDATE post_sources SET fingerprint = x'00'")
    assert saver.save(replace(POST, attachments=(unnamed,))).edited == 0
    assert saver.rows("SELECT number FROM revisions") == [(1,)]


def edited(post_id: str, text: str, *history: str) -> Post:
    """A post of a network that gives every edit an id of its own, and lists the earlier ones."""
    aliases = tuple(Alias("edit_history", name) for name in (*history, post_id))
    return replace(POST, platform_id=post_id, text=text, content={"text": text}, aliases=aliases)


class TestAPostIsKnownByItsOtherIds:
    """Another id for what is one post makes no second post, and no removal of the first."""

    def test_an_edit_that_comes_with_a_new_id_is_an_edit(self, saver: Saver) -> None:
        saver.save(edited("100", "Good morning"))
        saved = saver.save(edited("101", "Good evening", "100"))
        assert (saved.new, saved.edited) == (0, 1)
        assert saver.rows("SELECT platform_id, text FROM posts") == [("101", "Good evening")]
        assert ("earlier_id", "100") in saver.rows("SELECT scheme, value FROM post_aliases")
        saver.save(edited("101", "Good evening", "100"))
        assert saver.written == 0

    def test_two_versions_on_one_page_are_two_revisions_of_one_post(self, saver: Saver) -> None:
        page = (edited("101", "Good evening", "100"), edited("100", "Good morning"))
        saved = saver.save(*page)
        assert (saved.new, saved.edited) == (1, 1)
        assert saver.rows("SELECT platform_id, text FROM posts") == [("101", "Good evening")]
        saver.save(*page)
        assert saver.written == 0, "the same page on another night says nothing new"

    def test_an_id_written_in_two_ways_is_one_post(self, saver: Saver) -> None:
        long = replace(POST, platform_id="55_66", aliases=(Alias("post_id", "66"),))
        short = replace(POST, platform_id="66", aliases=())
        for night in (long, short, long, short, short, long):
            saved = saver.save(night)
        assert (saved.new, saved.edited) == (0, 0)
        assert saver.rows("SELECT platform_id FROM posts") == [("66",)]
        saver.save(long)
        saver.save(long)
        assert saver.written == 0

    def test_a_shared_alias_is_enough(self, saver: Saver) -> None:
        code = (Alias("shortcode", "CxY"),)
        saver.save(replace(POST, platform_id="1", aliases=code))
        assert saver.save(replace(POST, platform_id="2", aliases=code)).new == 0
        assert saver.save(replace(POST, platform_id="2", aliases=())).new == 0

    def test_the_same_word_in_two_schemes_is_no_shared_alias(self, saver: Saver) -> None:
        saver.save(replace(POST, platform_id="1", aliases=(Alias("shortcode", "7"),)))
        assert saver.save(replace(POST, platform_id="2", aliases=(Alias("ig_id", "7"),))).new == 1

    @pytest.mark.parametrize("scheme", ["cid", "media_id", "sha256"])
    def test_what_names_a_file_or_a_content_makes_two_posts_no_one(
        self, saver: Saver, scheme: str
    ) -> None:
        held = (Alias(scheme, "7"),)
        saver.save(replace(POST, platform_id="1", aliases=held))
        assert saver.save(replace(POST, platform_id="2", aliases=held)).new == 1
        assert saver.save(replace(POST, platform_id="7", aliases=())).new == 1

    def test_posts_that_were_taken_for_two_are_both_there(self, saver: Saver) -> None:
        saver.save(edited("100", "Good morning"), replace(POST, platform_id="101"))
        saver.connection.execute(
            "UPDATE posts SET removed_at = created_at WHERE platform_id = '100'"
        )
        saver.save(edited("101", "Good evening", "100"))
        assert saver.rows("SELECT platform_id FROM posts WHERE removed_at IS NULL") == [
            ("100",), ("101",),
        ]  # fmt: skip


def test_one_post_twice_in_one_answer_makes_no_revision_after_an_update_of_the_reader(
    saver: Saver,
) -> None:
    """Both contents are known: that today's code gives them another hash is no edit."""

    def read(text: str, field: str) -> Post:
        return replace(POST, text=text, attachments=(), content={field: text.split()})

    saver.save(read("Good morning", "text"), read("Again", "text"))
    assert saver.rows("SELECT number FROM revisions") == [(1,), (2,)]
    saver.content_version = 2
    saver.reread = lambda data: read(data["text"], "words")  # type: ignore[method-assign]  # another reader
    for _ in range(2):
        saver.save(read("Good morning", "words"), read("Again", "words"))
    assert saver.rows("SELECT number FROM revisions") == [(1,), (2,)]
    assert saver.rows("SELECT text FROM posts") == [("Again",)]


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59.000Z", "0001-01-01T00:00:00.000Z"])
def test_a_made_id_of_the_last_or_first_moment_is_a_post_as_others_are(
    saver: Saver, at: str
) -> None:
    assert saver.save(replace(POST, platform_id="export:time:1", created_at=at)).new == 1
    assert (
        saver.save(replace(POST, platform_id="export:time:2", created_at=at, text="Bye")).new == 1
    )
