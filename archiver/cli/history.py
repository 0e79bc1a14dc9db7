"""`archiver history`: the versions, the events and the metrics of one post."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import cut, safe, styled, table, wrap
from archiver.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

    from archiver.archive.history import MetricSeries, PostHistory, PostName, PostVersion
    from archiver.archive.record_diff import Piece, TextChange

_SAME = 60  # characters of an unchanged text that are shown beside a change
_WHY = {
    "first": "as it was first seen",
    "edited": "edited",
    "other_source": "as another source shows it",
}


@subcommand(
    "history",
    short_help="Show how a post changed, and its metrics.",
    example="archiver history https://www.instagram.com/p/C9example/\narchiver history 1207 --json",
)
@click.argument("post", metavar="POST")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, post: str, as_json: bool) -> None:
    """Show all versions of POST, what happened to it, how its metrics moved, and its reviews.

    POST is its address, its id on the platform, or its number in the archive: the one in the
    address of its page in archiver browse. What was taken out stands in [-brackets-], what was put
    in in {+braces+}. Reads only, and needs no key.
    """
    from archiver.archive.database import reader
    from archiver.archive.history import post_history

    directory = shell.config().archive.directory
    with reader(directory) as connection:
        history = post_history(connection, one_post(connection, post))
    if as_json:
        shell.json(asdict(history))
    else:
        shell.out("\n\n".join(_sections(history)))


def one_post(connection: "sqlite3.Connection", name: str) -> "PostName":
    """The post that a text names. Raises UsageError for one of no post, or of several."""
    from archiver.archive.history import find_posts

    found = find_posts(connection, name)
    if len(found) != 1:
        raise _not_one(name, found)
    return found[0]


def _not_one(text: str, found: "Sequence[PostName]") -> UsageError:
    if not found:
        return UsageError(
            f"There is no post {safe(text)} in the archive",
            hint="Name it by its address, its id on the platform, or its number in archiver browse",
        )
    numbers = ", ".join(f"{each.id} ({each.account})" for each in found)
    return UsageError(
        f"{len(found)} posts are known as {safe(text)}", hint=f"Give the number of one: {numbers}"
    )


def _sections(history: "PostHistory") -> "Iterator[str]":
    post = history.post
    state = f", removed since {_minute(post.removed_at)}" if post.removed_at else ""
    published = f"published {_minute(post.created_at)}" if post.created_at else "of unknown date"
    yield wrap(f"{safe(post.account)}, post {post.id}, {published}{state}") + (
        f"\n{safe(post.url)}" if post.url else ""
    )
    for version in history.versions:
        yield _version(version)
    events = [
        (_minute(each.at), each.what.replace("_", " "), each.source or "", each.reason or "")
        for each in history.events
    ]
    yield "What happened:\n" + table(events, ["AT", "WHAT", "SOURCE", "WHY"])
    if history.metrics:
        yield "Metrics:\n" + table(
            map(_series, history.metrics), ["METRIC", "OF", "FIRST", "NOW", "VALUES"], right=(2, 3)
        )
    if history.reviews:
        rows = [(_minute(each.at), each.actor, each.note or "") for each in history.reviews]
        yield "Reviews:\n" + table(rows, ["AT", "BY", "NOTE"])


def _version(version: "PostVersion") -> str:
    dated = f", dated {_minute(version.source_time)}" if version.source_time else ""
    head = (
        f"Version {version.number}, {_WHY.get(version.why, version.why)}: "
        f"seen {_minute(version.seen_at)} through {safe(version.source)} in run "
        f"{version.run_id}{dated}"
    )
    lines = [styled(wrap(head), bold=True)]
    lines += [_edit(edit) for edit in version.edits]
    if not version.edits:
        lines.append("    no text differs")
    return "\n".join(lines)


def _edit(edit: "TextChange") -> str:
    """A changed field, as the word diff of Git shows it."""
    is_changed = any(piece.what != "same" for piece in edit.pieces)
    pieces = "".join(_piece(piece, is_cut=is_changed) for piece in edit.pieces)
    return wrap(pieces, first=f"    {safe(edit.path)}: ", rest="        ")


def _piece(piece: "Piece", *, is_cut: bool) -> str:
    """A part of a text; of a long unchanged one only what stands next to changes, if `is_cut`."""
    text = safe(piece.text)
    if piece.what == "same":
        return f"{text[:_SAME]} … {text[-_SAME:]}" if is_cut and len(text) > 3 * _SAME else text
    return f"[-{text}-]" if piece.what == "out" else f"{{+{text}+}}"


def _series(series: "MetricSeries") -> tuple[str, str, str, str, str]:
    of = "the post" if series.attachment is None else f"attachment {series.attachment + 1}"
    values = [f"{value:,}" for _, value in series.values]
    days = [f"{at[:10]} {value}" for (at, _), value in zip(series.values, values, strict=True)]
    return series.name, of, values[0], values[-1], cut(", ".join(days), 200)


def _minute(moment: str | None) -> str:
    return (moment or "")[:16].replace("T", " ")
