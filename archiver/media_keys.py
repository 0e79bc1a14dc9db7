"""What names a file across runs, told from its address: the path, and what of the query names it.

Hosts and signatures rotate from one answer to the next; a file must not be fetched again for that.
Other parameters tell files of one path apart (`/media/?media_id=4`), and belong to the name. Which
is which stands in the tables below. They are about hosts, not about platforms: accounts of several
platforms are served by one host, several sources give addresses of one host, and all must name a
file alike. A platform that knows better gives `Rendition.media_key` itself, made by `address_key`
with a list of its own.

For a parameter that no table knows, its value decides. What a person or a database would write (a
number, a word, a UUID, a file name) names; long random text signs, unless its name says that it
is an identifier (`…id`, `file`, `url`), or nothing else in the address could name the file.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

from archiver.urls import BadUrl, normalize_url

_ORDINARY = re.compile(
    r"https?://([A-Za-z0-9.:_-]+)((?:/(?!\.|%2[Ee])[!$-.0-;=@-\[\]_a-z|~]*)*)"
    r"(?:\?([!$-&(-;=?-~]*))?(?:#|\Z)"
)
"""An address that is normalized already; a port and capitals in the host do no harm."""

_PARTS = re.compile(r"https?://([^/?#]+)([^?#]*)(?:\?([^#]*))?")


@dataclass(frozen=True, slots=True)
class _HostRule:
    """Which parameters sign or track on a host: those of `signing`, or all but `naming`."""

    signing: frozenset[str] = frozenset()
    naming: frozenset[str] | None = None


_META = _HostRule(naming=frozenset({"asset_id", "id", "media_id", "src", "uri", "url"}))
_META_SIGNATURE = re.compile(r"(?:^|&)oh=.*&oe=[0-9A-Fa-f]{8}(?:&|$)")
"""The networks of Meta sign alike, and nobody else so: it holds behind a proxy too."""

_TIKTOK = _HostRule(naming=frozenset({"file_id", "id", "item_id", "ratio", "url", "video_id"}))
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
"""By the end of the host's name; as seen in addresses that the networks hand out."""

ARCHIVED = "archived"
"""The parameter by which `archiver serve` says which file of an archive is meant."""

_NO_RULE = _HostRule()
_PATH_SIGNATURE = re.compile(r"/[0-9a-f]{32}/[0-9a-f]{8}(?=/)")
"""TikTok's video hosts begin the path with a signature and the hex of its last second."""

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
"""Parameters that sign wherever they stand, whatever they say. All names are in lower case."""

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
"""These name a click, a session or a request, never a file."""

_CREDENTIALS = frozenset(
    {
        "_sig", "access_token", "accesstoken", "auth", "auth_token", "authkey", "authtoken", "jwt",
        "nonce", "sid", "ticket", "token", "urltoken", "verify",
    }
)  # fmt: skip
"""These sign where the value is none that a person would write."""

_EXPIRIES = frozenset(
    {
        "deadline", "e", "exp", "expiration", "expire", "expires", "expires_at", "expiresat",
        "expiry", "ext", "oe", "se", "until", "valid_until", "validto",
    }
)  # fmt: skip
_CLOCKS = frozenset({"_", "cb", "now", "t", "ts"})
"""Both are left out where the value is a point in time; the first belong to a signature."""

_AZURE = frozenset(
    {
        "saoid", "scid", "sdd", "se", "si", "sip", "ske", "skoid", "sks", "skt", "sktid", "skv",
        "sp", "spr", "sr", "srt", "ss", "st", "suoid", "sv",
    }
)  # fmt: skip
"""Azure Storage, "Create a service SAS": beside `sig` and `sv` these belong to the signature."""

_BESIDE_A_SIGNATURE = frozenset(
    {
        "_", "cb", "digest", "e", "h", "hash", "hm", "is", "k", "key", "keyid", "kid", "mac", "md5",
        "s", "secure", "sgn", "sha1", "sha256", "st", "t", "ts", *_CREDENTIALS,
    }
)  # fmt: skip
"""These sign only beside another sign of a signature, and where the value is no small number."""

