"""Why yt-dlp could not get a video, by the words of its message.

Its messages are those of the platforms as much as its own, and change; what is in none of these
words is `resolver_failed`, with the message itself.
"""

import re

from archiver import Unresolved, UnresolvedCode

_WORDS: tuple[tuple[UnresolvedCode, str], ...] = (
    ("bot_check", r"not a bot|captcha|unusual traffic|too many requests|http error 429"),
    ("runtime_missing", r"javascript runtime|n challenge solving failed"),
    ("drm", r"drm"),
    ("age_restricted", r"confirm your age|age.restrict|inappropriate for some users"),
    ("members_only", r"members.only|join this channel|members on level|subscribers? only"),
    ("private", r"private video|is private|log ?in (to|with)|login required|sign in"),
    ("region", r"in your (country|region|location)|geo.?restrict|geo.?block"),
    ("live", r"is live|live event|premieres? in|will begin in"),
    (
        "removed",
        r"video (is )?unavailable|been (removed|deleted|terminated)|no longer available"
        r"|does not exist|not found|http error 4(04|10)",
    ),
)  # fmt: skip
_LONGEST = 300
_ADDRESS = re.compile(r"https?://\S+")


def failure_of(errors: bytes) -> Unresolved:
    """What the last error of a run of yt-dlp means. Addresses in it, which may be signed, go."""
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("ERROR:")] or lines[-1:]
    text = _ADDRESS.sub("(address)", said[-1].removeprefix("ERROR:").strip()) if said else ""
    text = text[:_LONGEST] or "it ended with an error, and said nothing"
    whole = " ".join(lines).lower().replace("\u2019", "'")
    for candidates in (text.lower(), whole):
        for code, words in _WORDS:
            if re.search(rf"\b(?:{words})", candidates):
                return Unresolved(code, text)
    return Unresolved("resolver_failed", text)
