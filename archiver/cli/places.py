"""The folder of an archive that a user means."""

from pathlib import Path


def archive_folder(path: Path) -> Path:
    """The folder of the archive for a path: the folder itself, its config, or its database.

    That is the path itself, the folder of an `archive.db`, or `archive` in the folder that holds
    the config. Where there is none, the path is given back: whoever opens it says so.
    """
    from archiver.archive.database import DATABASE

    if path.name == DATABASE and path.is_file():
        return path.parent
    inside = path / "archive"
    if not (path / DATABASE).exists() and (inside / DATABASE).exists():
        return inside
    return path
