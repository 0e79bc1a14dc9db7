"""The key of a media file, by its URL: its path, and those query parameters that identify the file.

Hosts and signatures differ from one answer of a source to the next; the file must not be
downloaded again for that. Other parameters distinguish files of one path (`/media/?media_id=4`) and
are part of the key. The tables below say which are which. They are about hosts, not platforms: one
host serves several platforms, several sources give URLs of one host, and the key must be the same
for all. A platform that knows more sets `Rendition.media_key`, made by `address_key` with a list of
its own.

For a parameter in no table, its value decides. A number, a word, a UUID or a file name identifies.
Long random text is a signature, unless the parameter's name says that it is an identifier (`…id`,
`file`, `url`), or nothing else in the URL could identify the file.
"""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

from msgspec import Struct

from archiver.urls import BadUrl, normalize_url

_ORDINARY = re.compile(
    r"https?://([A-Za-z0-9.:_-]+)((?:/(?!\.|%2[Ee])[!$-.0-;=@-\[\]_a-z|~]*)*)"
    r"(?:\?([!$-&(-;=?-~]*))?(?:#|\Z)"
)
"""A URL that needs no normalization, but perhaps of the host, which is not part of the key."""

_PARTS = re.compile(r"https?://([^/?#]+)([^?#]*)(?:\?([^#]*))?")


class _HostRule(Struct, frozen=True):
    """Which parameters of a host sign or track: those in `signing`, or all but `identifying`."""

    signing: frozenset[str] = frozenset()
    identifying: frozenset[str] | None = None


_META = _HostRule(identifying=frozenset({"asset_id", "id", "media_id", "src", "uri", "url"}))
_META_SIGNATURE = re.compile(r"(?:^|&)oh=.*&oe=[0-9A-Fa-f]{8}(?:&|$)")
"""The form of Meta's signatures, which no other network uses: recognised on any host."""

_TIKTOK = _HostRule(identifying=frozenset({"file_id", "id", "item_id", "ratio", "url", "video_id"}))
_HOSTS = {
    # oh, oe, ccb, stp, efg, edm, _nc_… change with every answer, new ones are added every year, and
    # the path holds the file's number. Pictures of links (safe_image.php?url=…) are the exception.
    "cdninstagram.com": _META,
    "fbcdn.net": _META,
    # lookaside.fbsbx.com/…?media_id=…, …/profilepic/?asid=…&ext=EPOCH&hash=…
    "fbsbx.com": _HostRule(frozenset({"eai", "ext", "hash"})),
    # x-expires, x-signature, and some twenty more that describe the request
    "tiktok.com": _TIKTOK,
    "tiktokcdn.com": _TIKTOK,
    "tiktokcdn-eu.com": _TIKTOK,
    "tiktokcdn-us.com": _TIKTOK,
    # …/0/1712…?e=EPOCH&v=beta&t=SIGNATURE
    "licdn.com": _HostRule(frozenset({"e", "t", "v"})),
    # …/d/NAME?mo=…&uc=46, …/3/NAME?bo=…&uc=46
    "sc-cdn.net": _HostRule(frozenset({"bo", "mo", "uc"})),
    # …/vi/ID/hqdefault.jpg?sqp=…&rs=SIGNATURE
    "ytimg.com": _HostRule(frozenset({"rs", "sqp"})),
    # …/vid/avc1/720x1280/NAME.mp4?tag=12 counts versions of the player; archives of X leave it out
    "twimg.com": _HostRule(frozenset({"tag"})),
}
"""By the last two labels of the host; from observed URLs."""

_NETWORKS = {
    host: rule.identifying for host, rule in _HOSTS.items() if rule.identifying is not None
}
"""The hosts that sign all addresses, with the parameters that identify a file."""
_OF_NETWORK = re.compile(
    rf"https?://(?:[a-z0-9-]+\.)*({'|'.join(map(re.escape, _NETWORKS))})(/[^?#]*)\?([^#]*)"
)

ARCHIVED = "archived"
"""The parameter by which `archiver serve` says which file of an archive is meant."""

_NO_RULE = _HostRule()
_PATH_SIGNATURE = re.compile(r"/[0-9a-f]{32}/[0-9a-f]{8}(?=/)")
"""On TikTok's video hosts, the path begins with a signature and its expiry in hexadecimal."""

_SIGNING_PREFIXES = (
    "x-amz-",  # Amazon S3, "Authenticating Requests: Using Query Parameters"
    "x-goog-",  # Google Cloud Storage, "Signed URLs"
    "x-oss-",  # Alibaba Cloud OSS, "Signature V4"
    "x-tos-",  # Volcengine TOS, "URL signature"
    "q-sign-",  # Tencent COS, "Request signature"
)
_SIGNING = frozenset(
    {
        # the older signatures of CloudFront, S3, Google and OSS
        "awsaccesskeyid", "googleaccessid", "key-pair-id", "ossaccesskeyid", "policy", "signature",
        # Tencent COS; Akamai EdgeAuth; bunny.net token authentication
        "q-ak", "q-header-list", "q-key-time", "q-signature", "q-url-param-list",
        "__gda__", "__token__", "hdnea", "hdntl", "hdnts", "bcdn_token", "token_path",
        "hmac", "sig", "sign", "x-expires", "x-signature",
    }
)  # fmt: skip
"""Parameters that are always part of a signature. All names are in lower case."""

