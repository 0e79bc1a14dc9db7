"""What a record has besides the known fields is named."""

from archiver_bluesky.fields import known_fields, unmapped_paths

RECORD = {
    "uri": "at://a/app.bsky.feed.post/1", "cid": "b", "pds": "https://a.example",
    "value": {"$type": "app.bsky.feed.post", "text": "Bowls", "createdAt": "2026-01-01"},
}  # fmt: skip


def test_a_record_of_known_fields_has_no_unmapped_ones() -> None:
    assert unmapped_paths(RECORD) == ()
    assert known_fields()["value.text"] is str


def test_new_fields_and_known_ones_of_another_type_are_named_once() -> None:
    value = RECORD["value"] | {"text": 5, "mood": [{"is": "good"}, {"is": "bad"}], "none": {}}  # type: ignore[operator]  # a dict
    assert unmapped_paths(RECORD | {"value": value}) == ("value.text", "value.mood[].is")
