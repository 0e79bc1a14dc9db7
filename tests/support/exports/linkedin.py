"""Exports of LinkedIn of a known person: shares, instant reposts, articles."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from support.exports.takeout import as_csv

ERAS = ("2017", "2024", "2026")
BEGIN = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
_NAMES = ("Date", "ShareLink", "ShareCommentary", "SharedUrl", "MediaUrl", "Visibility")
_ARTICLE = """<!DOCTYPE html><html><head><title>{title}</title>
<style>p {{ color: red }}</style></head><body><h1><a href="{url}">{title}</a></h1>
<p class="created">Created on {created}</p>
<p class="published">{published}</p><div><p>{first}</p><p>{second}</p></div></body></html>"""


def urn_number(at: datetime, number: int = 0) -> str:
    """The number of a URN: its time in milliseconds, and 22 more bits."""
    return str((int(at.timestamp() * 1000) << 22) | number)


@dataclass
class Share:
    at: datetime
    text: str = ""
    link: str = ""
    kind: str = "share"
    audience: str = "MEMBER_NETWORK"
    media: str = ""

    @property
    def urn(self) -> str:
        return f"urn:li:{self.kind}:{urn_number(self.at)}"

    def row(self, era: str) -> list[str]:
        """A row; each line break of the text stands between two quotes."""
        address = (
            f"https://www.linkedin.com/posts/ann_word-{self.kind}-{urn_number(self.at)}-x_Yz"
            if era == "2026" and self.kind == "activity"
            else f"https://www.linkedin.com/feed/update/{quote(self.urn, safe='')}"
        )
        text = self.text.replace("\n", '"\n"')
        found = [f"{self.at:%Y-%m-%d %H:%M:%S}", address, text, self.link, self.media]
        return found[:4] if era == "2017" else [*found, self.audience]


@dataclass
class Article:
    slug: str
    title: str
    at: datetime | None = None
    text: tuple[str, str] = ("First & last", "Second")

    @property
    def url(self) -> str:
        kind = "pulse" if self.at else "post/edit"
        return f"https://www.linkedin.com/{kind}/{self.slug}"

    def page(self) -> str:
        return _ARTICLE.format(
            title=self.title, url=self.url, created="2018-01-19 08:00",
            published=f"Published on {self.at:%Y-%m-%d %H:%M}" if self.at else "Not published yet",
            first=self.text[0].replace("&", "&amp;"), second=self.text[1],
        )  # fmt: skip


@dataclass
class LinkedInWorld:
    shares: list[Share]
    reposts: list[tuple[datetime, str]] = field(default_factory=list)
    articles: list[Article] = field(default_factory=list)

    def files(self, era: str = "2024") -> dict[str, bytes | str]:
        end = "_1234567" if era == "2026" else ""
        names = _NAMES[:4] if era == "2017" else _NAMES
        header = [f" {name}" if era == "2017" else name for name in names]
        table = as_csv(header, [share.row(era) for share in self.shares])
        found: dict[str, bytes | str] = {
            f"Shares{end}.csv": "\ufeff" + table if era == "2017" else table,
            f"messages{end}.csv": "CONTENT\nfor nobody else\n",
            f"Connections{end}.csv": 'Notes:\n"number of Bob"\n\nFirst Name\nBob\n',
            f"Comments{end}.csv": 'Date,Link,Message\n,x,"a \\"b\\" c"\n',
        }
        if self.reposts:
            rows = [[f"{at:%Y-%m-%d %H:%M:%S}", link] for at, link in self.reposts]
            found[f"InstantReposts{end}.csv"] = as_csv(["Date", "Link"], rows)
        folder = "Articles" if era == "2017" else "Articles/Articles"
        found |= {f"{folder}/{each.slug}.html": each.page() for each in self.articles}
        return found


def sample() -> LinkedInWorld:
    at = [BEGIN + timedelta(hours=n) for n in range(5)]
    return LinkedInWorld(
        [
            Share(at[0], 'First line\nsecond line, "quoted"\n\nlast', "https://example.org/a"),
            Share(at[1], "A ugcPost", kind="ugcPost", audience="PUBLIC"),
            Share(at[2], "An activity", kind="activity"),
            Share(at[3], "", "https://example.org/only-a-link"),
        ],
        [(at[4], "https://www.linkedin.com/feed/update/urn%3Ali%3Aactivity%3A7000000000000000001")],
        [
            Article("tea-ann", "About tea", datetime(2018, 1, 20, 10, 9, tzinfo=UTC)),
            Article("draft-ann", "Not for you yet"),
        ],
    )
