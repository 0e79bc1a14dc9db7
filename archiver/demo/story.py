"""The story that `archiver demo` tells: a studio's ten accounts over three days.

    clock = DemoClock(running=True)
    world = begin(clock)
    with serve(world) as server:
        for epoch in EPOCHS:
            for sentence in advance(world, epoch):
                print(sentence)
            …  # back up
            clock.advance(days=1)

Epoch 1 is what there is to begin with. On the second day somebody edits, deletes and publishes,
numbers move, a story expires, and every address changes. On the third the deletion still holds,
and what was withheld comes back.
"""

from archiver.clock import Clock
from archiver.demo import story_things as things
from archiver.demo.posts import WorldPost
from archiver.demo.specs import photo, video
from archiver.demo.story_posts import FILLERS
from archiver.demo.world import World

EPOCHS = (1, 2, 3)


def begin(clock: Clock, seed: int = 0) -> World:
    """A world for the story, empty as yet."""
    return World(clock.now, seed, handle=things.HANDLE)


def advance(world: World, epoch: int) -> list[str]:
    """Let that day's things happen, and say what they were, a sentence each.

    The clock is not moved: do that before every epoch but the first.
    """
    match epoch:
        case 1:
            return _first_day(world)
        case 2:
            return _second_day(world)
        case 3:
            return _third_day(world)
        case _:
            raise ValueError(f"the story has epochs {EPOCHS}")


def _first_day(world: World) -> list[str]:
    for platform, fill in FILLERS.items():
        account = world.account(platform)
        account.title = things.TITLE
        fill(account)
    count = len(world.truth.what("published"))
    return [
        f"{things.TITLE}, three friends who make pots: {count} posts on ten platforms.",
        "Instagram withholds the video of a reel and one item of a carousel, for their sound.",
        "TikTok has flagged one film and shows it without its picture.",
        "One picture on LinkedIn is no longer there: its address answers 404.",
    ]


def _second_day(world: World) -> list[str]:
    _find(world, "facebook", things.TYPO).edit(text=things.MENDED)
    _find(world, "twitter", things.REGRETTED).remove()
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
    _find(world, "instagram", things.REEL).release()
    world.tick(newest=5)
    world.rotate()
    return [
        "Another day later. X: the deleted post is still gone.",
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
