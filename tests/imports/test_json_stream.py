"""JSON lists are read one item at a time, with the exact text of each, from any kind of file."""

import io
import json

import pytest

import archiver.imports.json_stream as module
from archiver.errors import PackageError
from archiver.imports.json_stream import read_items, read_value

ITEMS = [{"a": 1.0, "b": [1, {"c": "]},"}]}, 'text \\ " é 日本', 12345678901234567890, None, []]
TEXT = json.dumps(ITEMS, ensure_ascii=False, indent=2)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PIECE", 7)


def items(data: bytes, key: str = "") -> list[object]:
    return [record.data for record in read_items(io.BytesIO(data), "a.json", key)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("before", ["", " \n", "window.YTD.tweets.part0 = ", "var a =\n"])
def test_a_list_is_read_in_every_encoding(encoding: str, before: str) -> None:
    assert items((before + TEXT).encode(encoding)) == ITEMS


def test_each_item_keeps_its_exact_text() -> None:
    records = read_items(io.BytesIO(b'[{"a": 1.0} , 1e2]'), "a.json")
    assert [record.raw for record in records] == ['{"a": 1.0}', "1e2"]


def test_a_list_may_stand_under_a_key() -> None:
    data = json.dumps({"before": {"x": [1]}, "rows": ITEMS, "after": 2}).encode()
    assert items(data, "rows") == ITEMS
    assert items(data, "none") == []


def test_a_list_may_stand_under_keys_in_one_another() -> None:
    whole = {"Post": {"Lists": None, "Posts": {"VideoList": ITEMS}}, "Video": {"Posts": [3]}}
    assert items(json.dumps(whole).encode(), "Post/Posts/VideoList") == ITEMS
    assert items(json.dumps(whole).encode(), "Post/Lists/VideoList") == []
    assert items(b'{"a": {"b": {"c": 1}}}', "a/b") == [{"c": 1}], "an object in its place"


def test_what_is_skipped_may_be_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST_ITEM", 100)
    monkeypatch.setattr(module, "_PIECE", 64)
    watched = {"History": [{"Date": "x", "Link": ["y", 1.5, True]}] * 500}
    data = json.dumps({"Activity": watched, "rows": ITEMS}).encode()
    assert items(data, "rows") == ITEMS


@pytest.mark.parametrize("piece", range(1, 9))
def test_a_number_may_end_in_the_next_piece(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(module, "_PIECE", piece)
    assert items(b"[1.5,-2e-3,17]") == [1.5, -2e-3, 17]


def test_an_object_is_its_one_item() -> None:
    assert items(b'{"a": [1, 2]}') == [{"a": [1, 2]}]
    assert read_value(io.BytesIO(b"x = {};"), "a.js") == {}


def test_bytes_that_are_no_unicode_do_not_cost_the_rest() -> None:
    assert items(b'["a\xff", "b"]') == ["a\udcff", "b"]


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"[1, 2", b"[1 2]", b"[1,,2]", b"[1] x", b'{"rows": [1}', b"[nul]"]
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(PackageError, match=r"a\.json cannot be read"):
        items(data, "rows" if data.startswith(b"{") else "")


def test_one_item_of_any_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST_ITEM", 100)
    with pytest.raises(PackageError, match="too large"):
        items(b'["' + b"x" * 1000 + b'"]')
