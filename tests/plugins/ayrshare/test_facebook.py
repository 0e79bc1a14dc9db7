from typing import Any
from urllib.parse import quote

import pytest

from archiver import Alias
from archiver.canonical import content_sha256
from archiver_ayrshare.facebook import Facebook
from support.ayrshare_contract import AyrshareContract, account_for, samples

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
            ("post_id", "1593984754722429"),
            ("post_id", "1433249613981178"),
            ("media_id", "1593984754722429"),
        ]
        assert post.attachments[0].platform_id == "1593984754722429"

    def test_a_picture_of_the_post_is_not_taken_twice(self) -> None:
        one, two = self.read(SAMPLES[3]).attachments
        assert [r.role for r in one.renditions] == ["original"]
        assert (two.width, two.height) == (720, 360)

    def test_the_older_form_of_a_link(self) -> None:
        post = self.read(SAMPLES[4])
        assert post.text == "A link with its picture, in the older form"
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

    def test_a_post_is_known_with_and_without_the_number_of_its_page(self) -> None:
        for record in ({"id": "55_66"}, {"id": "66"}, {"id": "55_66", "postId": "66"}):
            assert self.read(record).aliases == (Alias("post_id", "66"),)
        story = self.read({"id": "7", "postId": "55_66"})
        assert story.aliases == (Alias("post_id", "7"), Alias("post_id", "66"))

    @pytest.mark.parametrize(
        "item",
        [
            {"mediaType": "link", "media": {"source": "https://video.example/a"}},
            {
                "mediaType": "share",
                "media": {"source": "https://www.youtube.com/embed/a?autoplay=1"},
            },
            {"mediaType": "video_share_youtube", "media": {"source": "https://youtu.be/a"}},
            {"mediaType": "video", "media": {"source": "https://player.vimeo.com/video/1"}},
            {"mediaType": "video", "media": {"source": "https://tv.example/play.html"}},
            {"media": {"source": "https://tv.example/watch"}, "url": "https://tv.example/about"},
        ],
    )
    def test_the_player_page_of_another_site_is_a_link(self, item: dict[str, Any]) -> None:
        (link,) = self.read({"id": "1", "mediaUrls": [item]}).attachments
        assert (link.kind, link.renditions) == ("link", ())

    def test_a_shared_film_of_facebook_is_a_video(self) -> None:
        source = "https://video-lga3-1.xx.fbcdn.net/o1/v/t2/f2/m69/An_V"
        item = {"mediaType": "share", "media": {"source": source}, "url": "https://a.example/"}
        (video,) = self.read({"id": "1", "mediaUrls": [item]}).attachments
        assert (video.kind, video.renditions[0].url) == ("video", source)

    def test_a_playlist_says_that_it_is_one(self) -> None:
        source = "https://video.xx.fbcdn.net/v/a.m3u8?oe=1"
        item = {"mediaType": "video", "media": {"source": source}}
        (video,) = self.read({"id": "1", "mediaUrls": [item]}).attachments
        assert video.renditions[0].content_type == "application/vnd.apple.mpegurl"

    def test_wrappers_and_clicks_are_no_content(self) -> None:
        target = quote("https://example.com/a?id=7", safe="")
        hashes = set()
        for token in ("AT0abc", "AT0xyz"):
            wrapped = f"https://l.facebook.com/l.php?u={target}%26fbclid%3D{token}&h={token}"
            item = {"mediaType": "link", "url": wrapped}
            text = f"Look: https://example.com/b?fbclid={token} and {wrapped}"
            post = self.read({"id": "1", "post": text, "mediaUrls": [item], "link": wrapped})
            assert post.text == text, "the text stays as it was published"
            assert post.content["links"] == ["https://example.com/a?id=7"]
            assert post.attachments[0].platform_id == "https://example.com/a?id=7"
            hashes.add(content_sha256(post))
        assert len(hashes) == 1

    @pytest.mark.parametrize("address", ["//h.example/a.png", " https://h.example/a.png "])
    def test_an_address_in_another_form_is_an_attachment(self, address: str) -> None:
        for record in ({"mediaUrl": address}, {"mediaUrls": [{"mediaUrl": address}]}):
            post = self.read({"id": "1", **record})
            assert post.attachments[0].renditions[0].url == "https://h.example/a.png"
            assert post.unmapped == ()

    def test_what_is_no_address_is_an_attachment_that_says_so(self) -> None:
        for record in ({"mediaUrl": "a/b.png"}, {"mediaUrls": [{"mediaUrl": "a/b.png"}]}):
            post = self.read({"id": "1", **record})
            assert post.attachments[0].renditions[0].absent == "address_not_understood"
            assert len(post.unmapped) == 1
