"""The SQL condition for renditions in a state, written so that SQLite uses its partial indexes.

SQLite uses a partial index only where a statement repeats the condition of the index literally.
"""

_INDEXED = (("pending", "failed"), ("omitted", "not_offered", "gone", "refused"))


def in_state(state: str) -> str:
    """The condition that a rendition is in a state."""
    for group in _INDEXED:
        if state in group:
            names = ", ".join(f"'{name}'" for name in group)
            return f"state IN ({names}) AND state = '{state}'"
    raise ValueError(state)
