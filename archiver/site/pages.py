"""The pages of a site, made of templates that escape everything that posts say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from archiver.browse import text as words
from archiver.export.file_names import file_name
from archiver.export.heading import ExportHeading
from archiver.metric_names import COMMON_METRICS
from archiver.saved_posts import PostAttachment, SavedFile, SavedPost
from archiver.site.plan import UNDATED, SiteAccount, SiteMonth, SitePlan

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""Types that every browser shows as a picture, and that hold no script."""
_MOST_NUMBERS = 5


@dataclass(frozen=True, slots=True)
class ShownFile:
    """An attachment as a page shows it. `address` and `still` are relative to a page of posts."""

    attachment: PostAttachment
    shown: str  # image, video, audio, still, file or nothing
    address: str
    still: str
    name: str
    main: SavedFile | None
    why: str

    @property
    def is_never_offered(self) -> bool:
        """Whether the source never gives such a file: nothing went wrong."""
        own = [one for one in self.attachment.files if one.role in {"original", "variant"}]
        return all(one.state == "not_offered" for one in own)

    @property
    def label(self) -> str:
        """Its text for screen readers."""
        return self.attachment.alt_text or f"{self.attachment.kind}, without a description"

    @property
    def box(self) -> tuple[int, int] | None:
        """Width and height to reserve for it on a page, in pixels."""
        file = self.main
        return (file.width, file.height) if file and file.width and file.height else None


class SitePages:
    """Makes the pages of a site."""

    def __init__(self, plan: SitePlan, heading: ExportHeading) -> None:
        self._plan = plan
        self._environment = Environment(
            loader=PackageLoader("archiver.site"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._environment.globals.update(
            fmt=words, heading=heading, newest=plan.newest_page(), month_name=month_name,
            short_month=short_month,
        )  # fmt: skip

    def home(self) -> bytes:
        """The first page: accounts, and a calendar of all posts."""
        accounts = self._plan.accounts()
        return self._page(
            "home", "", accounts=accounts, years=_years(self._plan.months()),
            count=sum(account.posts for account in accounts),
        )  # fmt: skip

    def account(self, account: SiteAccount) -> bytes:
        """The page of an account: its months, which lead to its posts."""
        years = _years(self._plan.months(account.number))
        return self._page("account", "../", account=account, years=years)

    def search(self) -> bytes:
        """The page of the search."""
        accounts = {account.number: account.name for account in self._plan.accounts()}
        return self._page("search", "", accounts=accounts)

    def posts(self, name: str, posts: Sequence[SavedPost], held: Mapping[int, set[str]]) -> bytes:
        """A page of posts; `held` has the paths of their files that are there, by post."""
        page = self._plan.page(name)
        shown = [
            {
                "post": post,
                "account": self._plan.account_number(post.account),
                "files": list(_files(post, held[post.id])),
                "numbers": _numbers(post),
                "relations": [
                    (one, self._plan.place(post.platform, one.platform_id))
                    for one in post.relations
                ],
            }
            for post in posts
        ]
        return self._page("posts", "../", page=page, posts=shown)

    def _page(self, template: str, up: str, **context: Any) -> bytes:
        found = self._environment.get_template(f"{template}.html")
        text = found.render(up=up, here=template, **context)
        return text.encode("utf-8", "xmlcharrefreplace")


def month_name(month: str) -> str:
    """March 2026."""
    return short_month(month) if month == UNDATED else f"{short_month(month)} {month[:4]}"


def short_month(month: str) -> str:
    """March, of 2026-03."""
    return "Without a date" if month == UNDATED else _MONTHS[int(month[5:7]) - 1]


def _years(months: Sequence[SiteMonth]) -> list[tuple[str, int, list[SiteMonth]]]:
    """Years with their posts and months, newest first."""
    found = []
    for year, group in groupby(months, lambda one: one.month[:4]):
        of_year = list(group)
        name = "Without a date" if of_year[0].month == UNDATED else year
        found.append((name, sum(one.posts for one in of_year), of_year))
    return found


def _numbers(post: SavedPost) -> list[tuple[str, str]]:
    """The numbers that platforms show to everybody, with their names; no zeros."""
    values = {metric.name: metric.value for metric in post.metrics}
    shown = [(name, values[name]) for name in COMMON_METRICS if values.get(name)]
    return [
        (words.number(value), words.metric_label(name, value))
        for name, value in shown[:_MOST_NUMBERS]
    ]


def _files(post: SavedPost, held: set[str]) -> Iterator[ShownFile]:
    attached = post.attached
    for number, attachment in enumerate(attached, 1):
        files = [file for file in attachment.files if file.path in held]
        own = [file for file in files if file.role in {"original", "variant"}]
        main = max(own, key=lambda file: (file.role == "original", file.size or 0), default=None)
        stills = [file for file in files if file.content_type in _PICTURES and file is not main]
        still = stills[0] if stills else None
        name = file_name(
            post.account, post.created_at, main.path if main and main.path else "", number=number,
            count=len(attached),
        )  # fmt: skip
        yield ShownFile(
            attachment, _shown(main, still), _address(main), _address(still), name, main,
            "" if main or attachment.kind == "link" else _why(attachment),
        )  # fmt: skip


def _shown(main: SavedFile | None, still: SavedFile | None) -> str:
    kind = (main.content_type or "") if main else ""
    if kind in _PICTURES:
        return "image"
    if kind.startswith(("video/", "audio/")):
        return kind[:5]
    if main is not None:
        return "file"
    return "still" if still else "nothing"


def _address(file: SavedFile | None) -> str:
    return f"../{quote(file.path)}" if file and file.path else ""


def _why(attachment: PostAttachment) -> str:
    for file in attachment.files:
        if file.role in {"original", "variant"}:
            state = file.state.replace("_", " ") if file.state != "stored" else "damaged or lost"
            return f"{state}: {file.reason}" if file.reason else state
    return "not offered"
