"""Records are changed one value at a time, and never the one that was given."""

import copy

from archiver.media_keys import address_key
from archiver.testing.records import (
    dotted,
    leaves,
    paths,
    places,
    rotated,
    turned,
    value_at,
    with_value,
    without,
)

RECORD = {"id": "1", "media": [{"url": "a"}, {"url": "b"}], "empty": {}}


def test_every_value_has_a_path_and_docs_write_it_with_dots() -> None:
    assert [dotted(path) for path in paths(RECORD)] == [
        "id", "media", "media[]", "media[].url", "media[]", "media[].url", "empty",
    ]  # fmt: skip
    assert [value for _, value in leaves(RECORD)] == ["1", "a", "b"]
    assert all(value_at(RECORD, path) == value for path, value in leaves(RECORD))


def test_of_one_dotted_path_only_the_first_places_are_taken() -> None:
    found = [dotted(path) for _, path in places([RECORD, RECORD], at_most=2)]
    assert found.count("media[].url") == 2
    assert found.count("id") == 2


def test_a_changed_record_shares_nothing_that_is_changed() -> None:
    before = copy.deepcopy(RECORD)
    changed = with_value(RECORD, ("media", 0, "url"), [5])
    assert changed["media"] == [{"url": [5]}, {"url": "b"}]
    assert without(RECORD, ("media", 1))["media"] == [{"url": "a"}]
    assert before == RECORD


def test_keys_are_turned_around_and_values_stay() -> None:
    assert list(turned(RECORD)) == ["empty", "media", "id"]
    assert turned(RECORD) == RECORD


def test_a_rotated_address_names_the_same_file() -> None:
    for url in ("https://cdn.example/a.jpg?sig=1", "https://cdn.example/m/?media_id=4"):
        assert rotated(url) != url
        assert address_key(rotated(url)) == address_key(url)
