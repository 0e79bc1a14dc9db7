"""A large, harsh archive to look at: ten accounts, four years, and all that strains a layout.

    PYTHONPATH=tests python -m support.harsh_archive FOLDER [POSTS]

It is made by real backups of a served world, and is the same every time. It has texts of 5,500
characters, Arabic, Hebrew, Japanese and emoji, addresses without end, carousels of ten, panoramas
and towers, films of another shape than their posters, threads, quotes, the same post on several
networks, months without posts, edits, removals, and files that are omitted, gone or failed.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.specs import MediaSpec, gif, link, photo, video
from support.nights import Nights, nights

POSTS = 2260
NOW_IS = timedelta(days=245)
"""From the beginning of the demo's time to 2 November 2026."""

SHARES = {
    "bluesky": 12, "facebook": 11, "instagram": 15, "linkedin": 8, "pinterest": 8, "snapchat": 5,
    "threads": 12, "tiktok": 5, "twitter": 13, "youtube": 6,
}  # fmt: skip
"""How many of a hundred posts are on each platform; the other five are on several."""

LONG_NAME = "the-studio-by-the-harbour-which-nobody-calls-by-its-whole-name-linkedin"
_FIRST_YEAR = 2023
_YEARS = {2023: 8, 2024: 24, 2025: 34, 2026: 34}
"""How many of a hundred posts are of each year: 187 of 2,260 in the first."""

_SENTENCE = (
    "The kiln has to cool for a whole day before anybody may open it, and nobody ever waits that "
    "long; so the first bowls ring like bells and one in ten of them cracks. "
)
LONG_TEXT = "This is the long story. " + _SENTENCE * 32 + "END"
ARABIC = (
    "صباح الخير من الورشة: الطين ما زال رطبًا، والفرن رقم 4 يبرد منذ الأمس. "
    "من يريد المجيء يوم الجمعة (10:00) فليكتب لنا على studio@example.com."
)
HEBREW = "בוקר טוב מהסטודיו! התנור עדיין חם, והקערות של אתמול מחכות לזיגוג — Kiln 4, כמובן."
JAPANESE = "朝の光の中で釉薬を混ぜる。陶芸教室は来週の火曜日からです。" * 3
EMOJI = "👩🏽‍🎨🏺🔥 → 🥣🥣🥣 🇯🇵🏳️‍🌈 " * 6
LONG_ADDRESS = (
    "Tickets: https://tickets.example.com/events/2026/open-studio/"
    + "very-long-segment-without-a-break-" * 12
    + "?utm_source=newsletter&utm_campaign=" + "x" * 120
)  # fmt: skip
_SHORT = (
    "Kiln four is open.", "First light over the harbour.", "New glaze, same bowl.",
    "Thank you for coming! #ceramics #slow", "Café crème, and a bowl to drink it from.",
    "Does anybody know this mark? @somebody.example", "Sold out. More in March.",
    "<b>Not bold</b> & not an entity: &amp; %20 {{ 1 + 1 }}",
)  # fmt: skip
_SHAPES = ((3000, 500), (400, 2400), (1080, 1350), (1600, 900), (96, 72), (1080, 1080))


@dataclass(frozen=True)
class _Turn:
    """One post to publish: the how-manieth of its account, and of the whole archive."""

    platform: str
    number: int
    at: datetime

    def every(self, step: int, first: int = 0) -> bool:
        """Whether this is one in so many of its account."""
        return self.number % step == first


def make_harsh_archive(folder: Path, posts: int = POSTS) -> Path:
    """Make it below this folder, with about so many posts; returns the database."""
    folder.mkdir(parents=True, exist_ok=True)
    with nights(folder) as world:
        world.clock.advance(days=NOW_IS.days)
        world.extra = "".join(
            f'\n[[accounts]]\nname = "{account_name(platform)}"\nplatform = "{platform}"\n'
            for platform in world.platforms
        )
        world.account("facebook").title = "استوديو الميناء"
        world.account("threads").title = "A title of an account that goes on " * 4
        published = [post for turn in _turns(world, posts) for post in _publish(world, turn)]
        _backup(world)
        _change(world, published)
        for _ in range(2):
            world.next_night(8)
            _backup(world)
        world.account("twitter").publish("The newest of all.", media=[photo()]).lose_media()
        world.next_night()
        _backup(world)
    return folder / "archive" / "archive.db"


def account_name(platform: str) -> str:
    """The name of the account on a platform."""
    return LONG_NAME if platform == "linkedin" else f"my-{platform}"


def _backup(world: Nights) -> None:
    with ThreadPoolExecutor(1) as apart:  # the caller may have an event loop in this thread
        report = apart.submit(world.backup, full=True, now=True).result()
    assert report.exit_code in {0, 3}, report  # some files are gone, which is partial


