"""The README of an export: what was chosen and when, counts, and what could not be included."""

from collections.abc import Iterable, Iterator

from archiver.export.heading import ExportHeading
from archiver.human import counted, size_text


def readme(
    heading: ExportHeading, contents: Iterable[str], problems: Iterable[bytes], *, posts: int,
    files: int, size: int, not_included: int,
) -> Iterator[bytes]:  # fmt: skip
    """The text, in pieces. `size` is in bytes; `problems` say what is not included, and why."""
    left_out = f", {not_included:,} not included" if not_included else ""
    yield "\n".join((
        f"Posts from the archive {heading.archive}",
        "",
        f"Chosen:  {heading.selection}",
        f"Made:    {heading.made_at} (UTC)",
        f"Holds:   {counted(posts, 'post')}, {counted(files, 'media file')} "
        f"({size_text(size)}){left_out}",
        "",
        *contents,
        "",
    )).encode("utf-8", "backslashreplace")  # fmt: skip
    if not_included:
        yield b"\nNot included:\n\n"
        yield from problems
