"""Posts as a table for spreadsheets: CSV (RFC 4180) in UTF-8, a row for each post.

A spreadsheet runs a cell that begins like a formula. So a text that does, or that begins with an
apostrophe, gets an apostrophe before it, which is undone by taking one apostrophe from every cell
that begins with one. Every cell is in quotes: a spreadsheet that takes another separator for the
comma does not find the beginning of a cell within a text.
"""

import csv
from collections.abc import Iterator
from io import StringIO

from archiver.export.snapshot import Snapshot
from archiver.metric_names import COMMON_METRICS
from archiver.saved_posts import SavedPost

_BOM = "\ufeff"  # without it, spreadsheets take UTF-8 for the system's older encoding
_FORMULA = tuple("=+-@＝＋－＠")
_ROWS = 200  # written together

COLUMNS = (
    "created_at", "account", "platform", "kind", "title", "text", "url", "alt_texts", "author",
    "visibility", *COMMON_METRICS, "attachments", "files", "omitted_files", "versions",
    "first_seen_at", "edited_at", "removed_at", "platform_id", "post_id",
)  # fmt: skip


def csv_table(snapshot: Snapshot) -> Iterator[bytes]:
    """The table, in pieces."""
    pieces = StringIO(newline="")
    writer = csv.writer(pieces, quoting=csv.QUOTE_ALL)
    pieces.write(_BOM)
    writer.writerow(COLUMNS)
    for number, post in enumerate(snapshot.posts(), 1):
        writer.writerow([_cell(value) for value in _row(post).values()])
        if number % _ROWS == 0:
            yield _taken(pieces)
    yield _taken(pieces)


def neutral(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `plain` gives the text back.

    >>> neutral("=1+1"), neutral("'tis"), neutral("a = b")
    ("'=1+1", "''tis", 'a = b')
    """
    is_risky = text.startswith(("'", "\t", "\r", "\n")) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if is_risky else text


def plain(cell: str) -> str:
    """The text that `neutral` made a cell of."""
    return cell.removeprefix("'")


def _taken(pieces: StringIO) -> bytes:
    """What was written since the last time."""
    text = pieces.getvalue()
    pieces.seek(0)
    pieces.truncate()
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate has no bytes


def _cell(value: object) -> object:
    return neutral(value) if isinstance(value, str) else value


def _row(post: SavedPost) -> dict[str, object]:
    """The cells of a post, by their columns."""
    numbers: dict[str, object] = {metric.name: metric.value for metric in post.metrics}
    attached = post.attached
    values: dict[str, object] = {
        "alt_texts": "\n".join(one.alt_text for one in attached if one.alt_text),
        "attachments": len(attached),
        "files": sum(1 for one in attached for file in one.files if file.path),
        "omitted_files": sum(
            1 for one in attached for file in one.files if file.state == "omitted"
        ),
        "versions": post.revisions,
        "post_id": post.id,
    }
    for column in COLUMNS:
        if column in COMMON_METRICS:
            values[column] = numbers.get(column)
        elif column not in values:
            values[column] = getattr(post, column)
    return {column: values[column] for column in COLUMNS}
