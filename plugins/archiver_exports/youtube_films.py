"""Which film of a Takeout is which video: Takeout names a film by its title alone.

Characters that a file name cannot have are written as `_`, older Takeouts cut names, and films of
equal titles get `(1)`, `(2)`. Only where one film and one video fit each other and nothing else is
the film the video's; its length has to agree too, which is seen when it is copied.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FILMS = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".wmv", ".mpg", ".mpeg", ".flv", ".3gp")
_NUMBERED = re.compile(r"\(\d{1,3}\)$")
_SHORTEST_CUT = 40  # characters; names are cut at about 46


@dataclass(frozen=True, slots=True)
class FilmNames:
    """The films of videos by the ids of these, and why other films are nobody's."""

    of_videos: Mapping[str, str]
    unassigned: Mapping[str, str]


def assign_films(films: Iterable[str], titles: Mapping[str, str]) -> FilmNames:
    """Assign films, by their names in the package, to videos; `titles` are by the ids of these."""
    by_title: dict[str, list[str]] = defaultdict(list)
    for video, title in titles.items():
        by_title[_folded(title)].append(video)
    candidates = {name: _videos_of(name, titles, by_title) for name in films}
    claims: dict[str, list[str]] = defaultdict(list)
    for name, videos in candidates.items():
        for video in videos:
            claims[video].append(name)
    of_videos, unassigned = {}, {}
    for name, videos in candidates.items():
        if not videos:
            unassigned[name] = "no video of this title"
        elif len(videos) > 1:
            unassigned[name] = f"{len(videos)} videos have this title"
        elif len(claims[videos[0]]) > 1:
            unassigned[name] = "there are several films of this title"
        else:
            of_videos[videos[0]] = name
    return FilmNames(of_videos, unassigned)


def _videos_of(
    name: str, titles: Mapping[str, str], by_title: Mapping[str, list[str]]
) -> Sequence[str]:
    """The videos that a film may be.

    By an id as its name, else by its title, its title without a number, or the beginning of one.
    """
    stem = name.rpartition("/")[2].rpartition(".")[0]
    if stem in titles:
        return [stem]
    for title in dict.fromkeys((stem, _NUMBERED.sub("", stem))):
        folded = _folded(title)
        if folded in by_title and folded:
            return by_title[folded]
        if len(title) >= _SHORTEST_CUT:
            whole = [found for found in by_title if found.startswith(folded)]
            if whole:
                return [video for found in whole for video in by_title[found]]
    return []


def _folded(title: str) -> str:
    """A title as names of files are compared: its letters and digits in lower case."""
    kept = (character if character.isalnum() else " " for character in title.casefold())
    return " ".join("".join(kept).split())
