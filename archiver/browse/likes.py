"""All posts in the order of their likes, as they were counted last with the other metrics.

The database has no index of posts by likes, since likes change with every run and such an index
would be written with each of them. The order is kept in memory, sixteen bytes for each post.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archiver.browse.filters import Cursor

LIKES = frozenset({"likes", "reactions"})
"""The metrics that count as likes; of a post that has both, the larger one."""

NOT_KNOWN = -1.0
"""In place of the likes of a post that has no such metric: it stands behind those with 0."""

_MOST = 1e18
_FIRST_CHUNK, _LARGEST_CHUNK = 200, 5000


@dataclass(frozen=True, slots=True)
class LikeRanking:
    """Ids of posts, the most liked first; of equally liked posts, the lowest id."""

    likes: Sequence[float]  # by post id
    order: Sequence[int]  # ids of posts

    @classmethod
    def of(cls, likes: Sequence[float], posts: Iterable[int]) -> "LikeRanking":
        """These posts in order; `likes` has a place for each id."""
        by_id = array("q", sorted(posts))
        return cls(likes, array("q", sorted(by_id, key=likes.__getitem__, reverse=True)))

    def only(self, posts: Iterable[int]) -> "LikeRanking":
        """The ranking of a few of its posts."""
        return LikeRanking.of(self.likes, (post for post in posts if post < len(self.likes)))

    def cursor(self, post: int) -> Cursor:
        """The place of a post."""
        likes = self._likes_of(post)
        return Cursor(str(int(likes)) if likes.is_integer() else f"{likes:f}", post)

    def chunks(self, start: Cursor | None, *, upwards: bool) -> Iterator[Sequence[int]]:
        """The ids beyond a place, in the direction of reading; more and more at a time."""
        place, size = self._place(start, upwards=upwards), _FIRST_CHUNK
        while place > 0 if upwards else place < len(self.order):
            if upwards:
                chunk = self.order[max(0, place - size) : place][::-1]
                place -= size
            else:
                chunk = self.order[place : place + size]
                place += size
            yield chunk
            size = min(2 * size, _LARGEST_CHUNK)

    def _place(self, start: Cursor | None, *, upwards: bool) -> int:
        """How many posts stand before the place; before itself where it is read upwards."""
        if start is None:
            return len(self.order) if upwards else 0
        try:
            asked = -float(start.key), start.id
        except ValueError:  # a place in an order by time
            return len(self.order) if upwards else 0
        find = bisect_left if upwards else bisect_right
        return find(self.order, asked, key=lambda post: (-self._likes_of(post), post))

    def _likes_of(self, post: int) -> float:
        return self.likes[post] if post < len(self.likes) else NOT_KNOWN


def capped(value: float) -> float:
    """A number of likes that can be written out, whatever a source says."""
    return min(max(value, 0.0), _MOST)
