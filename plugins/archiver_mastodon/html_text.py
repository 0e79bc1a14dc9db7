"""Converting the HTML of a post to plain text with its lines, lists, quotations and links.

Servers write a post as HTML, and abbreviate links in it: `<a href="https://example.org/long/path">
<span class="invisible">https://</span><span class="ellipsis">example.org/lo</span>…</a>`. The text
has such a link in full, and behind other words the address that they lead to. Nothing of the HTML
is kept: whatever stands in it, the text is text.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from archiver_mastodon.html_tokens import Tag, tokens_of
from archiver_mastodon.values import storable

_BLANKS = re.compile(r"[ \t\n\r\f]+")
_PARAGRAPHS = frozenset(
    {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "ul"}
)
_LINES = frozenset({"article", "div", "dd", "dt", "figcaption", "figure", "li", "section", "tr"})
_UNSEEN = frozenset({"head", "noscript", "object", "script", "style", "template", "title"})
_WEB = ("https://", "http://")
_LINKED = (*_WEB, "dat:", "gemini:", "gopher:", "ipfs:", "ipns:", "magnet:", "mailto:", "xmpp:")
_MAX_LENGTH = 1_000_000  # characters; the longest posts that any server allows have some 100,000


class PlainText(NamedTuple):
    """The text of some HTML, and the web addresses that it links to, in order."""

    text: str
    links: tuple[str, ...] = ()


def plain_text(html: str, *, quote_is_known: bool = False) -> PlainText:
    """The text of a post's HTML, without blank lines at its ends.

    With `quote_is_known` the paragraph is left out that servers add for readers which know no
    quotations (`RE: https://…`, class `quote-inline`). Of what is longer than any post, the end is
    taken as it is written, so that nobody's HTML takes long to read.
    """
    writer = _TextWriter(quote_is_known=quote_is_known)
    for token in tokens_of(html[:_MAX_LENGTH]):
        if isinstance(token, str):
            writer.write_words(token)
        elif token.closes:
            writer.close(token.name)
        else:
            writer.open(token)
    return PlainText(storable(writer.text() + html[_MAX_LENGTH:]), tuple(writer.links))


@dataclass(slots=True)
class _Link:
    """An open link: its target, its classes, and where its text begins."""

    href: str
    classes: frozenset[str]
    begin: int


class _TextWriter:
    """Writes the text; line breaks and blanks are written only before visible text."""

    def __init__(self, *, quote_is_known: bool) -> None:
        self.links: list[str] = []
        self._hides_quote = quote_is_known
        self._pieces: list[str] = []
        self._breaks = 0
        self._has_blank = False
        self._marker = ""
        self._quoted = 0
        self._preformatted = 0
        self._hidden = ""
        self._hidden_depth = 0
        self._counters: list[int | None] = []
        self._link: _Link | None = None

    def text(self) -> str:
        """The text written so far."""
        self._end_link()
        return "".join(self._pieces).strip()

    def open(self, tag: Tag) -> None:
        """Handle an opening tag."""
        classes = frozenset(tag.attributes.get("class", "").split())
        if self._hidden:
            self._hidden_depth += tag.name == self._hidden
            return
        if tag.name in _UNSEEN or (self._hides_quote and "quote-inline" in classes):
            self._hidden, self._hidden_depth = tag.name, 1
            return
        self._open(tag.name)
        if tag.name == "a":
            self._end_link()
            href = tag.attributes.get("href", "").strip()
            self._link = _Link(href, classes, len(self._pieces))
        elif tag.name == "img":
            self.write_words(tag.attributes.get("alt", ""))  # a custom emoji, on some servers

    def close(self, tag: str) -> None:
        """Handle a closing tag."""
        if self._hidden:
            self._hidden_depth -= tag == self._hidden
            self._hidden = self._hidden if self._hidden_depth else ""
            return
        if tag == "a":
            self._end_link()
        elif tag in {"ol", "ul"} and self._counters:
            self._counters.pop()
        elif tag == "blockquote":
            self._quoted = max(self._quoted - 1, 0)
        elif tag == "pre":
            self._preformatted = max(self._preformatted - 1, 0)
        self._break_around(tag)
        if tag == "li":
            self._breaks = 1

    def write_words(self, data: str) -> None:
        """Write text, with runs of blanks as one, except in preformatted text."""
        if self._hidden or not data:
            return
        if self._preformatted:
            self._write(data)
            return
        words = _BLANKS.sub(" ", data)
        self._has_blank |= words.startswith(" ")
        if shown := words.strip(" "):
            self._write(shown)
            self._has_blank = words.endswith(" ")

    def _open(self, tag: str) -> None:
        self._break_around(tag)
        if tag == "br":
            self._breaks += 1
        elif tag == "li":
            self._marker = self._next_marker()
        elif tag in {"td", "th"}:
            self._has_blank = True
        elif tag in {"ol", "ul"}:
            self._counters.append(0 if tag == "ol" else None)
        elif tag == "blockquote":
            self._quoted += 1
        elif tag == "pre":
            self._preformatted += 1

    def _break_around(self, tag: str) -> None:
        if self._marker:  # the first paragraph of an item stands beside its marker
            return
        if tag in _LINES or (tag in {"ol", "ul"} and self._counters):  # a list in a list
            self._breaks = max(self._breaks, 1)
        elif tag in _PARAGRAPHS:
            self._breaks = max(self._breaks, 2)

    def _next_marker(self) -> str:
        count = self._counters[-1] if self._counters else None
        if count is None:
            return "• "
        self._counters[-1] = count + 1
        return f"{count + 1}. "

    def _write(self, words: str) -> None:
        if self._breaks and self._pieces:
            self._pieces.append("\n" * self._breaks)
        elif self._has_blank and self._pieces:
            self._pieces.append(" ")
        if self._breaks or not self._pieces:
            self._pieces.append("> " * self._quoted)
        self._pieces += (self._marker, words)
        self._breaks, self._has_blank, self._marker = 0, False, ""

    def _end_link(self) -> None:
        """Write the target of a link after its text, unless the text shows it."""
        link, self._link = self._link, None
        if link is None:
            return
        written = "".join(self._pieces[link.begin :])
        words = written.strip()
        if not words or not link.href.lower().startswith(_LINKED):
            return
        if link.classes & {"hashtag", "mention"} or words.startswith(("@", "#")):
            return
        if link.href.lower().startswith(_WEB):
            self.links.append(storable(link.href))
        before = written[: len(written) - len(written.lstrip())]
        whole = link.href if _abbreviates(words, link.href) else f"{words} ({link.href})"
        self._pieces[link.begin :] = [before, whole]


def _abbreviates(words: str, href: str) -> bool:
    """Whether the text of a link is its address, perhaps without scheme, `www.` or its end."""
    shown, whole = _bare(words), _bare(href)
    if shown.endswith(("…", "...")):
        return whole.startswith(shown.rstrip("…."))
    return shown == whole


def _bare(address: str) -> str:
    address = re.sub(r"^[a-z]+:(?://)?(?:www\.)?", "", address.strip(), flags=re.IGNORECASE)
    return unquote(address).rstrip("/")
