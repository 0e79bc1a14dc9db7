import pytest

from archiver import Alias
from archiver_ayrshare.bluesky import Bluesky
from support.ayrshare_contract import AyrshareContract, account_for, samples

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

    def test_a_video_is_offered_as_a_playlist(self) -> None:
        (video,) = self.read(SAMPLES[2]).attachments
        assert video.renditions[0].content_type == "application/vnd.apple.mpegurl"
        view = {"playlist": "https://video.example/list", "thumbnail": "https://v.example/a.jpg"}
        (video,) = self.read({"id": "1", "embed": view}).attachments
        assert video.renditions[0].content_type == "application/vnd.apple.mpegurl"

    @pytest.mark.parametrize(
        "uri",
        [
            "https://media.tenor.com/AbC/dance.gif?hh=280&ww=498",
            "https://media3.giphy.com/media/xyz/giphy.webp",
            "https://a.example/cat.gif",
        ],
    )
    def test_a_gif_shown_in_place_of_its_link_is_a_gif_with_a_still(self, uri: str) -> None:
        external = {"uri": uri, "title": "A GIF", "thumb": "https://cdn.example/still@jpeg"}
        (gif,) = self.read({"id": "1", "embed": {"external": external}}).attachments
        assert gif.kind == "gif"
        assert [(r.role, r.url) for r in gif.renditions] == [
            ("original", uri), ("thumbnail", "https://cdn.example/still@jpeg")
        ]  # fmt: skip

    @pytest.mark.parametrize("uri", ["https://tenor.com/view/dance-1", "https://giphy.com/gifs/x"])
    def test_a_page_about_a_gif_is_a_link(self, uri: str) -> None:
        (link,) = self.read({"id": "1", "embed": {"external": {"uri": uri}}}).attachments
        assert link.kind == "link"

    def test_other_ids_of_the_post(self) -> None:
        uri = "at://did:plc:n7a/app.bsky.feed.post/3x"
        post = self.read({"id": "3x", "uri": uri, "cid": "bafy"})
        assert post.aliases == (Alias("cid", "bafy"), Alias("at_uri", uri))
