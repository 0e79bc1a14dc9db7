"""The table of a platform: which JSON path of its records goes where.

A path names keys joined by dots; `[]` stands for each item of a list, and `.*` for everything
below. The same table is used to read records, to find unmapped fields, and to generate the docs.

Names of fields differ between platforms and have changed over the years. Those below are accepted
on every platform, in this order; they come from the API's documentation and its published tests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archiver_ayrshare.forms import (
    ADDRESS,
    ANY,
    CONTENT,
    COUNT,
    ID,
    NAME,
    TEXT,
    TIME,
    WORD,
    Form,
    Slot,
)

TEXT_PATHS = ("post", "text", "caption", "message", "description")
CREATED = ("created", "createdAt", "timestamp", "publishedAt", "published", "createTime")
EDITED = ("lastModified", "updated", "updatedAt", "updatedTime", "editedAt")
URL = ("postUrl", "permalink", "shareUrl")
AUTHOR = ("username", "userName", "handle", "author.username", "author.handle", "owner.username")

COMMON_METRICS = {
    "likeCount": "likes",
    "likes": "likes",
    "likesCount": "likes",
    "commentsCount": "comments",
    "commentCount": "comments",
    "comments": "comments",
    "shareCount": "shares",
    "sharesCount": "shares",
    "shares": "shares",
    "viewCount": "views",
    "viewsCount": "views",
    "views": "views",
    "videoViews": "views",
    "replyCount": "replies",
    "repliesCount": "replies",
    "replies": "replies",
    "repostCount": "reposts",
    "repostsCount": "reposts",
    "reposts": "reposts",
    "retweetCount": "reposts",
    "quoteCount": "quotes",
    "quotesCount": "quotes",
    "quotes": "quotes",
    "bookmarkCount": "bookmarks",
    "bookmarks": "bookmarks",
    "impressionCount": "impressions",
    "impressionsCount": "impressions",
    "impressions": "impressions",
    "reachCount": "reach",
    "reach": "reach",
    "clickCount": "clicks",
    "clicksCount": "clicks",
    "clicks": "clicks",
    "saveCount": "saves",
    "savedCount": "saves",
    "saved": "saves",
    "saves": "saves",
    "engagementCount": "engagement",
    "engagement": "engagement",
}

COMMON_RAW = {
    "lastUpdated": "when the source last asked the platform",
    "nextUpdate": "when it will ask again",
    "isPopular": "changes without an edit",
    "platform": "known from the account",
    "status": "the state of the publication, as the source sees it",
}


@dataclass(frozen=True)
class Fields:
    """What becomes of every known path.

    `text` to `author` are columns of `posts`: paths in the order in which they are tried. `aliases`
    has the scheme of another id, `metrics` the name of a metric, `content` the name of a further
    field of the content. `kind`, `relations` and `attachments` describe what the platform's own
    code reads; `raw_only` says why a path is kept in the record only. `words` has the known values,
    in lower case, of paths with a fixed vocabulary: other values are unmapped.

    What a path is for decides which form its value must have; `forms` has the exceptions.
    """

    text: tuple[str, ...] = TEXT_PATHS
    title: tuple[str, ...] = ("title",)
    created_at: tuple[str, ...] = CREATED
    edited_at: tuple[str, ...] = EDITED
    url: tuple[str, ...] = URL
    visibility: tuple[str, ...] = ()
    author: tuple[str, ...] = AUTHOR
    aliases: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    content: Mapping[str, str] = field(default_factory=dict)
    kind: tuple[str, ...] = ()
    relations: Mapping[str, Slot] = field(default_factory=dict)
    attachments: Mapping[str, Slot] = field(default_factory=dict)
    raw_only: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)

    @property
    def all_metrics(self) -> dict[str, str]:
        """The platform's own metrics, then the common spellings."""
        return {
            **self.metrics,
            **{k: v for k, v in COMMON_METRICS.items() if k not in self.metrics},
        }

    @property
    def all_raw(self) -> dict[str, str]:
        """The paths that are kept in the record only, and why."""
        return {**COMMON_RAW, **self.raw_only}

    def rows(self) -> Iterator[tuple[str, str]]:
        """Every path with its target, for the docs and the tests; a path may have several."""
        return ((path, target) for path, target, _ in self._entries())

    def forms_of_paths(self) -> dict[str, tuple[Form, ...]]:
        """Every path with the forms that are understood there."""
        found: dict[str, tuple[Form, ...]] = {}
        for path, _, form in self._entries():
            found[path] = (
                (self.forms[path],) if path in self.forms else (*found.get(path, ()), form)
            )
        return found

    def _entries(self) -> Iterator[tuple[str, str, Form]]:
        yield "id", "posts.platform_id", ID
        for column, form in _COLUMNS.items():
            for path in getattr(self, column):
                yield path, f"posts.{column}", form
        for path, scheme in self.aliases.items():
            yield path, f"post_aliases: {scheme}", ID
        for path, slot in self.relations.items():
            yield path, f"relations: {slot.words}", slot.form
        for path, name in self.all_metrics.items():
            yield path, f"metrics: {name}", COUNT
        for path, slot in self.attachments.items():
            yield path, f"attachments: {slot.words}", slot.form
        for path, name in self.content.items():
            yield path, f"content: {name}", CONTENT
        for path, reason in self.all_raw.items():
            yield path, f"raw only: {reason}", ANY


_COLUMNS = {
    "text": TEXT,
    "title": TEXT,
    "created_at": TIME,
    "edited_at": TIME,
    "url": ADDRESS,
    "visibility": WORD,
    "author": NAME,
    "kind": WORD,
}


def steps_of(path: str) -> tuple[str, ...]:
    """A path's steps: `a[].b.*` is `a`, `[]`, `b`, `*`."""
    return tuple(path.replace("[]", ".[]").split("."))
