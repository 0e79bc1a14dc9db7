"""The content of a post in several sources: whose value is shown, and where each is kept."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.merging import (
    MERGED_COLUMNS,
    SourceContent,
    begin_merging,
    by_precedence,
    content_json,
    contents_by_source,
    merged,
    rank_of,
    set_leading_record,
)
from archiver.archive.rows import insert
from support.saver import POST, Saver, saving

RANKS = {"own": "native", "between": "middleman", "download": "export"}


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as found:
        yield found


def content(source: str, edit: int = 0, **columns: Any) -> SourceContent:
    said = json.dumps(dict.fromkeys(MERGED_COLUMNS) | columns)
    return SourceContent(source, edit, said, None)


def test_the_newest_edit_comes_first_and_then_the_rank() -> None:
    contents = [content("download"), content("own"), content("between", edit=1)]
    ordered = by_precedence(contents, RANKS)
    assert [each.source for each in ordered] == ["between", "own", "download"]


def test_a_source_that_is_not_installed_has_the_lowest_rank() -> None:
    assert rank_of("removed plugin", RANKS) < min(rank_of(source, RANKS) for source in RANKS)


def test_a_value_that_the_first_does_not_have_comes_from_the_next() -> None:
    found = merged([content("own", text="Bowls"), content("between", text="B…", title="Shop")])
    assert (found["text"], found["title"], found["author"]) == ("Bowls", "Shop", None)


def test_a_second_source_gives_the_first_a_content_and_a_record_of_its_own(saver: Saver) -> None:
    saver.save(replace(POST, title="Bowls"))
    insert(
        saver.connection, "post_sources", post_id=1, source="own", record_id="p1", edit=1,
        fingerprint=b"", view="{}", first_seen_at="", said=content_json(
            dict.fromkeys(MERGED_COLUMNS) | {"text": "Good evening"}
        ), raw="{}",
    )  # fmt: skip
    begin_merging(saver.connection, 1, "own")
    first, second = contents_by_source(saver.connection, 1)
    assert json.loads(first.said or "")["title"] == "Bowls"
    assert (first.raw, second.raw) == (None, "{}")
    ((before,),) = saver.rows("SELECT raw FROM posts")

    set_leading_record(saver.connection, 1, second)
    assert saver.rows("SELECT raw FROM posts") == [("{}",)]
    first, second = contents_by_source(saver.connection, 1)
    assert (first.raw, second.raw) == (before, None)
