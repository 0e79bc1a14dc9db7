"""Which column of a table of Google Takeout is what, in whatever language its names are.

Takeout writes the names of folders, files and columns in the language of the account. Where they
are not the English ones, a column is known by the form of its values, or by its place between
columns that are: their order is the same in every language.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from archiver import timestamp
from archiver_exports.tables import Row, column_names

Columns = dict[str, int]
"""The number of a column by what it holds."""

_VIDEO_ID = re.compile(r"[\w-]{11}", re.ASCII)
_CHANNEL_ID = re.compile(r"UC[\w-]{22}", re.ASCII)
_COMMENT_ID = re.compile(r"Ug[\w-]{15,40}(?:\.[\w-]{15,40})?", re.ASCII)
_SEGMENTS = re.compile(r'\s*\{\s*"(?:text|takeoutSegments)"')
_NUMBER = re.compile(r"\d{1,12}", re.ASCII)
_VIDEOS = {
    "video id": "id", "channel id": "channel", "video title (original)": "title",
    "video description (original)": "description", "privacy": "privacy", "video state": "state",
    "video create timestamp": "created", "video publish timestamp": "published",
    "approx duration (ms)": "duration",
}  # fmt: skip
_COMMENTS = {
    "comment id": "id", "channel id": "channel", "comment create timestamp": "created",
    "parent comment id": "parent", "video id": "video", "comment text": "text",
}  # fmt: skip
_TIME = len("2024-06-01 12:00")
_TAG = re.compile(r"tag \d+")


def video_columns(head: Sequence[Row]) -> Columns | None:
    """The columns of a table of the account's own videos; None for another table."""
    if not head:
        return None
    names = column_names(head[0])
    known = _by_name(names, _VIDEOS)
    if "id" in known and {"title", "privacy"} <= known.keys():
        return known | _tags(index for index, name in enumerate(names) if _TAG.fullmatch(name))
    return _video_columns_by_values(len(names), head[1:])


def comment_columns(head: Sequence[Row]) -> Columns | None:
    """The columns of a table of comments that the account has written; None for another table."""
    if not head:
        return None
    known = _by_name(column_names(head[0]), _COMMENTS)
    if {"id", "created", "text"} <= known.keys():
        return known
    width, rows = len(head[0]), head[1:]
    ids = _matching(width, rows, _COMMENT_ID.fullmatch)
    text = _first(_matching(width, rows, _SEGMENTS.match))
    created = _first(_matching(width, rows, _is_time))
    if not ids or text is None or created is None:
        return None
    return _given(
        id=ids[0], created=created, text=text, parent=_first(ids[1:]),
        channel=_first(_matching(width, rows, _CHANNEL_ID.fullmatch)),
        video=_first(_matching(width, rows, _VIDEO_ID.fullmatch)),
    )  # fmt: skip


def text_groups(names: Sequence[str]) -> Mapping[str, list[int]]:
    """The columns of texts in numbered pieces (`… Segment 1`, `… Segment 2`), by their stem."""
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if match := re.fullmatch(r"(.*\S)\s+\d+", name):
            groups.setdefault(match[1], []).append(index)
    return groups


def _by_name(names: Sequence[str], wanted: Mapping[str, str]) -> Columns:
    return {wanted[name]: index for index, name in enumerate(names) if name in wanted}


def _video_columns_by_values(width: int, rows: Sequence[Row]) -> Columns | None:
    """The columns of a table of videos by their form and order.

    First the id, then the description, the channel's id, tags, the title, who may see the video,
    its state, when it was made and when it was published.
    """
    video_id = _first(_matching(width, rows, _VIDEO_ID.fullmatch))
    channel = _first(_matching(width, rows, _CHANNEL_ID.fullmatch))
    times = _matching(width, rows, _is_time)
    is_comments = bool(_matching(width, rows, _SEGMENTS.match))
    if video_id is None or channel is None or not times or is_comments:
        return None
    title = times[0] - 3
    if not video_id < channel < title:
        return None
    durations = [i for i in _matching(width, rows, _NUMBER.fullmatch) if i < channel]
    between = range(video_id + 1, channel)
    description = channel - 1 if channel - 1 in between and channel - 1 not in durations else None
    return _given(
        id=video_id, channel=channel, title=title, privacy=title + 1, state=title + 2,
        created=times[0], published=times[0] + 1 if times[0] + 1 < width else None,
        duration=_first(durations), description=description,
    ) | _tags(range(channel + 1, title))  # fmt: skip


def _tags(indexes: Iterable[int]) -> Columns:
    return {f"tag {index}": index for index in indexes}


def _given(**columns: int | None) -> Columns:
    return {name: index for name, index in columns.items() if index is not None}


def _matching(width: int, rows: Sequence[Row], matches: Callable[[str], object]) -> list[int]:
    """The columns of which every value has a form, but for empty ones; with one value at least."""
    found = []
    for index in range(width):
        values = [value for row in rows if index < len(row) and (value := row[index].strip())]
        if values and all(map(matches, values)):
            found.append(index)
    return found


def _is_time(value: str) -> bool:
    return value[:2] in {"19", "20"} and len(value) >= _TIME and timestamp(value) is not None


def _first(found: Sequence[int]) -> int | None:
    return found[0] if found else None
