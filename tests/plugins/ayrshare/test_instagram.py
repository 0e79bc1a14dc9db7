import pytest

from archiver import Alias
from archiver_ayrshare.instagram import Instagram
from support.ayrshare_contract import AyrshareContract, account_for, samples

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

    def test_a_reel_whose_video_is_omitted_keeps_its_thumbnail(self) -> None:
        (reel,) = self.read(SAMPLES[3]).attachments
        assert [(r.role, r.absent) for r in reel.renditions] == [
            ("original", "copyright"), ("thumbnail", None)
        ]  # fmt: skip

    def test_each_child_of_a_carousel_may_be_omitted(self) -> None:
        attachments = self.read(SAMPLES[4]).attachments
        absent = [[r.absent for r in a.renditions] for a in attachments]
        assert absent == [[None], ["copyright"], ["copyright", None]]

    def test_omitted_media_that_comes_back_is_the_same_attachment(self) -> None:
        record = SAMPLES[3]
        back = {**record, "mediaUrl": "https://scontent.cdninstagram.com/o1/v/reel.mp4"}
        assert self.read(back).content == self.read(record).content
        before, after = self.read(record).attachments[0], self.read(back).attachments[0]
        assert (before.kind, before.platform_id) == (after.kind, after.platform_id)

    def test_a_story_in_the_older_form(self) -> None:
        post = self.read(SAMPLES[5])
        assert (post.kind, post.text) == ("story", "A story in the older form")
        assert post.created_at == "2022-05-18T17:26:03.000Z"

    @pytest.mark.parametrize(
        "url",
        [
            "https://www.instagram.com/p/B5OBT3ygpfg/",
            "https://www.instagram.com/reel/B5OBT3ygpfg/?igsh=1",
            "https://instagram.com/the.good.one/p/B5OBT3ygpfg",
            "//www.instagram.com/tv/B5OBT3ygpfg",
        ],
    )
    def test_a_new_id_has_the_short_code_of_the_old_one(self, url: str) -> None:
        post = self.read({"id": "18", "post": "x", "postUrl": url})
        assert post.aliases == (Alias("shortcode", "B5OBT3ygpfg"),)

    def test_an_address_without_its_scheme_is_a_file_and_nothing_is_omitted(self) -> None:
        record = {"id": "1", "mediaType": "IMAGE", "mediaUrl": "//HOST.example/a.png"}
        post = self.read(record)
        assert [(r.url, r.absent) for r in post.attachments[0].renditions] == [
            ("https://HOST.example/a.png", None)
        ]

    @pytest.mark.parametrize("value", ["a.png", "", " ", 5, True, False, [], {}, "https://"])
    def test_copyright_is_claimed_only_where_there_is_nothing(self, value: object) -> None:
        record = {"id": "1", "mediaType": "IMAGE", "mediaUrl": value}
        post = self.read(record)
        assert [r.absent for r in post.attachments[0].renditions] == ["address_not_understood"]
        assert post.unmapped == ("mediaUrl",)
        child = self.read({"id": "1", "mediaUrls": [{"id": "2", "mediaUrl": value}]})
        assert [r.absent for r in child.attachments[0].renditions] == ["address_not_understood"]
        assert child.unmapped == ("mediaUrls[].mediaUrl",)
