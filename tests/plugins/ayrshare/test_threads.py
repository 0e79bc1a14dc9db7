from archiver import Alias
from archiver_ayrshare.threads import Threads
from support.ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = Threads()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("threads")


class TestThreads(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_both_spellings(self) -> None:
        old, new = self.read(SAMPLES[0]), self.read(SAMPLES[1])
        assert (old.text, new.text) == ("An image post", "A video post")
        assert old.created_at == "2024-11-11T10:00:00.000Z"
        assert {m.name: m.value for m in new.metrics} == {
            "likes": 7, "replies": 1, "reposts": 0, "quotes": 2
        }  # fmt: skip
        assert {m.name for m in old.metrics} == {
            "likes", "views", "replies", "reposts", "quotes", "shares"
        }  # fmt: skip

    def test_media_of_every_kind(self) -> None:
        kinds = [[a.kind for a in self.read(s).attachments] for s in SAMPLES]
        assert kinds == [["image"], ["video"], [], ["image", "video"], []]

    def test_quotes_and_replies(self) -> None:
        assert [self.read(s).kind for s in SAMPLES] == ["post", "post", "quote", "reply", "reply"]
        assert self.read(SAMPLES[2]).relations[0].platform_id == "18000000000000001"
        assert self.read(SAMPLES[2]).content["link"] == "https://example.com/article"

    def test_the_id_in_the_url_is_another_id_of_the_post(self) -> None:
        record = {"id": "1", "text": "x", "permalink": "https://www.threads.com/@me/post/DCx_1"}
        assert self.read(record).aliases == (Alias("shortcode", "DCx_1"),)

    def test_a_repost_is_not_known_by_the_url_of_the_other_post(self) -> None:
        record = {"id": "1", "mediaType": "REPOST_FACADE"}
        url = "https://www.threads.net/@them/post/DCx"
        assert self.read({**record, "permalink": url}).aliases == ()
