"""An earlier version of a status is a whole status again."""

from archiver_mastodon.versions import version_of

STATUS = {
    "id": "1", "uri": "https://a.example/1", "content": "<p>now</p>", "visibility": "public",
    "replies_count": 5, "edited_at": "2026-01-03T00:00:00.000Z",
}  # fmt: skip
EDIT = {"content": "<p>before</p>", "created_at": "2026-01-02T00:00:00.000Z", "account": {}}


def test_it_has_the_content_of_the_edit_and_the_rest_of_the_status() -> None:
    version = version_of(EDIT, STATUS, is_first=False)
    assert version.record.data == {
        "id": "1", "uri": "https://a.example/1", "visibility": "public",
        "content": "<p>before</p>", "edited_at": EDIT["created_at"],
    }  # fmt: skip
    assert version.source_time == "2026-01-02T00:00:00.000Z"


def test_the_first_version_was_not_edited() -> None:
    assert version_of(EDIT, STATUS, is_first=True).record.data["edited_at"] is None
