"""How many posts a view has, and how many it would have with another choice in each of its filters.

Numbers come from kept counts, or from the matches of a search where those are few. Where neither
is known, the choices are offered without numbers.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from archiver.browse.archives import Archive
from archiver.browse.filters import TABS, Filter, following
from archiver.browse.months import is_month
from archiver.browse.stream import grouped_matches
from archiver.browse.tally import Group, MonthlyPosts, Tally
from archiver.browse.text import KINDS

_MONTH_LENGTH, _DAY_LENGTH = len("2026-03"), len("2026-03-01")


@dataclass(frozen=True)
class Choice:
    """One value of a filter, and how many posts have it beside the other filters."""

    value: str
    count: int | None  # None: not known


@dataclass(frozen=True)
class Facets:
    """The choices of every filter that exist, and the number of posts of the view."""

    total: int | None  # None: too many to count
    accounts: tuple[Choice, ...]
    platforms: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    tabs: Mapping[str, int | None]  # by flag; "" for none
    months: tuple[Choice, ...]  # newest first, only those with posts; "" for posts without a time

    @property
    def years(self) -> list[tuple[str, int, list[Choice]]]:
        """Year, number of posts and months of each, newest first; without posts of no time."""
        found: dict[str, list[Choice]] = {}
        for month in self.months:
            if is_month(month.value):
                found.setdefault(month.value[:4], []).append(month)
        return [(year, sum(m.count or 0 for m in ms), ms) for year, ms in found.items()]

    @property
    def most_in_a_month(self) -> int:
        """The largest number of posts of any month."""
        return max((one.count or 0 for one in self.months), default=0)

    def in_month(self, month: str) -> int | None:
        """How many posts of the view are of a month."""
        return next((one.count for one in self.months if one.value == month), None)


@dataclass(frozen=True)
class _Accounts:
    """Name and platform of each account, by id."""

    names: Mapping[int, str]
    platforms: Mapping[int, str]


def facets(
    connection: sqlite3.Connection,
    archive: Archive,
    asked: Filter,
    apply: Callable[[Filter], Filter],
) -> Facets:
    """The numbers of a view; `apply` gives the filter that a page applies when one is asked for."""
    accounts = _accounts(connection)
    wanted = apply(asked)
    groups = _matching(connection, archive, wanted)
    is_known = groups is not None
    if groups is None:
        groups = archive.tally.posts(connection)
    known = _summed(archive.tally.monthly(groups), accounts, wanted)

    def choices(found: Counter[str], order: Iterable[str], chosen: str) -> tuple[Choice, ...]:
        return tuple(
            Choice(value, found[value] if is_known else None)
            for value in order
            if found[value] or value == chosen
        )

    def number(other: Filter) -> int | None:
        if other == wanted:
            return known.total if is_known else None
        return count_of(connection, archive, other)

    months = sorted(known.months, reverse=True) if is_known else ()
    platforms = sorted(set(accounts.platforms.values()))
    return Facets(
        total=known.total if is_known else None,
        accounts=choices(known.accounts, sorted(accounts.names.values()), wanted.account),
        platforms=choices(known.platforms, platforms, wanted.platform),
        kinds=choices(known.kinds, KINDS, wanted.kind),
        tabs={
            flag: None if asked.words else number(apply(asked.with_flag(flag)))
            for flag in ("", *TABS)
        },
        months=tuple(Choice(month, known.months[month]) for month in months),
    )


def count_of(connection: sqlite3.Connection, archive: Archive, wanted: Filter) -> int | None:
    """How many posts a view has; None where they are too many to count."""
    groups = _matching(connection, archive, wanted)
    if groups is None:
        return None
    return _summed(archive.tally.monthly(groups), _accounts(connection), wanted).total


def _accounts(connection: sqlite3.Connection) -> _Accounts:
    rows = connection.execute("SELECT id, name, platform FROM accounts").fetchall()
    return _Accounts({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows})


def _matching(
    connection: sqlite3.Connection, archive: Archive, wanted: Filter
) -> Counter[Group] | None:
    """Posts with the words, flags and dates of the filter, by account, kind and month.

    Months outside the dates may be among them. None where the posts are too many to count.
    """
    tally, flags = archive.tally, wanted.flags
    if wanted.words or (len(flags) > 1 and _edges(wanted)):
        return _counter(grouped_matches(connection, wanted))
    if not flags:
        groups: Counter[Group] | None = tally.posts(connection)
    elif len(flags) == 1:
        groups = tally.flagged(connection, *flags)
    else:
        alone = Filter(flags=flags)
        name = " ".join(sorted(flags))
        groups = tally.kept(connection, name, lambda: _counter(grouped_matches(connection, alone)))
    return _with_exact_edges(connection, tally, wanted, groups) if groups is not None else None


def _counter(rows: list[sqlite3.Row] | None) -> Counter[Group] | None:
    return None if rows is None else Counter({(row[0], row[1], row[2]): row[3] for row in rows})


def _edges(wanted: Filter) -> dict[str, tuple[str, str]]:
    """The months of which the dates include only some days, each with these: since and before."""
    found = {}
    days = (wanted.since, wanted.until_before if len(wanted.until) == _DAY_LENGTH else "")
    for day in days:
        if len(day) == _DAY_LENGTH:
            month = day[:_MONTH_LENGTH]
            since = max(wanted.since, month)
            before = min(wanted.until_before or following(month), following(month))
            found[month] = (since, before)
    return found


def _with_exact_edges(
    connection: sqlite3.Connection, tally: Tally, wanted: Filter, groups: Counter[Group]
) -> Counter[Group]:
    """The groups, with those of the months at either end counted by the day; at most one flag."""
    edges = _edges(wanted)
    if not edges:
        return groups
    found = Counter({group: count for group, count in groups.items() if group[2] not in edges})
    for month, (since, before) in edges.items():
        if wanted.flags:
            (flag,) = wanted.flags
            counted = tally.flagged_on(connection, flag, since, before)
        else:
            kinds = [(account, kind) for account, kind, of in groups if of == month]
            counted = _count_days(connection, kinds, since, before)
        found |= Counter({(account, kind, month): n for (account, kind), n in counted.items()})
    return found


def _count_days(
    connection: sqlite3.Connection, kinds: Iterable[tuple[int, str]], since: str, before: str
) -> Counter[tuple[int, str]]:
    """How many posts some days have of each of these accounts and kinds, from an index alone."""
    rows = connection.execute(DAYS, (json.dumps(list(kinds)), since, before))
    return Counter({(row[0], row[1]): row[2] for row in rows})


DAYS = """
    SELECT account_id, kind, count(*)
      FROM json_each(?) AS pair
     CROSS JOIN posts ON account_id = json_extract(pair.value, '$[0]')
       AND kind = json_extract(pair.value, '$[1]')
     WHERE created_at >= ? AND created_at < ? GROUP BY 1, 2
