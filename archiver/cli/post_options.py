"""The options by which commands are told which posts they are about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.text import safe
from archiver.cli.values import Date
from archiver.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

    from archiver.archive.post_scope import PostScope


@dataclass(frozen=True, slots=True)
class PostChoice:
    """What was given: posts by name, accounts by label, dates in UTC, and words to search for."""

    posts: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""


def post_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; its function gets them as one `choice`."""

    @wraps(function)
    def with_choice(*args: Any, **kwargs: Any) -> Any:
        names = ("posts", "accounts", "since", "until", "words")
        choice = PostChoice(**{name: kwargs.pop(name) for name in names})
        return function(*args, choice=choice, **kwargs)

    for decorate in (
        click.option(
            "--search", "words", metavar="WORDS", default="",
            help='Only posts with all these words, or "a phrase", in any version.',
        ),
        click.option("--until", type=Date(), metavar="DATE", help="Only posts before this date."),
        click.option("--since", type=Date(), metavar="DATE", help="Only posts from this date on."),
        click.option(
            "--account", "accounts", metavar="NAME", multiple=True,
            help="Only posts of this account; may be given again.",
        ),
        click.argument("posts", metavar="[POST]...", nargs=-1),
    ):  # fmt: skip
        with_choice = decorate(with_choice)
    return with_choice


def scope_of(connection: "sqlite3.Connection", choice: PostChoice) -> "PostScope":
    """The scope that was chosen. Raises UsageError for an account or a post that is not there."""
    from archiver.archive.history import find_posts
    from archiver.archive.post_scope import PostScope, account_ids
    from archiver.models import timestamp

    posts = []
    for name in choice.posts:
        found = find_posts(connection, name)
        if len(found) != 1:
            hint = f"Give the number of one: {', '.join(str(each.id) for each in found)}"
            raise UsageError(
                f"{len(found) or 'No'} posts are known as {safe(name)}",
                hint=hint if found else
                "Name posts by address, by id on the platform, or by number in archiver browse",
            )  # fmt: skip
        posts.append(found[0].id)
    since, until = (timestamp(each) or "" if each else "" for each in (choice.since, choice.until))
    return PostScope(
        account_ids(connection, choice.accounts), since, until, choice.words, tuple(posts)
    )