def _turns(world: Nights, posts: int) -> Iterator[_Turn]:
    """When each account publishes: no day is like the other, and some months are empty."""
    end = world.now()
    for platform, share in SHARES.items():
        number = 0
        for year, part in _YEARS.items():
            first = datetime(year, 1, 1, tzinfo=end.tzinfo)
            last = min(datetime(year + 1, 1, 1, tzinfo=end.tzinfo), end)
            count = max(1, round(posts * share * part / 10_000))
            for k in range(count):
                at = first + (last - first) * ((k + (k * k % 7) / 9) / count)
                at = at.replace(second=k % 60, microsecond=0)
                if at.month == 8 and at.year % 2:  # a holiday
                    at = at.replace(month=9, day=min(at.day, 30))
                yield _Turn(platform, number, min(at, end - timedelta(hours=1)))
                number += 1


def _publish(world: Nights, turn: _Turn) -> Iterator[WorldPost]:
    account = world.account(turn.platform)
    content, text = _content(turn), _text(turn)
    if turn.platform in {"bluesky", "threads", "twitter"} and turn.every(9, 4):
        parent = account.posts()[0]  # its own thread goes on
        content |= {"kind": "reply", "reply_to": parent.id}
    elif turn.platform in {"bluesky", "threads", "twitter"} and turn.every(31, 7):
        content |= {"kind": "quote", "quotes": account.posts()[0].id}
    post = account.publish(text, at=turn.at, **content)
    if turn.platform in {"instagram", "tiktok"} and turn.every(10, 1):
        post.withhold()
    elif post.media and turn.every(25, 6):
        post.lose_media(status=410)
    elif post.media and turn.every(70, 12):
        post.lose_media()  # 404: tried again
    yield post
    if turn.platform == "instagram" and turn.every(12, 5):  # the same on other networks
        picture = [photo(f"shared {turn.number}", size=(1080, 1350), alt="A bowl, seen from above")]
        text = f"The same everywhere, number {turn.number}: the studio is open on Saturday."
        for k, other in enumerate(("instagram", "facebook", "threads", "bluesky")):
            at = turn.at + timedelta(minutes=3 * k + 1)
            yield world.account(other).publish(text, at=at, media=picture)


def _text(turn: _Turn) -> str:
    hard = {5: ARABIC, 11: HEBREW, 17: JAPANESE, 23: EMOJI, 29: LONG_ADDRESS, 35: LONG_TEXT}
    return hard.get(turn.number % 37, f"{_SHORT[turn.number % len(_SHORT)]} {turn.number}")


def _content(turn: _Turn) -> dict[str, Any]:
    """The arguments of `publish` besides text and time: those of the first rule that applies."""
    for platforms, step, first, make in _REFERENCE_RULES:
        if turn.platform in platforms.split() and turn.every(step, first):
            return make(turn)
    return {}


def _picture(turn: _Turn) -> dict[str, Any]:
    return {"media": [photo(size=_SHAPES[turn.number % len(_SHAPES)], alt=_alt(turn))]}


_REFERENCE_RULES: tuple[tuple[str, int, int, Callable[[_Turn], dict[str, Any]]], ...] = (
    ("instagram", 5, 1, lambda _: {"kind": "reel", "media": [video()]}),
    ("instagram facebook linkedin", 9, 2, lambda turn: {"media": _carousel(turn, 10)}),
    ("instagram", 1, 0, _picture),
    ("facebook", 7, 1, lambda _: {"media": [link("https://example.com/a-page", title=ARABIC)]}),
    ("facebook linkedin", 3, 0, _picture),
    ("pinterest", 1, 0, lambda turn: {"title": "Seen today", "note": "Keep", **_picture(turn)}),
    ("snapchat", 2, 0, lambda _: {"kind": "saved_story", "title": "Saved from the studio"}),
    ("youtube", 1, 0, lambda turn: {"title": f"A film, part {turn.number} {HEBREW[:20]}"}),
    ("twitter", 8, 0, lambda _: {"media": [gif()]}),
    ("bluesky twitter", 4, 0, lambda turn: {"media": _up_to_four(turn)}),
    ("threads", 11, 2, lambda turn: {"media": _carousel(turn, 7)}),
)
"""Platforms, "one post in so many, from that one on", and what such a post has."""


def _up_to_four(turn: _Turn) -> list[MediaSpec]:
    count = 1 + turn.number // 4 % 4
    return [photo(size=_SHAPES[(turn.number + k) % len(_SHAPES)]) for k in range(count)]


def _carousel(turn: _Turn, count: int) -> list[MediaSpec]:
    pictures = [
        photo(size=_SHAPES[k % len(_SHAPES)], alt=f"Step {k + 1} of {count}") for k in range(count)
    ]
    if turn.platform in {"instagram", "threads"}:
        pictures[4] = video()
    return pictures


def _alt(turn: _Turn) -> str | None:
    return {0: ARABIC, 2: "A bowl on a shelf", 4: _SENTENCE * 3}.get(turn.number % 6)


def _change(world: Nights, posts: list[WorldPost]) -> None:
    """What happens between the backups."""
    for k, post in enumerate(posts):
        if k % 40 == 9:
            post.edit(text=f"{post.text} (corrected)")
        elif k % 90 == 11:
            post.remove()
    for post in world.account("instagram").posts()[:3]:
        post.edit(text=f"{post.text} — once more")


if __name__ == "__main__":
    asked = int(sys.argv[2]) if len(sys.argv) > 2 else POSTS
    sys.stdout.write(f"{make_harsh_archive(Path(sys.argv[1]), asked)}\n")
