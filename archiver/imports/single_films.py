"""Single films, as a platform's own site gives them to their owner: which post each belongs to.

YouTube Studio names a film by its title, other programs by the id of its video, or both. An id in
the name is certain. Else the title has to be that of one post alone, and the length has to agree;
that is a rule, and is put on record. Whatever fits nothing, or more than one post, is refused.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection

from archiver.archive.film_posts import FilmPost, film_posts_by_id, film_posts_with_title
from archiver.errors import PackageError
from archiver.human import counted
from archiver.imports.files import SAME_LENGTH
from archiver.imports.parts import DownloadedPart
from archiver.media.inspect import inspect
from archiver.media.kinds import HEAD, sniff

_SHORTEST_ID = 11  # characters: shorter words of a title may be an id by chance
_SHORTEST_CUT = 40  # characters of a name that may be the beginning of a title only
_MOST_SHOWN = 20
_SEPARATOR = re.compile(r"[\s\-_()\[\]]")
_BRACKETED = re.compile(r"[\[(]([^\[\]()]+)[\])]")
_NUMBERED = re.compile(r" ?\(\d{1,3}\)$")  # what browsers and Takeout add to a name in use
_RENAME = (
    "Rename each to the id of its post, which is in its address (such as dQw4w9WgXcQ.mp4), and "
    "import it again. A post that the archive does not have yet comes with archiver backup"
)


@dataclass(frozen=True, slots=True)
class SingleFilm:
    """A file of video as it was downloaded; its length in milliseconds, where it says that."""

    part: DownloadedPart
    duration_ms: int | None

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.part.path.name


@dataclass(frozen=True, slots=True)
class AssignedFilm:
    """A film and its post; `by_id` says that its name has the post's id."""

    film: SingleFilm
    post: FilmPost
    by_id: bool


@dataclass(slots=True)
class FilmAssignment:
    """The films that have a post, and the names of the others, with why they have none."""

    assigned: list[AssignedFilm] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def refusal(self) -> PackageError:
        """The error for the films that have none."""
        count = len(self.refused)
        shown = "; ".join(f"{name}: {why}" for name, why in self.refused[:_MOST_SHOWN])
        return PackageError(
            f"{counted(count, 'video')} cannot be given to a post",
            why=shown + (f"; and {count - _MOST_SHOWN:,} more" if count > _MOST_SHOWN else ""),
            kept="Nothing of them was imported",
            hint=_RENAME,
            code="no_post",
        )


def films_in(path: Path) -> list[Path]:
    """The film that a path is, or the films of a folder that has nothing else; else none."""
    if not path.is_dir():
        return [path] if _is_film(path) else []
    inside = sorted(each for each in path.iterdir() if not each.name.startswith("."))
    return inside if all(map(_is_film, inside)) else []


