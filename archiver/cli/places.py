"""Where an archive is, as people name it."""

from pathlib import Path


def archive_folder(path: Path) -> Path:
    """The folder of the archive that is meant by a path.

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
