"""Invisible and easily confused characters, and their names for messages."""

import unicodedata

_NAMES = {
    "\0": "zero byte",
    "\t": "tab",
    "\n": "line end",
    "\r": "carriage return",
    "\u00a0": "no-break space",
    "\u200b": "zero-width space",
    "\ufeff": "byte order mark",
}
_JOINERS = frozenset("\u200c\u200d")
"""Used within words of Persian and Hindi, and within emoji."""
_DOUBLE = frozenset("“”„‟«»″＂")
_SINGLE = frozenset("‘’‚‛‹›′＇`´")


def first_invisible(text: str) -> int | None:
    """The index of the first invisible character, or of a space other than U+0020."""
    return next((at for at, character in enumerate(text) if _is_invisible(character)), None)


def typographic_quote(character: str) -> str | None:
    """The straight quote for a typographic one; None for other characters."""
    return '"' if character in _DOUBLE else "'" if character in _SINGLE else None


def describe_character(character: str) -> str:
    """A character for a message: `no-break space (U+00A0)`; a visible one is shown, too."""
    name = _NAMES.get(character) or unicodedata.name(character, "control character").lower()
    code = f"U+{ord(character):04X}"
    is_seen = character.isprintable() and not unicodedata.combining(character)
    return f"{name} ({character}, {code})" if is_seen else f"{name} ({code})"


def _is_invisible(character: str) -> bool:
    if character.isascii():
        return not character.isprintable()
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Zs", "Zl", "Zp"} and character not in _JOINERS
