"""Posts that answer each other, in the order in which a thread is read."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from datasette.utils.asgi import NotFound

from archiver.browse.cards import Card, cards
from archiver.browse.frame import archive_of, ask, page
from archiver.browse.relations import Related, referring, related

_MOST_POSTS = 1000
_ON_PAGE = 50
_MOST_STEPS = 100  # from a reply up to the first post
_DEEPEST = 4


@dataclass(frozen=True)
class ThreadPost:
    """One post of a thread. `depth` counts the branches above it, up to four."""

    card: Card
    depth: int


@dataclass(frozen=True)
class Thread:
    """A part of a thread, in reading order: every post is followed by its replies, oldest first.

    `start` counts the posts before that part. `previous` and `following` are posts of the parts
    beside it, by which these are found.
    """

    posts: tuple[ThreadPost, ...]
    first: Card  # the post that begins it
    begins_elsewhere: Related | None  # what its first post answers, which the archive lacks
    is_cut: bool  # there are more posts than were counted
    count: int = 1
    start: int = 0
    previous: int | None = None
    following: int | None = None


async def thread(datasette: Any, request: Any) -> Any:
    """The thread that a post stands in."""
    archive = await archive_of(datasette, request)
    post = int(request.url_vars["post"])
    found = await ask(datasette, archive, lambda connection: thread_of(connection, post))
    if found is None:
        raise NotFound("There is no post of that number")
    return await page(datasette, request, archive, "thread", {"thread": found, "asked": post})


def thread_of(connection: sqlite3.Connection, post: int) -> Thread | None:
    """The part of its thread that a post stands in; None where there is no such post."""
    first, beyond = _beginning(connection, post)
    replies, is_cut = _replies(connection, first)
    depths = dict(_in_order(first, replies))
    order = list(depths)
    start = order.index(post) // _ON_PAGE * _ON_PAGE if post in depths else 0
    shown = order[start : start + _ON_PAGE]
    found = {card.id: card for card in cards(connection, list(dict.fromkeys([first, *shown])))}
    if not found:
        return None
    known = frozenset(shown)
    posts = tuple(
        ThreadPost(_without_parent(found[one], known), depths[one]) for one in shown if one in found
    )
    beyond_page = order[start + _ON_PAGE : start + _ON_PAGE + 1]
    return Thread(
        posts, found.get(first, posts[0].card), beyond, is_cut, len(order), start,
        previous=order[start - _ON_PAGE] if start else None,
        following=beyond_page[0] if beyond_page else None,
    )  # fmt: skip


def _beginning(connection: sqlite3.Connection, post: int) -> tuple[int, Related | None]:
    """The first post of the thread, and what that one answers where the archive lacks it."""
    seen = [post]
    for _ in range(_MOST_STEPS):
        answered = [
            other for other in related(connection, [seen[-1]])[seen[-1]] if other.kind == "reply_to"
        ]
        known = next((other.glimpse.id for other in answered if other.glimpse), None)
        if known is None:
            return seen[-1], answered[0] if answered else None
        if known in seen:  # posts that answer each other in a circle: as the platform says it
            return seen[-1], None
        seen.append(known)
    return seen[-1], None


def _replies(connection: sqlite3.Connection, first: int) -> tuple[dict[int, list[int]], bool]:
    """The replies to each post of the thread, and whether there are more."""
    found: dict[int, list[int]] = defaultdict(list)
    seen, level = {first}, [first]
    while level:
        room = _MOST_POSTS - len(seen)
        pairs = referring(connection, level, ["reply_to"], room + 1)
        new = [(own, other) for own, other in pairs if other not in seen]
        if len(new) > room:
            new, is_full = new[:room], True
        else:
            is_full = False
        level = []
        for own, other in new:
            if other not in seen:  # a post answers one other; a hostile record may name more
                seen.add(other)
                found[own].append(other)
                level.append(other)
        if is_full:
            return found, True
    return found, False


def _in_order(first: int, replies: dict[int, list[int]]) -> Iterator[tuple[int, int]]:
    """Each post with its depth: the only reply stands below its post, several are indented."""
    waiting = [(first, 0)]
    while waiting:
        post, depth = waiting.pop()
        yield post, depth
        below = replies.get(post, [])
        inner = min(depth + (len(below) > 1), _DEEPEST)
        waiting.extend((other, inner) for other in reversed(below))


def _without_parent(card: Card, shown: frozenset[int]) -> Card:
    """The post without the preview of what it answers, where that stands above it anyway."""
    kept = [
        one for one in card.relations
        if one.kind != "reply_to" or not (one.glimpse and one.glimpse.id in shown)
    ]  # fmt: skip
    return replace(card, relations=tuple(kept))
