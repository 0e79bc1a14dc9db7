"""Records that are recognised by their hash, and are not read again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive import post_sources, queue
from archiver.archive.post_sources import UnchangedPost, find_unchanged, recognition_columns
from archiver.archive.rows import update
from archiver.models import Post, Record
from support.saver import POST, Saver, saving

READER = b"reader"
TEXT_POST = replace(POST, attachments=())
RECORD = Record(json.dumps({"text": POST.text}), {})


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    """An archive of one post, saved by a reader that is known."""
    with saving(tmp_path) as saver:
        saver.save(TEXT_POST)
        known = recognition_columns(RECORD, replace(TEXT_POST, unmapped=("new.field",)), READER)
        update(saver.connection, "post_sources", "post_id = 1", (), **known)
        yield saver


def found(saver: Saver, *records: Record, reader: bytes = READER, view: str = "{}") -> object:
    return find_unchanged(
        saver.connection, saver.account_id, "ayrshare", records or (RECORD,),
        ["p1"] * max(1, len(records)), reader=reader, view=view, now="2026-04-01T00:00:00.000Z",
    )  # fmt: skip


def test_the_same_bytes_are_known_with_what_a_scan_needs(saver: Saver) -> None:
    known = UnchangedPost(1, "p1", POST.created_at, POST.kind, ("new.field",))
    assert found(saver) == {0: known}


def test_one_byte_more_another_reader_and_other_options_are_not(saver: Saver) -> None:
    assert found(saver, Record(RECORD.raw + " ", {})) == {}
    assert found(saver, reader=b"other") == {}
    assert found(saver, view='{"page_published":true}') == {}


def test_a_file_signed_anew_is_known_and_an_address_that_was_published_is_read(
    saver: Saver,
) -> None:
    one, two = (
        Record(json.dumps({"url": f"https://a.example/a.jpg?Signature={name}"}), {})
        for name in ("abc", "def")
    )
    known = recognition_columns(one, TEXT_POST, READER)
    update(saver.connection, "post_sources", "post_id = 1", (), **known)
    assert found(saver, one) != {}
    assert found(saver, two) != {}
    published = replace(TEXT_POST, text="https://a.example/a.jpg?Signature=abc")
    known = recognition_columns(one, published, READER)
    update(saver.connection, "post_sources", "post_id = 1", (), **known)
    assert found(saver, one) != {}
    assert found(saver, two) == {}


def test_records_are_known_in_any_order_of_those_signed_anew_and_those_that_are_not(
    saver: Saver,
) -> None:
    saver.save(*(replace(TEXT_POST, platform_id=name) for name in ("p2", "p3", "p4")))

    def signed(name: str) -> Record:
        return Record(json.dumps({"url": f"https://a.example/a.jpg?Signature={name}"}), {})

    for post_id in (2, 3):
        known = recognition_columns(signed("abc"), TEXT_POST, READER)
        update(saver.connection, "post_sources", "post_id = ?", (post_id,), **known)
    known = recognition_columns(RECORD, TEXT_POST, READER)
    update(saver.connection, "post_sources", "post_id = 4", (), **known)

    records = [RECORD, signed("def"), signed("abc"), RECORD]
    names = ["p1", "p2", "p3", "p4"]
    for order in (slice(None), slice(None, None, -1)):
        shown = find_unchanged(
            saver.connection, saver.account_id, "ayrshare", records[order], names[order],
            reader=READER, view="{}", now="2026-04-01T00:00:00.000Z",
        )  # fmt: skip
        assert [post.platform_id for post in shown.values()] == names[order]


def test_an_id_that_comes_twice_is_read(saver: Saver) -> None:
    assert found(saver, RECORD, RECORD) == {}


@pytest.mark.parametrize("few", [500, 1], ids=["few", "many"])
def test_a_post_that_was_missed_or_whose_file_waits_is_read(
    saver: Saver, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(queue, "_FEW", few)
    saver.save(POST)
    known = recognition_columns(RECORD, POST, READER)
    update(saver.connection, "post_sources", "post_id = 1", (), **known)
    assert found(saver) == {}, "its file waits"
    update(saver.connection, "renditions", "state = 'pending'", (), state="skipped")
    assert found(saver) != {}
    update(saver.connection, "post_sources", "post_id = 1", (), missing_at="2026-03-03")
    assert found(saver) == {}


def test_nothing_is_known_of_an_id_alone_or_of_a_reader_without_a_name() -> None:
    nothing = dict.fromkeys(("record_sha256", "unsigned_sha256", "reader", "unmapped"))
    assert recognition_columns(RECORD, POST, None) == nothing
    assert recognition_columns(RECORD, Post("p1", id_only=True), READER) == nothing
    assert post_sources.unmapped_json(POST) is None
