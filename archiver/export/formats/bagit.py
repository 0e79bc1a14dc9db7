"""`bagit`: what `jsonl` writes, as a bag (RFC 8493) that other archives accept as it is."""

from pathlib import Path

from archiver.errors import UsageError
from archiver.export.folder import ExportFolder
from archiver.export.formats import jsonl
from archiver.export.formats.form import ExportFormat
from archiver.export.heading import ExportHeading
from archiver.export.snapshot import Snapshot
from archiver.version import version


def require() -> None:
    """Raise UsageError where the library is not installed."""
    try:
        import bagit  # noqa: F401, PLC0415 — an extra
    except ImportError as error:
        raise UsageError(
            "This format needs the library bagit, which is not installed",
            hint="Install the extra: pip install 'social-archiver[export]', or pip install bagit",
        ) from error


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the payload. Raises StorageError."""
    jsonl.write(snapshot, folder)


def seal(folder: Path, heading: ExportHeading, posts: int) -> None:
    """Make the finished folder a bag; all files are read again for their hashes."""
    import bagit  # noqa: PLC0415 — an extra

    bagit.make_bag(
        str(folder),
        {
            "Bag-Software-Agent": f"archiver {version()}",
            "External-Description": f"{posts} posts from the archive {heading.archive}: "
            f"{heading.selection}",
            "External-Identifier": heading.archive,
            "Bagging-Date": heading.made_at[:10],
        },
        checksums=["sha256"],
    )


FORMAT = ExportFormat(
    "bagit", (*jsonl.FORMAT.contents, "In a bag (RFC 8493), all of these are in data/."), write,
    require, seal,
)  # fmt: skip
