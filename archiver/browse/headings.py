"""What a view shows, in words: its heading, the title of its page, and the name of its exports."""

from archiver.browse.filters import Filter
from archiver.browse.months import period
from archiver.browse.text import platform_name
from archiver.human import counted

_PLURALS = {
    "story": "stories", "saved_story": "saved stories", "reply": "replies",
    "spotlight": "spotlights",
    "memory": "memories",
}  # fmt: skip


def heading(wanted: Filter, total: int | None = None) -> str:
    """Such as "my-instagram, March 2025: 14 edited reels". No number where it is not known."""
    subject = ", ".join(
        part
        for part in (
            wanted.account,
            platform_name(wanted.platform) if wanted.platform else "",
            period(wanted.since, wanted.until),
        )
        if part
    )
    if total is None and not wanted:
        return "All posts"
    what = _nouns(wanted, total)
    if not subject:
        return what[:1].upper() + what[1:]
    subject = subject if wanted.account else subject[:1].upper() + subject[1:]
    return f"{subject}: {what}"


def _nouns(wanted: Filter, total: int | None) -> str:
    one = wanted.kind.replace("_", " ") or "post"
    many = _PLURALS.get(wanted.kind, f"{one}s")
    adjectives = [flag for flag in ("edited", "removed") if flag in wanted.flags]
    one, many = (" ".join([*adjectives, noun]) for noun in (one, many))
    said = many if total is None else counted(total, one, many) if total else f"no {many}"
    if "omitted" in wanted.flags:
        said += " with omitted media"
    elif "media" in wanted.flags:
        said += " with media"
    if wanted.words:
        said += f" that contain{'s' if total == 1 else ''} “{wanted.words}”"
    return said
