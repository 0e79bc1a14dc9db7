"""Accounts as pages show them: what they are called, their posts, calendar and last run."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from archiver.archive.holds import matters_of_account
from archiver.archive.readers import IS_GOOD, SourceOutcome, source_outcomes
from archiver.browse.archives import Archive
from archiver.browse.calendar import Month, WholeYear, rows, spans, years, years_before
from archiver.browse.months import in_words, is_month

MOST_YEARS = 30
"""How many years a calendar has at most; those before are links."""

FEW_YEARS = 3
"""How many years a calendar has where there is one for each account."""


@dataclass(frozen=True)
class AccountCard:
    """One account."""

    row: Mapping[str, Any]
    posts: int
    edited: int
    removed: int
    last_good: str | None
    last_outcome: str | None
    last_message: str | None
    years: list[tuple[str, list[Month]]]
    earlier: list[WholeYear]  # that the calendar does not show, newest first
    former_handles: list[str]  # the newest first
    months: Counter[str]
    avatar: str | None = None  # the hashes of its pictures, where they are stored
    banner: str | None = None
    description: str | None = None
    sources: Sequence[SourceOutcome] = ()  # where it has several
    held_for: tuple[str, ...] = ()  # the matters of legal holds on its posts

    def calendar(self, base: str, shown: Sequence[tuple[str, list[Month]]]) -> Markup:
        """These years as rows of its calendar; `base` is the URL path of the archive's pages."""
        return rows(shown, f"{base}/timeline?{urlencode({'account': self.row['name']})}")

    @property
    def has_failed(self) -> bool:
        """Whether its last run did not end well."""
        return self.last_outcome not in {"done", "fresh", "away", None}

    @property
    def span(self) -> str:
        """From its first month with posts to its last: "May 2023 to March 2026"."""
        known = sorted(month for month in self.months if is_month(month))
        if not known:
            return ""
        first, last = in_words(known[0]), in_words(known[-1])
        return first if first == last else f"{first} to {last}"


def account_cards(
    connection: sqlite3.Connection,
    archive: Archive,
    now: datetime,
    *,
    name: str | None = None,
    most_years: int = FEW_YEARS,
) -> Iterator[AccountCard]:
    """Every account by name, or the one of this name; with so many years as months."""
    by_account: dict[int, Counter[str]] = defaultdict(Counter)
    for (account, _, month), count in archive.tally.posts(connection).items():
        by_account[account][month] += count
    covered, gaps = spans(connection) if archive.has("coverage") else ({}, {})
    runs = _runs(connection) if archive.has("run_accounts") else {}
    former_handles = _former_handles(connection) if archive.has("account_profiles") else {}
    has_pictures = archive.has("account_pictures")
    avatars = _pictures(connection, "avatar") if has_pictures else {}
    banners = _pictures(connection, "banner") if has_pictures else {}
    about = (
        _profile_descriptions(connection) if archive.has("account_profiles", "description") else {}
    )
    sources = source_outcomes(connection) if archive.has("run_accounts", "source") else {}
    query = "SELECT * FROM accounts WHERE :name IS NULL OR name = :name ORDER BY name"
    for row in connection.execute(query, {"name": name}).fetchall():
        own, run = by_account[row["id"]], runs.get(row["id"], {})
        ranges = covered.get(row["id"], ()), gaps.get(row["id"], ())
        shown = years(own, *ranges, now, most_years)
        yield AccountCard(
            row=dict(row), posts=sum(own.values()), edited=run.get("edited", 0),
            removed=run.get("removed", 0), last_good=run.get("last_good"),
            last_outcome=run.get("outcome"), last_message=run.get("message"), years=shown,
            earlier=years_before(own, *ranges, shown[-1][0]) if shown else [],
            former_handles=former_handles.get(row["id"], []), months=own,
            avatar=avatars.get(row["id"]), banner=banners.get(row["id"]),
            description=about.get(row["id"]),
            held_for=matters_of_account(connection, row["id"]),
            sources=several if len(several := sources.get(row["id"], ())) > 1 else (),
        )  # fmt: skip


def _pictures(connection: sqlite3.Connection, kind: str) -> dict[int, str]:
    """The hash of the avatar or banner that each account has shown last, by account id."""
    column = {"avatar": "avatar", "banner": "banner"}[kind]
    query = f"""
        SELECT account_pictures.account_id, media_sha256
          FROM account_profiles JOIN account_pictures
            ON account_pictures.account_id = account_profiles.account_id
           AND kind = ? AND media_key = account_profiles.{column}
         WHERE state = 'stored' AND media_sha256 IS NOT NULL ORDER BY account_profiles.id
    """
    return {row[0]: row[1] for row in connection.execute(query, (kind,))}


def _profile_descriptions(connection: sqlite3.Connection) -> dict[int, str]:
    """What each account says about itself, as it said last, by account id."""
    query = """
        SELECT account_id, description, max(id) FROM account_profiles
         WHERE description IS NOT NULL GROUP BY account_id
    """
    return {row[0]: row[1] for row in connection.execute(query)}


def _former_handles(connection: sqlite3.Connection) -> dict[int, list[str]]:
    """Earlier handles by account id, the newest first."""
    found: dict[int, list[str]] = defaultdict(list)
    query = """
        SELECT account_id, account_profiles.handle FROM account_profiles
          JOIN accounts ON accounts.id = account_id
         WHERE account_profiles.handle <> accounts.handle
         GROUP BY 1, 2 ORDER BY max(account_profiles.id) DESC
    """
    for account, handle in connection.execute(query):
        found[account].append(handle)
    return found


def _runs(connection: sqlite3.Connection) -> dict[int, Mapping[str, Any]]:
    """Totals of all runs and the outcome of the last one, by account id."""
    sums = connection.execute(
        f"""SELECT account_id, sum(edited) AS edited, sum(removed) AS removed,
                  max(CASE WHEN {IS_GOOD} THEN run_id END) AS good_id, max(run_id) AS run_id
             FROM run_accounts WHERE account_id IS NOT NULL GROUP BY account_id"""
    ).fetchall()
    found: dict[int, Mapping[str, Any]] = {}
    for row in sums:
        last = connection.execute(
            "SELECT outcome, message, (SELECT finished_at FROM run_accounts "
            "WHERE run_id = ? AND account_id = ?) AS last_good "
            f"FROM run_accounts WHERE run_id = ? AND account_id = ? ORDER BY {IS_GOOD} LIMIT 1",
            (row["good_id"], row["account_id"], row["run_id"], row["account_id"]),
        ).fetchone()
        found[row["account_id"]] = {**dict(row), **dict(last)}
    return found


_MOST_COMPARED = 500


def most_liked(connection: sqlite3.Connection, account: int, count: int) -> list[tuple[int, int]]:
    """Of the newest 500 posts of an account, those with the most likes: id and likes.

    All posts in this order are a view of the timeline, for which all metrics have to be counted.
    """
    found = connection.execute(
        """SELECT post_id, value FROM (
               SELECT post_id, max(seen_at), value FROM metrics
                WHERE post_id IN (SELECT id FROM posts WHERE account_id = ?
                                   ORDER BY created_at DESC LIMIT ?)
                  AND attachment_id = 0 AND name IN ('likes', 'reactions')
                GROUP BY post_id)
            WHERE value > 0 ORDER BY value DESC, post_id DESC LIMIT ?""",
        (account, _MOST_COMPARED, count),
    )
    return [(row[0], row[1]) for row in found]