_TRACKING = frozenset(
    {
        ARCHIVED,
        "_ga", "_gl", "dclid", "epik", "fbclid", "gbraid", "gclid", "igsh", "igshid", "li_fat_id",
        "mc_cid", "mc_eid", "mibextid", "msclkid", "sccid", "ttclid", "twclid", "wbraid", "yclid",
        "utm_campaign", "utm_content", "utm_id", "utm_medium", "utm_source", "utm_term",
        "cachebuster", "jsessionid", "nocache", "phpsessid", "request_id", "session",
        "session_id", "sessionid", "trace_id", "visitor_id",
    }
)  # fmt: skip
"""Parameters that identify a click, a session or a request, never a file."""

_CREDENTIALS = frozenset(
    {
        "_sig", "access_token", "accesstoken", "auth", "auth_token", "authkey", "authtoken", "jwt",
        "nonce", "sid", "ticket", "token", "urltoken", "verify",
    }
)  # fmt: skip
"""Parts of a signature where the value looks random."""

_EXPIRIES = frozenset(
    {
        "deadline", "e", "exp", "expiration", "expire", "expires", "expires_at", "expiresat",
        "expiry", "ext", "oe", "se", "until", "valid_until", "validto",
    }
)  # fmt: skip
_TIMESTAMPS = frozenset({"_", "cb", "now", "t", "ts"})
"""Both are ignored where the value is a time; `_EXPIRIES` also show that the URL is signed."""

_AZURE = frozenset(
    {
        "saoid", "scid", "sdd", "se", "si", "sip", "ske", "skoid", "sks", "skt", "sktid", "skv",
        "sp", "spr", "sr", "srt", "ss", "st", "suoid", "sv",
    }
)  # fmt: skip
"""Azure Storage, "Create a service SAS": with `sig` and `sv`, these are part of the signature."""

_PARTS_OF_SIGNATURE = frozenset(
    {
        "_", "cb", "digest", "e", "h", "hash", "hm", "is", "k", "key", "keyid", "kid", "mac", "md5",
        "s", "secure", "sgn", "sha1", "sha256", "st", "t", "ts", *_CREDENTIALS,
    }
)  # fmt: skip
"""Parts of a signature where the URL has others, too, and the value is no small number."""

_IDENTIFYING = frozenset(
    {
        "asset", "attachment", "blob", "code", "f", "file", "filename", "i", "image", "img",
        "index", "item", "key", "media", "n", "name", "num", "number", "object", "p", "page",
        "path", "photo", "picture", "post", "q", "rev", "src", "source", "u", "uri", "url", "v",
        "ver", "version", "video",
    }
)  # fmt: skip
"""Names of identifiers; so are all names that end in `id` or `ids`."""

_TIME = re.compile(r"[12]\d{9}(?:\d{3})?|\d{4}-\d\d-\d\d[T ].*|\d{8}T\d{6}Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_MACHINE_TEXT = re.compile(
    r"(?=.*[A-Za-z])(?=.*\d)[A-Za-z0-9_+/=.~ -]{20,}|[A-Za-z0-9_-]{32,}", re.ASCII
)
_WORD = r"(?:[a-z]{1,20}|[A-Z][a-z]{0,20}|[A-Z]{1,20}|\d{1,20})"
_WORDS = re.compile(rf"{_WORD}(?:[_. /-]+{_WORD})*", re.ASCII)
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", re.ASCII)
_SCRIPT = re.compile(r"\.(?:php\d?|aspx?|ashx|jspx?|cgi|pl|do|html?)$", re.ASCII | re.IGNORECASE)
_NUMBERED = re.compile(r"/[^/]*\d{6}[^/]*|/(?=[^/]*\d)(?=[^/]*[A-Za-z])[^/]{10,}", re.ASCII)


def address_key(url: str, signed_by: Collection[str] = ()) -> str:
    """The key of the file at a URL: the same for every host and signature it is offered with.

    `signed_by` names further parameters that sign or track, in lower case. The order of parameters
    does not matter.

    >>> address_key("https://cdn.example/media/?media_id=4&Expires=1790000000&Signature=x~y")
    '/media/?media_id=4'
    """
    return _key_of(url, signed_by) if signed_by else _remembered_key(url)


def _key_of(url: str, signed_by: Collection[str] = ()) -> str:
    host, path, query = _split(url)
    if not query:
        return path
    named = sorted(_identifying(host, path, query, signed_by))
    return f"{path}?{'&'.join(named)}" if named else path


