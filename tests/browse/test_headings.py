"""What a view is called: in words, with its number."""

import pytest

from archiver.browse.filters import Filter
from archiver.browse.headings import heading

MARCH = Filter(account="my-instagram", since="2025-03", until="2025-03")


@pytest.mark.parametrize(
    ("wanted", "total", "said"),
    [
        (Filter(), 2256, "2,256 posts"),
        (Filter(), 1, "1 post"),
        (Filter(), 0, "No posts"),
        (MARCH, 14, "my-instagram, March 2025: 14 posts"),
        (MARCH, 1, "my-instagram, March 2025: 1 post"),
        (Filter(account="my-instagram"), 0, "my-instagram: no posts"),
        (Filter(platform="twitter"), 3, "X: 3 posts"),
        (Filter(since="2025", until="2025"), 3, "2025: 3 posts"),
        (Filter(since="2025-03-14", until="2025-03-14"), 3, "14 March 2025: 3 posts"),
        (Filter(since="2025-03", until="2025-05"), 3, "March 2025 to May 2025: 3 posts"),
        (Filter(since="2025-03"), 3, "Since March 2025: 3 posts"),
        (Filter(until="2025-03"), 3, "Until March 2025: 3 posts"),
        (Filter(kind="story"), 2, "2 stories"),
        (Filter(kind="saved_story"), 1, "1 saved story"),
        (Filter(kind="reply"), 2, "2 replies"),
        (Filter(kind="reel", flags=frozenset({"edited"})), 2, "2 edited reels"),
        (Filter(flags=frozenset({"edited", "removed"})), 1, "1 edited removed post"),
        (Filter(), None, "All posts"),
        (Filter(account="my-instagram"), None, "my-instagram: posts"),
        (Filter(flags=frozenset({"media"})), None, "Posts with media"),
        (Filter(flags=frozenset({"omitted", "media"})), 4, "4 posts with omitted media"),
        (Filter(words="kiln four"), 4, "4 posts that contain “kiln four”"),
        (Filter(words="kiln"), 1, "1 post that contains “kiln”"),
        (Filter(words="a"), None, "Posts that contain “a”"),
    ],
)
def test_a_view_is_called_by_what_it_shows(wanted: Filter, total: int | None, said: str) -> None:
    assert heading(wanted, total) == said
