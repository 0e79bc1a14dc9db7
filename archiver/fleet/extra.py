"""What the fleet needs beyond the rest of the program, and how to install it."""

from importlib.util import find_spec

from archiver.errors import UsageError

_NEEDED = ("obstore", "procrastinate", "psycopg")


def require_extra() -> None:
    """Raise UsageError where the extra is not installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"archiver fleet needs {', '.join(missing)}",
            hint="Install what it needs with: pip install 'social-archiver[fleet]'",
        )
