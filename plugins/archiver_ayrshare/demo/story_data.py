"""Names, texts and pictures that several parts of the demo's story use."""

from datetime import datetime, timedelta

from archiver_ayrshare.demo.specs import MediaSpec, photo
from archiver_ayrshare.demo.world import World

HANDLE = "marestudio"
TITLE = "Maré Studio"

TYPO = "Kiln number four is cooling. We open it on Tuseday at nine, and yes, you can watch. 🔥"
CORRECTED = "Kiln number four is cooling. We open it on Tuesday at nine, and yes, you can watch. 🔥"
DELETED = (
    "Everything in the shop is half price today. (Haruka has seen this and would like a word.)"
)
REEL = "Forty bowls in twenty seconds. Sound on! #wheelthrowing #ceramics"
MIXED = "One week, three cities, one glaze. Swipe for Lisboa, 大阪, الإسكندرية."
LOST = "We are looking for a second pair of hands in Lisbon, two days a week, from April."

FIRST_LIGHT = photo(
    "first light", scene="pot", size=(900, 900), alt="A round pot with blue and white bands"
)
HARBOUR = photo(
    "harbour", scene="sea", size=(960, 640), alt="A small boat at dawn, seen from the studio"
)
TILES = photo("tiles", scene="tiles", size=(800, 800), alt="A wall of test tiles, no two alike")


def days(world: World, ago: float, hour: int = 9, minute: int = 0) -> datetime:
    """That many days before now, at a time of day."""
    day = world.now() - timedelta(days=ago)
    return day.replace(hour=hour, minute=minute, second=int(ago * 7) % 60, microsecond=0)


def poster(text: str, label: str) -> MediaSpec:
    """A picture with large words on it; a slash begins a new line."""
    return photo(label, scene=f"poster:{text}", size=(800, 800), alt=text.replace("/", " "))
