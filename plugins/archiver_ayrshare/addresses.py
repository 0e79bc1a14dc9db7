"""URLs in records: recognising them, unwrapping redirects, and removing what is no content.

A network wraps links to other sites in redirects of its own, and adds identifiers of the click.
Both differ from answer to answer and say nothing about the post, so they are no content. `utm_…`
parameters are: whoever made the link chose them.
"""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

_HTTP = re.compile(r"https?://", re.IGNORECASE)
_PLAIN_URL = re.compile(
    r"https?://[A-Za-z0-9._-]*[A-Za-z0-9](?::\d{1,5})?(?:[/?#]|\Z)", re.IGNORECASE
)
_PATH = re.compile(r"https?://[^/?#]*([^?#]*)", re.IGNORECASE)
_HOST = re.compile(r"https?://(?:[^/?#@]*@)?([^/?#:]+)", re.IGNORECASE)
_STRIPPED = "".join(
    map(chr, range(0x21))
)  # control characters and space, which browsers strip from URLs
_SIGNATURE = re.compile(  # in URLs of Meta, TikTok, Amazon and Google
    r"(oe|oh|edm|ccb|_nc_\w*|x-[\w-]+|expires|signature|sig|policy|key-pair-id)=", re.IGNORECASE
)
_CLICK_IDS = re.compile(  # added by networks to each link that somebody opens or shares
    r"(fbclid|igshid|igsh|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|ttclid|twclid|li_fat_id|yclid"
    r"|epik|scclid|rdt_cid|mibextid|__tn__|__cft__(?:\[|%5b)\d+(?:\]|%5d))=",
    re.IGNORECASE,
)
_MAY_NEED_CLEANING = re.compile(  # a quick check: most texts and URLs need no more
    r"clk?id=|igsh|gclsrc=|braid=|li_fat_id=|epik=|rdt_cid=|mibextid=|__tn__=|__cft__"
    r"|/l\.php|/l\.|/redirect|/safety/|/link/v2|/offsite|/flx/|/redir/|/url\?",
    re.IGNORECASE,
)
_URL_IN_TEXT = re.compile(r"https?://[^\s<>\"\u3000-\u303f\uff00-\uffef]+", re.IGNORECASE)
_TRAILING_PUNCTUATION = ".,;:!?'\u2019\u201d)]}\u2026"  # after a link in text, and not part of it

_WRAPPERS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), keys)
    for pattern, keys in (
        (r"(?:[\w-]+\.)*facebook\.com/l\.php", ("u",)),
        (r"(?:[\w-]+\.)*facebook\.com/flx/warn/?", ("u",)),
        (r"l\.(?:facebook|instagram|threads|messenger)\.(?:com|net)/?", ("u",)),
        (r"(?:[\w-]+\.)*messenger\.com/l\.php", ("u",)),
        (r"(?:[\w-]+\.)*youtube\.com/redirect", ("q",)),
        (r"(?:[\w-]+\.)*google\.[a-z.]{2,6}/url", ("q", "url")),
        (r"(?:[\w-]+\.)*linkedin\.com/(?:safety/go|redir/redirect)/?", ("url",)),
        (r"(?:[\w-]+\.)*(?:twitter|x)\.com/i/redirect", ("url",)),
        (r"(?:[\w-]+\.)*tiktok\.com/link/v2", ("target",)),
        (r"(?:[\w-]+\.)*pinterest\.[a-z.]{2,6}/offsite/?", ("url",)),
    )
)  # fmt: skip
_MAX_WRAPPERS = 4

HLS = "application/vnd.apple.mpegurl"
"""The content type of a playlist of HTTP Live Streaming (RFC 8216)."""

_PLAYLISTS = {"m3u8": HLS, "mpd": "application/dash+xml"}
_PLAYER_HOST = re.compile(
    r"(?:www\.|m\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be|vimeo\.com|dailymotion\.com|twitch\.tv)"
    r"|(?:player|embed|play|clips|w|open)\.[\w.-]+",
    re.IGNORECASE,
)
_PLAYER_PATH = re.compile(
    r"/(?:embed|embeds|player|players|iframe)(?:/|\Z)|\.(?:html?|php|swf|aspx?)\Z", re.IGNORECASE
)
_GIF_HOST = re.compile(r"media\d*\.tenor\.com|c\.tenor\.com|(?:media\d*|i)\.giphy\.com")


