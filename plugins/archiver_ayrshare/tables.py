"""The platforms' tables of fields as Markdown, for the docs."""

from collections.abc import Iterable, Iterator

from archiver_ayrshare.fields import COMMON_METRICS, COMMON_RAW, Fields
from archiver_ayrshare.platform import AyrsharePlatform

_FEW = 4


def platform_table(platform: AyrsharePlatform) -> str:
    """One platform: a table of what is read, then what stays in the record alone."""
    fields = platform.fields
    lines = ["| in the record | in the archive |", "|---|---|"]
    lines += [
        f"| {_code(paths)} | {target} |" for target, paths in _paths_by_target(fields).items()
    ]
    lines += ["", "Only in `raw`:", ""]
    lines += [f"- `{path}`: {reason}" for path, reason in fields.raw_only.items()]
    return "\n".join(lines) + "\n"


def common_table() -> str:
    """What holds for every platform: spellings of numbers, and what stays in the record."""
    names: dict[str, list[str]] = {}
    for path, name in COMMON_METRICS.items():
        names.setdefault(name, []).append(path)
    lines = ["| metric | in the record |", "|---|---|"]
    lines += [f"| `{name}` | {_code(paths)} |" for name, paths in names.items()]
    lines += ["", "Only in `raw`:", ""]
    lines += [f"- `{path}`: {reason}" for path, reason in COMMON_RAW.items()]
    return "\n".join(lines) + "\n"


def _paths_by_target(fields: Fields) -> dict[str, list[str]]:
    """The paths in a record by their target in the archive, in the order of trying."""
    places: dict[str, list[str]] = {}
    for path, target in _own_rows(fields):
        places.setdefault(target, []).append(path)
    return places


def _own_rows(fields: Fields) -> Iterator[tuple[str, str]]:
    """The rows of a platform's own, without those that are kept in the record only."""
    for path, target in fields.rows():
        common = path in COMMON_METRICS and path not in fields.metrics
        if not target.startswith("raw only") and not (common and target.startswith("metrics")):
            yield path, target


def _code(paths: list[str]) -> str:
    """Paths as code; names that occur in several places are listed once."""
    if len(paths) <= _FEW:
        return _words(paths)
    names_in: dict[str, list[str]] = {}
    for path in paths:
        place, _, name = path.rpartition(".")
        names_in.setdefault(place, []).append(name)
    places_of: dict[tuple[str, ...], list[str]] = {}
    for place, names in names_in.items():
        places_of.setdefault(tuple(names), []).append(place)
    return "; ".join(
        _words(names)
        + (f" in {_words(found)}" if (found := [p for p in places if p]) else "")
        + (" and at the top" if found and "" in places else "")
        for names, places in places_of.items()
    )


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
