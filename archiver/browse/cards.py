"""Posts as pages show them: those of a page are loaded together, with one query per table."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archiver.archive.holds import matters_of_posts
from archiver.browse.emoji import custom_emoji
from archiver.browse.items import File, Item, items
from archiver.browse.relations import Answers, Related, answers, related
from archiver.browse.text import metric_label, number
from archiver.export.file_names import file_name
from archiver.human import parse_time
from archiver.metric_names import COMMON_METRICS
from archiver.models import EXPIRING_KINDS, STORY_LIFE, timestamp


@dataclass(frozen=True)
class Number:
    """The newest value of a metric of a post."""

    name: str
    value: str
    label: str  # the name in words, singular for 1


@dataclass(frozen=True)
class Card:
    """One post, as timelines and lists show it."""

    id: int
    account_id: int
    account: str
    platform: str
    platform_id: str
    title: str | None
    text: str | None
    url: str | None
    kind: str
    visibility: str | None
    author: str | None
    created_at: str | None
    first_seen_at: str | None
    edited_at: str | None
    removed_at: str | None
    revisions: int
    earlier_text: str | None  # what only earlier versions said, for the search
    items: tuple[Item, ...] = ()
    numbers: tuple[Number, ...] = ()
    relations: tuple[Related, ...] = ()
    answers: Answers = field(default_factory=Answers)
    detached: tuple[Item, ...] = field(default=())  # attached to earlier revisions only
    emoji: Mapping[str, str] = field(default_factory=dict)  # hashes of pictures by shortcode
    held_for: tuple[str, ...] = ()  # the matters of its legal holds

    @property
    def omitted(self) -> bool:
        """Whether the platform omits a file of it."""
        return any(item.omitted for item in self.items)

    @property
    def alt_texts(self) -> list[str | None]:
        """The alt texts of its attachments, which the search covers too."""
        return [item.alt for item in self.items]

    @property
    def is_in_thread(self) -> bool:
        """Whether the archive has the post that it answers, or a reply to it."""
        is_reply = any(one.kind == "reply_to" and one.glimpse for one in self.relations)
        return is_reply or bool(self.answers.replies)

    @property
    def expires_at(self) -> str | None:
        """When the platform takes it down by itself, in UTC; None for what stays."""
        moment = parse_time(self.created_at)
        if self.kind not in EXPIRING_KINDS or moment is None:
            return None
        try:
            return timestamp(moment + STORY_LIFE)
        except OverflowError:
            return None

    def file_name(self, item: Item, file: File) -> str:
        """What a file of it is called when it is saved."""
        shown = [one for one in self.items if one.kind != "link"]
        number, count = (shown.index(item) + 1, len(shown)) if item in shown else (1, 1)
        role = "" if file == item.main else file.role
        return file_name(
            self.account, self.created_at, file.path or "", number=number, count=count, role=role
        )


def cards(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Card]:
    """These posts, in this order."""
    chosen = json.dumps(list(ids))
    rows = connection.execute(_POSTS, (chosen,)).fetchall()
    found = {row["id"]: row for row in rows}
    attached = items(connection, ids)
    numbers = _numbers(connection, chosen)
    relations = related(connection, ids)
    answered = answers(connection, ids)
    emoji = custom_emoji(connection, ids)
    held = matters_of_posts(connection, ids)
    found_cards = []
    for post_id in ids:
        if (row := found.get(post_id)) is None:
            continue
        current, detached = _by_revision(attached[post_id], row["revisions"])
        found_cards.append(
            Card(
                **dict(row), items=tuple(current), detached=tuple(detached),
                numbers=tuple(numbers[post_id]), relations=tuple(relations[post_id]),
                answers=answered.get(post_id, Answers()), emoji=emoji.get(post_id, {}),
                held_for=held.get(post_id, ()),
            )
        )  # fmt: skip
    return found_cards


_POSTS = """
    SELECT posts.id, posts.account_id, accounts.name AS account, posts.platform,
           posts.platform_id, posts.title,
           posts.text, posts.url, kind, visibility, author, created_at, posts.first_seen_at,
           edited_at, removed_at,
           (SELECT max(number) FROM revisions WHERE post_id = posts.id) AS revisions,
           earlier_text
      FROM posts JOIN accounts ON accounts.id = account_id
     WHERE posts.id IN (SELECT value FROM json_each(?))
"""


def _by_revision(attached: Iterable[Item], revision: int | None) -> tuple[list[Item], list[Item]]:
    """What is attached now, and what was attached to an earlier revision only."""
    current: list[Item] = []
    detached: list[Item] = []
    for item in attached:
        is_detached = bool(revision and item.last_revision and item.last_revision < revision)
        (detached if is_detached else current).append(item)
    return current, detached


def _numbers(connection: sqlite3.Connection, chosen: str) -> dict[int, list[Number]]:
    """The newest value of each headline metric, by post id; at most five, and no zeros."""
    rows = connection.execute(
        """SELECT post_id, name, max(seen_at), value FROM metrics
            WHERE post_id IN (SELECT value FROM json_each(?)) AND attachment_id = 0
              AND name IN (SELECT value FROM json_each(?))
            GROUP BY post_id, name""",
        (chosen, json.dumps(COMMON_METRICS)),
    )
    found: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    for post_id, name, _, value in rows:
        found[post_id].append((name, value))
    shown: dict[int, list[Number]] = defaultdict(list)
    for post_id, values in found.items():
        values.sort(key=lambda pair: COMMON_METRICS.index(pair[0]))
        shown[post_id] = [
            Number(name, number(value), metric_label(name, value))
            for name, value in values if value
        ][:5]  # fmt: skip
    return shown
