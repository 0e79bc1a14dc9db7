"""What is attached to a post of a world is described in a few words."""

from archiver_ayrshare.demo.specs import gif, link, photo, video


def test_each_kind_has_what_it_needs() -> None:
    assert (photo("a", alt="A bowl").kind, photo("a", alt="A bowl").alt) == ("photo", "A bowl")
    assert video(pad=5).pad == 5
    assert gif().file_type == "gif"
    assert (link("https://a.example", title="A").url, link("x", picture=False).picture) == (
        "https://a.example", False
    )  # fmt: skip


def test_pictures_of_one_label_are_one_description() -> None:
    assert photo("bowl") == photo("bowl") != photo("cup")
