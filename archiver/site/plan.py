"""What of a site has to be known before its first page is written: which post is on which page.

All posts are read once for that, into a small database beside the pages, so memory does not grow
with their number. It is removed with the rest of what is not part of the site.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from archiver.export.snapshot import Snapshot
from archiver.human import parse_time
from archiver.saved_posts import SavedPost
from archiver.site.search_index import SearchIndex

POSTS_ON_A_PAGE = 50
UNDATED = "undated"
_NAME = "site.plan"

_TABLES = """
CREATE TABLE accounts (number INTEGER PRIMARY KEY, name TEXT UNIQUE, platform TEXT, handle TEXT);
CREATE TABLE pages (number INTEGER PRIMARY KEY, name TEXT UNIQUE, month TEXT, posts INTEGER);
CREATE TABLE posts (id INTEGER PRIMARY KEY, account INTEGER, page INTEGER, platform TEXT,
                    platform_id TEXT);
CREATE TABLE months (account INTEGER, month TEXT, posts INTEGER, page INTEGER, first INTEGER,
                     PRIMARY KEY (account, month));
"""


@dataclass(frozen=True, slots=True)
class SiteAccount:
    """An account of the site; `number` names its page."""

    number: int
    name: str
    platform: str
    handle: str | None
    posts: int


@dataclass(frozen=True, slots=True)
class SiteMonth:
    """A month with posts: 2026-03, or `undated`, and the page on which the newest of them is."""

    month: str
    posts: int
    page: str
    post: int | None = None
    """The newest post, where the month is that of one account."""


@dataclass(frozen=True, slots=True)
class SitePage:
    """A page with posts, and the names of the pages with newer and with older ones."""

    name: str
    month: str
    newer: str | None
    older: str | None


class SitePlan:
    """The pages of a site, and the posts on each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(_TABLES)
        self.search = SearchIndex(connection)

    def read(self, snapshot: Snapshot) -> None:
        """Place all posts of a snapshot; they come oldest first."""
        month, part, on_page, page = "", 0, 0, 0
        for post in snapshot.posts():
            of_post = month_of(post)
            if of_post != month or on_page == POSTS_ON_A_PAGE:
                part = 1 if of_post != month else part + 1
                month, on_page, page = of_post, 0, page + 1
                self._add_page(page, month, part)
            on_page += 1
            self._add_post(post, page, month)

    def _add_page(self, number: int, month: str, part: int) -> None:
        name = month if part == 1 else f"{month}-{part}"
        self._connection.execute("INSERT INTO pages VALUES (?, ?, ?, 0)", (number, name, month))

    def _add_post(self, post: SavedPost, page: int, month: str) -> None:
        execute = self._connection.execute
        execute(
            "INSERT OR IGNORE INTO accounts (name, platform, handle) VALUES (?, ?, ?)",
            (post.account, post.platform, post.handle),
        )
        (account,) = execute(
            "SELECT number FROM accounts WHERE name = ?", (post.account,)
        ).fetchone()
        execute("UPDATE pages SET posts = posts + 1 WHERE number = ?", (page,))
        execute(
            "INSERT INTO posts VALUES (?, ?, ?, ?, ?)",
            (post.id, account, page, post.platform, post.platform_id),
        )
        execute(
            "INSERT INTO months VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE SET "
            "posts = posts + 1, page = excluded.page, first = excluded.first",
            (account, month, page, post.id),
        )
        (name,) = execute("SELECT name FROM pages WHERE number = ?", (page,)).fetchone()
        self.search.add(post, name, account)

    def page_of(self, post: SavedPost) -> str:
        """The name of the page that a post is on."""
        query = "SELECT name FROM posts JOIN pages ON number = page WHERE posts.id = ?"
        (name,) = self._connection.execute(query, (post.id,)).fetchone()
        return str(name)

    def page(self, name: str) -> SitePage:
        """A page with posts."""
        query = """
            SELECT name, month, (SELECT name FROM pages AS other WHERE number = pages.number + 1),
                   (SELECT name FROM pages AS other WHERE number = pages.number - 1)
              FROM pages WHERE name = ?
        """
        return SitePage(*self._connection.execute(query, (name,)).fetchone())

    def place(self, platform: str, platform_id: str | None) -> str | None:
        """Where a post is that another one refers to: a page and its place there; else None."""
        query = """
            SELECT name || '.html#post-' || posts.id FROM posts JOIN pages ON number = page
             WHERE platform = ? AND platform_id = ?
        """
        row = self._connection.execute(query, (platform, platform_id)).fetchone()
        return row[0] if row else None

    def accounts(self) -> list[SiteAccount]:
        """All accounts, by name."""
        query = """
            SELECT number, name, accounts.platform, handle, count(*) FROM accounts
              JOIN posts ON account = number GROUP BY number ORDER BY name
        """
        return [SiteAccount(*row) for row in self._connection.execute(query)]

    def account_number(self, name: str) -> int:
        """The number that names the page of an account."""
        query = "SELECT number FROM accounts WHERE name = ?"
        return int(self._connection.execute(query, (name,)).fetchone()[0])

    def months(self, account: int | None = None) -> list[SiteMonth]:
        """All months with posts, or those of one account; newest first, undated posts last."""
        if account is None:
            query = """
                SELECT newest.month, sum(pages.posts), newest.name, NULL
                  FROM pages AS newest JOIN pages ON pages.month = newest.month
                 WHERE NOT EXISTS (SELECT 1 FROM pages AS later
                        WHERE later.month = newest.month AND later.number > newest.number)
                 GROUP BY newest.number
            """
            rows = self._connection.execute(query).fetchall()
        else:
            query = """
                SELECT months.month, months.posts, name, first FROM months
                  JOIN pages ON number = page WHERE account = ?
            """
            rows = self._connection.execute(query, (account,)).fetchall()
        found = [SiteMonth(*row) for row in rows]
        return sorted(found, key=lambda one: "" if one.month == UNDATED else one.month)[::-1]

    def newest_page(self) -> str:
        """The name of the page with the newest posts."""
        query = "SELECT name FROM pages ORDER BY number DESC LIMIT 1"
        return str(self._connection.execute(query).fetchone()[0])


@contextmanager
def plan_site(snapshot: Snapshot, folder: Path) -> Iterator[SitePlan]:
    """The plan of a site with the posts of a snapshot."""
    path = folder / _NAME
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        plan = SitePlan(connection)
        connection.execute("BEGIN")
        plan.read(snapshot)
        connection.execute("COMMIT")
        yield plan
    path.unlink(missing_ok=True)


def month_of(post: SavedPost) -> str:
    """The month of a post in UTC: 2026-03, or `undated`."""
    moment = parse_time(post.created_at)
    return f"{moment:%Y-%m}" if moment else UNDATED
