"""Names of files in packages: decoded, confined, and searched whatever folder they are in."""

import re
import unicodedata
from functools import lru_cache

from archiver.errors import PackageError

_DRIVE = re.compile(r"[A-Za-z]:")
_NUMBER = re.compile(r"(\d+)")
_MOST_DIGITS = 30  # of a number that is compared as one


def confined_name(name: str, package: str = "The package") -> str:
    """The name of a file in a package, with `/` between folders; `package` is for the message.

    Raises PackageError for a name that leads out of the package: absolute, with a drive, with `..`.
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", "."}]
    leads_out = name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in parts
    if leads_out or "\0" in name or not parts:
        raise PackageError(
            f"{package} has a file whose name leads out of it: {name[:200]!r}",
            why="No platform makes such a package",
            kept="Nothing was imported",
            hint="Download the export again from the platform itself",
            code="unsafe_name",
        )
    return "/".join(parts)


def decoded_name(raw: bytes) -> str:
    """A name of unknown encoding: UTF-8 where it is valid, else that of the ZIP format (cp437)."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def folded_name(name: str) -> str:
    """A name as it is compared: case folded, accents in one form.

    >>> folded_name("Beiträge/A.CSV") == folded_name("BEITRA\u0308GE/a.csv")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def pattern_of(pattern: str) -> re.Pattern[bytes]:
    """What finds the ends of folded paths that end with a pattern; see `Package.find`.

    The paths are in one text, in UTF-8, with the character 0 between them.
    """
    return _expression(folded_name(pattern))


def counting_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which names are sorted as people count: `part2` before `part10`."""
    pieces = _NUMBER.split(folded_name(name))
    return tuple(
        (0, int(piece), "") if index % 2 and len(piece) <= _MOST_DIGITS else (1, 0, piece)
        for index, piece in enumerate(pieces)
    )


@lru_cache(512)
def _expression(pattern: str) -> re.Pattern[bytes]:
    one = rb"(?:[^/\0\x80-\xff]|[\xc2-\xf4][\x80-\xbf]+)"
    special = {"*": rb"[^/\0]*", "?": one}
    plain = (special.get(each) or re.escape(each.encode("utf-8", "surrogatepass"))
             for each in pattern)  # fmt: skip
    return re.compile(rb"(?:\A|(?<=[\0/]))%b(?=\0|\Z)" % b"".join(plain))
