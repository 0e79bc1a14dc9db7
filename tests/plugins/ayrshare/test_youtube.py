import pytest

from archiver import Alias
from archiver_ayrshare.youtube import YouTube
from support.ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = YouTube()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("youtube")


class TestYouTube(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_a_video_is_a_thumbnail(self) -> None:
        post = self.read(SAMPLES[0])
        (video,) = post.attachments
        assert [(r.role, r.absent) for r in video.renditions] == [
            ("original", "not_offered"), ("thumbnail", None)
        ]  # fmt: skip
        assert (post.kind, post.title, post.visibility) == ("video", "Yo time", "public")
        assert post.created_at == "2022-08-15T19:14:44.000Z"

    def test_a_new_upload_moves_nothing_but_the_record(self) -> None:
        moved = {**SAMPLES[0], "position": 1}
        assert self.read(moved) == self.read(SAMPLES[0])

    def test_the_older_form_and_numbers_in_text(self) -> None:
        post = self.read(SAMPLES[2])
        assert post.text == "In the older form only"
        assert [(m.name, m.value) for m in post.metrics] == [("views", 12)]

    @pytest.mark.parametrize(
        ("title", "visibility"), [("Private video", "private"), ("Deleted video", "removed")]
    )
    def test_a_placeholder_says_who_may_see_it_and_nothing_of_the_video(
        self, title: str, visibility: str
    ) -> None:
        post = self.read({**SAMPLES[0], "title": title, "post": "This video is private."})
        assert post.id_only
        assert post.visibility == visibility
        assert (dict(post.content), post.attachments, post.unmapped) == ({}, (), ())

    @pytest.mark.parametrize("title", ["My private video", "private video", "Private video 2"])
    def test_a_title_that_only_speaks_of_privacy_is_a_title(self, title: str) -> None:
        post = self.read({**SAMPLES[0], "title": title})
        assert (post.id_only, post.content["title"]) == (False, title)

    @pytest.mark.parametrize("duration", ["PT1H2M3S", 3723, "1:02:03", "3723"])
    def test_a_duration_in_every_form(self, duration: object) -> None:
        post = self.read({**SAMPLES[0], "duration": duration})
        assert (post.attachments[0].duration_ms, post.unmapped) == (3_723_000, ())

    @pytest.mark.parametrize(
        "url",
        [
            "https://www.youtube.com/watch?v=Q-4OuHCALVa&t=1",
            "https://youtu.be/Q-4OuHCALVa",
            "https://www.youtube.com/shorts/Q-4OuHCALVa",
        ],
    )
    def test_the_id_in_the_url_is_another_id_of_the_video(self, url: str) -> None:
        assert self.read({"id": "UEx", "postUrl": url}).aliases == (Alias("video", "Q-4OuHCALVa"),)
