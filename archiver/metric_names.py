"""What metrics are called on pages and in exports: the one table of their names in words."""

COMMON_METRICS = (
    "views", "likes", "reactions", "comments", "replies", "reposts", "shares", "quotes",
    "bookmarks", "saves",
)  # fmt: skip
"""The metrics that platforms show to everybody and most people know, in the order to show them."""

_NAMES = {
    "average_time_watched": "average time watched",
    "clicks_unique": "people who clicked",
    "engaged_users": "people engaged",
    "first_level_comments": "comments on the post itself",
    "full_video_watched_rate": "share watched to the end",
    "media_views_unique": "people who viewed the media",
    "negative_feedback_unique": "people with negative feedback",
    "reactions_by_type": "reactions of all types",
    "views_unique": "people who viewed",
    "playback_0": "videos started",
    "playback_25": "videos played to 25 %",
    "playback_50": "videos played to 50 %",
    "playback_75": "videos played to 75 %",
    "playback_100": "videos played to the end",
}
"""Metrics whose name does not say by itself what they are."""

_GROUPS = {
    "fan": "{} among followers",
    "fan_paid": "paid {} among followers",
    "non_public": "{} (owner only)",
    "organic": "organic {}",
    "paid": "paid {}",
    "promoted": "promoted {}",
    "reactions": "reactions: {}",
}
"""Whose metrics they are, or of what kind: the part of the name before the dot."""


def metric_name(name: str) -> str:
    """A metric in words.

    >>> metric_name("non_public.profile_clicks"), metric_name("organic.playback_25")
    ('profile clicks (owner only)', 'organic videos played to 25 %')
    """
    if name in _NAMES:
        return _NAMES[name]
    group, dot, rest = name.partition(".")
    if dot and rest:
        return _GROUPS.get(group, f"{_plain(group)}, {{}}").format(metric_name(rest))
    return _plain(name)


def _plain(name: str) -> str:
    return name.replace(".", ", ").replace("_", " ")


def metric_rank(name: str) -> int:
    """A sort key that puts the common metrics first, in their order."""
    return COMMON_METRICS.index(name) if name in COMMON_METRICS else len(COMMON_METRICS)