@lru_cache(2048)  # the address of a file is asked for by each comparison of its post
def _remembered_key(url: str) -> str:
    return _key_of(url)


def unsigned_address(url: str) -> str:
    """A URL without what `address_key` leaves out of its path and query.

    The host stays; of networks with a host for each place, its last two labels.

    >>> unsigned_address("https://cdn.example/a.jpg?media_id=4&Expires=1790000000&Signature=x~y")
    'https://cdn.example/a.jpg?media_id=4'
    """
    if match := _OF_NETWORK.match(url):  # most signed addresses, and this is five times as fast
        host, path, query = match.groups()
        names = _NETWORKS[host]
        named = [text for text in query.split("&") if text.partition("=")[0].lower() in names]
        return f"https://{host}{_PATH_SIGNATURE.sub('', path, count=1)}?{'&'.join(named)}"
    parts = _PARTS.match(url)
    return f"https://{parts[1]}{_key_of(url)}" if parts else url


def _split(url: str) -> tuple[str, str, str]:
    """Host, path and query; all of an invalid URL but its query is taken for the path."""
    if match := _ORDINARY.match(url) or _PARTS.match(_normalized(url)):
        host, path, query = match[1], match[2] or "/", match[3] or ""
        if "tiktok" in host:
            path = _PATH_SIGNATURE.sub("", path, count=1)
        return host, path, query
    address, _, query = url.partition("?")
    return "", address, query


def _normalized(url: str) -> str:
    """The normalized URL, so that encoded and unencoded forms have one key; empty if invalid."""
    try:
        return normalize_url(url)
    except BadUrl:
        return ""


def _identifying(host: str, path: str, query: str, signed_by: Collection[str]) -> Iterator[str]:
    """The parameters that identify the file, as they are written."""
    rule = _META if _META_SIGNATURE.search(query) else _rule_of(host)
    if rule.identifying is not None:
        for text in query.split("&"):
            if text.partition("=")[0].lower() in rule.identifying:
                yield text
        return
    found = [_parameter(text) for text in query.split("&")]
    known = _TRACKING.union(rule.signing, signed_by, ("",))
    rest = [each for each in found if each.name not in known and not each.is_timestamp()]
    undecided = [each for each in rest if not each.is_signature()]
    is_signed = len(undecided) < len(rest)
    if is_signed and any(each.name == "sv" for each in undecided):
        undecided = [each for each in undecided if each.name not in _AZURE]
    if is_signed:
        undecided = [each for each in undecided if not each.is_part_of_signature()]
    is_named_already = is_signed or _names_a_file(path)
    for each in undecided:
        if not (is_named_already and each.looks_like_a_signature()):
            yield each.text


class _Parameter(Struct, frozen=True):
    """A query parameter: its text, its name in lower case, its decoded value."""

    text: str
    name: str
    value: str

    def is_signature(self) -> bool:
        """Whether it is part of a signature, whatever other parameters there are."""
        if self.name in _SIGNING or self.name.startswith(_SIGNING_PREFIXES):
            return True
        if self.name in _EXPIRIES:
            return _TIME.fullmatch(self.value) is not None
        return self.name in _CREDENTIALS and (
            len(self.value) >= 16 or (len(self.value) >= 8 and not _WORDS.fullmatch(self.value))
        )

    def is_timestamp(self) -> bool:
        """Whether it only says when the URL was made."""
        return self.name in _TIMESTAMPS and _TIME.fullmatch(self.value) is not None

    def is_part_of_signature(self) -> bool:
        """Whether it is part of the signature of a URL that has one."""
        return self.name in _PARTS_OF_SIGNATURE and not (
            len(self.value) < 6 or (self.value.isdigit() and len(self.value) < 16)
        )

    def looks_like_a_signature(self) -> bool:
        """Whether the value is long random text, and the name is not that of an identifier."""
        if self.name in _IDENTIFYING or self.name.endswith(("id", "ids")):
            return False
        if not _MACHINE_TEXT.fullmatch(self.value):
            return False
        return not (
            _UUID.fullmatch(self.value)
            or _WORDS.fullmatch(self.value)
            or _SUFFIX.search(self.value)
        )


def _parameter(text: str) -> _Parameter:
    name, _, value = text.partition("=")
    return _Parameter(text, unquote_plus(name).lower(), unquote_plus(value))


def _rule_of(host: str) -> _HostRule:
    return _HOSTS.get(_registered(host), _NO_RULE)


def _registered(host: str) -> str:
    """The last two labels of a host."""
    return ".".join(host.partition(":")[0].lower().rsplit(".", 2)[-2:])


def _names_a_file(path: str) -> bool:
    """Whether a path may identify a file by itself: it has a file extension, or a long number."""
    if _SCRIPT.search(path):
        return False
    return bool(_SUFFIX.search(path) or _NUMBERED.search(path))
