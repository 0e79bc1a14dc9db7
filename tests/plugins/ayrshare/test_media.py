"""Attachments and their files, as far as platforms agree on them."""

from collections.abc import Sequence
from typing import Any

import pytest

from archiver import Rendition
from archiver_ayrshare.media import distinct, items_of, original, read_item, rendition_of

HOST = "https://h.example"


def files(*urls: str) -> list[Rendition]:
    return [Rendition("original", url=url) for url in urls]


@pytest.mark.parametrize(
    "urls",
    [
        (f"{HOST}/media/?media_id=4", f"{HOST}/media/?media_id=9"),
        (f"{HOST}/film?bitrate=256", f"{HOST}/film?bitrate=832"),
        (f"{HOST}/a.jpg", f"{HOST}/b.jpg"),
    ],
)
def test_files_whose_queries_differ_are_all_kept(urls: Sequence[str]) -> None:
    assert [file.url for file in distinct(files(*urls))] == list(urls)


@pytest.mark.parametrize(
    "urls",
    [
        (f"{HOST}/a.jpg?oh=1&oe=62AEEECA", "https://other.example/a.jpg?oh=2&oe=62AEEECB"),
        (f"{HOST}/a.mp4?x-expires=1&x-signature=a", f"{HOST}/a.mp4?x-expires=2&x-signature=b"),
    ],
)
def test_one_file_under_two_signatures_is_one(urls: Sequence[str]) -> None:
    assert [file.url for file in distinct(files(*urls))] == [urls[0]]


def test_what_has_no_address_is_kept_beside_the_others() -> None:
    strange = Rendition("thumbnail", url="x", absent="address_not_understood")
    assert len(distinct([*files(f"{HOST}/x"), strange, None])) == 2


@pytest.mark.parametrize("values", [(), (None,), ("",), (" ", None), (False,)])
def test_an_absent_address_is_not_offered(values: Sequence[object]) -> None:
    assert rendition_of("thumbnail", *values) is None
    assert original(*values).absent == "not_offered"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a.png", "a.png"), (5, "5"), (["b", 1], '["b", 1]'), (True, "true"),
        ({"z": 1, "a": None}, '{"a": null, "z": 1}'), ("\ud83d", "\ufffd"),
        ("x" * 9000, "x" * 500),
    ],
)  # fmt: skip
def test_what_is_no_address_is_shown(value: Any, shown: str) -> None:
    assert rendition_of("cover", None, value) == Rendition(
        "cover", url=shown, absent="address_not_understood"
    )


def test_the_first_address_counts_also_behind_what_is_none() -> None:
    found = rendition_of("original", "a.png", f"{HOST}/b.png")
    assert found == Rendition("original", url=f"{HOST}/b.png")


def test_a_list_in_any_wrapping() -> None:
    item = {"mediaUrl": f"{HOST}/a.jpg"}
    for value in ([item], [None, item], {"data": [item]}, {"data": item}, item, {"0": item}):
        assert items_of(value) == [item]
    assert items_of(f"{HOST}/a.jpg") == [f"{HOST}/a.jpg"]
    nothings: list[Any] = [None, [], {}, [None], ["", " "], True, False, {"data": []}]
    for nothing in nothings:
        assert items_of(nothing) == []


def test_an_item_that_is_no_item_is_an_attachment_that_says_so() -> None:
    for item in (5, "x", ["y"]):
        found = read_item(item)
        assert found
        assert found.renditions[0].absent == "address_not_understood"
    assert read_item({}) is None
