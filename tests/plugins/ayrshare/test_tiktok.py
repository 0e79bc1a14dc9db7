from archiver import Alias
from archiver_ayrshare.tiktok import TikTok
from support.ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = TikTok()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("tiktok")


class TestTikTok(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_a_video_is_a_cover_and_a_duration(self) -> None:
        post = self.read(SAMPLES[0])
        (video,) = post.attachments
        assert video.duration_ms == 11332
        assert [(r.role, r.absent, r.width) for r in video.renditions] == [
            ("original", "not_offered", None), ("thumbnail", None, 576)
        ]  # fmt: skip
        assert (post.kind, post.author) == ("video", "happy")

    def test_numbers_but_no_distributions(self) -> None:
        assert {m.name: m.value for m in self.read(SAMPLES[0]).metrics} == {
            "average_time_watched": 2.0132, "total_time_watched": 1373,
            "full_video_watched_rate": 0.0176, "likes": 2, "comments": 1, "shares": 2,
            "views": 697, "reach": 653,
        }  # fmt: skip

    def test_without_media_fields_the_video_is_omitted(self) -> None:
        (video,) = self.read(SAMPLES[1]).attachments
        assert [(r.role, r.absent) for r in video.renditions] == [("original", "copyright")]

    def test_photos_are_given(self) -> None:
        post = self.read(SAMPLES[2])
        assert post.kind == "post"
        assert [(a.kind, a.renditions[0].absent) for a in post.attachments] == [("image", None)] * 2

    def test_the_id_in_the_url_is_another_id_of_the_post(self) -> None:
        record = {"id": "pending", "postUrl": "https://www.tiktok.com/@me/video/7339"}
        assert self.read(record).aliases == (Alias("video", "7339"),)
