"""The story of `archiver demo`: a studio's ten accounts over three days.

    story = Story(clock.now)
    config = story.serve_at(origins)  # where `story.app` is served
    for day in (1, 2, 3):
        for sentence in story.begin_day(day):
            print(sentence)
        …  # back up
        clock.advance(days=1)

The first day begins with what was published before. On the second, posts are edited, deleted and
published, metrics change, stories expire, and every address changes. On the third, the deleted post
is still missing, and an omitted video is available again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from archiver_ayrshare.demo import story_data as data
from archiver_ayrshare.demo.app import application
from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.specs import photo, video
from archiver_ayrshare.demo.story_posts import POSTS_BY_PLATFORM
from archiver_ayrshare.demo.world import World

_CONFIG = """
[ayrshare]
api_key = "{world.api_key}"
base_url = "{origin}/api"
x_api_key = "{world.x_api_key}"
x_api_secret = "{world.x_api_secret}"
"""
_ACCOUNT = """
[[accounts]]
name = "mare-{platform}"
platform = "{platform}"
source = "ayrshare"
"""


class Story:
    """The studio's accounts, day by day: the DemoWorld of `archiver demo`."""

    def __init__(self, now: Callable[[], datetime], seed: int = 0) -> None:
        self.world = World(now, seed, handle=data.HANDLE)
        self.app = application(self.world)

    def serve_at(self, origins: Sequence[str]) -> str:
        """The config of a backup; addresses of media are given out below all `origins`."""
        self.world.origins = list(origins)
        accounts = (_ACCOUNT.format(platform=platform) for platform in POSTS_BY_PLATFORM)
        return _CONFIG.format(world=self.world, origin=origins[0]) + "".join(accounts)

    def begin_day(self, day: int) -> Sequence[str]:
        """Apply the events of that day; returns a sentence for each.

        The clock is not moved: do that before every day but the first.
        """
        match day:
            case 1:
                return _first_day(self.world)
            case 2:
                return _second_day(self.world)
            case 3:
                return _third_day(self.world)
            case _:
                raise ValueError("the story has three days")

    def sent_files(self) -> Mapping[str, int]:
        """Bytes of each file that were sent so far."""
        sent: dict[str, int] = {}
        for request in list(self.world.media_requests):
            if request.status in {200, 206}:
                sent[request.path] = sent.get(request.path, 0) + request.sent
        return sent


def _first_day(world: World) -> list[str]:
    for platform, publish_posts in POSTS_BY_PLATFORM.items():
        account = world.account(platform)
        account.title = data.TITLE
        publish_posts(account)
    count = len(world.event_log.of_kinds("published"))
    return [
        f"{data.TITLE}, three friends who make pots: {count} posts on ten platforms.",
        "Instagram withholds the video of a reel and one item of a carousel, for their sound.",
        "TikTok has flagged one video and shows it without its picture.",
        "Bluesky gives a video as a playlist only: its segments become one file.",
        "YouTube shows videos on their pages, and gives only their stills.",
        "One picture on LinkedIn is no longer there: its address answers 404.",
    ]


def _second_day(world: World) -> list[str]:
    _find(world, "facebook", data.TYPO).edit(text=data.CORRECTED)
    _find(world, "twitter", data.DELETED).remove()
    _publish_news(world)
    world.tick()
    world.rotate()
    return [
        "A day later. Facebook: a misspelt day of the week was corrected.",
        "X: a hasty post was deleted.",
        "Bluesky, Instagram, Threads and YouTube: one new post each.",
        "Yesterday's stories on Facebook, Instagram and Snapchat have expired.",
        "Likes and views went up, and every media address has another host and signature.",
    ]


def _third_day(world: World) -> list[str]:
    _find(world, "instagram", data.REEL).release()
    world.tick(newest=5)
    world.rotate()
    return [
        "Another day later. X: the deleted post has not come back.",
        "Instagram: the owner gave the reel another sound, and its video is back.",
        "Likes and views went up again, and every media address has changed once more.",
    ]


def _publish_news(world: World) -> None:
    """The new posts of the second day; one picture is published twice."""
    opened = photo("kiln four", scene="pot", size=(900, 900), alt="A pot, still warm")
    world.account("instagram").publish("Kiln four is open. Look at that blue. 💙", media=[opened])
    world.account("threads").publish("It worked. It actually worked.", media=[opened])
    world.account("bluesky").publish("Kiln four: 61 pots in, 61 pots out. That never happens.")
    world.account("youtube").publish(
        "Nine minutes of three people holding their breath.",
        title="Opening kiln four",
        media=[video("opening kiln four", scene="tiles", size=(480, 270))],
    )


def _find(world: World, platform: str, text: str) -> WorldPost:
    return next(post for post in world.account(platform).posts() if post.text == text)
