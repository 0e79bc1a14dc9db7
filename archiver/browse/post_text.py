"""The texts of posts as HTML: links, marked search terms, and a short form of long texts.

Everything that a post says is escaped.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from archiver.archive.search import fold

SHORT = 500  # characters of a long text that are shown at first
AROUND = 120  # characters of a snippet on either side of a hit
_SHORT_LINES = 10
_CHARACTERS_IN_LINE = 60  # about as many as a line of a card has
_LONGEST_PATH = 30  # characters of an address behind its host
_MOST_SNIPPETS = 3

_LINK = re.compile(r"https?://[^\s<>\"'\x00-\x1f\x7f]+", re.IGNORECASE)
_TRAILING = ".,;:!?…)]}’”»。、，！？）」』"
# between the parts of one emoji, and behind it; vowels that Thai and Lao write behind their letter
_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u0e33\u0eb3")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAGS = range(0x1F1E6, 0x1F200)  # a flag is two of these


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of a text at first, and the whole text where that is longer."""

    head: Markup  # its beginning, or snippets around the hits of a search
    whole: Markup | None = None
    are_snippets: bool = False


NO_EMOJI: Mapping[str, str] = {}


def emoji_addresses(hashes: Mapping[str, str], base: str) -> dict[str, str]:
    """The addresses of the pictures of custom emoji, by shortcode; `base` is the archive's."""
    return {shortcode: f"{base}/media/{sha256}" for shortcode, sha256 in hashes.items()}


def excerpt(
    text: str | None, terms: Sequence[str] = (), emoji: Mapping[str, str] = NO_EMOJI
) -> Excerpt:
    """A text as cards show it, see `rich`. In a search, a long text is shown around its hits."""
    text = text or ""
    end = _end_of_head(text)
    if end is None or _end_of_head(_LINK.sub(lambda found: short_address(found[0]), text)) is None:
        return Excerpt(rich(text, terms, emoji))
    if hits := _first_hits(text, terms):
        snippets = [_snippet(text, start, stop, terms, emoji) for start, stop in _spans(text, hits)]
        return Excerpt(Markup("\n").join(snippets), rich(text, terms, emoji), are_snippets=True)
    return Excerpt(rich(text[:end].rstrip(), terms, emoji), rich(text, terms, emoji))


def _snippet(
    text: str, start: int, stop: int, terms: Sequence[str], emoji: Mapping[str, str]
) -> Markup:
    before, after = "… " if start else "", " …" if stop < len(text) else ""
    return Markup("{}{}{}").format(before, rich(text[start:stop].strip(), terms, emoji), after)


