"""Text as Mastodon writes it in HTML (app/lib/text_formatter.rb): links cut, mentions in cards."""

import html
import re

_LINKED = re.compile(
    r"(?P<url>https?://[^\s<>]+)|(?<!\w)@(?P<user>\w+)@(?P<host>[\w.-]+\w)|(?<![\w&/])#(?P<tag>\w+)"
)
_SHOWN = 30


def as_html(text: str, host: str = "social.example") -> str:
    """Paragraphs, line breaks, and everything linked that Mastodon links."""
    paragraphs = [_inline(part, host) for part in text.split("\n\n")]
    return "".join(f"<p>{part}</p>" for part in paragraphs) if text else ""


def _inline(text: str, host: str) -> str:
    pieces: list[str] = []
    at = 0
    for match in _LINKED.finditer(text):
        pieces += (_escaped(text[at : match.start()]), _link(match, host))
        at = match.end()
    return "".join([*pieces, _escaped(text[at:])])


def _escaped(text: str) -> str:
    return html.escape(text, quote=True).replace("\n", "<br />")


def _link(match: re.Match[str], host: str) -> str:
    if match["url"]:
        return _web_link(match["url"])
    if match["tag"]:
        tag = html.escape(match["tag"])
        address = f"https://{host}/tags/{tag}"
        return f'<a href="{address}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
    user, where = html.escape(match["user"]), html.escape(match["host"])
    return (
        f'<span class="h-card" translate="no"><a href="https://{where}/@{user}" '
        f'class="u-url mention">@<span>{user}@{where}</span></a></span>'
    )


def _web_link(url: str) -> str:
    prefix = re.match(r"https?://(?:www\.)?", url)
    start = prefix.end() if prefix else 0
    shown, rest = url[start : start + _SHOWN], url[start + _SHOWN :]
    cut = "ellipsis" if rest else ""
    return (
        f'<a href="{html.escape(url)}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{html.escape(url[:start])}</span>'
        f'<span class="{cut}">{html.escape(shown)}</span>'
        f'<span class="invisible">{html.escape(rest)}</span></a>'
    )
