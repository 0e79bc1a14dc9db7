"""The form `html`: writes the pages of a site, its search and its files into a folder.

index.html          the accounts, and a calendar that leads to all posts
posts/2026-03.html  the posts of a month, newest first; of a month with many, several pages
search.html         the search; search/ has its index, in pieces
media/ab/…          the files
"""

from collections.abc import Iterator
from importlib import resources
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from archiver.errors import UsageError
from archiver.export.folder import ExportFolder
from archiver.export.formats.form import ExportFormat
from archiver.export.package_files import files_of
from archiver.export.snapshot import Snapshot
from archiver.saved_posts import SavedPost
from archiver.site.plan import SitePlan, plan_site

if TYPE_CHECKING:
    from archiver.site.pages import SitePages

STYLES = ("base", "frame", "navigation", "home", "cards", "lists", "post")
"""The style sheets of `archiver browse` that a site has too."""


def require() -> None:
    """Raise UsageError where the library is not installed."""
    try:
        import datasette  # noqa: F401, PLC0415 — an extra
        import jinja2  # noqa: F401, PLC0415 — as above
    except ImportError as error:
        raise UsageError(
            "This format shares the pages of archiver browse, which are not installed",
            hint="Install the extra: pip install 'social-archiver[browse]'",
        ) from error


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the site. Raises StorageError."""
    from archiver.site.pages import SitePages  # noqa: PLC0415 — needs the extra

    with plan_site(snapshot, folder.path) as plan:
        pages = SitePages(plan, folder.heading)
        for name, text in _assets():
            folder.write(name, [text])
        _write_posts(snapshot, folder, plan, pages)
        for account in plan.accounts():
            folder.write(f"accounts/{account.number}.html", [pages.account(account)])
        folder.write("index.html", [pages.home()])
        folder.write("search.html", [pages.search()])
        for name, pieces in plan.search.files():
            folder.write(f"search/{name}", pieces)


def _write_posts(
    snapshot: Snapshot, folder: ExportFolder, plan: SitePlan, pages: "SitePages"
) -> None:
    """Write the pages of posts one after the other: the posts of one are held at a time."""
    placed = ((plan.page_of(post), post) for post in snapshot.posts())
    for name, group in groupby(placed, itemgetter(0)):
        posts = [post for _, post in group]
        held = {post.id: set(_add_files(post, folder)) for post in posts}
        folder.count_posts(len(posts))
        folder.write(f"posts/{name}.html", [pages.posts(name, posts[::-1], held)])


def _add_files(post: SavedPost, folder: ExportFolder) -> Iterator[str]:
    """Copy the files that pages of this post show; the paths of those that are there."""
    for one in files_of(post):
        if one.why and one.attachment in post.attached:
            folder.note_missing(f"{one.name}: {one.why}")
    for attachment in post.attached:
        for file in attachment.files:
            if file.path is not None and folder.add_media(file.path, file):
                yield file.path


def _assets() -> Iterator[tuple[str, bytes]]:
    shared = resources.files("archiver.browse") / "assets" / "pages"
    own = resources.files("archiver.site") / "assets"
    styles = [(shared / f"{name}.css").read_bytes() for name in STYLES]
    yield "assets/site.css", b"".join([*styles, (own / "site.css").read_bytes()])
    yield "assets/search.js", (own / "search.js").read_bytes()


FORMAT = ExportFormat(
    "html",
    (
        "index.html     a web site with these posts: open it in a browser, or put the folder on a",
        "               web server",
        "posts/         the posts of each month",
        "search/        the index of the search",
        "media/ab/      the files",
    ),
    write,
    require,
    is_public=True,
)
