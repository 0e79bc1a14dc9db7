from archiver_ayrshare.instagram import Instagram
from ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = Instagram()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("instagram")


class TestInstagram(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_an_image_has_a_thumbnail_too(self) -> None:
        post = self.read(SAMPLES[0])
        assert [(r.role, r.absent) for r in post.attachments[0].renditions] == [
            ("original", None), ("thumbnail", None)
        ]  # fmt: skip
        assert post.attachments[0].platform_id == post.platform_id
        assert post.author == "thegoodone"
        assert ("shortcode", "B5OBT3ygpfg") in [(a.scheme, a.value) for a in post.aliases]

    def test_a_reel_is_a_video_whatever_the_suffix(self) -> None:
        post = self.read(SAMPLES[1])
        assert (post.kind, post.attachments[0].kind) == ("reel", "video")

    def test_a_carousel_in_order(self) -> None:
        attachments = self.read(SAMPLES[2]).attachments
        assert [(a.kind, a.platform_id) for a in attachments] == [
            ("image", "18395216701078298"), ("video", "18041898211827161")
        ]  # fmt: skip
        assert [r.role for r in attachments[1].renditions] == ["original", "thumbnail"]

    def test_a_withheld_reel_keeps_its_thumbnail(self) -> None:
        (reel,) = self.read(SAMPLES[3]).attachments
        assert [(r.role, r.absent) for r in reel.renditions] == [
            ("original", "copyright"), ("thumbnail", None)
        ]  # fmt: skip

    def test_children_of_a_carousel_are_withheld_one_by_one(self) -> None:
        attachments = self.read(SAMPLES[4]).attachments
        absent = [[r.absent for r in a.renditions] for a in attachments]
        assert absent == [[None], ["copyright"], ["copyright", None]]

    def test_withheld_media_that_comes_back_is_the_same_attachment(self) -> None:
        record = SAMPLES[3]
        back = {**record, "mediaUrl": "https://scontent.cdninstagram.com/o1/v/reel.mp4"}
        assert self.read(back).content == self.read(record).content
        before, after = self.read(record).attachments[0], self.read(back).attachments[0]
        assert (before.kind, before.platform_id) == (after.kind, after.platform_id)

    def test_a_story_in_the_old_spelling(self) -> None:
        post = self.read(SAMPLES[5])
        assert (post.kind, post.text) == ("story", "A story in the old spelling")
        assert post.created_at == "2022-05-18T17:26:03.000Z"
