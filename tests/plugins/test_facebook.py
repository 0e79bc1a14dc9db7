from archiver.canonical import content_sha256
from archiver_ayrshare.facebook import Facebook
from ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = Facebook()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("facebook")


class TestFacebook(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_a_shared_video(self) -> None:
        post = self.read(SAMPLES[0])
        (video,) = post.attachments
        assert (video.kind, video.platform_id, video.duration_ms) == (
            "video", "1269617073778151", 7000
        )  # fmt: skip
        assert [r.role for r in video.renditions] == ["original", "thumbnail", "preview"]
        assert (post.relations[0].kind, post.relations[0].platform_id) == (
            "shares", "5764771300200609_742258953848744"
        )  # fmt: skip
        numbers = {m.name: m.value for m in post.metrics}
        assert numbers["reactions"] == 6
        assert numbers["reactions.anger"] == 1
        assert numbers["likes"] == 38
        assert numbers["clicks_unique"] == 31

    def test_a_link_keeps_its_target_as_content_and_its_picture_as_preview(self) -> None:
        post = self.read(SAMPLES[1])
        (link,) = post.attachments
        assert link.kind == "link"
        assert [r.role for r in link.renditions] == ["preview"]
        assert post.content["links"] == ["https://www.alphasht.com/finding-the-best-headphones/"]

    def test_a_new_picture_of_a_link_is_not_a_new_link(self) -> None:
        other = {**SAMPLES[1], "fullPicture": "https://external.fbcdn.net/emg1/v/t13/another"}
        assert content_sha256(self.read(other)) == content_sha256(self.read(SAMPLES[1]))

    def test_a_story_is_known_by_three_ids(self) -> None:
        post = self.read(SAMPLES[2])
        assert post.kind == "story"
        assert post.text is None
        assert [(alias.scheme, alias.value) for alias in post.aliases] == [
            ("post_id", "1433249613981178")
        ]
        assert post.attachments[0].platform_id == "1593984754722429"

    def test_a_picture_of_the_post_is_not_taken_twice(self) -> None:
        one, two = self.read(SAMPLES[3]).attachments
        assert [r.role for r in one.renditions] == ["original"]
        assert (two.width, two.height) == (720, 360)

    def test_the_old_spelling_of_a_link(self) -> None:
        post = self.read(SAMPLES[4])
        assert post.text == "A link with its picture, in the old spelling"
        assert post.author == "My Page"
        assert post.content["links"] == ["https://example.com/a?id=7"]

    def test_a_picture_alone_is_an_image_with_a_preview(self) -> None:
        post = self.read(SAMPLES[5])
        assert post.kind == "reel"
        assert [(a.kind, a.renditions[0].role) for a in post.attachments] == [("image", "preview")]

    def test_a_video_without_its_file_says_so(self) -> None:
        record = {"id": "1", "mediaUrls": [{"mediaType": "video", "videoId": "2"}]}
        (video,) = self.read(record).attachments
        assert [(r.role, r.absent) for r in video.renditions] == [("original", "not_offered")]
