"""What an export says of itself."""

from archiver.export.heading import ExportHeading
from archiver.export.readme import readme

HEADING = ExportHeading("mine", "acme, from 2026", "2026-03-03T00:00:00Z")


def text_of(*problems: bytes) -> str:
    pieces = readme(
        HEADING, ["posts.csv  the posts"], problems, posts=1, files=2, size=1_800_000,
        not_included=len(problems),
    )  # fmt: skip
    return b"".join(pieces).decode()


def test_it_says_what_was_chosen_and_counts_what_is_there() -> None:
    text = text_of()
    assert "archive mine\n" in text
    assert "acme, from 2026\n" in text
    assert "1 post, 2 media files (1.8 MB)\n" in text
    assert "posts.csv  the posts\n" in text
    assert "ncluded" not in text


def test_it_lists_what_is_not_included() -> None:
    text = text_of(b"media/a: omitted\n")
    assert "(1.8 MB), 1 not included\n" in text
    assert text.endswith("\n\nNot included:\n\nmedia/a: omitted\n")
