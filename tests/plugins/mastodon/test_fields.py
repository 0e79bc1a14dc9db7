"""What a status has besides the known fields, or in another form, is named."""

from typing import Any

from archiver_mastodon.fields import steps_of, unmapped_paths


def test_known_fields_in_their_form_are_mapped_and_null_always_is() -> None:
    status: dict[str, Any] = {"id": "1", "visibility": "public", "poll": None, "tags": []}
    assert unmapped_paths(status) == ()


def test_new_fields_and_known_ones_in_another_form_are_named_once() -> None:
    status = {"visibility": 5, "mood": [{"is": "good"}, {"is": "bad"}], "id": "1"}
    assert unmapped_paths(status) == ("visibility", "mood[].is")


def test_at_most_a_hundred_are_named() -> None:
    assert len(unmapped_paths({f"new {number}": 1 for number in range(200)})) == 100


def test_a_path_has_steps() -> None:
    assert steps_of("a[].b.*") == ("a", "[]", "b", "*")
