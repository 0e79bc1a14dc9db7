"""What a visitor asked to see, as it stands in the address: links that can be shared."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from archiver.browse.text import kind_name, platform_name

FLAGS = {
    "media": "with media",
    "edited": "edited",
    "removed": "vanished",
    "withheld": "withheld",
}
"""The yes-or-no filters: their names in addresses, and how they are called."""

_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_CURSOR = re.compile(r"([0-9T:.Z+-]{0,40})~([0-9]{1,18})")
_LONGEST_QUESTION = 200
_LONGEST_DATE = 40


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two posts, told by one of them: its time (empty: none) and id."""

    created_at: str
    id: int

    def __str__(self) -> str:
        return f"{self.created_at}~{self.id}"

    @classmethod
    def parse(cls, text: str | None) -> "Cursor | None":
        """The cursor of an address, or None where it is none."""
        found = _CURSOR.fullmatch(text or "")
        return cls(found[1], int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which posts to show. Everything empty: all."""

    words: str = ""
    account: str = ""
    platform: str = ""
    kind: str = ""
    since: str = ""  # 2026, 2026-03 or 2026-03-01: from its beginning
    until: str = ""  # the same: to its end
    flags: frozenset[str] = frozenset()
    no_dates: tuple[str, ...] = field(default=(), compare=False)  # what was written for a date

    @classmethod
    def parse(cls, args: Any) -> "Filter":
        """The filter of an address; `args` has `get`. What makes no sense is ignored."""
        dates = [(args.get(name) or "").strip() for name in ("since", "until")]
        return cls(
            words=" ".join((args.get("q") or "").replace("\0", " ").split())[:_LONGEST_QUESTION],
            account=args.get("account") or "",
            platform=args.get("platform") or "",
            kind=args.get("kind") or "",
            since=_moment(args.get("since")),
            until=_moment(args.get("until")),
            flags=frozenset(name for name in FLAGS if args.get(name)),
            no_dates=tuple(text[:_LONGEST_DATE] for text in dates if text != _moment(text)),
        )

    def __bool__(self) -> bool:
        return self != Filter()

    @property
    def until_before(self) -> str:
        """The first moment that is too late, as text that compares with times."""
        return _after(self.until) if self.until else ""

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Name and value of each part, as in the address."""
        for name, value in (
            ("q", self.words), ("account", self.account), ("platform", self.platform),
            ("kind", self.kind), ("since", self.since), ("until", self.until),
        ):  # fmt: skip
            if value:
                yield name, value
        for name in FLAGS:
            if name in self.flags:
                yield name, "1"

    def query(self, **more: object) -> str:
        """The part of an address behind the path: empty, or `?q=…`."""
        pairs = [*self.pairs(), *((name, str(value)) for name, value in more.items() if value)]
        return f"?{urlencode(pairs)}" if pairs else ""

    def is_only(self, flag: str) -> bool:
        """Whether it is this yes-or-no filter and nothing else; of "", whether it is none."""
        return self == Filter(flags=frozenset({flag} if flag else ()))

    def parts(self) -> Iterator[tuple[str, str]]:
        """Each part in words, with the address of the same view without it."""
        said = {
            "q": f"“{self.words}”", "account": self.account,
            "platform": platform_name(self.platform), "kind": kind_name(self.kind),
            "since": f"since {self.since}", "until": f"until {self.until}",
        }  # fmt: skip
        for name, _ in self.pairs():
            yield said.get(name) or FLAGS[name], self.without(name).query() or "?"

    def without(self, name: str) -> "Filter":
        """The same without one part."""
        if name in FLAGS:
            return replace(self, flags=self.flags - {name})
        changed: dict[str, Any] = {"words" if name == "q" else name: ""}
        return replace(self, **changed)


def _moment(text: str | None) -> str:
    """A year, month or day that exists, or nothing."""
    text = (text or "").strip()
    if not _DAY.fullmatch(text):
        return ""
    try:
        date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return ""
    return text


def _after(text: str) -> str:
    """The day, month or year that follows, in the same form."""
    if len(text) == 4:
        return f"{int(text) + 1:04}"
    if len(text) == 7:
        year, month = int(text[:4]), int(text[5:])
        return f"{year + month // 12:04}-{month % 12 + 1:02}"
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except OverflowError:
        return ""
