from archiver import Alias
from archiver_ayrshare.snapchat import Snapchat
from support.ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = Snapchat()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("snapchat")


class TestSnapchat(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_kinds(self) -> None:
        assert [self.read(s).kind for s in SAMPLES] == ["story", "saved_story", "spotlight"]

    def test_a_thumbnail_is_all_there_is(self) -> None:
        (snap,) = self.read(SAMPLES[0]).attachments
        assert [(r.role, r.absent) for r in snap.renditions] == [
            ("original", "not_offered"), ("thumbnail", None)
        ]  # fmt: skip

    def test_a_saved_story_has_a_title_and_no_text(self) -> None:
        post = self.read(SAMPLES[1])
        assert (post.title, post.text, post.url) == ("A song about snaps", None, None)
        assert self.read(SAMPLES[2]).edited_at == "2025-05-22T18:09:04.876Z"

    def test_the_id_in_the_url_is_another_id_of_the_post(self) -> None:
        record = {"id": "u-1", "postUrl": "https://www.snapchat.com/spotlight/W7_Ed"}
        assert self.read(record).aliases == (Alias("spotlight", "W7_Ed"),)