def _is_film(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            kind = sniff(file.read(HEAD))
    except OSError:  # whoever reads it says why it cannot be read
        return False
    return kind is not None and kind.group == "video"


def split_films(
    parts: Sequence[DownloadedPart],
) -> tuple[list[SingleFilm], list[DownloadedPart]]:
    """The parts that are a film by themselves, and the others."""
    films, others = [], []
    for part in parts:
        if not part.is_folder and _is_film(part.path):
            films.append(SingleFilm(part, _length(part.path)))
        else:
            others.append(part)
    return films, others


def _length(path: Path) -> int | None:
    with path.open("rb") as file:
        head = file.read(HEAD)
    kind = sniff(head)
    return None if kind is None else inspect(path, kind, head).duration_ms


def assign_films(
    connection: Connection, films: Sequence[SingleFilm], account: str | None
) -> FilmAssignment:
    """Which post each film belongs to; `account` is the label of the only one that is meant."""
    found = FilmAssignment()
    named: list[SingleFilm] = []
    for film in films:
        posts = film_posts_by_id(connection, ids_in_name(film.part.path.stem), account)
        if not posts:
            named.append(film)
        elif len(posts) > 1:
            many = {post.post_id for post in posts}
            found.refused.append((
                film.name,
                f"its name has the ids of {len(many)} posts" if len(many) > 1
                else f"its post has {len(posts)} videos, and the name does not say which it is",
            ))  # fmt: skip
        else:
            found.assigned.append(AssignedFilm(film, posts[0], by_id=True))
    if named:
        _assign_by_title(found, named, film_posts_with_title(connection, account))
    return found


def _assign_by_title(
    found: FilmAssignment, films: Sequence[SingleFilm], posts: Iterable[FilmPost]
) -> None:
    names = {film: list(folded_titles(film.part.path.stem)) for film in films}
    candidates: dict[SingleFilm, list[FilmPost]] = defaultdict(list)
    for post in posts:
        title = _folded(post.title or "")
        for film, wanted in names.items():
            if any(_is_titled(title, one, is_cut=is_cut) for one, is_cut in wanted):
                candidates[film].append(post)
    fitting = {film: _same_length(film, candidates[film]) for film in films}
    claims = Counter(some[0].attachment_id for some in fitting.values() if len(some) == 1)
    for film, some in fitting.items():
        if len(some) == 1 and claims[some[0].attachment_id] == 1:
            found.assigned.append(AssignedFilm(film, some[0], by_id=False))
        else:
            why = _why_not(film, candidates[film], some, claims)
            found.refused.append((film.name, why))


def _same_length(film: SingleFilm, posts: Sequence[FilmPost]) -> list[FilmPost]:
    return [
        post
        for post in posts
        if film.duration_ms is not None
        and post.duration_ms is not None
        and abs(film.duration_ms - post.duration_ms) <= SAME_LENGTH
    ]


def _why_not(
    film: SingleFilm, titled: Sequence[FilmPost], fitting: Sequence[FilmPost],
    claims: Mapping[int, int],
) -> str:  # fmt: skip
    if not titled:
        return "no post with a video has this title, or an id that is in the name"
    if len(fitting) > 1:
        return f"{len(fitting)} videos have this title and length"
    if fitting:
        return (
            f"{claims[fitting[0].attachment_id]} of the files have the title and length of one post"
        )
    if film.duration_ms is None:
        return "its title fits, and the file does not say how long it is"
    lengths = sorted({post.duration_ms for post in titled if post.duration_ms is not None})
    if not lengths:
        return "its title fits, and the archive does not know how long the video of that post is"
    shown = " or ".join(f"{length / 1000:.0f} s" for length in lengths[:3])
    return f"its title fits, but it is {film.duration_ms / 1000:.0f} s long, not {shown}"


def ids_in_name(stem: str) -> set[str]:
    """All of a name that may be the id of a post: the whole, a part at an end, or in brackets.

    >>> "dQw4w9WgXcQ" in ids_in_name("Talk, part 1 [dQw4w9WgXcQ]")
    True
    """
    found = {stem, *_BRACKETED.findall(stem)}
    for match in _SEPARATOR.finditer(stem):
        found |= {stem[: match.start()], stem[match.end() :]}
    return {each for each in found if len(each) >= _SHORTEST_ID}


def folded_titles(stem: str) -> Iterator[tuple[str, bool]]:
    """The titles that a name may stand for, folded, and whether it may be a beginning only."""
    for title in dict.fromkeys((stem, _NUMBERED.sub("", stem))):
        if folded := _folded(title):
            yield folded, len(title) >= _SHORTEST_CUT


def _is_titled(title: str, name: str, *, is_cut: bool) -> bool:
    return title == name or (is_cut and title.startswith(name))


def _folded(title: str) -> str:
    """A title as names of files are compared: its letters and digits in lower case."""
    kept = (character if character.isalnum() else " " for character in title.casefold())
    return " ".join("".join(kept).split())