_NAMES = frozenset(
    {
        "asset", "attachment", "blob", "code", "f", "file", "filename", "i", "image", "img",
        "index", "item", "key", "media", "n", "name", "num", "number", "object", "p", "page",
        "path", "photo", "picture", "post", "q", "rev", "src", "source", "u", "uri", "url", "v",
        "ver", "version", "video",
    }
)  # fmt: skip
"""These say of themselves that they name something; so does all that ends in `id` or `ids`."""

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
    """The name of the file at an address, alike for every host and signature it is offered with.

    `signed_by` names further parameters that sign or track, in lower case. The order of parameters
    says nothing.

    >>> address_key("https://cdn.example/media/?media_id=4&Expires=1790000000&Signature=x~y")
    '/media/?media_id=4'
    """
    host, path, query = _split(url)
    if not query:
        return path
    named = sorted(_naming(host, path, query, signed_by))
    return f"{path}?{'&'.join(named)}" if named else path


def _split(url: str) -> tuple[str, str, str]:
    """Host, path and query; what is no URL is all path."""
    if match := _ORDINARY.match(url) or _PARTS.match(_normalized(url)):
        host, path, query = match[1], match[2] or "/", match[3] or ""
        if "tiktok" in host:
            path = _PATH_SIGNATURE.sub("", path, count=1)
        return host, path, query
    address, _, query = url.partition("?")
    return "", address, query


def _normalized(url: str) -> str:
    """As it is asked for: an address written raw names the same file as an encoded one."""
    try:
        return normalize_url(url)
    except BadUrl:
        return ""


def _naming(host: str, path: str, query: str, signed_by: Collection[str]) -> Iterator[str]:
    """The parameters that name the file, as they are written."""
    rule = _META if _META_SIGNATURE.search(query) else _rule_of(host)
    if rule.naming is not None:
        for text in query.split("&"):
            if text.partition("=")[0].lower() in rule.naming:
                yield text
        return
    found = [_parameter(text) for text in query.split("&")]
    known = _TRACKING.union(rule.signing, signed_by, ("",))
    rest = [each for each in found if each.name not in known and not each.is_clock()]
    doubtful = [each for each in rest if not each.signs()]
    is_signed = len(doubtful) < len(rest)
    if is_signed and any(each.name == "sv" for each in doubtful):
        doubtful = [each for each in doubtful if each.name not in _AZURE]
    if is_signed:
        doubtful = [each for each in doubtful if not each.signs_beside_a_signature()]
    is_named_already = is_signed or _names_a_file(path)
    for each in doubtful:
        if not (is_named_already and each.looks_like_a_signature()):
            yield each.text


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One parameter that no host's table decides: as written, its name in lower case, its value."""

    text: str
    name: str
    value: str

    def signs(self) -> bool:
        """Whether it belongs to a signature, whatever stands beside it."""
        if self.name in _SIGNING or self.name.startswith(_SIGNING_PREFIXES):
            return True
        if self.name in _EXPIRIES:
            return _TIME.fullmatch(self.value) is not None
        return self.name in _CREDENTIALS and (
            len(self.value) >= 16 or (len(self.value) >= 8 and not _WORDS.fullmatch(self.value))
        )

    def is_clock(self) -> bool:
        """Whether it only says when the address was made."""
        return self.name in _CLOCKS and _TIME.fullmatch(self.value) is not None

    def signs_beside_a_signature(self) -> bool:
        """Whether it belongs to a signature, given that there is one."""
        return self.name in _BESIDE_A_SIGNATURE and not (
            len(self.value) < 6 or (self.value.isdigit() and len(self.value) < 16)
        )

    def looks_like_a_signature(self) -> bool:
        """Whether the value is what only a machine would write, and is said to name nothing."""
        if self.name in _NAMES or self.name.endswith(("id", "ids")):
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
    labels = host.partition(":")[0].lower().rsplit(".", 2)
    return _HOSTS.get(".".join(labels[-2:]), _NO_RULE)


def _names_a_file(path: str) -> bool:
    """Whether a path could name a file by itself: it ends like one, or holds something's number."""
    if _SCRIPT.search(path):
        return False
    return bool(_SUFFIX.search(path) or _NUMBERED.search(path))
