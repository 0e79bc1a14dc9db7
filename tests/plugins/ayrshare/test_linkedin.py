from typing import Any

import pytest

from archiver import Alias
from archiver_ayrshare.linkedin import LinkedIn
from support.ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = LinkedIn()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("linkedin")


class TestLinkedIn(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_numbers_and_reactions(self) -> None:
        numbers = {m.name: m.value for m in self.read(SAMPLES[0]).metrics}
        assert numbers["reach"] == 3
        assert numbers["reactions.praise"] == 2
        assert numbers["engagement"] == 0.6666666666666666

    def test_an_edit_has_a_time_of_its_own(self) -> None:
        assert self.read(SAMPLES[0]).edited_at is None
        assert self.read(SAMPLES[2]).edited_at == "2025-12-29T16:07:38.000Z"

    def test_kinds_are_known_from_urns(self) -> None:
        assert [a.kind for a in self.read(SAMPLES[1]).attachments] == ["video", "video"]
        assert [a.kind for a in self.read(SAMPLES[2]).attachments] == ["image", "other", "other"]

    def test_visibility_is_in_lower_case(self) -> None:
        assert [self.read(s).visibility for s in SAMPLES] == ["public", "public", "logged_in"]

    def test_its_own_status_is_not_an_error(self) -> None:
        assert self.read(SAMPLES[0]).text == "left thirty pocket track flower whistle"

    def test_a_picture_in_place_of_a_video_is_its_still(self) -> None:
        still, _ = self.read(SAMPLES[1]).attachments
        assert [(r.role, r.absent) for r in still.renditions] == [
            ("original", "not_offered"),
            ("thumbnail", None),
        ]
        item = {"id": "urn:li:video:A", "url": "https://dms.licdn.com/playback/A/mp4"}
        (video,) = self.read({"id": "1", "mediaUrls": [item]}).attachments
        assert [(r.role, r.absent) for r in video.renditions] == [("original", None)]

    def test_a_document_is_kept_as_one(self) -> None:
        items = [
            {"id": "urn:li:document:D", "url": "https://media.licdn.com/dms/document/D.pdf"},
            {"id": "urn:li:document:E"},
        ]
        held, missing = self.read({"id": "1", "mediaUrls": items}).attachments
        assert (held.kind, held.renditions[0].role, held.renditions[0].absent) == (
            "other", "original", None
        )  # fmt: skip
        assert (missing.kind, missing.renditions[0].absent) == ("other", "not_offered")

    @pytest.mark.parametrize(
        "record",
        [
            {"id": "urn:li:share:1", "activity": "urn:li:activity:7"},
            {"id": "urn:li:ugcPost:2", "activity": 7},
            {"id": "urn:li:share:1", "postUrl": "https://www.linkedin.com/feed/update/urn:li:activity:7"},
            {"id": "9", "postUrl": "https://www.linkedin.com/feed/update/urn%3Ali%3Aactivity%3A7/"},
            {"id": "9", "postUrl": "https://www.linkedin.com/posts/me_words-activity-7-Ab_c"},
        ],
    )  # fmt: skip
    def test_a_post_is_known_by_its_activity_in_every_spelling(self, record: Any) -> None:
        assert Alias("activity", "urn:li:activity:7") in self.read(record).aliases

    def test_a_post_is_known_by_its_share_and_its_ugc_post(self) -> None:
        post = self.read({"id": "urn:li:ugcPost:2", "share": "urn:li:share:1"})
        assert set(post.aliases) == {
            Alias("ugc_post", "urn:li:ugcPost:2"), Alias("share", "urn:li:share:1")
        }  # fmt: skip
