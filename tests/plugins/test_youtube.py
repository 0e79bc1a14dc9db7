from archiver_ayrshare.youtube import YouTube
from ayrshare_contract import AyrshareContract, account_for, samples

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

    def test_the_old_spelling_and_numbers_in_text(self) -> None:
        post = self.read(SAMPLES[2])
        assert post.text == "In the old spelling only"
        assert [(m.name, m.value) for m in post.metrics] == [("views", 12)]
