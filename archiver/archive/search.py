"""Text as the search compares it: without case, accents, width and differences of normal form.

The search index folds case by itself, character by character. Text that needs more folding is in a
column of its own beside the published text; so are the texts of earlier versions.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

# accents, and what stands in for them in maths and phonetics; the marks of other scripts are
# letters there (a Japanese か is not a が)
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")
# letters with a stroke, which Unicode does not take apart
_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)


def fold(text: str) -> str:
    """The text as it is compared: `Café`, `CAFE` and `ｃａｆé` are one.

    >>> fold("İstanbul"), fold("Straße"), fold("Ｗｉｄｅ")
    ('istanbul', 'strasse', 'wide')
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = _INVISIBLE.sub("", _MARKS.sub("", apart)).translate(_STROKES)
    return unicodedata.normalize("NFC", plain)


SEARCHED = ("text", "title", "alt_texts", "search_text", "earlier_text")
"""The columns of `posts` that a search reads."""


def search_terms(words: str) -> list[str]:
    """The words and "phrases in quotes" that must all occur, folded as texts are compared."""
    found = re.findall(r'"([^"]+)"|(\S+)', words)
    return [fold(term) for pair in found for part in pair if (term := part.strip('"').strip())]


def match_all(terms: Iterable[str]) -> str:
    """What FTS5 matches against posts that contain all these terms, of three characters or more."""
    return " ".join('"' + term.replace('"', '""') + '"' for term in terms)


def containing(term: str, columns: Sequence[str]) -> tuple[str, list[str]]:
    """The SQL condition of posts with a term in one of these columns, and its parameters.

    LIKE ignores case for ASCII only, so other terms are looked for in their usual cases.
    """
    variants = {term} if term.isascii() else {term, term.lower(), term.upper(), term.title()}
    patterns = ["%" + re.sub(r"([\\%_])", r"\\\1", variant) + "%" for variant in sorted(variants)]
    likes = [f"{column} LIKE ? ESCAPE '\\'" for column in columns for _ in patterns]
    return f"({' OR '.join(likes)})", patterns * len(columns)


def folded_column(texts: Iterable[str | None]) -> str | None:
    """These texts, folded, one per line; None where the index finds them by its own folding.

    Every line ends, so that its last two characters begin a run of three that the index knows.
    """
    # ASCII is folded by the index as by us
    folded = [(text, fold(text)) for text in texts if text and not text.isascii()]
    return "".join(f"{line}\n" for text, line in folded if line != index_folds(text)) or None


def index_folds(text: str) -> str:
    """The text as the search index folds it: lower case, one character for one."""
    return "".join(lower if len(lower := one.lower()) == 1 else one for one in text)


def earlier_column(
    existing: str | None, before: Iterable[str | None], now: Iterable[str | None]
) -> str | None:
    """The folded texts of earlier versions: `existing`, and those of `before` not in `now`."""
    shown = {fold(text) for text in now if text}
    lines = dict.fromkeys((existing or "").splitlines())
    lines |= dict.fromkeys(
        " ".join(fold(text).splitlines()) for text in before if text and fold(text) not in shown
    )
    return "".join(f"{line}\n" for line in lines) or None
