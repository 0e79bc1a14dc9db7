"""Asking for renditions in a state, so that SQLite sees that its partial indexes will do.

It uses such an index only where the statement repeats the index's own condition, word by word.
"""

_INDEXED = (("pending", "failed"), ("omitted", "not_offered", "gone", "refused"))


def in_state(state: str) -> str:
    """The condition that a rendition is in a state."""
    for group in _INDEXED:
        if state in group:
            names = ", ".join(f"'{name}'" for name in group)
            return f"state IN ({names}) AND state = '{state}'"
    raise ValueError(state)
