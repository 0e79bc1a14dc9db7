"""Which version of this program runs."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version


def version() -> str:
    """The version of the installed distribution; `source` when it is not installed."""
    try:
        return installed_version("social-archiver")
    except PackageNotFoundError:
        return "source"
