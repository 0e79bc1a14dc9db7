from typing import Any

import pytest

from archiver import Alias
from archiver_ayrshare.twitter import Twitter
from support.ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = Twitter()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("twitter")


class TestTwitter(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_public_organic_and_non_public_counts_stay_apart(self) -> None:
        numbers = {m.name: m.value for m in self.read(SAMPLES[0]).metrics}
        assert (numbers["likes"], numbers["organic.likes"]) == (5, 234)
        assert numbers["non_public.impressions"] == 1
        assert numbers["organic.profile_clicks"] == 2
        assert numbers["reposts"] == 2

    def test_all_bitrates_the_best_first_and_the_playlist_last(self) -> None:
        (video,) = self.read(SAMPLES[1]).attachments
        files = [(r.role, r.bitrate, r.content_type) for r in video.renditions]
        assert files == [
            ("original", 2176000, "video/mp4"),
            ("variant", 832000, "video/mp4"),
            ("variant", 256000, "video/mp4"),
            ("variant", None, "application/x-mpegURL"),
            ("preview", None, None),
        ]
        numbers = {m.name: m.value for m in video.metrics}
        assert numbers["views"] == 27
        assert numbers["non_public.playback_0"] == 55
        assert (video.platform_id, video.width, video.duration_ms) == (
            "7_1739849636389814272", 1920, 28240
        )  # fmt: skip

    def test_where_only_a_preview_is_given_the_video_is_not_offered(self) -> None:
        (video,) = self.read(SAMPLES[0]).attachments
        assert [(r.role, r.absent) for r in video.renditions] == [
            ("original", "not_offered"), ("preview", None)
        ]  # fmt: skip

    def test_photos_in_either_shape(self) -> None:
        post = self.read(SAMPLES[2])
        assert [(a.kind, str(a.renditions[0].url)[-7:]) for a in post.attachments] == [
            ("image", "AAA.jpg"), ("image", "BBB.jpg")
        ]  # fmt: skip
        assert post.attachments[0].alt_text == "A dog"

    def test_a_gif_is_a_gif(self) -> None:
        (gif,) = self.read(SAMPLES[3]).attachments
        assert (gif.kind, gif.renditions[0].content_type) == ("gif", "video/mp4")

    def test_quotes_replies_and_reposts(self) -> None:
        assert [self.read(s).kind for s in SAMPLES] == ["quote", "post", "post", "reply", "repost"]
        assert self.read(SAMPLES[0]).relations[0].platform_id == "1556718165828276224"
        assert self.read(SAMPLES[0]).content["links"] == ["https://www.cnn.com"]

    def test_the_handle_is_in_the_url(self) -> None:
        assert [self.read(s).author for s in SAMPLES[:2]] == ["myhandle", "superme"]

    def test_an_edited_post_is_known_by_every_id_that_it_had(self) -> None:
        record = {"id": "101", "post": "x", "editHistoryTweetIds": ["100", "101"]}
        known = [Alias("edit_history", "100"), Alias("edit_history", "101")]
        assert list(self.read(record).aliases) == known
        first = self.read({"id": "100", "post": "x", "editHistoryTweetIds": ["100"]})
        assert first.aliases == (Alias("edit_history", "100"),)

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("AT&amp;T &lt;3", "AT&T <3"),
            ("&amp;lt;", "&lt;"),
            ("a &gt; b &quot;c&quot; &copy;", "a > b &quot;c&quot; &copy;"),
            ("fish & chips", "fish & chips"),
        ],
    )
    def test_entities_are_resolved_once(self, text: str, written: str) -> None:
        post = self.read({"id": "1", "post": text})
        assert (post.text, post.content["text"]) == (written, written)

    @pytest.mark.parametrize(
        "whole",
        [
            {"noteTweet": {"text": "A long story"}},
            {"note_tweet": {"text": "A long story"}},
            {"fullText": "A long story"},
            {"full_text": "A long story"},
        ],
    )
    def test_the_longest_whole_text_wins_over_a_cut_one(self, whole: dict[str, Any]) -> None:
        post = self.read({"id": "1", "post": "A lon\u2026", **whole})
        assert (post.text, post.unmapped) == ("A long story", ())
        shorter = {key: "A" for key in whole if isinstance(whole[key], str)}
        assert self.read({"id": "1", "post": "A long story", **shorter}).text == "A long story"

    def test_a_video_of_which_only_a_playlist_is_offered_says_so(self) -> None:
        files = [{"contentType": "application/x-mpegURL", "mediaUrl": "https://v.example/a"}]
        (video,) = self.read(
            {"id": "1", "media": [{"type": "video", "mediaUrls": files}]}
        ).attachments
        assert [(r.role, r.content_type) for r in video.renditions] == [
            ("original", "application/x-mpegURL")
        ]

    def test_a_file_without_an_address_says_so_and_stands_last(self) -> None:
        files = [
            {"bitRate": 9, "contentType": "video/mp4", "mediaUrl": "none"},
            {"bitRate": 5, "contentType": "video/mp4", "mediaUrl": "//v.example/a.mp4"},
        ]
        post = self.read({"id": "1", "media": [{"type": "video", "mediaUrls": files}]})
        (video,) = post.attachments
        assert [r.url for r in video.renditions] == ["https://v.example/a.mp4"]
        assert post.unmapped == ("media[].mediaUrls[].mediaUrl",)
        (video,) = self.read(
            {"id": "1", "media": [{"type": "video", "mediaUrls": files[:1]}]}
        ).attachments
        assert video.renditions[0].absent == "address_not_understood"
