"""What a list of posts shows as one: a post, the same on several networks, or stories of a day."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archiver.browse.cards import Card, cards
from archiver.browse.crossposts import cross_posts
from archiver.browse.filters import Filter
from archiver.models import EXPIRING_KINDS

_MOST_STORIES = 100  # of one account and day


@dataclass(frozen=True)
class Entry:
    """One entry of a list. `also` and `stories` do not both have posts."""

    card: Card
    also: tuple[Card, ...] = ()  # the same, as other accounts published it
    stories: tuple[Card, ...] = ()  # of that account and day, the oldest first

    @property
    def is_group(self) -> bool:
        """Whether several posts are shown as one."""
        return bool(self.also or self.stories)


def entries(
    connection: sqlite3.Connection,
    ids: Sequence[int],
    wanted: Filter,
    *,
    grouped: bool = True,
    look: Callable[[Card], object] | None = None,
) -> list[Entry]:
    """The entries of one page of a list: what `wanted` found, in its order.

    What stands together is shown once, at the place of its first post in the whole list. In a
    search, only the posts of the page are known to be in the list. Of what stands together, `look`
    keeps posts apart for which it gives different values.
    """
    if not grouped:
        return [Entry(card) for card in cards(connection, ids)]
    groups = _groups(connection, ids)
    everyone = {card.id: card for card in cards(connection, _needed(ids, groups))}
    if look:
        looks = {post: look(card) for post, card in everyone.items()}
        groups = {
            post: tuple(other for other in group if looks.get(other) == looks.get(post))
            for post, group in groups.items()
        }
    return _entries(ids, wanted, groups, everyone)


def entries_of_lists(
    connection: sqlite3.Connection, lists: Sequence[tuple[Sequence[int], Filter]]
) -> list[list[Entry]]:
    """The entries of several lists, each given as for `entries`; all are loaded at once."""
    ids = [post for own, _ in lists for post in own]
    groups = _groups(connection, ids)
    everyone = {card.id: card for card in cards(connection, _needed(ids, groups))}
    return [_entries(own, wanted, groups, everyone) for own, wanted in lists]


def _entries(
    ids: Sequence[int],
    wanted: Filter,
    groups: Mapping[int, tuple[int, ...]],
    everyone: Mapping[int, Card],
) -> list[Entry]:
    page = [everyone[post] for post in ids if post in everyone]
    shown: set[tuple[int, ...]] = set()
    found = []
    for card in page:
        group = groups.get(card.id, (card.id,))
        if group in shown or _stands_earlier(card, group, everyone, wanted, ids):
            continue
        shown.add(group)
        found.append(_entry(card, [everyone[post] for post in group if post in everyone]))
    return found


def elsewhere(connection: sqlite3.Connection, post: int) -> tuple[Card, ...]:
    """The same post as other accounts published it, the newest first."""
    group = cross_posts(connection, [post]).get(post, ())
    return tuple(cards(connection, [other for other in group if other != post]))


def _entry(card: Card, group: Sequence[Card]) -> Entry:
    if card.kind in EXPIRING_KINDS:
        return Entry(card, stories=tuple(reversed(group)) if len(group) > 1 else ())
    return Entry(card, also=tuple(other for other in group if other.id != card.id))


def _groups(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The ids of what each post stands with, newest first; posts that stand alone are left out."""
    stories = dict(_days_of_stories(connection, ids))
    others = [post for post in ids if post not in stories]
    return stories | cross_posts(connection, others)


def _days_of_stories(
    connection: sqlite3.Connection, ids: Sequence[int]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Each story of these posts, with all of its account and day (UTC)."""
    own = connection.execute(_STORIES, (json.dumps(list(ids)),)).fetchall()
    groups = {}
    for account, day in {(account, day) for _, account, day in own}:
        rows = connection.execute(_OF_DAY, (account, day, f"{day}U")).fetchall()
        groups[account, day] = tuple(row[0] for row in rows)
    for post, account, day in own:
        group = groups[account, day]
        yield post, group if len(group) <= _MOST_STORIES else (post,)


_KINDS = ", ".join(f"'{kind}'" for kind in sorted(EXPIRING_KINDS))
_STORIES = f"""
    SELECT id, account_id, substr(created_at, 1, 10) FROM posts
     WHERE id IN (SELECT value FROM json_each(?)) AND kind IN ({_KINDS}) AND created_at IS NOT NULL
"""
_OF_DAY = f"""
    SELECT id FROM posts
     WHERE account_id = ? AND created_at >= ? AND created_at < ? AND kind IN ({_KINDS})
     ORDER BY created_at DESC, id LIMIT {_MOST_STORIES + 1}
"""  # a time of that day is the day, T, and more


def _needed(ids: Sequence[int], groups: Mapping[int, tuple[int, ...]]) -> list[int]:
    return list(dict.fromkeys([*ids, *(other for group in groups.values() for other in group)]))


def _stands_earlier(
    card: Card,
    group: Sequence[int],
    everyone: Mapping[int, Card],
    wanted: Filter,
    ids: Sequence[int],
) -> bool:
    """Whether an earlier page of the list has shown the group."""
    before = [everyone[post] for post in group[: group.index(card.id)] if post in everyone]
    return any(other.id not in ids and is_listed(other, wanted) for other in before)


def is_listed(card: Card, wanted: Filter) -> bool:
    """Whether a filter finds a post; in a search, False."""
    if wanted.words:
        return False
    at = card.created_at or ""
    return (
        (not wanted.account or card.account == wanted.account)
        and (not wanted.platform or card.platform == wanted.platform)
        and (not wanted.kind or card.kind == wanted.kind)
        and (not wanted.since or at >= wanted.since)
        and (not wanted.until_before or (bool(at) and at < wanted.until_before))
        and all(_FLAGS[flag](card) for flag in wanted.flags)
    )


_FLAGS: Mapping[str, Callable[[Card], bool]] = {
    "media": lambda card: any(
        file.state == "stored" for item in (*card.items, *card.detached) for file in item.files
    ),
    "edited": lambda card: card.edited_at is not None,
    "removed": lambda card: card.removed_at is not None,
    "omitted": lambda card: card.omitted,
}
"""The conditions of the yes-or-no filters."""