"""
"""The posts of some days, of accounts and kinds that are given as JSON."""


@dataclass
class _Sums:
    total: int = 0
    accounts: Counter[str] = field(default_factory=Counter)
    platforms: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)


def _summed(posts: MonthlyPosts, accounts: _Accounts, wanted: Filter) -> _Sums:
    """Sums by each filter: over the posts that match all other filters."""
    in_range = _months_in_range(posts.all, wanted)
    found = _Sums()
    chosen = []
    for (account, kind), months in posts.pairs.items():
        count = _count_in(months, in_range, posts)
        name, platform = accounts.names.get(account, ""), accounts.platforms.get(account, "")
        is_account = not wanted.account or name == wanted.account
        is_platform = not wanted.platform or platform == wanted.platform
        is_kind = not wanted.kind or kind == wanted.kind
        if is_account and is_platform and is_kind:
            found.total += count
            chosen.append(months)
        if is_platform and is_kind:
            found.accounts[name] += count
        if is_account and is_kind:
            found.platforms[platform] += count
        if is_account and is_platform:
            found.kinds[kind] += count
    whole = [posts.all] if len(chosen) == len(posts.pairs) else chosen
    for months in whole:
        found.months.update({m: count for m, count in months.items() if count and m in in_range})
    return found


def _count_in(months: Mapping[str, int], in_range: Collection[str], posts: MonthlyPosts) -> int:
    """How many posts these months have, of those that are in range; most often that is all."""
    if len(in_range) == len(posts.all):
        return sum(months.values())
    return sum(count for month, count in months.items() if month in in_range)


def _months_in_range(months: Iterable[str], wanted: Filter) -> set[str]:
    """Those months of which the filter includes days."""
    since, before = wanted.since[:_MONTH_LENGTH], wanted.until_before
    return {one for one in months if one >= since and (not before or "" < one < before)}