def url_of(value: object) -> str | None:
    """An http or https address, without the blanks around it; `//host/…` is taken as https."""
    if not isinstance(value, str):
        return None
    if _PLAIN_URL.match(value) and value[-1] > " " and value.isascii():
        return value
    text = value.strip().strip(_STRIPPED)
    if text.startswith("//"):
        text = f"https:{text}"
    if _PLAIN_URL.match(text):
        return encodable(text)
    return encodable(text) if _HTTP.match(text) and _has_host(text) else None


def _has_host(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for what is no port
    except ValueError:
        return False
    host = parts.hostname
    return bool(host) and not any(character.isspace() for character in parts.netloc)


def encodable(text: str) -> str:
    """Text that UTF-8 can encode: lone surrogates are replaced, all else is unchanged."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def path_of(url: str) -> str:
    """The path of a URL, without its host and query."""
    match = _PATH.match(url)
    return match[1] if match else url


def suffix_of(url: str) -> str:
    """The file extension in a URL's path, in lower case; empty where there is none."""
    name = path_of(url).rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def host_of(url: str) -> str:
    """The host of a URL, in lower case; empty where there is none."""
    match = _HOST.match(url)
    return match[1].lower() if match else ""


def playlist_type(url: str) -> str | None:
    """The content type of a playlist, where the path of a URL says that it is one."""
    if ".m" not in url and ".M" not in url:  # the usual case, decided quickly
        return None
    return _PLAYLISTS.get(suffix_of(url))


def is_gif(url: str) -> bool:
    """Whether a URL is that of a GIF: by its extension, or by a host that serves only GIFs.

    Of Tenor and GIPHY only the media hosts count; the others serve web pages about a GIF.
    """
    return suffix_of(url) == "gif" or bool(_GIF_HOST.fullmatch(host_of(url)))


def is_player(url: str) -> bool:
    """Whether a URL is that of a web page with a player, and not of a video file."""
    return bool(_PLAYER_HOST.fullmatch(host_of(url)) or _PLAYER_PATH.search(path_of(url)))


def content_url(url: str) -> str:
    """A URL as content: unwrapped, without signatures and identifiers of clicks."""
    if _MAY_NEED_CLEANING.search(url):
        url = _unwrapped(url)
    return _without(url, _SIGNATURE, _CLICK_IDS) if "?" in url else url


def content_text(text: str) -> str:
    """Text as content: every link in it is unwrapped, without identifiers of clicks."""
    if "://" not in text or not _MAY_NEED_CLEANING.search(text):
        return text
    return _URL_IN_TEXT.sub(_content_link, text)


def _content_link(match: re.Match[str]) -> str:
    link = match[0].rstrip(_TRAILING_PUNCTUATION)
    rest = match[0][len(link) :]
    if not _MAY_NEED_CLEANING.search(link):
        return match[0]
    return _without(_unwrapped(link), _CLICK_IDS) + rest


def _unwrapped(url: str) -> str:
    """The target of a network's redirect, where the URL itself contains it."""
    for _ in range(_MAX_WRAPPERS):
        target = _target(url)
        if target is None:
            return url
        url = target
    return url


def _target(url: str) -> str | None:
    scheme, _, rest = url.partition("://")
    address, _, query = rest.partition("#")[0].partition("?")
    if not query or not scheme:
        return None
    for pattern, keys in _WRAPPERS:
        if pattern.fullmatch(address):
            found = dict(reversed(parse_qsl(query)))
            targets = (url_of(found.get(key)) for key in keys)
            return next((target for target in targets if target), None)
    return None


def _without(url: str, *parameters: re.Pattern[str]) -> str:
    """A URL without the parameters of its query that one of the patterns matches."""
    address, _, rest = url.partition("?")
    query, hash_mark, fragment = rest.partition("#")
    parts = query.split("&")
    kept = [part for part in parts if not any(p.match(part) for p in parameters)]
    if len(kept) == len(parts):
        return url
    return address + ("?" + "&".join(kept) if kept else "") + hash_mark + fragment


def id_in_url(url: str, pattern: re.Pattern[str]) -> str | None:
    """The id that a pattern's first group finds in the address of a post."""
    match = pattern.search(url)
    return unquote(match[1]) if match else None
