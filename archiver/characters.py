"""Characters that people do not see, or take for others, and what to call them."""

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
"""What stands inside of words of Persian and Hindi, and inside of emoji."""
_DOUBLE = frozenset("“”„‟«»″＂")
_SINGLE = frozenset("‘’‚‛‹›′＇`´")


def first_unseen(text: str) -> int | None:
    """The index of the first invisible character, or of a space other than U+0020."""
    return next((at for at, character in enumerate(text) if _is_unseen(character)), None)


def typographic_quote(character: str) -> str | None:
    """The straight quote that is meant by one of a word processor, or None."""
    return '"' if character in _DOUBLE else "'" if character in _SINGLE else None


def called(character: str) -> str:
    """What a character is called: `no-break space (U+00A0)`; where it can be seen, with itself."""
    name = _NAMES.get(character) or unicodedata.name(character, "control character").lower()
    code = f"U+{ord(character):04X}"
    is_seen = character.isprintable() and not unicodedata.combining(character)
    return f"{name} ({character}, {code})" if is_seen else f"{name} ({code})"


def _is_unseen(character: str) -> bool:
    if character.isascii():
        return not character.isprintable()
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Zs", "Zl", "Zp"} and character not in _JOINERS
