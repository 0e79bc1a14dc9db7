"""The filter of a page, read from its URL and written into links, so that a view can be shared."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from archiver.browse.months import period
from archiver.browse.text import kind_name, platform_name

FLAGS = {
    "media": "with media",
    "edited": "edited",
    "removed": "removed",
    "omitted": "omitted media",
}
"""The yes-or-no filters: their parameters in a URL, and their labels."""

TABS = {"edited": "Edited", "removed": "Removed", "omitted": "Omitted media"}
"""Those of them of which there is a tab each, and its label."""

_OLD_NAMES = {"omitted": "withheld"}
"""What a parameter was called in URLs that people may have kept."""

OLDEST_FIRST, MOST_LIKED_FIRST = "oldest", "likes"
"""The values of `order` in a URL; without it, the newest come first."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the links of a list say that is in this order."""

    label: str
    start: str
    back: str
    onward: str


ORDERS = {
    "": Order("Newest first", "Newest", "Newer", "Older"),
    OLDEST_FIRST: Order("Oldest first", "Oldest", "Older", "Newer"),
    MOST_LIKED_FIRST: Order("Most liked first", "Most liked", "More liked", "Less liked"),
}
"""Every order by the value of `order` in a URL."""

_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_CURSOR = re.compile(r"([0-9T:.Z+-]{0,40})~([0-9]{1,18})")
_LONGEST_SEARCH = 200
_LONGEST_DATE = 40


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position between two posts: what one of them is sorted by, and its id.

    `key` is its time (empty where it has none), or its likes.
    """

    key: str
    id: int

    def __str__(self) -> str:
        return f"{self.key}~{self.id}"

    @classmethod
    def parse(cls, text: str | None) -> "Cursor | None":
        """The cursor in a URL parameter; None where there is no valid one."""
        found = _CURSOR.fullmatch(text or "")
        return cls(found[1], int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which posts to show. An empty field does not restrict."""

    words: str = ""
    account: str = ""
    platform: str = ""
    kind: str = ""
    since: str = ""  # 2026, 2026-03 or 2026-03-01, inclusive
    until: str = ""  # in the same forms, inclusive
    flags: frozenset[str] = frozenset()
    apart: bool = False  # show the same post on several networks, and a day's stories, one by one
    order: str = ""  # restricts nothing; see ORDERS
    invalid_dates: tuple[str, ...] = field(default=(), compare=False)  # ignored, and shown

    @classmethod
    def parse(cls, args: Any) -> "Filter":
        """The filter in the parameters of a URL; `args` has `get`. Invalid values are ignored."""
        dates = [(args.get(name) or "").strip() for name in ("since", "until", "at")]
        return cls(
            words=" ".join((args.get("q") or "").replace("\0", " ").split())[:_LONGEST_SEARCH],
            account=args.get("account") or "",
            platform=args.get("platform") or "",
            kind=args.get("kind") or "",
            since=_valid_date(args.get("since")),
            until=_valid_date(args.get("until")),
            flags=frozenset(
                name for name in FLAGS if args.get(name) or args.get(_OLD_NAMES.get(name, name))
            ),
            apart=bool(args.get("apart")),
            order=order if (order := args.get("order") or "") in ORDERS else "",
            invalid_dates=tuple(
                text[:_LONGEST_DATE] for text in dates if text != _valid_date(text)
            ),
        )

    def __bool__(self) -> bool:
        """Whether it restricts anything."""
        return self.restriction != Filter()

    @property
    def restriction(self) -> "Filter":
        """The same without what only says how to show the posts."""
        return replace(self, order="", apart=False)

    @property
    def is_only_account(self) -> bool:
        """Whether it is about one account and restricts nothing else."""
        return bool(self.account) and not self.without("account")

    @property
    def oldest_first(self) -> bool:
        """Whether the oldest posts come first."""
        return self.order == OLDEST_FIRST

    @property
    def most_liked_first(self) -> bool:
        """Whether the most liked posts come first."""
        return self.order == MOST_LIKED_FIRST

    @property
    def is_grouped(self) -> bool:
        """Whether what stands together is shown as one. Each network's post has its own likes."""
        return not (self.apart or self.most_liked_first)

    @property
    def until_before(self) -> str:
        """`until` as an exclusive bound: text that sorts after every time that is included."""
        return following(self.until) if self.until else ""

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Name and value of each URL parameter."""
        for name, value in (
            ("q", self.words), ("account", self.account), ("platform", self.platform),
            ("kind", self.kind), ("since", self.since), ("until", self.until),
        ):  # fmt: skip
            if value:
                yield name, value
        for name in FLAGS:
            if name in self.flags:
                yield name, "1"
        if self.apart:
            yield "apart", "1"
        if self.order:
            yield "order", self.order

    def query(self, **more: object) -> str:
        """The query of a URL with these parameters and `more`: empty, or `?q=…`."""
        pairs = [*self.pairs(), *((name, str(value)) for name, value in more.items() if value)]
        return f"?{urlencode(pairs)}" if pairs else ""

    def query_from(self, post: Cursor) -> str:
        """The query of the same view, beginning with a post."""
        if self.oldest_first:
            return self.query(after=Cursor(post.key, post.id + 1))
        return self.query(before=Cursor(post.key, post.id - 1))

    def with_flag(self, flag: str) -> "Filter":
        """The same filter with this flag in place of edited, removed and omitted; "" for none."""
        kept = self.flags - set(TABS)
        return replace(self, flags=kept | ({flag} if flag else set()))

    def but(self, **changed: Any) -> "Filter":
        """The same filter with other values of these fields."""
        return replace(self, **changed)

    def labels(self) -> Iterator[tuple[str, str]]:
        """Parameter and label of each restriction."""
        labels = {
            "q": f"“{self.words}”", "account": self.account,
            "platform": platform_name(self.platform), "kind": kind_name(self.kind),
            "since": period(self.since, ""), "until": period("", self.until),
        }  # fmt: skip
        names = [name for name, _ in self.restriction.pairs()]
        if self.since and self.since == self.until:  # one month, such as the calendar links to
            names[names.index("since")] = "dates"
            names.remove("until")
            labels["dates"] = period(self.since, self.until)
        for name in names:
            yield name, labels.get(name) or FLAGS[name]

    def removable_parts(self) -> Iterator[tuple[str, str]]:
        """Each restriction: its label, and the query of the same view without it."""
        for name, label in self.labels():
            yield label, self.without(name).query() or "?"

    def without(self, name: str) -> "Filter":
        """The same filter without one restriction, or without both `dates`."""
        if name == "dates":
            return replace(self, since="", until="")
        if name in FLAGS:
            return replace(self, flags=self.flags - {name})
        changed: dict[str, Any] = {"words" if name == "q" else name: ""}
        return replace(self, **changed)


def _valid_date(text: str | None) -> str:
    """The text if it is a year, month or day that exists, else an empty one."""
    text = (text or "").strip()
    if not _DAY.fullmatch(text):
        return ""
    try:
        date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return ""
    return text


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where a page of a list begins; without any, with the first post."""

    older_than: Cursor | None = None
    newer_than: Cursor | None = None

    @property
    def is_first(self) -> bool:
        """Whether it is the beginning of the list."""
        return not (self.older_than or self.newer_than)


def place_in(args: Any, wanted: Filter) -> ListPlace:
    """The place in the parameters of a URL: beside a post, or at a date (`at`)."""
    older, newer = Cursor.parse(args.get("before")), Cursor.parse(args.get("after"))
    at = _valid_date(args.get("at"))
    if at and not (older or newer or wanted.most_liked_first):
        if wanted.oldest_first:
            newer = Cursor(at, 0)
        elif before := following(at):
            older = Cursor(before, 0)
    return ListPlace(older, newer)


def following(text: str) -> str:
    """The next day, month or year, in the same form; empty after 9999-12-31."""
    if len(text) == 4:
        return f"{int(text) + 1:04}"
    if len(text) == 7:
        year, month = int(text[:4]), int(text[5:])
        return f"{year + month // 12:04}-{month % 12 + 1:02}"
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except OverflowError:
        return ""
