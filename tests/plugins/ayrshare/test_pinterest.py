from archiver import Alias
from archiver_ayrshare.pinterest import Pinterest
from support.ayrshare_contract import AyrshareContract, account_for, samples

PLATFORM = Pinterest()
ACCOUNT = account_for(PLATFORM)
SAMPLES = samples("pinterest")


class TestPinterest(AyrshareContract):
    platform = PLATFORM
    account = ACCOUNT
    samples = SAMPLES

    def test_a_video_has_a_cover_once_and_no_file(self) -> None:
        (video,) = self.read(SAMPLES[0]).attachments
        assert [(r.role, r.absent) for r in video.renditions] == [
            ("original", "not_offered"), ("cover", None)
        ]  # fmt: skip
        assert video.duration_ms == 6416

    def test_several_of_both(self) -> None:
        attachments = self.read(SAMPLES[2]).attachments
        assert [a.kind for a in attachments] == ["image"] * 4 + ["video"]
        assert attachments[4].duration_ms == 19600
        assert attachments[4].renditions[0].absent == "not_offered"

    def test_what_the_author_set_is_content(self) -> None:
        post = self.read(SAMPLES[3])
        assert post.kind == "pin"
        assert post.content == {
            "text": "A door",
            "link": "https://shop.example/door?id=3",
            "board_id": "955255839651522358",
            "product_tags": ["7184649468512979"],
        }
        assert post.attachments[0].alt_text == "A red door"
        assert self.read(SAMPLES[0]).content["note"] == "What a great post"

    def test_the_id_in_the_url_is_another_id_of_the_post(self) -> None:
        record = {"id": "A", "postUrl": "https://www.pinterest.co.uk/pin/7184/"}
        assert self.read(record).aliases == (Alias("pin", "7184"),)
