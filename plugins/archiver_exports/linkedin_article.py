"""Articles in exports of LinkedIn: one HTML file each. Drafts were never published: left out."""

import re
from html.parser import HTMLParser

from archiver import Package

_HEAD = 64 << 10  # bytes
_LARGEST = 16 << 20
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?", re.ASCII)
_PULSE = re.compile(r'<h1[^>]*>\s*<a\s[^>]*href="https?://(?:www\.)?linkedin\.com/(?:pulse|post)/')
_BLOCKS = frozenset({"p", "div", "h1", "h2", "h3", "h4", "li", "blockquote", "pre", "br", "figure"})
_HIDDEN = frozenset({"style", "script", "title", "head"})


def is_article(package: Package, name: str) -> bool:
    """Whether a file is an article: its heading is a link to it."""
    with package.open(name) as file:
        return _PULSE.search(file.read(_HEAD).decode("utf-8", "replace")) is not None


def read_article(package: Package, name: str) -> dict[str, str] | None:
    """Title, address, text and, where told, the time of an article; None for a draft."""
    with package.open(name) as file:
        html = file.read(_LARGEST).decode("utf-8", "replace")
    parser = _ArticleParser()
    parser.feed(html)
    parser.close()
    published = _TIME.search(parser.published)
    is_draft = "/post/edit/" in parser.url or (parser.published.strip() and not published)
    if is_draft:
        return None
    found = {
        "title": parser.title.strip(), "url": parser.url,
        "published": published[0] if published else "", "text": _tidy(parser.text),
    }  # fmt: skip
    return {key: value for key, value in found.items() if value}


def _tidy(text: str) -> str:
    """Lines without blanks around them, and at most one blank line between two."""
    lines = "\n".join(" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


class _ArticleParser(HTMLParser):
    """Collects the heading with its link, the times, and the rest as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = self.url = self.published = self.text = ""
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where the text that follows belongs."""
        given = dict(attrs)
        if tag == "a" and "title" in self._within and not self.url:
            self.url = given.get("href") or ""
        kind = {"h1": "title" if not self.title else "text", "p": "text"}.get(tag, "")
        if tag == "p" and given.get("class") in {"created", "published"}:
            kind = str(given["class"])
        if tag in _HIDDEN:
            kind = "hidden"
        if tag in _BLOCKS:
            self.text += "\n"
        if kind:
            self._within.append(kind)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a block."""
        if tag in {"h1", "p", *_HIDDEN} and self._within:
            self._within.pop()
        if tag in _BLOCKS:
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        """Add text where it belongs."""
        where = self._within[-1] if self._within else "text"
        if where == "title":
            self.title += data
        elif where == "published":
            self.published += data
        elif where == "text":
            self.text += data
