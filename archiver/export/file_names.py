"""What a file is called when somebody saves it: the day, the account, and which one it is."""

import re
import unicodedata

from archiver.human import parse_time

_SEPARATORS = re.compile(r"[\W_]+")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,8}", re.ASCII)
_NAME = re.compile(r"[0-9u][\w-]{0,149}")  # begins with a day, or with `undated`
_LONGEST = 60  # characters of an account's name


def file_name(
    account: str, created_at: str | None, path: str, *, number: int = 1, count: int = 1,
    role: str = "",
) -> str:  # fmt: skip
    """2026-11-02_my-instagram_1of10.jpg; `path` is where the archive has the file.

    `role` tells a file that is not the attachment itself, such as its thumbnail.
    """
    moment = parse_time(created_at)
    parts = [moment.date().isoformat() if moment else "undated", plain_name(account)]
    if count > 1:
        parts.append(f"{number}of{count}")
    parts.append(plain_name(role))
    return "_".join(part for part in parts if part) + extension(path)


def is_file_name(name: str, path: str) -> bool:
    """Whether `file_name` may have made this name for the file at `path`."""
    end = extension(path)
    return name.endswith(end) and _NAME.fullmatch(name[: len(name) - len(end)]) is not None


def extension(path: str) -> str:
    """The extension of a path in the archive, with its dot; empty where it has none."""
    found = _EXTENSION.fullmatch(path[dot:]) if (dot := path.rfind(".")) >= 0 else None
    return found[0] if found else ""


def plain_name(text: str) -> str:
    """Letters and digits of any script, with hyphens for all else: safe on every system."""
    kept = _SEPARATORS.sub("-", unicodedata.normalize("NFC", text))
    return kept[:_LONGEST].strip("-")
