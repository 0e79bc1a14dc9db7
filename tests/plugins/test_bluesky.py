from archiver_ayrshare.bluesky import Bluesky
from ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = Bluesky()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("bluesky")


class TestBluesky(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_text_and_numbers(self) -> None:
        post = self.read(SAMPLES[0])
        assert post.text == "What a wonderful data day!"
        assert post.author == "ayrshare.com"
        assert {m.name: m.value for m in post.metrics} == {
            "likes": 2, "quotes": 3, "replies": 2, "reposts": 1
        }  # fmt: skip
        assert [(alias.scheme, alias.value[:8]) for alias in post.aliases] == [("cid", "bafyreig")]

    def test_images_have_their_alt_text_and_size(self) -> None:
        first, second = self.read(SAMPLES[1]).attachments
        assert (first.kind, first.alt_text, first.width, first.height) == (
            "image", "A bridge", 2000, 1000
        )  # fmt: skip
        assert [r.role for r in second.renditions] == ["original", "thumbnail"]
        assert second.alt_text is None

    def test_a_video_in_a_reply(self) -> None:
        post = self.read(SAMPLES[2])
        (video,) = post.attachments
        assert (video.kind, video.platform_id) == ("video", "bafyvideo")
        assert str(video.renditions[0].url).endswith("playlist.m3u8")
        assert post.kind == "reply"
        assert post.relations[0].platform_id == "at://did:plc:xyz/app.bsky.feed.post/3parent"

    def test_a_quote_with_a_link(self) -> None:
        post = self.read(SAMPLES[3])
        assert post.kind == "quote"
        assert post.relations[0].platform_id == "at://did:plc:xyz/app.bsky.feed.post/3quoted"
        assert post.content["link"] == "https://example.com/page?id=3"
        assert [(a.kind, a.renditions[0].role) for a in post.attachments] == [("link", "preview")]
