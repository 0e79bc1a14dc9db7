"""A platform's table says of each path what it is read into, and which form its value has."""

import re

import pytest

from archiver_ayrshare.fields import COMMON_METRICS, COMMON_RAW, Fields, steps_of
from archiver_ayrshare.forms import ADDRESS, ANY, COUNT, FLAG, ID, TEXT, WORD, Slot


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)), ("a.b", ("a", "b")), ("a[]", ("a", "[]")),
        ("a[].b.*", ("a", "[]", "b", "*")),
        ("a[][]", ("a", "[]", "[]")),
    ],
)  # fmt: skip
def test_a_path_has_steps(path: str, steps: tuple[str, ...]) -> None:
    assert steps_of(path) == steps


def test_the_empty_table_reads_what_all_platforms_have() -> None:
    rows = dict(Fields().rows())
    assert rows["id"] == "posts.platform_id"
    assert rows["post"] == "posts.text"
    assert rows["likeCount"] == "metrics: likes"
    assert rows["isPopular"].startswith("raw only: ")


def test_a_platforms_own_metric_comes_before_the_common_one() -> None:
    fields = Fields(metrics={"likeCount": "hearts", "ownCount": "own"})
    assert list(fields.all_metrics)[:2] == ["likeCount", "ownCount"]
    assert fields.all_metrics["likeCount"] == "hearts"
    assert fields.all_metrics["views"] == "views"


def test_a_path_may_have_several_targets_and_then_their_forms() -> None:
    fields = Fields(aliases={"url": "page"}, content={"title": "headline"})
    found = fields.forms_of_paths()
    assert found["url" if "url" in fields.url else "postUrl"][0] == ADDRESS
    assert {target for path, target in fields.rows() if path == "title"} == {
        "posts.title", "content: headline",
    }  # fmt: skip


def test_what_a_path_is_for_decides_its_form_and_exceptions_come_instead() -> None:
    fields = Fields(
        aliases={"cid": "cid"}, visibility=("privacy",), kind=("isReply",), forms={"isReply": FLAG},
        relations={"parent": Slot("shares", ID)}, raw_only={"viewer.*": "about the reader"},
    )  # fmt: skip
    found = fields.forms_of_paths()
    assert found["cid"] == (ID,)
    assert found["privacy"] == (WORD,)
    assert found["isReply"] == (FLAG,)
    assert found["parent"] == (ID,)
    assert found["viewer.*"] == (ANY,)
    assert found["likes"] == (COUNT,)
    assert found["post"] == (TEXT,)


def test_reasons_of_a_platform_add_to_the_common_ones() -> None:
    fields = Fields(raw_only={"isPopular": "another reason", "lang": "a guess"})
    assert fields.all_raw == {**COMMON_RAW, "isPopular": "another reason", "lang": "a guess"}


@pytest.mark.parametrize("name", sorted(set(COMMON_METRICS.values())))
def test_common_metrics_have_plain_names(name: str) -> None:
    assert re.fullmatch(r"[a-z_]+", name)
