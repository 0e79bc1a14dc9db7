from archiver_ayrshare.linkedin import LinkedIn
from ayrshare_contract import AyrshareContract, account_for, samples

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

    def test_kinds_are_told_by_urns(self) -> None:
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
