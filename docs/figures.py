"""Puts measured figures into a page, between the two marks that stand there for them.

    <!-- figures: durability -->
    <!-- end of figures: durability -->

What a page says of the program itself is printed by `generate.py`; figures come from whoever
measured them, and stay until they are measured anew.
"""

from pathlib import Path


def put_figures(page: Path, area: str, text: str) -> None:
    """Replace the figures of an area. Raises LookupError where the page has no place for them."""
    begin, end = f"<!-- figures: {area} -->", f"<!-- end of figures: {area} -->"
    before, has_begin, rest = page.read_text("utf-8").partition(begin)
    _, has_end, after = rest.partition(end)
    if not has_begin or not has_end:
        raise LookupError(f"{page} has no place for the figures of {area}")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", "utf-8")