def _end_of_head(text: str) -> int | None:
    """Where a long text is cut; None for a text that is short enough, or nearly."""
    lines, end = 0, 0
    for line in text.splitlines(keepends=True):
        rows = max(1, -(-len(line) // _CHARACTERS_IN_LINE))
        if lines + rows > _SHORT_LINES:
            end += (_SHORT_LINES - lines) * _CHARACTERS_IN_LINE if lines < _SHORT_LINES else 0
            break
        lines += rows
        end += len(line)
    end = min(end, SHORT)
    if len(text) - end < SHORT // 4 and text.count("\n", end) < _SHORT_LINES // 2:
        return None
    place = _good_place(text, end)
    return place if 0 < place < len(text) else None


def _good_place(text: str, place: int, backwards: bool = True) -> int:
    """A place near this one that tears no word, no address and no letter apart."""
    for found in _LINK.finditer(text, max(0, place - 2000), min(len(text), place + 2000)):
        if found.start() < place < found.end():
            return found.start() if backwards and found.start() else found.end()
    step = -1 if backwards else 1
    for distance in range(60):
        at = place + step * distance
        if not 0 < at < len(text):
            break
        if text[at - 1].isspace():
            return at
    while 0 < place < len(text) and not _is_border(text, place):
        place += step
    return place


def _is_border(text: str, place: int) -> bool:
    """Whether one letter or emoji ends here and another one begins."""
    before, after = text[place - 1], text[place]
    if before == "\u200d" or after in _JOINERS or unicodedata.category(after).startswith("M"):
        return False
    if ord(after) in _SKIN_TONES:
        return False
    half = place
    while half and ord(text[half - 1]) in _FLAGS:
        half -= 1
    return not ((place - half) % 2 and ord(after) in _FLAGS)


def _first_hits(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Where each term stands first, in order."""
    if not any(terms):
        return []
    folded, places = _folded_with_places(text)
    found = []
    for term in terms:
        at = folded.find(term) if term else -1
        if at >= 0:
            found.append((places[at], places[at + len(term) - 1] + 1))
    return sorted(found)[:_MOST_SNIPPETS]


def _spans(text: str, hits: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The surroundings of hits; those that touch are one."""
    start, stop = 0, 0
    for first, last in hits:
        begin = _good_place(text, first - AROUND, backwards=False) if first > AROUND else 0
        begin = min(begin, first)
        end = last + AROUND
        end = max(_good_place(text, end), last) if end < len(text) else len(text)
        if stop and begin <= stop:
            stop = max(stop, end)
            continue
        if stop:
            yield start, stop
        start, stop = begin, end
    yield start, stop


def rich(
    text: str | None, terms: Sequence[str] = (), emoji: Mapping[str, str] = NO_EMOJI
) -> Markup:
    """A post's text as HTML: URLs become links, search terms are marked, all else is escaped.

    A shortcode between colons becomes its picture; `emoji` has the addresses by shortcode.
    """
    text = text or ""
    pieces, at = [], 0
    for found in _LINK.finditer(text):
        address = found[0].rstrip(_TRAILING)
        if "(" in address and found[0][len(address) :].startswith(")"):
            address += ")"
        pieces.append(_with_emoji(text[at : found.start()], terms, emoji))
        pieces.append(_link(address, terms))
        at = found.start() + len(address)
    pieces.append(_with_emoji(text[at:], terms, emoji))
    return Markup("").join(pieces)


def _with_emoji(text: str, terms: Sequence[str], emoji: Mapping[str, str]) -> Markup:
    """Text without links: its emoji as pictures, the rest marked."""
    if not emoji:
        return marked(text, terms)
    shortcodes = "|".join(re.escape(each) for each in sorted(emoji, key=len, reverse=True))
    pieces, at = [], 0
    for found in re.finditer(f":({shortcodes}):", text):
        name = found[0]
        pieces.append(marked(text[at : found.start()], terms))
        pieces.append(
            Markup('<img class="emoji" src="{}" alt="{}" title="{}" loading="lazy">').format(
                emoji[found[1]], name, name
            )
        )
        at = found.end()
    return Markup("").join([*pieces, marked(text[at:], terms)])


def _link(address: str, terms: Sequence[str]) -> Markup:
    """A link whose text is the address, shortened unless a hit would then be out of sight."""
    shown = short_address(address)
    if any(term in fold(address) and term not in fold(shown) for term in terms if term):
        shown = address
    title = Markup(' title="{}"').format(address) if shown != address else ""
    return Markup('<a href="{}" rel="noopener noreferrer nofollow"{}>{}</a>').format(
        address, title, marked(shown, terms)
    )


def short_address(address: str) -> str:
    """An address as its host and thirty characters; whole where it is hardly longer.

    What may stand before the host, a user's name that looks like another host, is left out.

    >>> short_address("https://example.com/a/very/long/path/that/goes/on/and/on")
    'example.com/a/very/long/path/that/goes/on…'
    """
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return address
    behind = address[address.index(parts.netloc) + len(parts.netloc) :]
    if not host or (len(behind) <= _LONGEST_PATH + 4 and len(address) <= 2 * _LONGEST_PATH):
        return address
    path = behind if len(behind) <= _LONGEST_PATH + 1 else f"{behind[:_LONGEST_PATH]}…"
    return f"{host[-2 * _LONGEST_PATH :]}{path}"


def marked(text: str, terms: Sequence[str]) -> Markup:
    """Text with every occurrence of a term in a <mark>; the terms are folded, see `fold`."""
    wanted = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True) if term)
    if not wanted:
        return escape(text)
    folded, places = _folded_with_places(text)
    pieces, at = [], 0
    for found in re.finditer(wanted, folded):
        start, end = places[found.start()], places[found.end() - 1] + 1
        while end < len(text) and fold(text[end]) == "":  # an accent belongs to its letter
            end += 1
        if start >= at:
            pieces += [escape(text[at:start]), Markup("<mark>{}</mark>").format(text[start:end])]
            at = end
    return Markup("").join([*pieces, escape(text[at:])])


def _folded_with_places(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters where in the text it comes from."""
    folded = [fold(one) for one in text]
    places = [place for place, some in enumerate(folded) for _ in some]
    return "".join(folded), places


def are_shown(terms: Sequence[str], *texts: str | None) -> bool:
    """Whether all terms of a search, which are folded, stand in these texts."""
    shown = "\n".join(fold(text) for text in texts if text)
    return all(term in shown for term in terms)
